/** Sessions of the responder role against the plans in the store, read from the account's own CloudTrail. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { Alert } from '../../../src/contracts/alert.ts';
import type { Approval } from '../../../src/contracts/approval.ts';
import { notOfPlan, type ResponderSession } from '../../../src/domain/unknown-session.ts';
import { lookAtResponders, openResponderWatch } from '../../../src/flows/watch-responder.ts';
import { quietLog } from '../../fakes/quiet-log.ts';
import { openWatchedAccount, type WatchedAccount } from '../../fakes/watched-account.ts';

const minute = 60_000;
const approvedAt = new Date(Date.now() - 5 * minute).toISOString();
const role = 'arn:aws:iam::999999999999:role/ir/IrResponder';

function approval(changes: Partial<Approval> = {}): Approval {
  const vote = {
    userId: 'UOMAR',
    person: 'email:o@x',
    vote: 'approve',
    at: approvedAt,
    planHash: 'h1',
    mode: 'execute',
  };
  return {
    ...{ id: 'a1', caseId: 'IR-1', state: 'verified', planHash: 'h1', votes: [vote], steps: [] },
    ...{ plan: { responderRole: role }, expiresAt: new Date(Date.now() + 30 * minute).toISOString() },
    ...changes,
  } as Approval;
}

let account: WatchedAccount;
const stored: { deliveryKey: string; alert: Alert }[] = [];
const queued: string[] = [];
beforeAll(async () => {
  account = await openWatchedAccount();
});
afterAll(() => account?.close());

function deps(clock = systemClock) {
  return {
    clock,
    log: quietLog,
    settings: { accounts: account.inventory },
    openEvidence: account.openEvidence,
    store: {
      approvals: { get: (id: string) => Promise.resolve(id === 'a1' ? approval() : undefined) },
      alerts: {
        receive(input: { deliveryKey: string; alert: Alert }) {
          const repeat = stored.some(({ deliveryKey }) => deliveryKey === input.deliveryKey);
          if (!repeat) stored.push(input);
          return Promise.resolve({ alertId: input.deliveryKey, repeat });
        },
      },
    },
    queue: { add: (_name: string, { alertId }: { alertId: string }) => Promise.resolve(void queued.push(alertId)) },
  } as unknown as Parameters<typeof lookAtResponders>[1];
}

function become(caseId: string, approvalId: string, planHash: string) {
  const policy = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: ['iam:GetUser'], Resource: '*' }],
  } as const;
  const who = { requester: 'UROSA', approver: 'UOMAR' };
  return account.reach.responder({ accountId: account.accountId, policy, caseId, approvalId, planHash, ...who });
}

describe('a session of the responder role', () => {
  it('is nothing new where an approved plan asked for it, and a critical alert, told once, where none did', async () => {
    await become('IR-1', 'a1', 'h1');
    await lookAtResponders(() => 30 * minute, deps());
    expect(stored).toEqual([]);

    await become('IR-9', 'nobodys', 'h9');
    await become('IR-1', 'a1', 'another');
    await lookAtResponders(() => 30 * minute, deps());
    await lookAtResponders(() => 30 * minute, deps());

    expect(stored.map(({ alert }) => [alert.severity, alert.type, alert.resourceIds[0]])).toEqual([
      [9.5, 'firebreak-unknown-responder-session', account.inventory[0]?.responderRole],
      [9.5, 'firebreak-unknown-responder-session', account.inventory[0]?.responderRole],
    ]);
    const because = stored.map(({ alert }) => alert.description).join(' ');
    expect(because).toContain('no plan of this name is known');
    expect(because).toContain('its tags name another plan');
    expect(queued).toHaveLength(2);
  });

  it('is looked for a minute after the start, and then every quarter of an hour', async () => {
    let now = Date.now();
    let looks = 0;
    const clock = { ...systemClock, now: () => new Date(now) };
    const needs = Object.assign(deps(clock), {
      openEvidence() {
        looks += 1;
        return Promise.reject(new Error('the logs are away'));
      },
    });
    const look = openResponderWatch(needs);
    const seen: number[] = [];
    for (const after of [0, 59_000, 2_000, 14 * minute, minute]) {
      now += after;
      await look();
      seen.push(looks);
    }

    expect(seen).toEqual([0, 0, 1, 1, 2]);
  });
});

describe('a session is not of a plan', () => {
  const session: ResponderSession = {
    ...{ eventId: 'e1', at: new Date().toISOString(), accountId: '999999999999', region: 'us-east-1' },
    ...{ roleArn: role, name: 'ir-IR-1-a1', planHash: 'h1', caller: undefined, ip: undefined },
  };
  const later = (ms: number) => new Date(Date.now() + ms).toISOString();

  it.each<[string, Partial<ResponderSession>, Approval | undefined, RegExp | undefined]>([
    ['that is its own', {}, approval(), undefined],
    ['where its record has no tags', { planHash: undefined }, approval(), undefined],
    ['of no plan at all', {}, undefined, /no plan of this name/],
    ['of another case', {}, approval({ caseId: 'IR-2' }), /no plan of this name/],
    ['of another role', { roleArn: role.replace('Responder', 'Other') }, approval(), /another role/],
    ['with the tags of another', { planHash: 'h2' }, approval(), /another plan/],
    ['that nobody approved', {}, approval({ votes: [] }), /nobody has approved/],
    ['before its approval', { at: later(-3 * 60 * minute) }, approval(), /before anybody approved/],
    ['long after its end', { at: later(4 * 60 * minute) }, approval(), /after the plan was over/],
    ['that is resumed late', { at: later(4 * 60 * minute) }, approval({ state: 'applying' }), undefined],
  ])('%s', (_what, changes, plan, says) => {
    const because = notOfPlan({ ...session, ...changes }, plan);
    if (says === undefined) expect(because).toBeUndefined();
    else expect(because).toMatch(says);
  });
});
