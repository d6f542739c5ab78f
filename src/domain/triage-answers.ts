/** Answers the questions of a triage in one pass over the records. */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import type { Coverage } from '../contracts/evidence.ts';
import { plainEventName } from './links-resources.ts';
import { principalGroup, principalOf, succeeded } from './principal.ts';
import { isInsight } from './record.ts';
import type { NowAnswer } from './services-now.ts';
import type { Match } from './sigma/hunt.ts';
import { type TriageStep, triageSteps } from './triage-steps.ts';

export interface TriageAnswer {
  readonly id: string;
  readonly question: string;
  /** There is no "clean": `nothing-found` is about what was looked at, and asks for complete coverage. */
  readonly state: 'hits' | 'nothing-found' | 'not-looked-at';
  /** Event ids, the earliest first, at most `maxEvidence`. */
  readonly evidence: readonly string[];
  /** All events that answer it. */
  readonly events: number;
  readonly failed: number;
  /** Events that would answer it, held back by exceptions that name no rule. */
  readonly excepted: number;
  /** Who, the busiest first; all sessions of a role as one. */
  readonly principals: readonly string[];
  /** Calls and how often, the rarest first. */
  readonly calls: readonly { readonly call: string; readonly events: number }[];
  /** What exists now, where a service answers the question; absent elsewhere and where nobody was asked. */
  readonly now?: NowAnswer;
}

const maxEvidence = 1_000;

interface Hit {
  readonly eventId: string;
  readonly at: string;
  readonly call: string;
  readonly group: string;
  readonly failed: boolean;
}

/** What one principal did, as far as triage asks. */
interface Doing {
  readonly changes: Hit[];
  events: number;
  readonly keys: Set<string>;
}

/** Kept per principal and step, so that a flood does not fill the memory; counts go on. */
const maxKept = 50_000;

export interface TriageCollector {
  /** `excepted`: counted, and held against nobody. */
  add(record: CloudTrailRecord, excepted?: boolean): void;
  answers(matches: readonly Match[], coverage: Coverage): readonly TriageAnswer[];
  /** Long-term access keys that the principal used. */
  keysOf(principal: string): readonly string[];
}

/** `steps`: the questions; those of every triage where absent. */
export function triageCollector(steps: readonly TriageStep[] = triageSteps): TriageCollector {
  const byCall = new Map<string, readonly TriageStep[]>();
  const found = new Map(steps.map((step) => [step.id, { hits: [] as Hit[], events: 0, failed: 0, excepted: 0 }]));
  const doings = new Map<string, Doing>();

  function stepsOf(call: string): readonly TriageStep[] {
    const known = byCall.get(call);
    if (known) return known;
    const asked = steps.filter((step) =>
      step.calls.some((one) => (one.endsWith('*') ? call.startsWith(one.slice(0, -1)) : one === call)),
    );
    // Names come from outside.
    if (byCall.size < 50_000) byCall.set(call, asked);
    return asked;
  }

  return {
    add(record, excepted = false) {
      if (isInsight(record)) return;
      const node = principalOf(record);
      const call = `${record.eventSource.replace(/\.amazonaws\.com(\.cn)?$/, '')}:${plainEventName(record.eventName)}`;
      const hit: Hit = {
        eventId: record.eventID,
        at: record.eventTime,
        call,
        group: node ? principalGroup(node) : '',
        failed: !succeeded(record),
      };
      const isService = node?.kind === 'service' || isForService(record);
      for (const step of stepsOf(call)) {
        // Services launch and take roles all day; whoever told them to has a record of his own.
        if (isService && (step.id === 'instances' || step.id === 'role-assumptions')) continue;
        const kept = found.get(step.id);
        if (!kept) continue;
        if (excepted) {
          kept.excepted += 1;
          continue;
        }
        kept.events += 1;
        if (hit.failed) kept.failed += 1;
        if (kept.hits.length < maxKept) kept.hits.push(hit);
      }
      if (!node || isService || excepted) return;
      const doing = doings.get(hit.group) ?? { changes: [], events: 0, keys: new Set() };
      doings.set(hit.group, doing);
      doing.events += 1;
      const key = record.userIdentity.accessKeyId;
      if (key?.startsWith('AKIA') && doing.keys.size < 50) doing.keys.add(key);
      if (isChange(record) && doing.changes.length < maxKept) doing.changes.push(hit);
    },
    answers: (matches, coverage) =>
      steps.map((step) => {
        const own = found.get(step.id) ?? { hits: [], events: 0, failed: 0, excepted: 0 };
        const ruled = matches.filter((match) => step.rules.includes(match.rule.name)).map(hitOf);
        const followed = step.follows ? followedBy(step.follows) : [];
        const hits = distinct([...own.hits, ...ruled, ...followed]);
        return answerOf(step, hits, { ...own, events: Math.max(own.events, hits.length) }, coverage);
      }),
    keysOf: (principal) => [...(doings.get(principal)?.keys ?? [])],
  };

  /** Changes by those who answer another step, without the calls that answer it. */
  function followedBy(id: string): readonly Hit[] {
    const groups = new Set((found.get(id)?.hits ?? []).map((hit) => hit.group));
    const own = steps.filter((step) => step.id === id);
    return [...groups]
      .flatMap((group) => doings.get(group)?.changes ?? [])
      .filter((hit) => !own.some((step) => step.calls.includes(hit.call)));
  }
}

function isForService(record: CloudTrailRecord): boolean {
  const by = record.userIdentity.invokedBy;
  return typeof by === 'string' && /\.amazonaws\.com(\.cn)?$/.test(by);
}

const reads = /^(Get|List|Describe|Head|Lookup|Search|BatchGet|Check|Assume|Decrypt|Query|Scan|Select)/;

function isChange(record: CloudTrailRecord): boolean {
  return record.readOnly === undefined ? !reads.test(record.eventName) : !record.readOnly;
}

function hitOf(match: Match): Hit {
  return {
    eventId: match.eventId,
    at: match.eventTime,
    call: match.eventName,
    group: match.group,
    failed: match.outcome !== 'success',
  };
}

/** An event id may stand for several events. */
function distinct(hits: readonly Hit[]): readonly Hit[] {
  const known = new Map(hits.map((hit) => [`${hit.eventId}\n${hit.at}\n${hit.call.split(':').at(-1)}`, hit]));
  return [...known.values()].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

function answerOf(
  step: TriageStep,
  hits: readonly Hit[],
  counts: { readonly events: number; readonly failed: number; readonly excepted: number },
  coverage: Coverage,
): TriageAnswer {
  const rank = (pick: (hit: Hit) => string): [string, number][] => {
    const totals = new Map<string, number>();
    for (const hit of hits) totals.set(pick(hit), (totals.get(pick(hit)) ?? 0) + 1);
    return [...totals];
  };
  const quiet = coverage.complete ? 'nothing-found' : 'not-looked-at';
  return {
    id: step.id,
    question: step.question,
    state: hits.length > 0 ? 'hits' : quiet,
    evidence: [...new Set(hits.map((hit) => hit.eventId))].slice(0, maxEvidence),
    events: counts.events,
    failed: counts.failed,
    excepted: counts.excepted,
    principals: rank((hit) => hit.group)
      .filter(([group]) => group !== '')
      .sort(([, a], [, b]) => b - a)
      .map(([group]) => group)
      .slice(0, 50),
    calls: rank((hit) => hit.call)
      .sort(([, a], [, b]) => a - b)
      .map(([call, events]) => ({ call, events }))
      .slice(0, 50),
  };
}
