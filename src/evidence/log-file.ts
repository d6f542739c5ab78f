/** Reads one file of logs: takes off gzip, zip and UTF-16 by content, cuts the JSON, and says what was wrong with it. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { fromBufferPromise, openPromise, type ZipFile } from 'yauzl';
import { type LogReader, LogText } from './log-text.ts';

type Chunks = AsyncIterable<Buffer>;

/** What a file may blow up to, over all its layers; logs reach 20 to 50 times their size. */
const maxInflation = 200;
const minInflated = 64 * 1024 * 1024;
/** Up to here a gzip file is unpacked in one go, which is faster and lets a damaged one be saved up to the damage. */
const smallGzip = 8 * 1024 * 1024;
const maxLayers = 4;
const pieceBytes = 1024 * 1024;
const maxNestedZip = 256 * 1024 * 1024;
const maxEntries = 100_000;

interface Layer {
  readonly path: string;
  readonly depth: number;
  readonly isGzip: boolean;
  /** Shared by all layers of one file. */
  readonly inflated: { bytes: number; readonly limit: number };
  readonly reader: LogReader;
}

/** Something about the content; never a bug. */
class BadContent extends Error {}

/**
 * Reads the file at `absolute` and reports once, or once per entry of an archive. Throws only for bugs.
 * @param size in bytes
 */
export async function readLogFile(absolute: string, path: string, size: number, reader: LogReader): Promise<void> {
  const inflated = { bytes: 0, limit: Math.max(minInflated, size * maxInflation) };
  const layer: Layer = { path, depth: 0, isGzip: false, inflated, reader };
  const stream = createReadStream(absolute, { highWaterMark: pieceBytes });
  try {
    await readLayer(stream, size, layer, absolute);
  } catch (error) {
    reader.report({ path, verdict: 'bad', reason: contentReason(error) });
  } finally {
    stream.destroy();
  }
}

async function readLayer(source: Chunks, size: number | undefined, layer: Layer, file?: string): Promise<void> {
  if (layer.depth > maxLayers) throw new BadContent(`packed more than ${maxLayers} times`);
  const { head, chunks } = await peek(source);
  if (head[0] === 0x1f && head[1] === 0x8b) {
    const inner = { ...layer, depth: layer.depth + 1, isGzip: true };
    return size !== undefined && size <= smallGzip
      ? readSmallGzip(chunks, inner)
      : readLayer(gunzip(chunks, inner), undefined, inner);
  }
  if (head[0] === 0x50 && head[1] === 0x4b && (head[2] === 0x03 || head[2] === 0x05)) {
    const inner = { ...layer, depth: layer.depth + 1, isGzip: false };
    const zip = file
      ? await openPromise(file, asBytes)
      : await fromBufferPromise(await collect(chunks, maxNestedZip), asBytes);
    return readZip(zip, inner);
  }
  const archive = archiveOf(head);
  if (archive !== undefined) throw new BadContent(`${archive}, which cannot be read here: unpack it first`);
  await readText(chunks, layer);
}

/** Names are shown, never opened: one that leads out of a folder must not hide what comes after it. */
const asBytes = { decodeStrings: false };

/** What else a file may be packed as: logs, for all that one can tell. */
const archives: readonly (readonly [begin: string, name: string])[] = [
  ['425a68', 'packed with bzip2'],
  ['fd377a58', 'packed with xz'],
  ['28b52ffd', 'packed with zstd'],
  ['377abcaf', 'a 7z archive'],
  ['52617221', 'a RAR archive'],
];

function archiveOf(head: Buffer): string | undefined {
  if (head.toString('latin1', 257, 262) === 'ustar') return 'a tar archive';
  const begin = head.toString('hex', 0, 4);
  return archives.find(([magic]) => begin.startsWith(magic))?.[1];
}

async function readText(chunks: Chunks, layer: Layer): Promise<void> {
  const text = layer.reader.open?.(layer.path) ?? new LogText(layer.path, layer.isGzip, layer.reader);
  let problem: string | undefined;
  try {
    for await (const chunk of chunks) {
      if (layer.reader.full() || !text.push(chunk)) break;
    }
  } catch (error) {
    // What came before the damage counts.
    problem = contentReason(error);
  }
  text.end(problem);
}

async function readSmallGzip(chunks: Chunks, layer: Layer): Promise<void> {
  const packed = await collect(chunks, smallGzip);
  const { content, problem } = unpack(packed, layer.inflated.limit - layer.inflated.bytes);
  layer.inflated.bytes += content.length;
  async function* unpacked(): AsyncGenerator<Buffer> {
    // In pieces, so that others get their turn in between.
    for (let at = 0; at < content.length; at += pieceBytes) {
      yield content.subarray(at, at + pieceBytes);
      await setImmediate();
    }
    if (problem) throw new BadContent(problem);
  }
  await readLayer(unpacked(), content.length, layer);
}

