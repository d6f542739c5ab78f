import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../../src/contracts/cloudtrail.ts';
import { parseRecord } from '../../../../src/domain/record.ts';
import { pickRules, runHunt } from '../../../../src/domain/sigma/hunt.ts';
import { parseRules } from '../../../../src/domain/sigma/parse.ts';

const start = Date.parse('2026-11-20T12:00:00Z');

function at(seconds: number, name: string, more: Readonly<Record<string, unknown>> = {}): CloudTrailRecord {
  const parsed = parseRecord({
    eventID: `${name}-${seconds}-${JSON.stringify(more).length}`,
    eventTime: new Date(start + seconds * 1000).toISOString(),
    eventName: name,
    eventSource: 'x.amazonaws.com',
    userIdentity: { arn: 'arn:aws:iam::111122223333:user/bob', type: 'IAMUser' },
    sourceIPAddress: '203.0.113.9',
    ...more,
  });
  if (!parsed.ok) throw new RangeError(parsed.reason);
  return parsed.record;
}

const base = ['A', 'B', 'C']
  .map((name) => `title: ${name}\nname: ${name}\ndetection: {sel: {eventName: ${name}}, condition: sel}\n`)
  .join('---\n');

/** Bursts that a correlation finds: the ids of their events. */
async function bursts(
  correlation: string,
  records: readonly CloudTrailRecord[],
): Promise<readonly (readonly string[])[]> {
  const book = parseRules([
    { path: 'r.yml', text: `${base}---\ntitle: corr\nname: corr\ncorrelation: ${correlation}\n` },
  ]);
  expect(book.unsupported).toEqual([]);
  const context = { signal: new AbortController().signal, progress: () => undefined };
  const { matches } = await runHunt(stream(records), pickRules('corr', book), context);
  return matches.map((match) => match.burst?.eventIds ?? []);
}

async function* stream(records: readonly CloudTrailRecord[]): AsyncGenerator<CloudTrailRecord> {
  yield* records;
}

const ids = (...records: readonly CloudTrailRecord[]): readonly string[] => records.map((record) => record.eventID);

