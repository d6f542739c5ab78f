/** Sign-in logs from the files that the config names: who had which address when. */
import { isUtf8 } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { CsvError, parse } from 'csv-parse/sync';
import { UserError } from '../../contracts/errors.ts';
import type { People, PersonAtAddress } from '../../contracts/network.ts';
import { parseIp } from '../../domain/address.ts';
import { fieldAt, type SignInLog, sightingOf } from '../../domain/sign-in-log.ts';
import { listFiles } from '../folder.ts';
import { JsonItems } from '../json-items.ts';
import { jsonOf } from '../unwrap.ts';

const unpack = promisify(gunzip);
const maxBytes = 256 * 1024 * 1024;

interface Read {
  readonly sightings: readonly PersonAtAddress[];
  readonly gaps: readonly string[];
}

/** Reads each file once per session. What cannot be read is a gap, never an error. */
export function openPeople(logs: readonly SignInLog[]): People {
  let reading: Promise<Read> | undefined;
  async function all(): Promise<Read> {
    const sightings: PersonAtAddress[] = [];
    const gaps: string[] = [];
    for (const log of logs) {
      const read = await readLog(log);
      sightings.push(...read.sightings);
      gaps.push(...read.gaps);
    }
    return { sightings, gaps };
  }
  const read = () => {
    reading ??= all();
    return reading;
  };
  return {
    async at(addresses) {
      if (logs.length === 0) return [];
      const wanted = new Set(addresses.map((address) => parseIp(address) ?? address));
      return (await read()).sightings.filter(({ address }) => wanted.has(address));
    },
    gaps: async () => (logs.length === 0 ? [] : (await read()).gaps),
  };
}

async function readLog(log: SignInLog): Promise<Read> {
  const sightings: PersonAtAddress[] = [];
  const gaps: string[] = [];
  try {
    const { files, unreadable } = await listFiles(log.path);
    gaps.push(...unreadable.map(({ path, reason }) => `sign-in log ${log.name}: ${path}: ${reason}`));
    for (const { absolute, path } of files) {
      const problem = await readOne(absolute, log, sightings);
      if (problem !== undefined) gaps.push(`sign-in log ${log.name}: ${path}: ${problem}`);
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    gaps.push(`sign-in log ${log.name}: ${error.message}`);
  }
  return { sightings, gaps };
}

/** Returns what was wrong with the file, in words. */
async function readOne(file: string, log: SignInLog, sightings: PersonAtAddress[]): Promise<string | undefined> {
  let bytes: Buffer;
  try {
    if ((await stat(file)).size > maxBytes) return `larger than ${maxBytes / 1024 ** 2} MB`;
    bytes = await readFile(file);
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = await unpack(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return `could not be read (${code})`;
  }
  if (!isUtf8(bytes)) return 'is no UTF-8 text';
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  let [lines, bad] = [0, 0];
  const take = (field: (name: string) => string) => {
    lines += 1;
    const sighting = sightingOf(field, log);
    if (sighting) sightings.push(sighting);
    else bad += 1;
  };
  if (/^\s*[[{]/.test(text)) {
    let fault: string | undefined;
    const items = new JsonItems({
      item: (item) => {
        const value = jsonOf(item.toString('utf8'));
        take((name) => fieldAt(value, name));
      },
      broken: (_bytes, line) => {
        fault ??= `broken JSON (line ${line})`;
      },
      fault: (reason) => {
        fault ??= reason;
      },
      container: () => undefined,
    });
    items.push(Buffer.from(text));
    items.end();
    if (fault !== undefined) return fault;
  } else {
    const rows = csvOf(text);
    if (typeof rows === 'string') return rows;
    const [head = [], ...rest] = rows;
    const lacking = [log.person, log.address, log.from].filter((name) => !head.includes(name));
    if (lacking.length > 0) return `has no column ${lacking.join(', ')}`;
    for (const row of rest) take((name) => row[head.indexOf(name)] ?? '');
  }
  return bad > 0 ? `${bad} of ${lines} lines name no person, address or time` : undefined;
}

/** The rows, or what is wrong with them. */
function csvOf(text: string): readonly (readonly string[])[] | string {
  try {
    return parse(text, {
      delimiter: [',', ';', '\t', '|'],
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      trim: true,
    });
  } catch (error) {
    if (error instanceof CsvError) return `is no CSV: ${error.message.slice(0, 120)}`;
    throw error;
  }
}
