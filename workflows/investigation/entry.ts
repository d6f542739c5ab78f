/** The likely way in: what the history of a credential shows of how it came into the wrong hands. */
import { z } from 'zod';
import type { Artifact } from '#src/contracts/artifact.ts';
import type { CloudTrailRecord } from '#src/contracts/cloudtrail.ts';
import { defineInvestigation, type InvestigationContext } from '#src/contracts/investigation.ts';
import type { Part } from '#src/contracts/message.ts';
import { actsIn } from '#src/domain/acting.ts';
import { csvFile, cutTable, unfinished, withGaps } from '#src/domain/answers.ts';
import { classify } from '#src/domain/artifact.ts';
import { creationsOf } from '#src/domain/creation.ts';
import { type Credential, type EntrySign, entrySigns } from '#src/domain/entry-point.ts';
import { uniqueIdsOf } from '#src/domain/likely-links.ts';
import { bold, count, line, span, utc } from '#src/domain/phrases.ts';
import { labelOf } from '#src/domain/pivot-actors.ts';
import { nodeOfArn, principalOf } from '#src/domain/principal.ts';
import { compareRecords } from '#src/domain/record.ts';
import { followSessions } from '#src/domain/session-search.ts';
import { over90Days } from '#src/domain/window.ts';

const shown = 10;
const columns = ['kind', 'sure', 'says', 'eventTime', 'sourceIp', 'principal', 'credential', 'eventIds'] as const;

interface Way extends EntrySign {
  /** The credential whose history shows it. */
  readonly credential: string;
}

interface Subject extends Credential {
  /** "" where its making is not in the log. */
  readonly madeAt: string;
  /** The same, where an earlier one had the name; "" for all others. */
  readonly remadeAt: string;
}

interface History {
  readonly credential: string;
  readonly calls: number;
  readonly from: string;
  readonly to: string;
  /** When the name was made again; what an earlier bearer of it did is left out. "" where there was none. */
  readonly remadeAt: string;
}

export const entry = defineInvestigation({
  name: 'entry',
  title: 'Likely way in',
  target: z.object({ artifact: z.string().min(1) }),
  permissions: ['cloudtrail:LookupEvents'],

  async run({ artifact: word }, ctx) {
    const { artifact } = classify(word);
    const { credentials, gaps } = await credentialsOf(artifact, ctx);
    const coverage = withGaps(ctx.evidence.coverage(), gaps);
    const watchedFrom = coverage.complete ? coverage.from : '';
    const ways = credentials
      // What did not exist made no call.
      .map((credential) => ({
        ...credential,
        watchedFrom: watchedFrom === '' || credential.madeAt < watchedFrom ? watchedFrom : credential.madeAt,
      }))
      .flatMap((credential) => entrySigns(credential).map((sign): Way => ({ ...sign, credential: credential.id })))
      .filter(
        (way, index, all) =>
          all.findIndex((other) => other.says === way.says && other.eventTime === way.eventTime) === index,
      )
      .sort((a, b) => order.indexOf(a.sure) - order.indexOf(b.sure));
    const history = credentials.map(historyOf);
    const calls = new Set(credentials.flatMap((credential) => credential.calls)).size;
    return {
      headline: headlineOf(artifact.id, ways, calls, unfinished(coverage)),
      parts: partsOf(ways, history),
      coverage,
      answer: { artifact, ways, history, coverage },
      pictures: [],
      next: [
        ...new Set(
          ways
            .slice(0, 2)
            .flatMap(({ principal }) => (principal === '' || /\s/.test(principal) ? [] : [`/ir pivot ${principal}`])),
        ),
        ...over90Days(`/ir entry ${artifact.id}`, coverage.from, ctx.now()),
      ],
      proposals: [],
      files: [
        csvFile(
          'entry',
          `The signs of the way in as a table: ${count(ways.length, 'sign')}, one row each.`,
          columns,
          ways.map((way) => columns.map((column) => way[column])),
          ways.length > shown,
        ),
      ],
    };
  },
});

const order: readonly EntrySign['sure'][] = ['strong', 'fair', 'weak'];
const maxCredentials = 6;

/**
 * The credential itself, its owner (whose keys and sign-ins tell how it was made), and those that it was minted from: the
 * way in is at the start of the chain. A resource leads to who made it.
 */
