/** The plan's canonical form and hash: what an approval is bound to (safety rule 1). */
import { createHash } from 'node:crypto';
import type { ContainmentAction } from '../contracts/action.ts';
import type { Plan } from '../contracts/approval.ts';
import type { ApiCall } from '../contracts/aws.ts';
import { named } from './blanks.ts';
import { canonical } from './canonical.ts';

/** SHA-256 over the canonical plan, hex. Any change of call, target, policy, role or pre-state changes it. */
export function planHash(plan: Plan): string {
  return createHash('sha256').update(canonical(plan)).digest('hex');
}

/** The part of a pre-state that binds an approval: what the action says, else all of it. */
export function bindsOf(
  action: Pick<ContainmentAction, 'binds'>,
): (state: Plan['before']) => Readonly<Record<string, unknown>> {
  return (state) => action.binds?.(state as never) ?? state;
}

/**
 * The target as people read it. Lists are counted, not spelled out: the card shows them elsewhere; a number says of what (`90 lock days`). An
 * ARN says name and account again.
 */
export function targetWords(target: Plan['target']): string {
  return Object.entries(target)
    .filter(([name]) => name !== 'arn' && name !== 'roleArn')
    .filter(([, value]) => value !== '' && (!Array.isArray(value) || value.length > 0))
    .map(([name, value]) => {
      if (Array.isArray(value)) return `(${value.length} ${name})`;
      return typeof value === 'number' ? `(${value} ${name.replace(/[A-Z]/g, ' $&').toLowerCase()})` : String(value);
    })
    .join(' ');
}

/** How a target was typed, and not what it is: the pre-state names it whole. */
const spelling: readonly string[] = ['arn', 'accountId', 'region', 'roleArn'];

/** The same text for the same wish, whether the target was named by its name or its ARN. */
export function wishOf({ action, direction, accountId, target, before }: Plan): string {
  const rest = Object.entries(target).filter(([name]) => !spelling.includes(name));
  return canonical([action, direction, accountId, subjectOf(before) ?? null, Object.fromEntries(rest)]);
}

/**
 * What is written by one run at a time. Policies of one user or role are read and then written whole: of two plans side by side,
 * of one session each, say, the later would take the earlier's words out again.
 */
export function turnOf({ action, accountId, target, before }: Plan): string {
  if (typeof before.principalArn === 'string') return canonical([accountId, before.principalArn]);
  return canonical([action, accountId, subjectOf(before) ?? target]);
}

/** The ARN that AWS itself gave the target, where the action reads it. */
function subjectOf({ principalArn, instanceArn }: Plan['before']): string | undefined {
  return [principalArn, instanceArn].find((arn) => typeof arn === 'string');
}

/** True when two pre-states are the same in canonical form. */
export function sameState(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  return canonical(a) === canonical(b);
}

/**
 * How the target differs from what was approved. `voids`: in what the action binds, or so that other calls would be made.
 * `told`: in the rest, which is said and changes nothing (a live attacker touches his own state all the time).
 */
export function compared(
  plan: Pick<Plan, 'before' | 'calls'>,
  found: Plan['before'],
  binds: (state: Plan['before']) => Readonly<Record<string, unknown>>,
  calls: readonly ApiCall[] | undefined,
): { readonly voids: readonly string[]; readonly told: readonly string[] } {
  const all = drift(plan.before, found);
  if (all.length === 0) return { voids: [], told: [] };
  const bound = drift(binds(plan.before), binds(found));
  if (bound.length > 0) return { voids: bound, told: all.filter((line) => !bound.includes(line)) };
  const same = calls !== undefined && canonical(calls) === canonical(plan.calls);
  return same ? { voids: [], told: all } : { voids: all, told: [] };
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
  const flags = Object.entries(named(call.input)).map(
    ([name, value]) => `--${kebab(name)} ${shellQuote(valueText(value))}`,
  );
  const command = ['aws', call.service, kebab(call.operation), ...flags, '--region', call.region].join(' ');
  // The time is known when the command is run, so the shell writes it: out of the quotes, and in again.
  return command.replaceAll(
    /<time of sending \+ (\d+) s>/g,
    (_, seconds: string) => `'"$(date -u -d '+${seconds} seconds' +%Y-%m-%dT%H:%M:%SZ)"'`,
  );
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
