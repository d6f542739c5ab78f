/** Who read or changed the data of a bucket, table or secret, and what the log cannot say about it. */
import { z } from 'zod';
import type { CloudTrailRecord } from '#src/contracts/cloudtrail.ts';
import { defineInvestigation, type InvestigationContext } from '#src/contracts/investigation.ts';
import type { Part } from '#src/contracts/message.ts';
import { csvFile, cutTable, few, unfinished, withGaps } from '#src/domain/answers.ts';
import { parseArnStrict } from '#src/domain/arn.ts';
import { accessesOf, type DataAccess, provableOf } from '#src/domain/data-access.ts';
import { artifactsOf, type DataStore, isOfOther, parseStore, storeKinds } from '#src/domain/data-store.ts';
import { linksOf } from '#src/domain/links.ts';
import { bold, count, line, utc } from '#src/domain/phrases.ts';
import { labelOf } from '#src/domain/pivot-actors.ts';
import { compareRecords } from '#src/domain/record.ts';
import { withoutBlindCopies } from '#src/domain/shared-events.ts';
import { look } from '../account-state/look.ts';

const shown = 15;
const columns = [
  'principal',
  'sourceIp',
  'access',
  'outcome',
  'times',
  'bytesOut',
  'objects',
  'objectNames',
  'eventNames',
  'firstSeen',
  'lastSeen',
  'eventIds',
] as const;

export const dataAccess = defineInvestigation({
  name: 'data-access',
  title: 'Data access',
  target: z.object({ artifact: z.string().min(1), kind: z.enum(storeKinds).optional() }),
  permissions: ['cloudtrail:LookupEvents'],

  async run({ artifact: word, kind }, ctx) {
    const store = parseStore(word, kind);
    const { records, gaps } = await recordsOf(store, ctx);
    const looked = ctx.evidence.coverage();
    const provable = provableOf(store.kind, records, looked, store.name);
    const coverage = withGaps(looked, [...gaps, ...(provable.gap === '' ? [] : [provable.gap])]);
    const accesses = accessesOf(records, store.name);
    const touched = accesses.filter(({ access, outcome }) => access !== 'settings' && outcome === 'success');
    const callers = new Set(touched.map(({ principal }) => principal)).size;
    const calls = touched.reduce((sum, { times }) => sum + times, 0);
    const told =
      calls === 0 ? '' : `${count(calls, 'call')} by ${count(callers, 'caller')} touched the data of ${store.name}; `;
    const words = `${told}${provable.because}${unfinished(looked)}.`;
    return {
      headline: words.charAt(0).toUpperCase() + words.slice(1),
      parts: partsOf(accesses, provable.because, records.length),
      coverage,
      answer: {
        store: { id: store.id, kind: store.kind ?? null, name: store.name },
        verdict: provable.verdict,
        because: provable.because,
        accesses,
        events: records.length,
        coverage,
      },
      pictures: [],
      next: [...new Set(touched.map(({ principal }) => principal))]
        .filter((id) => /^(arn:\S+|\d{12})$/.test(id))
        .slice(0, 2)
        .map((id) => `/ir pivot ${id}`),
      proposals: [],
      files: [
        csvFile(
          'data-access',
          `Who touched the data, as a table: ${count(accesses.length, 'row')} by caller, address and kind of access.`,
          columns,
          accesses.map((access) => columns.map((column) => access[column])),
          accesses.length > shown,
        ),
      ],
    };
  },
});

/** Asks under every id that records may use. The first answer tells the accounts and Regions that a bare name is looked for in. */
async function recordsOf(store: DataStore, { evidence, aws, signal, progress }: InvestigationContext) {
  const arn = store.kind === 'secret' ? parseArnStrict(store.id) : undefined;
  const places = arn && aws ? await look(() => aws.regions(arn.accountId), signal) : undefined;
  const records = new Set<CloudTrailRecord>();
  const asked = new Set<string>();
  const full = new Set<string>();
  let cut = 0;
  for (let round = 0; round < 2; round += 1) {
    const { accounts, regions } = evidence.coverage();
    const { ids, cut: left } = artifactsOf(store, {
      accounts,
      regions: [...new Set([...regions, ...(places?.ok ? places.value : [])])],
    });
    cut = left;
    for (const artifact of ids) {
      if (asked.has(artifact.id)) continue;
      asked.add(artifact.id);
      signal.throwIfAborted();
      progress(`Reading the records of ${artifact.id}`);
      for (const record of await evidence.recordsOf(artifact)) {
        records.add(record);
        for (const id of fullNamesIn(record, store)) full.add(id);
      }
    }
  }
  for (const id of full) {
    for (const record of await evidence.recordsOf({ kind: 'resource', id })) records.add(record);
  }
  const gaps = cut > 0 ? [`${store.name} in ${cut} more places (account and Region): give its ARN`] : [];
  if (places?.ok === false) gaps.push(`copies of ${store.name} in other Regions: ${places.reason}`);
  const isLookup = evidence.coverage().sources.some(({ name }) => name.includes('LookupEvents'));
  if (isLookup && store.kind === 'secret' && full.size === 0 && !/-[A-Za-z0-9]{6}$/.test(store.id)) {
    gaps.push(
      `changes of ${store.name} by its full ARN, whose last six characters are not known: LookupEvents is asked for its reads alone; give that ARN`,
    );
  }
  const own = [...records].filter((record) => !isOfOther(record, store));
  return { records: withoutBlindCopies(own).toSorted(compareRecords), gaps };
}

/** Calls may name a secret by its ARN, with six characters that its name does not tell; other calls answer with them. */
function fullNamesIn(record: CloudTrailRecord, { name }: DataStore): readonly string[] {
  if (record.eventSource !== 'secretsmanager.amazonaws.com') return [];
  return linksOf(record)
    .nodes.map(({ id }) => id)
    .filter((id) => /:secret:.+-[A-Za-z0-9]{6}$/.test(id) && id.slice(id.indexOf(':secret:') + 8, -7) === name);
}

function partsOf(accesses: readonly DataAccess[], because: string, events: number): readonly Part[] {
  const parts: Part[] = [{ kind: 'lines', lines: [line(bold('What can be told: '), `${because}.`)] }];
  if (accesses.length > 0) {
    const rows = accesses.map((one) => [
      one.principal === '' ? 'an unnamed caller' : labelOf(one.principal),
      `${one.access}${one.outcome === 'success' ? '' : ` (${one.outcome})`}`,
      `${one.times.toLocaleString('en-US')}${one.bytesOut === undefined ? '' : `, ${one.bytesOut.toLocaleString('en-US')} bytes out`}`,
      one.objects === 0 ? few(one.eventNames) : few(one.objectNames),
      `${one.sourceIp}, last ${utc(one.lastSeen)}`,
    ]);
    parts.push(
      { kind: 'header', text: 'Who touched it' },
      cutTable(['Who', 'What', 'Calls', 'Which', 'From and when'], rows, shown),
    );
  } else if (events > 0) {
    parts.push({ kind: 'lines', lines: [line(`${count(events, 'event')} of other services name it.`)] });
  }
  return parts;
}