async function credentialsOf(
  artifact: Artifact,
  ctx: InvestigationContext,
): Promise<{ credentials: readonly Subject[]; gaps: readonly string[] }> {
  const found = new Map<string, Subject>();
  let gaps: readonly string[] = [];
  const waiting: Artifact[] = [artifact];
  for (let next = waiting.shift(); next && found.size < maxCredentials; next = waiting.shift()) {
    if (found.has(next.id)) continue;
    const subject: Artifact = next;
    // One step up, and none down.
    const lineage = await followSessions(subject, ctx, { maxDepth: 1, maxSessions: 1 });
    const madeAt = creationsOf(subject.id, lineage.own).at(-1)?.record.eventTime ?? '';
    const remadeAt = uniqueIdsOf(subject.id, lineage.own).length < 2 ? '' : madeAt;
    const about = lineage.own.filter(({ eventTime }) => eventTime >= remadeAt);
    const calls = about.filter((record) => actsIn(subject, record));
    found.set(subject.id, { id: subject.id, calls, about, watchedFrom: '', madeAt, remadeAt });
    if (subject.kind === 'resource' && calls.length === 0) {
      const creation = creationsOf(subject.id, lineage.own).at(-1);
      waiting.push(...(creation ? callersOf([creation.record]) : []));
    }
    for (const minting of lineage.origin) {
      if (minting.withKey) waiting.push({ kind: 'accessKey', id: minting.withKey });
      const by = nodeOfArn(minting.by);
      if (by) waiting.push(by);
    }
    if (subject.kind === 'accessKey' || subject.kind === 'event') waiting.push(...callersOf(calls));
  }
  const left = new Set(waiting.map(({ id }) => id).filter((id) => !found.has(id))).size;
  if (left > 0) gaps = [`the history of ${count(left, 'more credential')} behind it`];
  return { credentials: [...found.values()], gaps };
}

/** Who made the calls, with which long-term key. */
function callersOf(records: readonly CloudTrailRecord[]): readonly Artifact[] {
  const callers = new Map<string, Artifact>();
  for (const record of records.toSorted(compareRecords)) {
    const principal = principalOf(record);
    const key = record.userIdentity.accessKeyId;
    if (key?.startsWith('AKIA')) callers.set(key, { kind: 'accessKey', id: key });
    if (principal && /^(user|session|root|federatedUser)$/.test(principal.kind)) callers.set(principal.id, principal);
  }
  return [...callers.values()].slice(0, 3);
}

function historyOf({ id, calls, remadeAt }: Subject): History {
  return {
    credential: id,
    calls: calls.length,
    from: calls[0]?.eventTime ?? '',
    to: calls.at(-1)?.eventTime ?? '',
    remadeAt,
  };
}

function headlineOf(id: string, ways: readonly Way[], calls: number, ending: string): string {
  const [best] = ways;
  if (calls === 0 && !best)
    return `Nothing is known of how ${labelOf(id)} was used: no call by it was found in what was looked at${ending}.`;
  if (!best)
    return `No sign of the way in was found in the ${count(calls, 'call')} looked at; it may lie before the window${ending}.`;
  const sure = { strong: 'Likely way in', fair: 'Possible way in', weak: 'Only a weak sign of the way in' }[best.sure];
  const more = ways.length === 1 ? '' : `, and ${count(ways.length - 1, 'more sign')}`;
  return `${sure} of ${labelOf(best.credential)}: ${best.says} (${utc(best.eventTime)})${more}${ending}.`;
}

function partsOf(ways: readonly Way[], history: readonly History[]): readonly Part[] {
  const parts: Part[] = [];
  if (ways.length > 0) {
    parts.push({ kind: 'header', text: 'Signs, the surest first' });
    parts.push(
      cutTable(
        ['How sure', 'Of', 'What the log shows', 'When and from where'],
        ways.map((way) => [
          way.sure,
          labelOf(way.credential),
          way.says,
          `${utc(way.eventTime)}${way.sourceIp === '' ? '' : `, ${way.sourceIp}`}`,
        ]),
        shown,
      ),
    );
  }
  parts.push({
    kind: 'list',
    items: history.map((one) =>
      line(
        bold('History: '),
        one.calls === 0
          ? `no call by ${labelOf(one.credential)} in the window`
          : `${count(one.calls, 'call')} by ${labelOf(one.credential)}, ${span(one.from, one.to)}`,
        one.remadeAt === '' ? '' : `; made again under this name at ${utc(one.remadeAt)}, the earlier one is left out`,
      ),
    ),
  });
  parts.push({
    kind: 'context',
    lines: [
      line(
        '"New" means not seen before in these calls. Phishing, malware on a laptop and keys in public code leave nothing here.',
      ),
    ],
  });
  return parts;
}
