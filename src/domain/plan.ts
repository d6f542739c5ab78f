/** The plan's canonical form and hash: what an approval is bound to (safety rule 1). */
import { createHash } from 'node:crypto';
import type { Plan } from '../contracts/approval.ts';
import type { ApiCall } from '../contracts/aws.ts';
import { canonical } from './canonical.ts';

/** SHA-256 over the canonical plan, hex. Any change of call, target, policy, role or pre-state changes it. */
export function planHash(plan: Plan): string {
  return createHash('sha256').update(canonical(plan)).digest('hex');
}

/** True when two pre-states are the same in canonical form. */
export function sameState(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  return canonical(a) === canonical(b);
}

/** The names of the fields in which two pre-states differ, with both values, for people. */
export function drift(planned: Readonly<Record<string, unknown>>, now: Readonly<Record<string, unknown>>): string[] {
  const names = [...new Set([...Object.keys(planned), ...Object.keys(now)])].sort();
  return names
    .filter((name) => canonical(planned[name] ?? null) !== canonical(now[name] ?? null))
    .map((name) => `${name} was ${canonical(planned[name] ?? null)}, is ${canonical(now[name] ?? null)}`);
}

/** The exact AWS CLI command of a call, for a human break-glass role. Quoted for a POSIX shell. */
export function cliCommand(call: ApiCall): string {
  const flags = Object.entries(call.input).map(([name, value]) => `--${kebab(name)} ${shellQuote(valueText(value))}`);
  return ['aws', call.service, kebab(call.operation), ...flags, '--region', call.region].join(' ');
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function kebab(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
}

function shellQuote(text: string): string {
  return /^[A-Za-z0-9_./:=@+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
