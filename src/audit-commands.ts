/** `firebreak audit verify [FILE] [--holds HASH]` and `firebreak audit export`. */
import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { loadConfig } from './config.ts';
import { SetupError } from './contracts/errors.ts';
import type { AuditRow } from './contracts/store.ts';
import { genesisHash, verifyAuditRows } from './domain/audit-chain.ts';
import { openLog } from './log.ts';
import { connectStore } from './wire.ts';

const batch = 1_000;

export async function auditCommand(words: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...words],
    options: { holds: { type: 'string' } },
    allowPositionals: true,
  });
  const [what, file, ...more] = positionals;
  if (what === 'export' && file === undefined) {
    for await (const rows of fromStore()) for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
    return 0;
  }
  if (what !== 'verify' || more.length > 0)
    throw new SetupError(['usage: firebreak audit verify [FILE] [--holds HASH] | firebreak audit export']);
  let expected = { seq: 0, hash: genesisHash };
  let count = 0;
  let heldAt: number | undefined;
  for await (const rows of file === undefined ? fromStore() : fromFile(file)) {
    const result = verifyAuditRows(rows, expected);
    if (!result.ok) {
      process.stdout.write(`BROKEN at entry ${result.seq}: ${result.because}\n`);
      return 1;
    }
    count += rows.length;
    heldAt ??= rows.find(({ hash }) => hash === values.holds)?.seq;
    expected = rows.at(-1) ?? expected;
  }
  process.stdout.write(`The chain of ${count} entries is whole. Head: entry ${expected.seq}, ${expected.hash}\n`);
  if (values.holds === undefined) return 0;
  // A head that was told elsewhere (in the thread of a card, say) is in a chain that nobody has rewritten or cut off.
  if (heldAt === undefined) {
    process.stdout.write('BROKEN: it does not hold the entry of that hash, so it was rewritten or cut off.\n');
    return 1;
  }
  process.stdout.write(`It holds that hash as entry ${heldAt}.\n`);
  return 0;
}

async function* fromStore(): AsyncGenerator<readonly AuditRow[]> {
  const config = loadConfig({ kind: 'cli' });
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

async function* fromFile(path: string): AsyncGenerator<readonly AuditRow[]> {
  if (!existsSync(path)) throw new SetupError([`there is no file at ${path}`]);
  let rows: AuditRow[] = [];
  let number = 0;
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (text.trim() === '') continue;
    try {
      rows.push(JSON.parse(text) as AuditRow);
    } catch (error) {
      throw new SetupError([
        `${path}: line ${number} is not JSON: ${error instanceof Error ? error.message : String(error)}`,
      ]);
    }
    if (rows.length >= batch) {
      yield rows;
      rows = [];
    }
  }
  yield rows;
}
