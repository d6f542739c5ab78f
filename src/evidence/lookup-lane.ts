/** LookupEvents in one account and Region: pages, pace, retries, and an honest note of what could not be read. */
import {
  type CloudTrailClient,
  LookupEventsCommand,
  type LookupEventsCommandInput,
  type LookupEventsCommandOutput,
} from '@aws-sdk/client-cloudtrail';
import type { Clock } from '../contracts/clock.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import type { CoverageSource } from '../contracts/evidence.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';
import { inert } from '../domain/inert.ts';
import { parseRecord } from '../domain/record.ts';
import { redactText } from '../domain/redaction.ts';
import type { LookupMemory } from './lookup-memory.ts';
import type { Lookup } from './lookup-questions.ts';
import { type Span, uncovered } from './spans.ts';
import { jsonOf } from './unwrap.ts';

/** AWS allows 2 requests per second, account and Region; 505 ms apart there is no throttle (LIBRARIES: 1.01 to 1.07 of the bound). */
const slotMs = 505;
/**
 * Serial paging is bound by round trips; a scan reads this many slices of the window at once. Eight are just enough for 2 requests
 * a second where a round trip takes 4 s, so that each delay counts; each slice more costs half a page.
 */
const scanSlices = 11;
const maxThrottles = 8;
const maxTries = 3;

/** What all lanes of one investigation share. */
export interface LaneShared {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Milliseconds; an answer that takes longer counts as none. */
  readonly requestTimeoutMs: number;
  /** 0 <= x < 1, for the jitter of the back-off. */
  random(): number;
  reserveSlot(lane: string, everyMs: number): Promise<number>;
  /** Takes one request off the budget; says why where it is spent. */
  takeRequest(): { readonly ok: true } | { readonly ok: false; readonly because: string };
  /** `full` where the record is new and there is no room for it; `old` where it is there already or outside the window. */
  keep(record: CloudTrailRecord): 'new' | 'old' | 'full';
  fullBecause(): string;
  /** Epoch ms. */
  readonly from: number;
  readonly to: number;
  onPage(): void;
  /** Answers of before. Absent: everything is asked for. */
  readonly memory?: LookupMemory | undefined;
  /** Epoch ms: later events may still be on their way, so that no answer up to now is kept for longer. */
  readonly settled: number;
}

export interface Lane {
  readonly accountId: string;
  readonly region: string;
  /** Asks once per lookup; after a complete scan not at all. Never rejects for AWS's failures; rejects when aborted. */
  look(lookup: Lookup): Promise<void>;
  /** Reads the whole window, once. */
  scan(): Promise<void>;
  /** Undefined until something was asked. */
  source(): CoverageSource | undefined;
}

type Answer = LookupEventsCommandOutput & { readonly Events: NonNullable<LookupEventsCommandOutput['Events']> };

