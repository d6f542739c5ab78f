import { afterAll, beforeAll, expect, it } from 'vitest';
import { UpstreamError } from '../../../src/contracts/errors.ts';
import type { Store } from '../../../src/contracts/store.ts';
import { recordVote } from '../../../src/flows/record-vote.ts';
import { openStore } from '../../../src/store/store.ts';
import { silentLog, startTestDatabase, type TestDatabase } from '../../support/databases.ts';

const at = '2026-11-20T22:00:00.000Z';
const later = '2026-11-20T22:30:00.000Z';
const down = () => Promise.reject(new UpstreamError('queue', 'DOWN', 'the queue is down', { retryable: true }));

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  database = await startTestDatabase();
  const { connectionString } = database;
  store = await openStore({ connectionString, log: silentLog, applicationName: 'record-vote test' });
});
afterAll(async () => {
  await store?.close();
  await database?.stop();
});

/** A stored vote of Omar on a new plan of Rosa's, and the last try to count it. `reachable` is whether Slack tells who he is. */
async function lastTry(reachable: boolean) {
  const requestId = await store.approvals.saveRequest({ action: 'a', words: [], userId: 'UROSA', channel: 'C1', at });
  const plan = {
    action: 'a',
    direction: 'apply',
    accountId: '1',
    partition: 'aws',
    target: {},
    before: {},
    calls: [],
    sessionPolicy: { Version: '2012-10-17', Statement: [] },
    responderRole: 'r',
  } as const;
  const { id: approvalId } = await store.approvals.propose({
    requestId,
    caseId: 'IR-1',
    plan,
    planHash: 'hash',
    context: { blastRadius: [], blastCoverage: '', willNotStop: [], reversal: '', cli: [], approvalsBecause: '' },
    requester: { userId: 'UROSA', person: 'email:rosa@example.com' },
    required: 1,
    createdAt: at,
    expiresAt: later,
    channel: 'C1',
  });
  const voteId = await store.approvals.saveVote({ approvalId, userId: 'UOMAR', vote: 'approve', channel: 'C1', at });
  const told: string[] = [];
  const chat = {
    person: async () => ({
      userId: 'UOMAR',
      email: 'omar@example.com',
      deleted: false,
      bot: false,
      guest: false,
      stranger: false,
    }),
    channel: reachable ? async () => ({ id: 'C1', externallyShared: false }) : down,
    tell: async ({ message }: { message: { text: string } }) => void told.push(message.text),
  };
  const rules = { approvers: { users: ['UOMAR'], groups: [] }, responders: undefined, people: [] };
  const deps = {
    store,
    chat,
    queue: { add: down },
    clock: { now: () => new Date(at), sleep: async () => undefined },
    log: silentLog,
    settings: { mode: 'execute', rules },
    actions: [],
  };
  await recordVote({ voteId }, { attempt: 12, last: true }, deps as never);
  const { votes } = await store.approvals.unhandled(later, 100);
  return { approval: await store.approvals.get(approvalId), told, isOver: !votes.includes(voteId) };
}

it('lets a counted vote stand when the queue stays away, and tells nobody that it was not counted', async () => {
  const { approval, told, isOver } = await lastTry(true);

  expect([approval?.state, approval?.votes.length, told, isOver]).toEqual(['approved', 1, [], true]);
});

it('tells the voter of a vote that could not be counted, once, and counts it never after that', async () => {
  const { approval, told, isOver } = await lastTry(false);

  expect([approval?.state, approval?.votes.length, told.length, isOver]).toEqual(['proposed', 0, 1, true]);
  expect(told[0]).toContain('vote again');
});
