/** `firebreak audit verify [FILE] [--holds HASH] [--anchors]` and `firebreak audit export`. */
import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { lookAtAnchors } from './audit-anchors-command.ts';
import { type Config, loadConfig } from './config.ts';
import { asError, SetupError } from './contracts/errors.ts';
import type { AuditRow } from './contracts/store.ts';
import { genesisHash, verifyAuditRows } from './domain/audit-chain.ts';
import { openLog } from './log.ts';
import { connectStore } from './wire.ts';

const batch = 1_000;

export async function auditCommand(words: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...words],
    options: { holds: { type: 'string' }, anchors: { type: 'boolean' } },
    allowNegative: true,
    allowPositionals: true,
  });
  const [what, file, ...more] = positionals;
  if (what === 'export' && file === undefined) {
    const config = loadConfig({ kind: 'cli' });
    for await (const rows of fromStore(config))
      for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
    return 0;
  }
  if (what !== 'verify' || more.length > 0)
    throw new SetupError([
      'usage: firebreak audit verify [FILE] [--holds HASH] [--anchors | --no-anchors] | firebreak audit export',
    ]);
  const holds = values.holds?.trim().toLowerCase();
  // A part of a hash is in no chain, and must not read as one that was rewritten.
  if (holds !== undefined && !/^[0-9a-f]{64}$/.test(holds))
    throw new SetupError(['--holds takes a whole hash, 64 digits and letters a to f, as a thread or `verify` says it']);
  // A file is checked offline, unless somebody asks for the anchors.
  const config = file === undefined || values.anchors === true ? loadConfig({ kind: 'cli' }) : undefined;
  const wanted = values.anchors ?? (file === undefined && config?.audit.anchor !== undefined);
  const anchors = config !== undefined && wanted ? await lookAtAnchors(config, file !== undefined) : undefined;
  let expected = { seq: 0, hash: genesisHash };
  let count = 0;
  let heldAt: number | undefined;
  for await (const rows of rowsOf(file, config)) {
    const result = verifyAuditRows(rows, expected);
    if (!result.ok) {
      process.stdout.write(`BROKEN at entry ${result.seq}: ${result.because}\n`);
      return 1;
    }
    count += rows.length;
    for (const row of rows) anchors?.see(row);
    heldAt ??= rows.find(({ hash }) => hash === holds)?.seq;
    expected = rows.at(-1) ?? expected;
  }
  if (file !== undefined && count === 0 && anchors === undefined) {
    process.stdout.write(`BROKEN: ${file} holds no entry, as after an export that failed or was cut off.\n`);
    return 1;
  }
  process.stdout.write(`The chain of ${count} entries is whole. Head: entry ${expected.seq}, ${expected.hash}\n`);
  const ends = [holds === undefined ? undefined : heldWords(heldAt), anchors?.end(expected.seq)];
  for (const { lines } of ends.flatMap((end) => end ?? []))
    process.stdout.write(lines.map((one) => `${one}\n`).join(''));
  const codes = ends.map((end) => end?.code ?? 0);
  return codes.includes(1) ? 1 : Math.max(...codes);
}

/** A head that was told elsewhere (in the thread of a card, say) is in a chain that nobody has rewritten or cut off. */
function heldWords(heldAt: number | undefined): { readonly lines: readonly string[]; readonly code: 0 | 1 } {
  const lost = 'BROKEN: it does not hold the entry of that hash, so it was rewritten or cut off.';
  if (heldAt === undefined) return { lines: [lost], code: 1 };
  return { lines: [`It holds that hash as entry ${heldAt}.`], code: 0 };
}

function rowsOf(file: string | undefined, config: Config | undefined): AsyncIterable<readonly AuditRow[]> {
  return file === undefined ? fromStore(config ?? loadConfig({ kind: 'cli' })) : fromFile(file);
}

async function* fromStore(config: Config): AsyncGenerator<readonly AuditRow[]> {
  const { store, close } = await connectStore(config, [], openLog('error'));
  try {
    for (let after = 0; ; ) {
      const rows = await store.audit.read(after, batch);
      if (rows.length === 0) return;
      yield rows;
      after = rows.at(-1)?.seq ?? after;
    }
  } finally {
    await close();
  }
}

/** Throws SetupError for a line that is no entry: cut off, or of another file. What its fields hold is for the chain to judge. */
function entryIn(text: string, where: string): AuditRow {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SetupError([`${where} is not JSON: ${asError(error).message}`]);
  }
  const isEntry = typeof value === 'object' && value !== null && Number.isInteger((value as { seq?: unknown }).seq);
  if (!isEntry) throw new SetupError([`${where} is no entry of an audit`]);
  return value as AuditRow;
}

async function* fromFile(path: string): AsyncGenerator<readonly AuditRow[]> {
  if (!existsSync(path)) throw new SetupError([`there is no file at ${path}`]);
  let rows: AuditRow[] = [];
  let number = 0;
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (text.trim() === '') continue;
    rows.push(entryIn(text, `${path}: line ${number}`));
    if (rows.length >= batch) {
      yield rows;
      rows = [];
    }
  }
  yield rows;
}