export function createLane(
  accountId: string,
  region: string,
  client: Pick<CloudTrailClient, 'send'>,
  shared: LaneShared,
): Lane {
  const asked = new Map<string, Promise<void>>();
  const state = {
    events: 0,
    pages: 0,
    unreadable: 0,
    truncated: false,
    failed: false,
    dead: false,
    scanned: false,
    reason: '',
  };

  function once(key: string, run: () => Promise<void>): Promise<void> {
    const running = asked.get(key) ?? run();
    asked.set(key, running);
    return running;
  }

  function truncate(because: string): void {
    state.truncated = true;
    state.reason ||= because;
  }

  function fail(because: string): void {
    state.failed = true;
    state.reason = because;
  }

  /** All pages of one question in one span. True when read to the end, which is kept for the next time. */
  async function readSpan(question: string, input: LookupEventsCommandInput, span: Span): Promise<boolean> {
    const unreadable = state.unreadable;
    const found: CloudTrailRecord[] = [];
    const isWhole = await readPages({ ...input, ...between(span.from, span.to) }, found);
    if (isWhole && state.unreadable === unreadable) {
      const kept = { from: span.from, to: Math.min(span.to, shared.settled) };
      await shared.memory?.keep({ account: accountId, region, question }, kept, found);
    }
    return isWhole;
  }

  /** Takes what was answered before, of the question or of a scan; returns what is left to ask for. */
  async function recall(questions: readonly string[]): Promise<readonly Span[]> {
    let rest: readonly Span[] = [{ from: shared.from, to: shared.to }];
    for (const question of questions) {
      if (!shared.memory || rest.length === 0) break;
      const whole = { from: rest[0]?.from ?? 0, to: rest.at(-1)?.to ?? 0 };
      const { spans, records } = await shared.memory.recall({ account: accountId, region, question }, whole);
      for (const record of records) if (!keepOne(record)) return [];
      rest = rest.flatMap((span) => uncovered(span, spans));
    }
    return rest;
  }

  /** False when there is no room for more. */
  function keepOne(record: CloudTrailRecord): boolean {
    const kept = shared.keep(record);
    if (kept === 'new') state.events += 1;
    if (kept === 'full') truncate(shared.fullBecause());
    return kept !== 'full';
  }

  /** All pages of one question. True when read to the end. */
  async function readPages(input: LookupEventsCommandInput, found: CloudTrailRecord[]): Promise<boolean> {
    const tokens = new Set<string>();
    let token: string | undefined;
    while (!state.dead) {
      const answer = await request({ ...input, MaxResults: 50, ...(token === undefined ? {} : { NextToken: token }) });
      if (!answer) return false;
      state.pages += 1;
      const isRoom = keepAll(answer, found);
      shared.onPage();
      if (!isRoom) return false;
      token = answer.NextToken;
      if (!token) return true;
      if (tokens.has(token)) {
        fail('AWS sent the same page token twice');
        return false;
      }
      tokens.add(token);
    }
    return false;
  }

  /** False when there is no room for more. */
  function keepAll(answer: Answer, found: CloudTrailRecord[]): boolean {
    for (const event of answer.Events) {
      const parsed = parseRecord(jsonOf(event.CloudTrailEvent ?? ''));
      if (!parsed.ok) {
        state.unreadable += 1;
        fail(`${state.unreadable} events could not be read (${parsed.reason})`);
        continue;
      }
      if (!keepOne(parsed.record)) return false;
      found.push(parsed.record);
    }
    return true;
  }

  /** One page, tried again while that can help. Undefined where it could not be had; the state says why. */
  async function request(input: LookupEventsCommandInput): Promise<Answer | undefined> {
    for (let throttles = 0, tries = 0; ; ) {
      const budget = shared.takeRequest();
      if (!budget.ok) {
        truncate(budget.because);
        return undefined;
      }
      await shared.clock.sleep(await shared.reserveSlot(`lookup-events:${accountId}:${region}`, slotMs), shared.signal);
      if (state.dead) return undefined;
      const outcome = await send(input);
      if (outcome.ok) return outcome.answer;
      if (outcome.throttled) throttles += 1;
      else tries += 1;
      if (!outcome.again || throttles >= maxThrottles || tries >= maxTries) {
        fail(outcome.because);
        state.dead ||= outcome.dead;
        return undefined;
      }
      // Full jitter: the console and other tools share the same limit.
      const ceiling = Math.min(20_000, 500 * 2 ** (throttles + tries));
      await shared.clock.sleep(Math.ceil(shared.random() * ceiling), shared.signal);
    }
  }

  async function send(input: LookupEventsCommandInput): Promise<Outcome> {
    const timeout = AbortSignal.timeout(shared.requestTimeoutMs);
    try {
      const abortSignal = AbortSignal.any([shared.signal, timeout]);
      const answer = await client.send(new LookupEventsCommand(input), { abortSignal });
      // `{}` is what other servers than AWS answer; AWS sends an empty list.
      if (Array.isArray(answer?.Events)) return { ok: true, answer: { ...answer, Events: answer.Events } };
      return {
        ok: false,
        again: false,
        throttled: false,
        dead: true,
        because: "the answer was not AWS's (no list of events)",
      };
    } catch (error) {
      shared.signal.throwIfAborted();
      return failureOf(error, timeout.aborted, shared.requestTimeoutMs);
    }
  }

  async function readAll(): Promise<void> {
    const rest = await recall(['scan']);
    const total = rest.reduce((sum, { from, to }) => sum + to - from, 0);
    const step = Math.ceil(total / scanSlices / 1000) * 1000;
    // Neighbours share a second, so that none falls between them; repeats are dropped.
    const slices = rest.flatMap(({ from, to }) =>
      Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => ({
        from: from + i * step,
        to: Math.min(from + (i + 1) * step, to),
      })),
    );
    const read = await Promise.all(slices.map((slice) => readSpan('scan', {}, slice)));
    state.scanned = read.every(Boolean) && state.unreadable === 0 && !state.truncated;
  }

  async function lookUp(lookup: Lookup): Promise<void> {
    const question = `${lookup.key}=${lookup.value}`;
    const input = { LookupAttributes: [{ AttributeKey: lookup.key, AttributeValue: lookup.value }] };
    for (const span of await recall([question, 'scan'])) if (!(await readSpan(question, input, span))) return;
  }

  return {
    accountId,
    region,
    look: (lookup) => (state.scanned ? Promise.resolve() : once(`${lookup.key}=${lookup.value}`, () => lookUp(lookup))),
    scan: () => once('scan', readAll),
    source: () =>
      asked.size === 0
        ? undefined
        : {
            name: `CloudTrail LookupEvents ${region} ${accountId}`,
            events: state.events,
            pages: state.pages,
            truncated: state.truncated,
            failed: state.failed,
            ...(state.reason ? { reason: state.reason } : {}),
          },
  };
}

function between(from: number, to: number): { StartTime: Date; EndTime: Date } {
  return { StartTime: new Date(Math.floor(from / 1000) * 1000), EndTime: new Date(Math.ceil(to / 1000) * 1000) };
}

type Outcome =
  | { readonly ok: true; readonly answer: Answer }
  | {
      readonly ok: false;
      readonly again: boolean;
      readonly throttled: boolean;
      /** The whole Region is out of reach, not just this question. */
      readonly dead: boolean;
      readonly because: string;
    };

function failureOf(error: unknown, timedOut: boolean, timeoutMs: number): Outcome {
  if (timedOut) {
    return { ok: false, again: true, throttled: false, dead: true, because: `no answer within ${timeoutMs / 1000} s` };
  }
  const facts = awsErrorFacts(error);
  const throttled = /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown/.test(facts.code);
  // Error texts may quote the signed request.
  const because = inert(`${facts.code}: ${redactText(facts.message)}`, 200);
  const aboutQuestion =
    /^(InvalidLookupAttributes|InvalidNextToken|InvalidTimeRange|InvalidMaxResults|InvalidEventCategory)/.test(
      facts.code,
    );
  return { ok: false, again: facts.retryable, throttled, dead: !aboutQuestion, because };
}
