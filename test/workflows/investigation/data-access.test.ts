/** Secrets, which calls name in three ways: by name, by the ARN with the name, and by the whole ARN. */
import { describe, expect, it } from 'vitest';
import { openLookupEvidence } from '../../../src/evidence/lookup.ts';
import { dataAccess } from '../../../workflows/investigation/data-access.ts';
import { type EventHistory, eventHistory } from '../../src/evidence/event-history.ts';
import { openFolder } from '../../src/evidence/lake/lakes.ts';
import { folderOf, quiet, sample } from '../../src/evidence/samples.ts';

const account = '111122223333';
const arn = `arn:aws:secretsmanager:eu-west-1:${account}:secret:prod/db`;

function read(user: string, secretId: string, eventName = 'GetSecretValue') {
  return sample({
    user,
    name: eventName,
    extra: { eventSource: 'secretsmanager.amazonaws.com', requestParameters: { secretId } },
  });
}
const reads = [
  read('byname', 'prod/db'),
  read('bywhole', `${arn}-AbCdEf`),
  read('other', 'prod/db-Zyxwvu'),
  read('else', 'dev/db'),
];

function openLookup({ reach }: EventHistory) {
  return openLookupEvidence({
    reach,
    accounts: [account],
    window: { from: '2026-11-14T00:00:00Z', to: '2026-11-21T00:00:00Z' },
    budget: { maxRequests: 1000, maxEvents: 10_000 },
    reserveSlot: () => Promise.resolve(0),
    clock: { now: () => new Date('2026-11-21T00:00:00Z'), sleep: () => Promise.resolve() },
    signal: new AbortController().signal,
    log: quiet,
  });
}

async function ask(
  evidence: Parameters<typeof dataAccess.run>[1]['evidence'],
  artifact: string,
  kind?: string,
  aws?: EventHistory['reach'],
) {
  const { answer, headline, coverage } = await dataAccess.run(dataAccess.target.parse({ artifact, kind }), {
    evidence,
    aws,
    signal: new AbortController().signal,
    progress: () => undefined,
    now: () => new Date('2026-11-21T00:00:00Z'),
  });
  const { accesses, verdict } = answer;
  return { headline, coverage, verdict, who: accesses.map(({ principal }) => principal.split('/').at(-1)).sort() };
}

describe('reads of a secret', () => {
  it.each([
    ['its name', 'prod/db', 'secret'],
    ['its ARN without the six characters', arn, undefined],
    ['its whole ARN', `${arn}-AbCdEf`, undefined],
  ])('are found by %s, however they name it, and those of others are not', async (_by, artifact, kind) => {
    const dir = await folderOf({ 'a.json': JSON.stringify({ Records: reads }) });
    const { who, coverage } = await ask(await openFolder(dir), artifact, kind);

    expect(who).toEqual(['byname', 'bywhole']);
    expect(coverage.notLookedAt).toEqual([]);
  });

  it('are found in the event history too, where no attribute may hold the ARN', async () => {
    const history = await eventHistory({ [account]: reads });
    const evidence = openLookup(history);
    const { who, verdict, coverage } = await ask(evidence, arn);

    expect(who).toEqual(['byname', 'bywhole']);
    expect(verdict).toBe('reads-seen');
    expect(coverage.notLookedAt.join()).not.toContain('six characters');
  });

  it('that none made leave open what the event history does not say', async () => {
    const history = await eventHistory({ [account]: [read('else', 'dev/db')] });
    const { who, coverage } = await ask(openLookup(history), arn);

    expect(who).toEqual([]);
    expect(coverage.notLookedAt.join()).toContain('changes of prod/db by its full ARN');
  });

  it('are found of its copies in other Regions, which give away the same', async () => {
    const copy = `${arn.replace('eu-west-1', 'us-east-1')}-AbCdEf`;
    const stolen = { ...read('thief', copy), awsRegion: 'us-east-1' };
    const history = await eventHistory({ [account]: [stolen] });
    const { who, verdict } = await ask(openLookup(history), `${arn}-AbCdEf`, undefined, history.reach);

    expect([who, verdict]).toEqual([['thief'], 'reads-seen']);
  });
});
