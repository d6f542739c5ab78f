import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../src/contracts/evidence.ts';
import { tellingForeign } from '../../../src/evidence/foreign.ts';

function looking(accounts: readonly string[]): Evidence {
  return {
    recordsOf: async () => [],
    coverage: () => ({
      ...{ complete: true, accounts, regions: ['us-east-1'], from: '', to: '', sources: [], badFiles: [] },
      notLookedAt: [],
    }),
    progress: () => ({ regionsDone: 1, regions: 1, eventsRead: 0, requests: 0 }),
  };
}

const eve = { kind: 'user', id: 'arn:aws:iam::222233334444:user/eve' } as const;

describe('an identity of an account that is not looked at', () => {
  it('is not called absent: the answer is incomplete, and says which account and how to ask', async () => {
    const evidence = tellingForeign(looking(['111122223333']), ['111122223333', '222233334444']);
    await evidence.recordsOf(eve);

    expect(evidence.coverage()).toMatchObject({
      complete: false,
      notLookedAt: [
        'account 222233334444, to which arn:aws:iam::222233334444:user/eve belongs: it is not among the accounts that are looked at; its logs are in the lake, ask with --accounts 222233334444',
      ],
    });
  });

  it('says nothing of accounts that are looked at, of keys and of buckets', async () => {
    const evidence = tellingForeign(looking(['222233334444']), []);
    await evidence.recordsOf(eve);
    await evidence.recordsOf({ kind: 'accessKey', id: 'AKIAIOSFODNN7EXAMPLE' });
    await evidence.recordsOf({ kind: 'resource', id: 'arn:aws:s3:::bucket' });

    expect(evidence.coverage()).toMatchObject({ complete: true, notLookedAt: [] });
  });
});

it('names logs in the lake that the question leaves out, and is complete for it', () => {
  const evidence = tellingForeign(looking(['111122223333']), ['333344445555', '111122223333']);

  expect(evidence.coverage()).toMatchObject({
    complete: true,
    notLookedAt: ['logs in the lake of account 333344445555, not in the question: ask with --accounts'],
  });
});