/** Unpacks all of it or, where it is damaged, all up to the damage. */
function unpack(packed: Buffer, maxOutputLength: number): { content: Buffer; problem?: string } {
  const upTo = (length: number): Buffer | undefined => {
    try {
      return gunzipSync(packed.subarray(0, length), { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength });
    } catch (error) {
      if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE')
        throw new BadContent(`unpacks to more than ${maxInflation} times its size`);
      if (codeOf(error)?.startsWith('Z_')) return undefined;
      throw error;
    }
  };
  try {
    return { content: gunzipSync(packed, { maxOutputLength }) };
  } catch (error) {
    const problem = contentReason(error);
    // Everything before the damage unpacks, nothing beyond it does: halving finds the place.
    let [good, bad] = [0, packed.length + 1];
    let content: Buffer = Buffer.alloc(0);
    while (bad - good > 1) {
      const middle = (good + bad) >> 1;
      const unpacked = upTo(middle);
      if (unpacked) [good, content] = [middle, unpacked];
      else bad = middle;
    }
    return { content, problem };
  }
}

async function* gunzip(source: Chunks, layer: Layer): AsyncGenerator<Buffer> {
  const packed = Readable.from(source);
  const unpacked = createGunzip({ chunkSize: 256 * 1024 });
  packed.on('error', (error) => unpacked.destroy(error));
  packed.pipe(unpacked);
  try {
    yield* counted(unpacked, layer);
  } finally {
    packed.destroy();
    unpacked.destroy();
  }
}

async function* counted(source: Chunks, layer: Layer): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    layer.inflated.bytes += chunk.length;
    if (layer.inflated.bytes > layer.inflated.limit)
      throw new BadContent(`unpacks to more than ${maxInflation} times its size`);
    yield chunk;
  }
}

async function readZip(zip: ZipFile, layer: Layer): Promise<void> {
  let entries = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      if (layer.reader.full()) return;
      if (++entries > maxEntries) throw new BadContent(`an archive of more than ${maxEntries} files`);
      const name = entry.fileNameRaw.toString('utf8');
      // Folders, and what macOS adds beside each file.
      if (/[/\\]$/.test(name) || name.startsWith('__MACOSX/')) continue;
      const path = `${layer.path}!/${name.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)}`;
      try {
        if (entry.generalPurposeBitFlag & 1) throw new BadContent('encrypted');
        const stream: Readable = await zip.openReadStreamPromise(entry);
        await readLayer(counted(stream, layer), entry.uncompressedSize, { ...layer, path });
        stream.destroy();
      } catch (error) {
        layer.reader.report({ path, verdict: 'bad', reason: contentReason(error) });
        if (layer.inflated.bytes > layer.inflated.limit) return;
      }
    }
  } finally {
    zip.close();
  }
}

/** The first bytes of a source, and the source as if nothing had been read. */
async function peek(source: Chunks): Promise<{ head: Buffer; chunks: Chunks }> {
  const iterator = source[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  let failure: unknown;
  while (head.length < 4) {
    try {
      const next = await iterator.next();
      if (next.done) break;
      head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
    } catch (error) {
      failure = error;
      break;
    }
  }
  async function* chunks(): AsyncGenerator<Buffer> {
    try {
      if (head.length > 0) yield head;
      if (failure !== undefined) throw failure;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { head, chunks: chunks() };
}

async function collect(chunks: Chunks, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new BadContent(`an archive in an archive of more than ${maxBytes / 1_048_576} MB`);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** What is wrong with the content, in words; anything that is not about content or the file system is a bug and thrown on. */
function contentReason(error: unknown): string {
  if (error instanceof BadContent) return error.message;
  const code = codeOf(error);
  if (code === 'Z_BUF_ERROR') return 'truncated gzip';
  if (code?.startsWith('Z_')) return 'damaged gzip';
  if (code === 'ERR_BUFFER_TOO_LARGE') return `unpacks to more than ${maxInflation} times its size`;
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read';
  if (code !== undefined && /^E[A-Z]+$/.test(code)) return `could not be read (${code})`;
  // yauzl throws plain errors, all of them about the archive.
  if (error instanceof Error && error.constructor === Error) return `damaged zip: ${error.message.slice(0, 120)}`;
  throw error;
}
