/** What of a credential family still works: pure rules over what the logs and IAM say (DOMAIN.md 5.2, the state table). */
import type { Line, Part } from '../contracts/message.ts';
import { bold, code, count, line, utc } from './phrases.ts';

/** A deny that a policy on the user or role puts on everything. Narrower ones are not taken for an end. */
export type Denial =
  | { readonly kind: 'all'; readonly policy: string }
  /** Sessions issued before `at` (ISO 8601 UTC). */
  | { readonly kind: 'before'; readonly policy: string; readonly at: string }
  /** One session, by `AROA...:name`. */
  | { readonly kind: 'session'; readonly policy: string; readonly userId: string };

/** A containment that would end it: action and words after its name. */
export interface Remedy {
  readonly action: string;
  readonly words: readonly string[];
}

export type AliveState = 'alive' | 'dead' | 'dead-by-policy' | 'unknown';

export interface AliveItem {
  readonly kind:
    | 'access key'
    | 'console password'
    | 'console session'
    | 'MFA device'
    | 'service credential'
    | 'session'
    | 'user'
    | 'role'
    | 'role trust'
    | 'instance profile'
    | 'root'
    | 'thing';
  /** The key id, ARN or name. */
  readonly id: string;
  /** ARN of the user or role that it belongs to. */
  readonly of: string;
  readonly state: AliveState;
  readonly because: string;
  /** ISO 8601 UTC: by the clock it ends then, at the latest. Absent: it does not end by itself. */
  readonly until?: string;
  /** Set where the family made it. */
  readonly madeBy?: string;
  /** What would end it; only where such an action is there. */
  readonly step?: Remedy;
}

/** Who a tag says that an identity belongs to. Whoever may tag can write it. */
export interface OwnerTag {
  readonly id: string;
  readonly key: string;
  readonly value: string;
  /** Who set it, as the logs have it; "" where they do not. */
  readonly setBy: string;
}

interface Statement {
  readonly Effect?: unknown;
  readonly Action?: unknown;
  readonly Resource?: unknown;
  readonly NotAction?: unknown;
  readonly NotResource?: unknown;
  readonly Condition?: unknown;
}

