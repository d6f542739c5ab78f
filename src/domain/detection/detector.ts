/** Rules over the stream: what a record means by itself, and what a batch means together with what came before. */
import { createHash } from 'node:crypto';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import type { RuleSettings } from '../../contracts/rules.ts';
import type { StreamBurst, StreamDeed, StreamEntry, StreamJudge } from '../../contracts/stream.ts';
import { parseIp } from '../address.ts';
import { allBaselineRules } from '../baseline/rules.ts';
import { comparedNode } from '../baseline/sighting.ts';
import { heardFinding, isFinding } from '../baseline/stream.ts';
import { accountOf, principalGroup, principalOf } from '../principal.ts';
import { burstsIn, type Counts, counterOf } from '../sigma/correlate.ts';
import type { Picked } from '../sigma/hunt.ts';
import { isCalled, type RuleBook } from '../sigma/parse.ts';
import { ruleSet } from '../sigma/rule-set.ts';
import { pickSettled } from '../sigma/settled.ts';
import { type CorrelationRule, type Level, levels, mostCounted, type SigmaRule } from '../sigma/tree.ts';
import { ownReadsOf } from './own-reads.ts';
import { type RuleFacts, tell } from './story.ts';

/** CloudTrail delivers within 15 minutes (DOMAIN.md 8.3). */
const latenessMs = 20 * 60_000;
/** A burst that goes on, or comes again this soon, is the same one. */
const repeatMs = 30 * 60_000;
/** Of one group; each batch that adds to it reads them all. */
const usualReads = 5_000;
const mostReads = 2 * mostCounted;

export interface Detector extends StreamJudge {
  /** The rules that may open a case, and those that they rest on. */
  readonly picked: Picked;
  /** Names of the rules about the past that may open a case. */
  readonly pastRules: ReadonlySet<string>;
  /**
   * `loud`: it opens or joins a case by itself. `heeded`: it has to go through the stream. `compared`: it has to be compared with the
   * past of who made it. `excepted`: nobody wants to hear of it.
   */
  look(record: CloudTrailRecord): {
    readonly loud: boolean;
    readonly heeded: boolean;
    readonly compared: boolean;
    readonly excepted: boolean;
  };
}

export interface DetectorOptions {
  /** What people have settled: rules switched off, exceptions with their end. */
  readonly settings: RuleSettings;
  readonly now: Date;
  readonly openFrom: Level | 'never';
  readonly maxAgeHours: number;
  readonly counts: Counts;
  /** Roles of ours (ARNs), whose reads are known: see `ownReadsOf`. */
  readonly ownRoles: readonly string[];
  /** Makes ids of bursts and stories. */
  newId(): string;
}

/** Makes the detector of a book of rules. Rules that could not be read are not in it and harm nobody. */
export function detectorOf(
  book: RuleBook,
  { settings, now: today, openFrom, maxAgeHours, counts, ownRoles, newId }: DetectorOptions,
): Detector {
  const whole = { ...book, rules: [...book.rules, ...allBaselineRules] };
  const { picked: all, exceptions } = pickSettled('all', whole, settings, today);
  const isLoud = (level: Level) => openFrom !== 'never' && levels.indexOf(level) >= levels.indexOf(openFrom);
  const loudOnes = [...all.reporting].filter((rule) => isLoud(rule.level));
  const past = new Map(loudOnes.flatMap((rule) => (rule.kind === 'baseline' ? [[rule.name, rule] as const] : [])));
  const reporting = new Set(loudOnes.filter((rule) => rule.kind !== 'baseline'));
  const correlations = [...reporting].flatMap((rule) => {
    return rule.kind === 'correlation' ? [{ rule, count: counterOf(rule, counts) }] : [];
  });
  const running = all.running.filter(
    (rule) => reporting.has(rule) || correlations.some((one) => one.rule.rules.some((name) => isCalled(rule, name))),
  );
  const byName = new Map<string, CorrelationRule>(correlations.map(({ rule }) => [rule.name, rule]));
  const facts = new Map<string, RuleFacts>(loudOnes.map((rule) => [rule.name, rule]));
  const set = ruleSet(running);
  const keepsMs = (correlation: string) => (byName.get(correlation)?.timespanMs ?? 0) + latenessMs + repeatMs;

  const isOwnRead = ownReadsOf(ownRoles);
  const isHeld = (rule: SigmaRule, record: CloudTrailRecord) =>
    isOwnRead(rule.level, record) || exceptions.heldBy(rule, record) !== undefined;

  function heed(record: CloudTrailRecord, eventKey: string) {
    if (isFinding(eventKey)) {
      const { name, note } = heardFinding(record);
      const rule = past.get(name);
      if (rule === undefined || exceptions.heldBy(rule, record)) return { deeds: [], entries: [] };
      return { deeds: [{ ...deedOf(record), rule: name, ...(note === '' ? {} : { note }) }], entries: [] };
    }
    const matched = set.match(record);
    if (matched.length === 0) return { deeds: [], entries: [] };
    const deed = deedOf(record);
    const deeds: StreamDeed[] = [];
    const entries: StreamEntry[] = [];
    for (const rule of matched) {
      if (reporting.has(rule) && !isHeld(rule, record)) deeds.push({ ...deed, rule: rule.name });
      for (const correlation of correlations) {
        if (isHeld(correlation.rule, record)) continue;
        for (const { group, ...counted } of correlation.count(rule, record)) {
          const name = correlation.rule.name;
          const isCounted = correlation.rule.field === undefined || counted.values.length > 0;
          if (isCounted)
            entries.push({
              ...counted,
              correlation: name,
              group: JSON.stringify(group),
              eventKey,
              deed: { ...deed, rule: name },
            });
        }
      }
    }
    return { deeds, entries };
  }

  return {
    picked: { reporting, running },
    pastRules: new Set(past.keys()),
    heed,
    look(record) {
      const matched = set.match(record);
      const own = matched.filter((rule) => reporting.has(rule));
      const loud = own.some((rule) => !isHeld(rule, record));
      const compared = past.size > 0 && comparedNode(record) !== undefined;
      const excepted = !loud && (own.length > 0 || exceptions.heldByAny(record) !== undefined);
      return { heeded: matched.length > 0, loud, compared, excepted };
    },
    async judge({ deeds, groups, storiesOf, now }) {
      const bursts: StreamBurst[] = [];
      const told: StreamDeed[] = [...deeds];
      for (const { correlation, entries, bursts: known } of groups) {
        const rule = byName.get(correlation);
        if (rule === undefined) continue;
        for (const { burst, deed } of newBursts(rule, entries, known, newId)) {
          bursts.push(burst);
          told.push(deed);
        }
      }
      const { stories, alerts } = await tell(told, { facts, storiesOf, newId, now });
      return { bursts, stories, alerts };
    },
    keepsMs,
    readsAtMost: (correlation) =>
      Math.min(Math.max(usualReads, 2 * (byName.get(correlation)?.atLeast ?? 0)), mostReads),
    longestMs: Math.max(0, ...[...byName.keys()].map(keepsMs)),
    maxAgeMs: maxAgeHours * 3_600_000,
  };
}

