/** `firebreak import DIR|s3://bucket/prefix`: CloudTrail files into the lake of the data folder. */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { systemClock } from './clock.ts';
import { loadConfig } from './config.ts';
import { SetupError, UserError } from './contracts/errors.ts';
import { inert } from './domain/inert.ts';
import { parseWindow } from './domain/window.ts';
import type { ImportProgress, ImportResult } from './evidence/lake/import.ts';
import type { NetworkImportResult } from './evidence/network/import.ts';
import { openLog } from './log.ts';
import { importIntoLake } from './wire.ts';

const incomplete = 3;
const shownBad = 20;

/** Runs one import. Returns the exit code: 0, or 3 where something could not be read in full. */
export async function importCommand(words: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    strict: true,
    options: {
      since: { type: 'string' },
      until: { type: 'string' },
      regions: { type: 'string' },
      accounts: { type: 'string' },
      'digest-keys': { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const [place, ...more] = positionals;
  if (place === undefined || more.length > 0)
    throw new SetupError(['import takes one folder, file or s3://bucket/prefix']);
  const config = loadConfig({ kind: 'cli' });
  const log = openLog(process.stderr.isTTY ? 'error' : config.logLevel === 'info' ? 'error' : config.logLevel);
  const window = parseWindow({ since: values.since, until: values.until }, systemClock.now());
  const ended = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () =>
      ended.abort(new UserError('Interrupted: what was finished is kept, the same import goes on after it.')),
    );
  }
  const show = progressLine();
  const result = await importIntoLake(config, {
    place,
    selection: { ...window, accounts: list(values.accounts), regions: list(values.regions) },
    digestKeys: values['digest-keys'] === undefined ? undefined : await keysOf(values['digest-keys']),
    signal: ended.signal,
    onProgress: show.progress,
    log,
  });
  show.end();
  process.stdout.write(values.json ? `${JSON.stringify(jsonOf(result), undefined, 2)}\n` : told(result));
  const whole =
    result.bad.length === 0 &&
    result.network.bad.length === 0 &&
    result.run.unreadable.length === 0 &&
    result.run.digests.problems.length === 0;
  return whole ? 0 : incomplete;
}

function list(words: string | undefined): readonly string[] | undefined {
  const items = (words ?? '').split(',').flatMap((word) => word.trim() || []);
  return items.length === 0 ? undefined : items;
}

async function keysOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UserError(
      `The file of digest keys cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`,
    );
  }
}

/** A bar where a person watches, else a line now and then. */
function progressLine(): { progress(progress: ImportProgress): void; end(): void } {
  const isTerminal = process.stderr.isTTY;
  const began = performance.now();
  let last = 0;
  return {
    progress({ files, filesDone, bytes, bytesDone, records }) {
      const now = performance.now();
      const isDone = filesDone === files;
      if (now - last < (isTerminal ? 100 : 5_000) && !(isTerminal && isDone)) return;
      last = now;
      const share = bytes === 0 ? 1 : bytesDone / bytes;
      const seconds = (now - began) / 1000;
      const left = share > 0.02 && !isDone ? `, ${Math.ceil((seconds / share) * (1 - share))} s left` : '';
      const text = `${Math.floor(share * 100)}% ${filesDone} of ${files} files, ${records} records${left}`;
      if (!isTerminal) process.stderr.write(`importing: ${text}\n`);
      else {
        const bar = '#'.repeat(Math.round(share * 30)).padEnd(30, '.');
        process.stderr.write(`\r[${bar}] ${text}\u001b[K`);
      }
    },
    end() {
      if (isTerminal) process.stderr.write('\r\u001b[K');
    },
  };
}

type Result = ImportResult & { readonly network: NetworkImportResult; readonly otherFiles: readonly string[] };

function told({ files, imported, skipped, records, bad, others, otherFiles, run, network }: Result): string {
  const lines = [
    `${files} files: ${imported} imported with ${records} records, ${skipped} known from before${others > 0 ? `, ${others} no CloudTrail logs` : ''}.`,
  ];
  if (run.from && run.to)
    lines.push(`Covered: ${run.from} to ${run.to}, accounts ${names(run.accounts)}, Regions ${names(run.regions)}.`);
  lines.push(
    ...some(
      (run.holes ?? []).map(({ account, from, to }) => `No log file of account ${account} from ${from} to ${to}`),
    ),
  );
  if (network.flows + network.lookups > 0)
    lines.push(
      `Beside CloudTrail: ${network.flows} flows and ${network.lookups} DNS lookups of ${network.files} files.`,
    );
  if (others > 0) {
    const shown = otherFiles.slice(0, 5).map((path) => inert(path, 100));
    lines.push(`No CloudTrail logs: ${shown.join(', ')}${otherFiles.length > shown.length ? ', ...' : ''}`);
  }
  if (run.digests.found > 0)
    lines.push(`Digests: ${run.digests.found}, ${run.digests.signature}, ${run.digests.problems.length} problems.`);
  lines.push(...some(run.digests.problems.map((problem) => inert(problem, 400))));
  // A place that cannot be reached is told by all who looked there.
  const faults = [
    ...new Map([...bad, ...network.bad, ...run.unreadable].map((one) => [JSON.stringify(one), one])).values(),
  ];
  if (faults.length > 0) lines.push(`Not read in full: ${faults.length}`);
  lines.push(...some(faults.map(({ path, reason }) => `${inert(path, 200)}: ${inert(reason, 200)}`)));
  return `${lines.join('\n')}\n`;
}

/** Free text from records. */
function names(values: readonly string[]): string {
  return values.map((value) => inert(value, 40)).join(', ') || 'none';
}

function some(lines: readonly string[]): readonly string[] {
  const shown = lines.slice(0, shownBad).map((line) => `  ${line}`);
  return lines.length > shown.length ? [...shown, `  and ${lines.length - shown.length} more`] : shown;
}

function jsonOf({ run, ...counts }: Result): unknown {
  return {
    ...counts,
    covered: { from: run.from ?? '', to: run.to ?? '', accounts: run.accounts, regions: run.regions },
    unreadable: run.unreadable,
    digests: run.digests,
  };
}
