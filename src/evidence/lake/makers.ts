/** Where shards are made: in threads, and few files in this one. */
import { availableParallelism } from 'node:os';
import { startThread, type Thread } from '../thread.ts';
import type { LakeFolder } from './pages.ts';
import type { CarefulRead } from './prepare.ts';
import { type AddedFile, type ShardFacts, ShardMaker } from './shard-maker.ts';

/** Each holds a shard, and together they are to hold less than 1 GB. */
const mostMakers = 3;
/** A thread takes longer to start than so many packed bytes to be imported. */
const fewBytes = 128 * 1024;

/** Makes one shard after the other. Each rejects with what `ShardMaker` throws. */
export interface Maker {
  add(file: number, packed: Buffer, hashPlain: boolean): Promise<AddedFile>;
  addCarefully(file: number, place: string, path: string, size: number): Promise<CarefulRead>;
  finish(name: string): Promise<ShardFacts>;
  discard(): Promise<void>;
  close(): Promise<void>;
}

export type MakerQuestion =
  | { readonly kind: 'add'; readonly file: number; readonly packed: Uint8Array; readonly hashPlain: boolean }
  | {
      readonly kind: 'careful';
      readonly file: number;
      readonly place: string;
      readonly path: string;
      readonly size: number;
    }
  | { readonly kind: 'finish'; readonly name: string }
  | { readonly kind: 'discard' };
export type MakerAnswer = AddedFile | CarefulRead | ShardFacts | undefined;

/** @param packed bytes of all files */
export function openMakers(folder: LakeFolder, packed: number): readonly Maker[] {
  if (packed <= fewBytes) return [makerHere(folder)];
  const count = Math.min(mostMakers, availableParallelism(), Math.ceil(packed / bytesPerMaker));
  return Array.from({ length: count }, () => makerInThread(folder));
}

/** About half a shard: less is not worth a shard of its own. */
const bytesPerMaker = 8 * 1024 * 1024;

function makerHere(folder: LakeFolder): Maker {
  const maker = new ShardMaker(folder);
  return {
    add: async (...file) => maker.add(...file),
    addCarefully: (...file) => maker.addCarefully(...file),
    finish: (name) => maker.finish(name),
    discard: async () => maker.discard(),
    close: async () => maker.discard(),
  };
}

function makerInThread(folder: LakeFolder): Maker {
  const module = new URL('./maker-worker.ts', import.meta.url);
  let thread: Thread<MakerQuestion, MakerAnswer> | undefined;
  const ask = async (question: MakerQuestion, transfer?: readonly ArrayBuffer[]): Promise<MakerAnswer> => {
    // Not before: mostly there is nothing new.
    thread ??= startThread<MakerQuestion, MakerAnswer>(module, folder);
    return thread.ask(question, transfer);
  };
  return {
    add: async (file, packed, hashPlain) => {
      // Bytes that nobody else looks at need not be copied.
      const own = packed.buffer.byteLength === packed.byteLength ? [packed.buffer as ArrayBuffer] : [];
      return (await ask({ kind: 'add', file, packed, hashPlain }, own)) as AddedFile;
    },
    addCarefully: async (file, place, path, size) =>
      (await ask({ kind: 'careful', file, place, path, size })) as CarefulRead,
    finish: async (name) => (await ask({ kind: 'finish', name })) as ShardFacts,
    discard: async () => {
      await ask({ kind: 'discard' });
    },
    close: async () => thread?.close(),
  };
}
