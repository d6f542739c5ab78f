/** Fills the blanks of a plan's call when it is made (contracts/aws.ts, Blank), and names them for people. */
import type { DoneCall, Step } from '../contracts/approval.ts';
import type { ApiCall, Blank } from '../contracts/aws.ts';

type Answer = Extract<Blank, { readonly $fill: 'answer' }>;

export interface Filling {
  readonly approvalId: string;
  readonly caseId: string;
  readonly now: Date;
  readonly steps: readonly Step[];
}

/** The call with every blank filled. Throws RangeError where an earlier call has not answered what a blank asks for. */
export function fill(call: ApiCall, filling: Filling): ApiCall {
  return { ...call, input: walk(call.input, (blank) => filled(blank, filling)) as ApiCall['input'] };
}

/** The call's input as people read it: `<the GroupId that call 1 answers>`. */
export function named(input: ApiCall['input']): ApiCall['input'] {
  return walk(input, wordsFor) as ApiCall['input'];
}

/** The calls that AWS answered, in order. */
export function doneCalls(steps: readonly Step[]): readonly DoneCall[] {
  return steps.flatMap(({ state, call, answer }) => (state === 'done' ? [{ call, answer: answer ?? {} }] : []));
}

/** The calls that were sent, answered or not, but for those that AWS refused: what may be there. */
export function sentCalls(steps: readonly Step[]): readonly DoneCall[] {
  return steps.flatMap(({ state, call, answer }) => (state === 'refused' ? [] : [{ call, answer: answer ?? {} }]));
}

function filled(blank: Blank, { approvalId, caseId, now, steps }: Filling): unknown {
  switch (blank.$fill) {
    case 'time':
      return new Date(now.getTime() + blank.plusSeconds * 1_000).toISOString().replace(/\.\d+Z$/, 'Z');
    case 'approvalId':
      return approvalId;
    case 'caseId':
      return caseId;
    case 'answer': {
      const answer = steps.find(({ index, state }) => index === blank.call && state === 'done')?.answer;
      const value = taken(answer?.[blank.field], blank);
      if (value === undefined) throw new RangeError(`call ${blank.call + 1} has answered no ${answerWords(blank)}`);
      return value;
    }
  }
}

/** Out of a list only what is there once: two entries that fit would make it chance which one is written to. */
function taken(value: unknown, blank: Answer): unknown {
  if (!('entry' in blank)) return value;
  const { where, is, take } = blank.entry;
  const entries = Array.isArray(value) ? (value as Readonly<Record<string, unknown>>[]) : [];
  const [first, second] = entries.filter((entry) => entry[where] === is);
  return second === undefined ? first?.[take] : undefined;
}

function answerWords(blank: Answer): string {
  return 'entry' in blank ? `${blank.entry.take} of ${blank.entry.is}` : blank.field;
}

function wordsFor(blank: Blank): string {
  switch (blank.$fill) {
    case 'time':
      return `<time of sending + ${blank.plusSeconds} s>`;
    case 'approvalId':
      return '<id of the approval>';
    case 'caseId':
      return '<id of the case>';
    case 'answer':
      return `<the ${answerWords(blank)} that call ${blank.call + 1} answers>`;
  }
}

function walk(value: unknown, replace: (blank: Blank) => unknown): unknown {
  if (Array.isArray(value)) return value.map((entry) => walk(entry, replace));
  if (typeof value !== 'object' || value === null) return value;
  if (Object.hasOwn(value, '$fill')) return replace(value as Blank);
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, walk(entry, replace)]));
}