/** Bursts that are new, or have grown. Late events may join two: then the older one goes on. */
function newBursts(
  rule: CorrelationRule,
  entries: readonly StreamEntry[],
  known: readonly StreamBurst[],
  newId: () => string,
): readonly { readonly burst: StreamBurst; readonly deed: StreamDeed }[] {
  const open = [...known].sort((a, b) => a.first - b.first);
  return burstsIn(rule, entries).flatMap(({ entries: own, count }) => {
    const [first] = own;
    const last = own.at(-1);
    if (!first || !last) return [];
    const at = open.findIndex((burst) => first.at <= burst.last + repeatMs && last.at >= burst.first - repeatMs);
    const before = open[at];
    const burst: StreamBurst = {
      id: before?.id ?? newId(),
      correlation: rule.name,
      group: first.group,
      first: Math.min(first.at, before?.first ?? first.at),
      last: Math.max(last.at, before?.last ?? last.at),
      count: Math.max(count, before?.count ?? 0),
    };
    if (before && burst.count === before.count && burst.last === before.last) return [];
    if (before) open[at] = burst;
    else open.push(burst);
    const told = { id: burst.id, count: burst.count, events: own.length, first: burst.first };
    return [{ burst, deed: { ...last.deed, burst: told } }];
  });
}

/** The same for the same event, whether it came by EventBridge, by S3 or twice. */
export function eventKeyOf(record: CloudTrailRecord): string {
  const { eventID, eventTime, eventName, eventSource, recipientAccountId } = record;
  return createHash('sha256')
    .update(JSON.stringify([eventID, eventTime, eventName, eventSource, recipientAccountId ?? '']))
    .digest('hex');
}

function deedOf(record: CloudTrailRecord): Omit<StreamDeed, 'rule'> {
  const { arn, userName, type, principalId, accessKeyId, sessionContext, invokedBy } = record.userIdentity;
  const node = principalOf(record);
  const name = userName ?? sessionContext?.sessionIssuer?.userName ?? (arn === undefined ? invokedBy : undefined);
  return {
    eventId: record.eventID,
    at: record.eventTime,
    accountId: accountOf(record),
    region: record.awsRegion,
    principal: node ? principalGroup(node) : '',
    ip: parseIp(record.sourceIPAddress) ?? '',
    actor: {
      ...textField('principalArn', arn),
      ...textField('userName', name),
      ...textField('userType', type),
      ...textField('principalId', principalId),
      ...textField('accessKeyId', accessKeyId),
    },
    api: {
      name: record.eventName,
      service: record.eventSource,
      ...textField('errorCode', record.errorCode),
      ...textField('userAgent', record.userAgent === '' ? undefined : record.userAgent),
    },
  };
}

function textField<Name extends string>(name: Name, value: unknown): { readonly [Key in Name]?: string } {
  return typeof value === 'string' ? ({ [name]: value } as { readonly [Key in Name]?: string }) : {};
}

/** One case for the same call by the same principal in one account on one day (UTC), where no rule speaks of it. */
export function callKeyOf(record: CloudTrailRecord): string {
  const node = principalOf(record);
  const who = node ? principalGroup(node) : record.sourceIPAddress;
  const parts = [accountOf(record), who, record.eventSource, record.eventName, record.eventTime.slice(0, 10)];
  return `cloudtrail-${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}
