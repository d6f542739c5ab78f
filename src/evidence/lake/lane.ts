/** Where shards are made: in threads, and few files in this one. */
import { availableParallelism } from 'node:os';
import { startThread } from '../thread.ts';
import type { LakeFolder } from './pages.ts';
import type { CarefulRead } from './prepare.ts';
import { type AddedFile, type ShardFacts, ShardMaker } from './shard-maker.ts';

/** Each holds a shard, and together they are to hold less than 1 GB. */
const mostLanes = 3;
/** A thread takes longer to start than so many packed bytes to be imported. */
const fewBytes = 512 * 1024;

/** Makes one shard after the other. Each rejects with what `ShardMaker` throws. */
export interface Lane {
  add(file: number, packed: Buffer, hashPlain: boolean): Promise<AddedFile>;
  addCarefully(file: number, place: string, path: string, size: number): Promise<CarefulRead>;
  finish(name: string): Promise<ShardFacts>;
  discard(): Promise<void>;
  close(): Promise<void>;
}

export type LaneQuestion =
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
export type LaneAnswer = AddedFile | CarefulRead | ShardFacts | undefined;

/** @param packed bytes of all files */
export function openLanes(folder: LakeFolder, packed: number): readonly Lane[] {
  if (packed <= fewBytes) return [laneHere(folder)];
  const count = Math.min(mostLanes, availableParallelism(), Math.ceil(packed / bytesPerLane));
  return Array.from({ length: count }, () => laneInThread(folder));
}

/** About half a shard: less is not worth a shard of its own. */
const bytesPerLane = 8 * 1024 * 1024;

function laneHere(folder: LakeFolder): Lane {
  const maker = new ShardMaker(folder);
  return {
    add: async (...file) => maker.add(...file),
    addCarefully: (...file) => maker.addCarefully(...file),
    finish: async (name) => maker.finish(name),
    discard: async () => maker.discard(),
    close: async () => maker.discard(),
  };
}

function laneInThread(folder: LakeFolder): Lane {
  const module = new URL('./lane-worker.ts', import.meta.url);
  const thread = startThread<LaneQuestion, LaneAnswer>(module, folder);
  return {
    add: async (file, packed, hashPlain) => {
      // Bytes that nobody else looks at need not be copied.
      const own = packed.buffer.byteLength === packed.byteLength ? [packed.buffer as ArrayBuffer] : [];
      return (await thread.ask({ kind: 'add', file, packed, hashPlain }, own)) as AddedFile;
    },
    addCarefully: async (file, place, path, size) =>
      (await thread.ask({ kind: 'careful', file, place, path, size })) as CarefulRead,
    finish: async (name) => (await thread.ask({ kind: 'finish', name })) as ShardFacts,
    discard: async () => {
      await thread.ask({ kind: 'discard' });
    },
    close: () => thread.close(),
  };
}
