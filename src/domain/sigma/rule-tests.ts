/**
 * Tests of rules, as files next to them: `mine.tests.yml` beside `mine.yml`, one YAML document per rule.
 *
 *     rule: iam-user-created
 *     match:
 *       - { eventSource: iam.amazonaws.com, eventName: CreateUser }
 *     miss:
 *       - { eventSource: iam.amazonaws.com, eventName: CreateUser, errorCode: AccessDenied }
 *
 * A case is one event, or a list of events for rules that correlate. In a list, `{ repeat: 20, everySeconds: 5, event: {...} }`
 * stands for that many events; `{n}` in its texts is the number. Fields that a case leaves out are filled in.
 */
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { UserError } from '../../contracts/errors.ts';
import { parseRecord } from '../record.ts';
import { pickRules, runHunt } from './hunt.ts';
import type { RuleBook, RuleFile } from './parse.ts';

const Event = z.record(z.string(), z.unknown());
const Repeated = z.strictObject({
  repeat: z.int().min(1).max(10_000),
  everySeconds: z.number().min(0).default(1),
  event: Event,
});
const Case = z.union([z.array(z.union([Repeated, Event])).min(1), Event.transform((event) => [event])]);
const Tests = z.strictObject({
  rule: z.string().min(1),
  match: z.array(Case).default([]),
  miss: z.array(Case).default([]),
});

export interface RuleTestResult {
  /** `mine.tests.yml`, relative to the folder. */
  readonly file: string;
  readonly rule: string;
  readonly cases: number;
  /** One sentence each; none: all cases hold. */
  readonly failures: readonly string[];
}

/** Runs every test of the files against the rules. Never throws for what stands in a file: it is a failure of that file. */
export async function runRuleTests(files: readonly RuleFile[], book: RuleBook): Promise<readonly RuleTestResult[]> {
  const results: RuleTestResult[] = [];
  for (const { path, text } of files) {
    const documents = parseAllDocuments(text, { version: '1.2', merge: false, logLevel: 'silent' });
    for (const document of Array.isArray(documents) ? documents : []) {
      const [error] = document.errors;
      const read = error ? undefined : Tests.safeParse(document.toJS({ maxAliasCount: 100 }));
      if (read?.success === true) results.push(await run(path, read.data, book));
      else {
        const issue = read?.error.issues[0];
        const why = error?.message.split('\n')[0] ?? `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
        results.push({ file: path, rule: '', cases: 0, failures: [`cannot be read: ${why}`] });
      }
    }
  }
  return results;
}

async function run(file: string, tests: z.output<typeof Tests>, book: RuleBook): Promise<RuleTestResult> {
  const failures: string[] = [];
  for (const [kind, expected] of [
    ['match', true],
    ['miss', false],
  ] as const) {
    for (const [at, given] of tests[kind].entries()) {
      const matched = await matches(tests.rule, given, book);
      if (typeof matched === 'string') failures.push(`${kind}[${at}]: ${matched}`);
      else if (matched !== expected) failures.push(`${kind}[${at}]: ${expected ? 'does not match' : 'matches'}`);
    }
  }
  const cases = tests.match.length + tests.miss.length;
  if (cases === 0) failures.push('has neither match nor miss');
  return { file, rule: tests.rule, cases, failures };
}

/** Whether the rule reports something over the events; a sentence where that cannot be told. */
async function matches(name: string, given: z.output<typeof Case>, book: RuleBook): Promise<boolean | string> {
  const records: CloudTrailRecord[] = [];
  for (const event of eventsOf(given)) {
    const parsed = parseRecord(event);
    if (!parsed.ok) return `is no CloudTrail record: ${parsed.reason}`;
    records.push(parsed.record);
  }
  try {
    const picked = pickRules(name, book);
    if (picked.reporting.size !== 1) return `"${name}" is not the name of one rule`;
    const ctx = { signal: new AbortController().signal, progress: () => undefined };
    return (await runHunt(inTurn(records), picked, ctx)).matches.length > 0;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

async function* inTurn(records: readonly CloudTrailRecord[]): AsyncGenerator<CloudTrailRecord> {
  yield* records;
}

const began = Date.UTC(2026, 0, 1);

/** What an event of a case has where the case does not say. */
export const unsaid = {
  awsRegion: 'us-east-1',
  sourceIPAddress: '198.51.100.7',
  userAgent: 'aws-cli/2.2.1',
  userIdentity: {
    type: 'IAMUser',
    arn: 'arn:aws:iam::111122223333:user/alice',
    accountId: '111122223333',
    userName: 'alice',
  },
  recipientAccountId: '111122223333',
};

/** The events of a case, one second apart unless they say when. */
function eventsOf(given: z.output<typeof Case>): readonly Readonly<Record<string, unknown>>[] {
  let at = began;
  let number = 0;
  return given.flatMap((one) => {
    const repeated = Repeated.safeParse(one);
    const { repeat, everySeconds, event } = repeated.success
      ? repeated.data
      : { repeat: 1, everySeconds: 1, event: one };
    return Array.from({ length: repeat }, (_, n) => {
      number += 1;
      at += everySeconds * 1_000;
      return {
        eventVersion: '1.11',
        eventID: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
        eventTime: new Date(at).toISOString(),
        ...unsaid,
        ...(numbered(event, n + 1) as Readonly<Record<string, unknown>>),
      };
    });
  });
}

function numbered(value: unknown, n: number): unknown {
  if (typeof value === 'string') return value.replaceAll('{n}', String(n));
  if (Array.isArray(value)) return value.map((one) => numbered(one, n));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, numbered(one, n)]));
}
