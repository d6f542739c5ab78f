/** Votes on the host, and what a freeze leaves open: the conditions under which the executor may write. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Approval, Plan, Vote } from '../../../src/contracts/approval.ts';
import type { Standing } from '../../../src/contracts/store.ts';
import { castVote, type ExecutionFacts, mayExecute } from '../../../src/domain/approval.ts';
import type { PeopleRules } from '../../../src/domain/people.ts';
import {
  approvingOnHost,
  askingOnHost,
  isNamed,
  liftsWith,
  liftWithinMs,
  stillWished,
} from '../../../src/domain/people-on-host.ts';
import { planHash } from '../../../src/domain/plan.ts';
import { plan } from './sample-plan.ts';

function proposed(changes: Partial<Approval> = {}): Approval {
  const shown = changes.plan ?? plan;
  return {
    ...{ id: 'a1', caseId: 'IR-1', state: 'proposed', plan: shown, planHash: planHash(shown) },
    context: { blastRadius: [], blastCoverage: '', willNotStop: [], reversal: '', cli: [], approvalsBecause: '' },
    requester: { userId: 'UROSA', person: 'listed:UROSA' },
    ...{ required: 1, votes: [], steps: [], channel: 'C1' },
    createdAt: '2026-11-20T22:00:00.000Z',
    expiresAt: '2026-11-20T22:30:00.000Z',
    ...changes,
  };
}

const ballot = {
  userId: 'UOMAR',
  person: 'listed:UOMAR',
  vote: 'approve',
  at: '2026-11-20T22:10:00.000Z',
  refusal: undefined,
  mode: 'execute',
  rights: { stepUp: false, alone: false },
  proved: [planHash(plan)],
  door: 'host',
  hostUser: 'root',
} as const;

describe('a vote on the host', () => {
  it('counts with a proved code, and says whence it came, in the vote and in the audit', () => {
    expect(castVote(proposed(), ballot)).toMatchObject({
      transition: {
        state: 'approved',
        addVote: { door: 'host', hostUser: 'root' },
        audit: { payload: { door: 'host', hostUser: 'root' } },
      },
    });
  });

  it.each(['approve', 'reject', 'withdraw'] as const)(
    'to %s never counts without a proved code for this plan',
    (vote) => {
      const own = vote === 'withdraw' ? { userId: 'UROSA', person: 'listed:UROSA' } : {};

      expect(castVote(proposed(), { ...ballot, ...own, vote, proved: [] })).toHaveProperty('refused');
      expect(castVote(proposed(), { ...ballot, ...own, vote, proved: ['another plan'] })).toHaveProperty('refused');
      expect(castVote(proposed(), { ...ballot, ...own, vote })).toHaveProperty('transition');
    },
  );

  it('is refused with the reason of the code, where there is one', () => {
    const refused = castVote(proposed(), { ...ballot, proved: [], refusal: 'the one-time code is wrong' });

    expect(refused).toEqual({ refused: 'the one-time code is wrong' });
  });

  it('of the requester does not approve', () => {
    expect(castVote(proposed(), { ...ballot, userId: 'UROSA', person: 'listed:UROSA' })).toHaveProperty('refused');
  });
});

const vote: Vote = {
  userId: 'UOMAR',
  person: 'listed:UOMAR',
  vote: 'approve',
  at: ballot.at,
  planHash: planHash(plan),
  mode: 'execute',
  door: 'host',
  hostUser: 'root',
};

function standing(userId: string, changes: Partial<Standing> = {}): Standing {
  return { userId, person: `listed:${userId}`, checkedAt: ballot.at, by: 'config', ...changes };
}

const facts: ExecutionFacts = {
  now: '2026-11-20T22:10:02.000Z',
  mode: 'execute',
  frozen: false,
  standings: [standing('UROSA'), standing('UOMAR')],
  standingMaxAgeMs: 300_000,
  approvers: [{ users: ['UOMAR'], groups: ['S0ONCALL'] }],
  rights: { stepUp: false, alone: false },
  proofs: [{ userId: 'UOMAR', planHash: planHash(plan), at: ballot.at }],
  required: 1,
  objection: undefined,
  few: undefined,
};
const approved = proposed({ state: 'approved', votes: [vote] });

describe('the executor, where Slack did not answer', () => {
  it('may act on a proved vote on the host by somebody whom the config names', () => {
    expect(mayExecute(approved, facts)).toEqual({ kind: 'yes' });
  });

  const { door: _, hostUser: __, ...inSlack } = vote;
  it.each([
    ['no proof', approved, { proofs: [] }],
    ['a proof for another plan', approved, { proofs: [{ userId: 'UOMAR', planHash: 'other', at: ballot.at }] }],
    ['a vote in Slack', proposed({ state: 'approved', votes: [inSlack] }), {}],
    ['an approver by group alone', approved, { approvers: [{ users: [], groups: ['S0ONCALL'] }] }],
    ['a policy that names others', approved, { approvers: [...facts.approvers, { users: ['UANNA'], groups: [] }] }],
    [
      'a requester whom only the config knows, and a vote in Slack',
      proposed({ state: 'approved', votes: [inSlack] }),
      {
        standings: [standing('UROSA'), { userId: 'UOMAR', person: 'listed:UOMAR', checkedAt: ballot.at }],
      },
    ],
  ])('may not with %s', (_what, approval, changes) => {
    expect(mayExecute(approval, { ...facts, ...changes })).toMatchObject({ kind: 'no', state: 'stale' });
  });

  it('may not on an unproved vote on the host, though Slack answered', () => {
    const answered = facts.standings.map(({ by: _by, ...rest }) => rest);

    expect(mayExecute(approved, { ...facts, standings: answered })).toEqual({ kind: 'yes' });
    expect(mayExecute(approved, { ...facts, standings: answered, proofs: [] })).toMatchObject({ kind: 'no' });
  });
});

describe('a freeze', () => {
  const undo: Plan = { ...plan, direction: 'undo' };
  const undoing = proposed({ plan: undo, state: 'approved', votes: [{ ...vote, planHash: planHash(undo) }] });
  const proofs = [{ userId: 'UOMAR', planHash: planHash(undo), at: ballot.at }];

  it('stops what is applied, and lets an undo run under every other check', () => {
    expect(mayExecute(approved, { ...facts, frozen: true })).toMatchObject({
      kind: 'no',
      because: 'all writes are frozen',
    });
    expect(mayExecute(undoing, { ...facts, proofs, frozen: true })).toEqual({ kind: 'yes' });
    expect(mayExecute(undoing, { ...facts, proofs: [], frozen: true })).toMatchObject({ kind: 'no' });
    expect(mayExecute(undoing, { ...facts, proofs, frozen: true, mode: 'propose' })).toMatchObject({ kind: 'no' });
  });

  const wish = { userId: 'UOMAR', person: 'email:omar@example.com', reason: 'over', at: '2026-11-20T22:00:00.000Z' };
  const frozenAt = '2026-11-20T21:00:00.000Z';
  const msLater = (ms: number) => new Date(Date.parse(wish.at) + ms);

  it('is lifted by two people within half an hour', () => {
    expect(liftsWith(wish, frozenAt, 'email:rosa@example.com', msLater(liftWithinMs))).toBe(true);
    expect(liftsWith(wish, frozenAt, 'email:rosa@example.com', msLater(liftWithinMs + 1))).toBe(false);
    expect(liftsWith(wish, frozenAt, 'email:rosa@example.com', msLater(-1))).toBe(false);
    expect(liftsWith(wish, '2026-11-20T22:00:00.001Z', 'email:rosa@example.com', msLater(1))).toBe(false);
  });

  it('is never lifted by one person, or by two who cannot be told apart', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(wish.person, 'listed:UROSA', 'unknown:UROSA'),
        fc.integer({ min: 0, max: liftWithinMs }),
        (person, ms) => {
          expect(liftsWith(wish, frozenAt, person, msLater(ms))).toBe(false);
        },
      ),
    );
  });
});

describe('by the config alone', () => {
  const rules: PeopleRules = {
    approvers: { users: ['UOMAR'], groups: ['S0ONCALL'] },
    responders: { users: ['UROSA'], groups: ['S0HELP'] },
    people: [{ name: 'Omar', slack: ['UOMAR'], aws: ['omar.admin'] }],
  };

  it('only listed user ids approve or ask', () => {
    expect(approvingOnHost('UOMAR', rules, [], [])).toEqual({ person: 'name:Omar', refusal: undefined });
    expect(approvingOnHost('UROSA', rules, [], []).refusal).toContain('a user group cannot be read');
    expect(askingOnHost('UROSA', rules, [], []).refusal).toBeUndefined();
    expect(askingOnHost('UOMAR', rules, [], []).refusal).toBeUndefined();
    expect(askingOnHost('UANNA', { ...rules, responders: undefined }, [], []).refusal).toBeDefined();
  });

  it('every policy must name them by user id too, and nobody decides about themselves', () => {
    const byGroup = [{ users: [], groups: ['S0ONCALL'] }];

    expect(approvingOnHost('UOMAR', rules, byGroup, []).refusal).toBeDefined();
    expect(askingOnHost('UROSA', rules, byGroup, []).refusal).toBeDefined();
    expect(approvingOnHost('UOMAR', rules, [{ users: ['UOMAR'], groups: [] }], []).refusal).toBeUndefined();
    expect(approvingOnHost('UOMAR', rules, [], ['Omar.Admin']).refusal).toContain('whose identity this is about');
  });

  it('names whoever is responder or approver', () => {
    expect(['UOMAR', 'UROSA', 'S0ONCALL'].map((id) => isNamed(id, rules))).toEqual([true, true, false]);
  });
});

describe('votes by two doors', () => {
  const second: Vote = { ...vote, userId: 'UANNA', person: 'listed:UANNA' };
  const { door: _door, hostUser: _hostUser, ...inSlack } = second;
  const both = (other: Vote) => proposed({ state: 'approved', required: 2, votes: [vote, other] });
  const two = {
    ...facts,
    required: 2,
    approvers: [{ users: ['UOMAR', 'UANNA'], groups: [] }],
    standings: [...facts.standings, standing('UANNA')],
    proofs: [...facts.proofs, { userId: 'UANNA', planHash: planHash(plan), at: ballot.at }],
  };

  it('need a proof for each that was given on the host', () => {
    expect(mayExecute(both(second), two)).toEqual({ kind: 'yes' });
    expect(mayExecute(both(second), { ...two, proofs: facts.proofs })).toMatchObject({
      kind: 'no',
      because: 'an approval given on the host lacks its one-time code',
    });
  });

  it('count by the config alone only where all were given on the host', () => {
    const known = two.standings.map(({ by, ...rest }) => (rest.userId === 'UANNA' ? rest : { ...rest, by }));

    expect(mayExecute(both(inSlack), { ...two, standings: known as Standing[] })).toMatchObject({
      kind: 'no',
      because: 'Slack did not tell who the requester is',
    });
  });

  it('count by the config only for somebody on every list of it', () => {
    const approvers = [...two.approvers, { users: ['UANNA'], groups: [] }, { users: [], groups: ['S0'] }];

    expect(mayExecute(both(second), { ...two, approvers })).toMatchObject({ kind: 'no' });
    expect(
      mayExecute(approved, { ...facts, approvers: [...facts.approvers, { users: [], groups: ['S0'] }] }),
    ).toMatchObject({ kind: 'no', because: 'Slack did not tell who an approver is' });
  });
});

describe('asking on the host', () => {
  const rules = { approvers: { users: ['UOMAR'], groups: ['S1'] }, responders: undefined, people: [] };

  it('is for those whom the config names, and by every policy', () => {
    expect(isNamed('UOMAR', rules)).toBe(true);
    expect(isNamed('UROSA', rules)).toBe(false);
    expect(isNamed('UROSA', { ...rules, responders: { users: ['UROSA'], groups: [] } })).toBe(true);
    expect(askingOnHost('UOMAR', rules, [], []).refusal).toBeUndefined();
    expect(askingOnHost('UROSA', rules, [], []).refusal).toMatch(/by user id/);
    const crowds = [{ users: ['UROSA'], groups: [] }];
    expect(askingOnHost('UOMAR', rules, crowds, []).refusal).toMatch(/by user id/);
    const responders = { users: ['UROSA'], groups: [] };
    expect(askingOnHost('UROSA', { ...rules, responders }, crowds, []).refusal).toBeUndefined();
  });

  it('lifts with a wish of the very moment of the freeze, and of now', () => {
    const wish = { userId: 'UOMAR', person: 'email:o@x', reason: 'over', at: '2026-11-20T22:00:00.000Z' };

    expect(stillWished(wish, wish.at, new Date(wish.at))).toBe(true);
  });
});