describe('a correlation', () => {
  it('counts events within the span by their own time, in whatever order they come', async () => {
    const records = [at(0, 'A'), at(100, 'A'), at(300, 'A')];

    const found = await bursts(
      '{type: event_count, rules: [A], group-by: [userIdentity.arn], timespan: 5m, condition: {gte: 3}}',
      [...records].reverse(),
    );

    expect(found).toEqual([ids(...records)]);
  });

  it('does not fire where the span is exceeded by a second', async () => {
    const records = [at(0, 'A'), at(100, 'A'), at(301, 'A')];

    expect(
      await bursts(
        '{type: event_count, rules: [A], group-by: [userIdentity.arn], timespan: 5m, condition: {gte: 3}}',
        records,
      ),
    ).toEqual([]);
  });

  it('is one finding while it goes on, and another after a pause', async () => {
    const first = Array.from({ length: 50 }, (_, i) => at(i * 10, 'A'));
    const second = Array.from({ length: 5 }, (_, i) => at(5_000 + i, 'A'));

    const found = await bursts(
      '{type: event_count, rules: [A], group-by: [userIdentity.arn], timespan: 1m, condition: {gt: 4}}',
      [...second, ...first],
    );

    expect(found.map((burst) => burst.length)).toEqual([50, 5]);
  });

  it('keeps groups apart, and leaves out events without a value to group by', async () => {
    const records = [
      at(0, 'A', { sourceIPAddress: '203.0.113.1' }),
      at(1, 'A', { sourceIPAddress: '203.0.113.2' }),
      at(2, 'A', { sourceIPAddress: '203.0.113.1' }),
    ];
    const by = (field: string): string =>
      `{type: event_count, rules: [A], group-by: [${field}], timespan: 5m, condition: {gte: 2}}`;

    expect(await bursts(by('sourceIPAddress'), records)).toHaveLength(1);
    expect(await bursts(by('vpcEndpointId'), records)).toEqual([]);
  });

  it('counts distinct values over the elements of lists, however few calls they came in', async () => {
    const items = (from: number, to: number) => ({
      responseElements: { items: Array.from({ length: to - from }, (_, i) => ({ id: `i-${from + i}` })) },
    });
    const correlation =
      '{type: value_count, rules: [A], group-by: [userIdentity.arn], timespan: 5m, condition: {gte: 20, field: responseElements.items.id}}';

    expect(await bursts(correlation, [at(0, 'A', items(0, 20))])).toHaveLength(1);
    expect(await bursts(correlation, [at(0, 'A', items(0, 12)), at(60, 'A', items(8, 20))])).toHaveLength(1);
    expect(await bursts(correlation, [at(0, 'A', items(0, 19)), at(60, 'A', items(0, 19))])).toEqual([]);
  });

  it('asks of temporal that all rules match, and of temporal_ordered that they do so in order', async () => {
    const correlation = (type: string): string =>
      `{type: ${type}, rules: [A, B, C], group-by: [userIdentity.arn], timespan: 1m}`;
    const wrong = [at(0, 'C'), at(10, 'B'), at(20, 'A')];
    const right = [at(0, 'A'), at(10, 'B'), at(15, 'A'), at(20, 'C')];

    expect(await bursts(correlation('temporal'), wrong)).toHaveLength(1);
    expect(await bursts(correlation('temporal_ordered'), wrong)).toEqual([]);
    expect(await bursts(correlation('temporal_ordered'), right)).toHaveLength(1);
    expect(await bursts(correlation('temporal'), wrong.slice(1))).toEqual([]);
  });

  it('ends a story told in order with its last step, whatever comes after it', async () => {
    const told = [at(0, 'A'), at(10, 'B')];
    const after = [at(20, 'A'), at(30, 'A')];

    const found = await bursts('{type: temporal_ordered, rules: [A, B], group-by: [userIdentity.arn], timespan: 1m}', [
      ...told,
      ...after,
    ]);

    expect(found).toEqual([ids(...told)]);
  });

  it('groups by fields that the rules call differently', async () => {
    const records = [at(0, 'A', { one: 'x' }), at(1, 'B', { two: 'x' }), at(2, 'B', { two: 'y' })];

    const found = await bursts(
      '{type: temporal, rules: [A, B], group-by: [who], timespan: 1m, aliases: {who: {A: one, B: two}}}',
      records,
    );

    expect(found).toEqual([ids(...records.slice(0, 2))]);
  });

  it('finds a burst exactly where some window of the span holds enough events', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat(400), { maxLength: 30 }),
        fc.integer({ min: 1, max: 6 }),
        async (seconds, least) => {
          const times = [...seconds].sort((a, b) => a - b);
          const expected = times.filter((time) => {
            const windows = times.filter((end) => end >= time && end - time <= 60);
            return windows.some((end) => times.filter((one) => one <= end && end - one <= 60).length >= least);
          });

          const found = await bursts(
            `{type: event_count, rules: [A], group-by: [userIdentity.arn], timespan: 1m, condition: {gte: ${least}}}`,
            seconds.map((second) => at(second, 'A')),
          );

          const seen = [...found.flat()].sort();
          expect(seen).toEqual(expected.map((second) => at(second, 'A').eventID).sort());
        },
      ),
      { numRuns: 200 },
    );
  });

  it('silences the rules that it rests on, unless it says otherwise', async () => {
    const text = (generate: boolean): string =>
      `${base}---\ntitle: corr\nname: corr\ncorrelation: {type: event_count, rules: [A], group-by: [userIdentity.arn], timespan: 1m, condition: {gte: 9}, generate: ${generate}}\n`;
    const hunt = async (generate: boolean) => {
      const picked = pickRules('all', parseRules([{ path: 'r.yml', text: text(generate) }]));
      return runHunt(stream([at(0, 'A')]), picked, { signal: new AbortController().signal, progress: () => undefined });
    };

    expect((await hunt(false)).matches).toEqual([]);
    expect((await hunt(true)).matches).toHaveLength(1);
  });
});