/** The denials of everything in a policy's text. What is no policy holds none. */
export function denialsIn(policy: string, text: string): readonly Denial[] {
  let document: { readonly Statement?: unknown } | null;
  try {
    document = JSON.parse(text) as { readonly Statement?: unknown } | null;
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
  const statements = [document?.Statement].flat() as readonly (Statement | null | undefined)[];
  return statements.flatMap((statement) => denialIn(policy, statement) ?? []);
}

function denialIn(policy: string, statement: Statement | null | undefined): Denial | undefined {
  if (typeof statement !== 'object' || statement === null || statement.Effect !== 'Deny') return undefined;
  if (!isEverything(statement.Action) || !isEverything(statement.Resource)) return undefined;
  if (statement.Condition === undefined) return { kind: 'all', policy };
  const at = only(statement.Condition, 'DateLessThan', 'aws:TokenIssueTime');
  const time = at === undefined ? Number.NaN : Date.parse(at);
  if (!Number.isNaN(time)) return { kind: 'before', policy, at: new Date(time).toISOString() };
  const userId = only(statement.Condition, 'StringEquals', 'aws:userid');
  return userId === undefined ? undefined : { kind: 'session', policy, userId };
}

function isEverything(value: unknown): boolean {
  return [value].flat().includes('*');
}

/** The one value of a condition that has one operator and one key; conditions are ANDed, so that more of them deny less. */
function only(condition: unknown, operator: string, key: string): string | undefined {
  if (typeof condition !== 'object' || condition === null || Object.keys(condition).length !== 1) return undefined;
  const [[name, keys] = []] = Object.entries(condition) as [string, unknown][];
  if (name !== operator || typeof keys !== 'object' || keys === null || Object.keys(keys).length !== 1)
    return undefined;
  const [[asked, value] = []] = Object.entries(keys) as [string, unknown][];
  const [text, ...more] = [value].flat();
  return asked?.toLowerCase() === key.toLowerCase() && more.length === 0 && typeof text === 'string' ? text : undefined;
}

export interface Judged {
  readonly state: AliveState;
  readonly because: string;
}

/** A long-term credential (key, password, certificate) that works by itself: only a deny of everything ends it. */
export function longTermState(denials: readonly Denial[] | undefined, because: string): Judged {
  if (denials === undefined) return { state: 'alive', because: `${because}; its policies could not be read` };
  const all = denials.find(({ kind }) => kind === 'all');
  if (all !== undefined) return { state: 'dead-by-policy', because: `${because}, but ${all.policy} denies everything` };
  return { state: 'alive', because };
}

/**
 * A temporary credential of a user or role. `issuedAt` undefined: not known, so a deny by time proves nothing. `unknown` where the
 * policies could not be read.
 */
export function sessionState(
  session: {
    readonly issuedAt: string | undefined;
    readonly until: string | undefined;
    readonly name: string | undefined;
  },
  denials: readonly Denial[] | undefined,
  now: Date,
): Judged {
  if (session.until !== undefined && Date.parse(session.until) <= now.getTime()) {
    return { state: 'dead', because: `it ran out at ${utc(session.until)}` };
  }
  if (denials === undefined) {
    return { state: 'unknown', because: 'it has not run out, and what denies it could not be read' };
  }
  const denial = denials.find((one) => ends(one, session));
  if (denial !== undefined) return { state: 'dead-by-policy', because: `${denial.policy} denies it everything` };
  return { state: 'alive', because: 'it has not run out, and no policy that was read denies it' };
}

function ends(denial: Denial, session: { issuedAt: string | undefined; name: string | undefined }): boolean {
  if (denial.kind === 'all') return true;
  if (denial.kind === 'session') {
    return session.name !== undefined && denial.userId.slice(denial.userId.indexOf(':') + 1) === session.name;
  }
  return session.issuedAt !== undefined && Date.parse(session.issuedAt) < Date.parse(denial.at);
}

/** Alive or not to be told: what is left to do. */
export function leftOf(items: readonly AliveItem[]): readonly AliveItem[] {
  return items.filter(({ state }) => state === 'alive' || state === 'unknown');
}

/** One sentence. Nothing is said to be over that was not looked at (safety rule 9). */
export function aliveHeadline(subject: string, items: readonly AliveItem[], isComplete: boolean): string {
  const alive = items.filter(({ state }) => state === 'alive').length;
  const unknown = items.filter(({ state }) => state === 'unknown').length;
  const dead = items.length - alive - unknown;
  if (alive + unknown === 0) {
    if (!isComplete) return `Nothing alive was found of ${subject}, but not everything could be looked at.`;
    if (items.length === 0) return `No credential of ${subject} was found in what was looked at.`;
    return `Nothing is left of ${subject} in what was looked at: ${count(dead, 'credential')} found, none works.`;
  }
  const pieces = [
    ...(alive > 0 ? [`${alive} still alive`] : []),
    ...(unknown > 0 ? [`${unknown} cannot be told`] : []),
    ...(dead > 0 ? [`${dead} dead`] : []),
  ];
  return `Of ${subject}: ${pieces.join(', ')}${isComplete ? '' : ', and not everything could be looked at'}.`;
}

/** Stable over time: changes only when something is found, ends, or comes back. */
export function digestOf(items: readonly AliveItem[], isComplete: boolean): string {
  const states = items.map(({ kind, id, of, state }) => `${kind}|${id}|${of}|${state}`).sort();
  return JSON.stringify([isComplete, [...new Set(states)]]);
}

const shown = 20;
const words: Readonly<Record<AliveState, string>> = {
  alive: 'ALIVE',
  unknown: 'Cannot tell',
  'dead-by-policy': 'Dead by policy',
  dead: 'Dead',
};

export function aliveParts(items: readonly AliveItem[]): readonly Part[] {
  const parts: Part[] = [];
  for (const state of ['alive', 'unknown', 'dead-by-policy', 'dead'] as const) {
    const of = items.filter((item) => item.state === state);
    if (of.length === 0) continue;
    const more = of.length - shown;
    parts.push(
      { kind: 'lines', lines: [line(bold(`${words[state]} (${of.length})`))] },
      {
        kind: 'list',
        items: [...of.slice(0, shown).map(itemLine), ...(more > 0 ? [line(`and ${more} more, in the file`)] : [])],
      },
    );
  }
  return parts;
}

function itemLine({ kind, id, of, because, until, madeBy, state, step }: AliveItem): Line {
  const isOpen = state === 'alive' || state === 'unknown';
  return line(
    `${kind} `,
    code(id),
    of === id ? '' : ` of ${of}`,
    `: ${because}`,
    madeBy === undefined ? '' : `; made by ${madeBy}`,
    isOpen ? (until === undefined ? '; it does not end by itself' : `; until ${utc(until)} at the latest`) : '',
    isOpen && step !== undefined ? `; missing step: ${step.action} ${step.words.join(' ')}` : '',
  );
}

/** The steps that are missing, each once, in order of the items. */
export function remediesOf(items: readonly AliveItem[]): readonly (Remedy & { readonly why: string })[] {
  const steps = new Map<string, Remedy & { why: string }>();
  for (const { step, kind, id, because } of leftOf(items)) {
    if (step === undefined) continue;
    const key = [step.action, ...step.words].join(' ');
    if (!steps.has(key)) steps.set(key, { ...step, why: `${kind} ${id}: ${because}` });
  }
  return [...steps.values()];
}
