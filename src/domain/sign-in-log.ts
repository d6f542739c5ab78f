/** Sign-in logs of the operator's own (SSO, VPN): any CSV or JSON, read by a mapping in the config. */
import { z } from 'zod';
import type { PersonAtAddress } from '../contracts/network.ts';
import { parseIp } from './address.ts';
import { isoOf } from './window.ts';

/** One entry of `signInLogs` in the config file. Fields of nested JSON are written with dots: `client.ipAddress`. */
export const SignInLog = z.strictObject({
  /** Shown beside the person: `vpn`. */
  name: z.string().min(1).max(40),
  /** A file or a folder, read anew for each question. */
  path: z.string().min(1),
  person: z.string().min(1),
  address: z.string().min(1),
  from: z.string().min(1),
  to: z.string().min(1).optional(),
});
export type SignInLog = z.output<typeof SignInLog>;

/** Times without a zone are UTC; whole numbers are seconds or, from the year 2001 in milliseconds on, milliseconds. */
function timeOf(value: string): string | undefined {
  const number = /^\d{9,13}(\.\d+)?$/.test(value) ? Number(value) : undefined;
  const hasZone = /(Z|[+-]\d\d:?\d\d|GMT|UTC)$/i.test(value);
  const isDay = /^\d{4}-\d\d-\d\d$/.test(value);
  // Without a zone a date that is not ISO's is of the zone of this machine.
  const utc = /\d:\d/.test(value) ? `${value.replace(' ', 'T')}Z` : `${value} UTC`;
  const written = hasZone || isDay ? value : utc;
  const ms = number === undefined ? Date.parse(written) : number > 1e11 ? number : number * 1000;
  return Number.isNaN(ms) || Math.abs(ms) > 8.64e15 ? undefined : isoOf(ms);
}

/** The sighting of one line, by the mapping; undefined where person, address or time is missing or is none. */
export function sightingOf(field: (name: string) => string, log: SignInLog): PersonAtAddress | undefined {
  const person = field(log.person).trim().slice(0, 200);
  // VPN servers write the port behind the address.
  const written = field(log.address).trim();
  const address = parseIp(written) ?? parseIp(/^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(written)?.[1] ?? '');
  const from = timeOf(field(log.from).trim());
  if (person === '' || address === undefined || from === undefined) return undefined;
  const to = log.to === undefined ? undefined : timeOf(field(log.to).trim());
  return { person, address, from, ...(to !== undefined && to >= from ? { to } : {}), log: log.name };
}

/** A field of a JSON object by a path with dots; '' where it is absent or no plain value. */
export function fieldAt(value: unknown, path: string): string {
  let here: unknown = value;
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, path)) {
    here = (value as Readonly<Record<string, unknown>>)[path];
  } else {
    for (const step of path.split('.')) {
      if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return '';
      here = (here as Readonly<Record<string, unknown>>)[step];
    }
  }
  return typeof here === 'string' || typeof here === 'number' ? String(here) : '';
}
