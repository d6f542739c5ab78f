import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Approval, approvalStates, type Plan } from '../../../src/contracts/approval.ts';
import type { Standing } from '../../../src/contracts/store.ts';
import {
  castVote,
  type ExecutionFacts,
  isOver,
  isUndoable,
  mayExecute,
  mayFollow,
  moveTo,
} from '../../../src/domain/approval.ts';
import { planHash } from '../../../src/domain/plan.ts';

const plan: Plan = {
  action: 'disable-access-key',
  direction: 'apply',
  accountId: '999999999999',
  partition: 'aws',
  target: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE' },
  before: { userName: 'pipeline', status: 'Active', createDate: '2026-01-01T00:00:00.000Z', partition: 'aws' },
  calls: [{ service: 'iam', operation: 'UpdateAccessKey', region: 'us-east-1', input: { UserName: 'pipeline' } }],
  sessionPolicy: { Version: '2012-10-17', Statement: [] },
  responderRole: 'arn:aws:iam::999999999999:role/ir/IrResponder',
};

function proposed(changes: Partial<Approval> = {}): Approval {
  return {
    id: 'a1',
    caseId: 'IR-1',
    state: 'proposed',
    plan,
    planHash: planHash(plan),
    context: { blastRadius: [], blastCoverage: '', willNotStop: [], reversal: '', cli: [], approvalsBecause: '' },
    requester: { userId: 'UROSA', person: 'email:rosa@example.com' },
    required: 1,
    votes: [],
    steps: [],
    createdAt: '2026-11-20T22:00:00.000Z',
    expiresAt: '2026-11-20T22:30:00.000Z',
    channel: 'C1',
    ...changes,
  };
}

const approve = {
  userId: 'UOMAR',
  person: 'email:omar@example.com',
  vote: 'approve',
  at: '2026-11-20T22:10:00.000Z',
  refusal: undefined,
  mode: 'execute',
  rights: { stepUp: false, alone: false },
  proved: [],
} as const;

const { userId, person, vote: choice, at } = approve;
const vote = { userId, person, vote: choice, at, planHash: planHash(plan), mode: 'execute' } as const;

function standing(userId: string, changes: Partial<Standing> = {}): Standing {
  return { userId, person: `email:${userId}`, checkedAt: '2026-11-20T22:10:01.000Z', ...changes };
}

const facts: ExecutionFacts = {
  now: '2026-11-20T22:10:02.000Z',
  mode: 'execute',
  frozen: false,
  standings: [standing('UROSA'), standing('UOMAR')],
  standingMaxAgeMs: 300_000,
  approvers: [{ users: ['UOMAR'], groups: [] }],
  rights: { stepUp: false, alone: false },
  proofs: [],
  required: 1,
  objection: undefined,
  few: undefined,
};

describe('a vote', () => {
  it('approves when one other person approves in time', () => {
    expect(castVote(proposed(), approve)).toMatchObject({ transition: { state: 'approved' } });
  });

  it('of the requester never approves, also from another account of the same person', () => {
    expect(castVote(proposed(), { ...approve, userId: 'UROSA' })).toHaveProperty('refused');
    expect(castVote(proposed(), { ...approve, person: 'email:rosa@example.com' })).toHaveProperty('refused');
  });

  it('of somebody who cannot be told from the requester is refused', () => {
    expect(castVote(proposed(), { ...approve, person: 'unknown:UOMAR' })).toHaveProperty('refused');
    expect(castVote(proposed(), { ...approve, person: 'listed:UOMAR' })).toHaveProperty('refused');
  });

  it('of somebody without the right is refused with the reason', () => {
    expect(castVote(proposed(), { ...approve, refusal: 'guests decide nothing' })).toEqual({
      refused: 'guests decide nothing',
    });
  });

  it('at or after the expiry is refused', () => {
    expect(castVote(proposed(), { ...approve, at: '2026-11-20T22:30:00.000Z' })).toHaveProperty('refused');
  });

  it('counts once, and two accounts of one person count as one', () => {
    const first = proposed({ required: 2, votes: [vote] });

    expect(castVote(first, approve)).toEqual({ repeat: true });
    expect(castVote(first, { ...approve, userId: 'UOMAR2' })).toHaveProperty('refused');
    expect(castVote(first, { ...approve, userId: 'UANA', person: 'email:ana@example.com' })).toMatchObject({
      transition: { state: 'approved' },
    });
  });

  it('to withdraw is the requester’s alone', () => {
    expect(castVote(proposed(), { ...approve, vote: 'withdraw' })).toHaveProperty('refused');
    expect(castVote(proposed(), { ...approve, vote: 'withdraw', userId: 'UROSA' })).toMatchObject({
      transition: { state: 'withdrawn' },
    });
  });

  it('asks for a one-time code of this plan where the rights say so', () => {
    const rights = { stepUp: true, alone: false };

    expect(castVote(proposed(), { ...approve, rights })).toMatchObject({
      refused: expect.stringMatching('one-time code'),
    });
    expect(castVote(proposed(), { ...approve, rights, proved: ['another'] })).toHaveProperty('refused');
    expect(castVote(proposed(), { ...approve, rights, proved: [planHash(plan)] })).toHaveProperty('transition');
    expect(castVote(proposed(), { ...approve, rights, vote: 'reject' })).toHaveProperty('transition');
  });

  it('by the requester counts only alone, by policy, with a code, and where one is enough', () => {
    const own = { ...approve, userId: 'UROSA', person: 'email:rosa@example.com', proved: [planHash(plan)] };
    const rights = { stepUp: false, alone: true };

    expect(castVote(proposed(), own)).toHaveProperty('refused');
    expect(castVote(proposed(), { ...own, rights })).toMatchObject({ transition: { state: 'approved' } });
    expect(castVote(proposed(), { ...own, rights, proved: [] })).toEqual({
      refused: 'approving your own wish asks for a one-time code, and none was given for it',
    });
    expect(castVote(proposed({ required: 2 }), { ...own, rights })).toHaveProperty('refused');
  });

  it('after the decision changes nothing', () => {
    for (const state of approvalStates.filter((name) => name !== 'proposed')) {
      expect(castVote(proposed({ state }), approve)).toHaveProperty('refused');
    }
  });
});

describe('what a vote leaves', () => {
  it('is the vote as it was given, and its audit', () => {
    const { transition } = castVote(proposed({ required: 2 }), approve) as { transition: unknown };

    expect(transition).toEqual({
      addVote: vote,
      audit: {
        ...{ event: 'vote', actor: 'UOMAR', at, caseId: 'IR-1', approvalId: 'a1' },
        payload: { vote: 'approve', person, planHash: planHash(plan), mode: 'execute', state: 'proposed' },
      },
    });
  });

  it('says which state it led to', () => {
    expect(castVote(proposed(), { ...approve, vote: 'reject' })).toMatchObject({
      transition: { state: 'rejected', audit: { payload: { state: 'rejected' } } },
    });
  });

  it('is counted by what it was: another vote of the same person is none, and a rejection is no approval', () => {
    const rejected = { ...vote, vote: 'reject', userId: 'UANA', person: 'email:ana@example.com' } as const;
    const one = proposed({ required: 2, votes: [rejected] });

    expect(castVote(one, approve)).toHaveProperty('transition.addVote');
    expect(castVote(one, approve)).not.toHaveProperty('transition.state');
    expect(castVote(one, { ...approve, userId: 'UANA', person: rejected.person })).toHaveProperty('transition');
  });

  it('says why it is refused', () => {
    const refusals = [
      castVote(proposed({ state: 'stale' }), approve),
      castVote(proposed(), { ...approve, at: '2026-11-20T22:30:00.000Z' }),
      castVote(proposed(), { ...approve, vote: 'withdraw' }),
      castVote(proposed(), { ...approve, userId: 'UROSA', person: 'email:rosa@example.com' }),
      castVote(proposed(), { ...approve, person: 'email:rosa@example.com' }),
      castVote(proposed({ votes: [vote], required: 2 }), { ...approve, userId: 'UOMAR2' }),
    ];

    expect(refusals.map((one) => ('refused' in one ? one.refused : ''))).toEqual([
      'it is already stale',
      'it expired at 2026-11-20T22:30:00.000Z',
      'only the person who asked can withdraw it',
      'the person who asked cannot approve',
      'this seems to be the same person as the one who asked; if not, name both under "people" in the config',
      'this seems to be another account of the same person who has approved already; if not, name both under "people" in the config',
    ]);
  });
});

describe('a vote on the host while Slack is down', () => {
  it('says how to go on where who asked, or has approved, was known by e-mail', () => {
    const onHost = {
      ...approve,
      userId: 'UKIM',
      person: 'listed:UKIM',
      door: 'host',
      proved: [proposed().planHash],
    } as const;
    const asked = castVote(proposed(), onHost);
    const listed = { userId: 'UROSA', person: 'listed:UROSA' };
    const second = castVote(proposed({ requester: listed, votes: [vote], required: 2 }), onHost);

    for (const outcome of [asked, second]) {
      const refused = 'refused' in outcome ? outcome.refused : '';
      expect(refused).toMatch(/^Slack does not tell .* withdrawn or rejected on the host, and ask for it there again$/);
    }
    expect(castVote(proposed({ requester: listed }), onHost)).toMatchObject({ transition: { state: 'approved' } });
  });
});

describe('the executor', () => {
  const approved = proposed({ state: 'approved', votes: [vote] });

  it('runs what was approved by somebody else, in time, with everybody still in standing', () => {
    expect(mayExecute(approved, facts)).toEqual({ kind: 'yes' });
  });

  const noes: readonly (readonly [string, Approval, Partial<ExecutionFacts>])[] = [
    ['a plan that is not the one that was hashed', { ...approved, plan: { ...plan, accountId: '111122223333' } }, {}],
    ['an expired approval', approved, { now: '2026-11-20T22:30:00.000Z' }],
    ['the mode propose', approved, { mode: 'propose' }],
    ['the mode observe', approved, { mode: 'observe' }],
    ['a freeze', approved, { frozen: true }],
    ['a plan that the executor itself would not make', approved, { objection: 'it is ours' }],
    ['a vote for another plan', { ...approved, votes: [{ ...vote, planHash: 'other' }] }, {}],
    ['a vote given while Firebreak ran nothing', { ...approved, votes: [{ ...vote, mode: 'propose' }] }, {}],
    ['one vote where the executor’s own config asks for two', approved, { required: 2 }],
    ['a config that names no approvers', approved, { approvers: [{ users: [], groups: [] }] }],
    ['no vote', { ...approved, votes: [] }, {}],
    ['a vote without its one-time code', approved, { rights: { stepUp: true, alone: false } }],
    [
      'a one-time code that was given for another plan',
      approved,
      { rights: { stepUp: true, alone: false }, proofs: [{ userId: 'UOMAR', planHash: 'other', at }] },
    ],
    [
      'somebody else’s one-time code',
      approved,
      { rights: { stepUp: true, alone: false }, proofs: [{ userId: 'UANA', planHash: planHash(plan), at }] },
    ],
    [
      'the requester alone, without a one-time code',
      { ...approved, votes: [{ ...vote, userId: 'UROSA' }] },
      { rights: { stepUp: false, alone: true } },
    ],
    [
      'the requester alone, where two are asked',
      { ...approved, votes: [{ ...vote, userId: 'UROSA' }] },
      {
        rights: { stepUp: false, alone: true },
        required: 2,
        proofs: [{ userId: 'UROSA', planHash: planHash(plan), at }],
        approvers: [{ users: ['UROSA'], groups: [] }],
      },
    ],
    ['the requester’s own vote', { ...approved, votes: [{ ...vote, userId: 'UROSA' }] }, {}],
    ['the same person’s vote', { ...approved, votes: [{ ...vote, person: 'email:rosa@example.com' }] }, {}],
    ['one vote where two are asked', { ...approved, required: 2 }, {}],
    ['a voter whom the config no longer lists', approved, { approvers: [{ users: ['UANA'], groups: [] }] }],
    [
      'a voter who was deactivated',
      approved,
      { standings: [standing('UROSA'), standing('UOMAR', { refused: 'deactivated' })] },
    ],
    [
      'a requester who was deactivated',
      approved,
      { standings: [standing('UROSA', { refused: 'deactivated' }), standing('UOMAR')] },
    ],
  ];
  it.each(noes)('does not run with %s', (_name, approval, changes) => {
    expect(mayExecute(approval, { ...facts, ...changes })).toMatchObject({ kind: 'no' });
  });

  it('runs what asks for a one-time code once each approver has given one for this plan', () => {
    const proofs = [{ userId: 'UOMAR', planHash: planHash(plan), at }];

    expect(mayExecute(approved, { ...facts, rights: { stepUp: true, alone: false }, proofs })).toEqual({ kind: 'yes' });
  });

  it('runs a lone requester’s wish with his one-time code, where the policy allows it', () => {
    const alone = { ...approved, votes: [{ ...vote, userId: 'UROSA', person: 'email:rosa@example.com' }] };
    const proofs = [{ userId: 'UROSA', planHash: planHash(plan), at }];
    const approvers = [{ users: ['UROSA'], groups: [] }];
    const more = { proofs, approvers, standings: [standing('UROSA')] };

    expect(mayExecute(alone, { ...facts, ...more, rights: { stepUp: false, alone: true } })).toEqual({ kind: 'yes' });
    expect(mayExecute(alone, { ...facts, ...more })).toMatchObject({ kind: 'no' });
  });

  it('finishes what is half applied, though it expired and all is frozen since', () => {
    const [call] = plan.calls;
    if (call === undefined) throw new RangeError('the plan has no call');
    const half = { ...approved, steps: [{ index: 0, state: 'done' as const, call, at, requestId: 'r1' }] };
    const late = { ...facts, now: '2026-11-20T23:00:00.000Z', frozen: true };

    expect(mayExecute(half, late)).toEqual({ kind: 'yes' });
    expect(mayExecute(approved, late)).toMatchObject({ kind: 'no' });
    expect(mayExecute(half, { ...late, mode: 'propose' })).toMatchObject({ kind: 'no' });
  });

  it('asks for standings that are missing or old', () => {
    expect(mayExecute(approved, { ...facts, standings: [] })).toEqual({ kind: 'ask-standing' });
    expect(mayExecute(approved, { ...facts, standings: [standing('UOMAR')] })).toEqual({ kind: 'ask-standing' });
    const old = [standing('UROSA'), standing('UOMAR', { checkedAt: '2026-11-20T22:00:00.000Z' })];
    expect(mayExecute(approved, { ...facts, standings: old })).toEqual({ kind: 'ask-standing' });
  });
});

describe('the executor, of several votes and crowds', () => {
  const ana = { ...vote, userId: 'UANA', person: 'email:ana@example.com' };
  const two = proposed({ state: 'approved', required: 2, votes: [vote, ana] });
  const both: ExecutionFacts = {
    ...facts,
    approvers: [{ users: ['UOMAR', 'UANA'], groups: [] }],
    standings: [standing('UROSA'), standing('UOMAR'), standing('UANA')],
  };
  const because = (approval: Approval, changes: Partial<ExecutionFacts>) => {
    const verdict = mayExecute(approval, { ...both, ...changes });
    return verdict.kind === 'no' ? `${verdict.state}: ${verdict.because}` : verdict.kind;
  };
  const proof = (userId: string) => ({ userId, planHash: planHash(plan), at });

  it('counts two people, in any number of votes', () => {
    expect(because(two, {})).toBe('yes');
    const lacks = 'stale: it lacks approvals by distinct people other than the requester';
    expect(because({ ...two, votes: [vote, { ...ana, person }] }, {})).toBe(lacks);
    expect(because({ ...two, votes: [vote, { ...ana, userId: 'UOMAR' }] }, {})).toBe(lacks);
    expect(because({ ...two, votes: [vote, { ...ana, userId: 'UROSA' }] }, {})).toBe(lacks);
    expect(because({ ...two, votes: [vote, { ...ana, person: 'email:rosa@example.com' }] }, {})).toBe(lacks);
    expect(because({ ...two, votes: [vote, { ...ana, vote: 'reject' }] }, {})).toBe(lacks);
    const three = [vote, ana, { ...vote, userId: 'UCARL', person: 'email:carl@example.com' }];
    expect(because({ ...two, required: 3, votes: [three[0] ?? vote, ana, ana] }, {})).toBe(lacks);
  });

  it('is content with the votes that approve, whatever the others say', () => {
    const other = { ...ana, vote: 'reject', planHash: 'other', mode: 'propose' } as const;

    expect(because({ ...two, required: 1, votes: [vote, other] }, {})).toBe('yes');
  });

  it('refuses for one bad vote among good ones', () => {
    const votes = (changes: Partial<typeof vote> | { mode: 'propose' }) => ({
      ...two,
      votes: [vote, { ...ana, ...changes }],
    });

    expect(because(votes({ planHash: 'other' }), {})).toBe('stale: a vote was given for another plan');
    expect(because(votes({ mode: 'propose' }), {})).toMatch(/ran nothing/);
    const stepUp = { rights: { stepUp: true, alone: false } };
    expect(because(two, { ...stepUp, proofs: [proof('UOMAR')] })).toBe('stale: an approval lacks its one-time code');
    expect(because(two, { ...stepUp, proofs: [proof('UOMAR'), proof('UANA')] })).toBe('yes');
  });

  it('asks that every crowd names somebody, and that every crowd of users holds the voter', () => {
    const crowd = both.approvers[0] ?? { users: [], groups: [] };
    const nobody = 'stale: the config names no approvers';

    expect(because(two, { approvers: [] })).toBe(nobody);
    expect(because(two, { approvers: [crowd, { users: [], groups: [] }] })).toBe(nobody);
    expect(because(two, { approvers: [crowd, { users: [], groups: ['S1'] }] })).toBe('yes');
    expect(because(two, { approvers: [crowd, { users: ['UOMAR'], groups: [] }] })).toBe(
      'stale: UANA is no longer an approver',
    );
  });

  it('lets the requester’s code stand for his vote only where he is alone with it', () => {
    const rights = { stepUp: false, alone: true };
    const mine = { ...vote, userId: 'UROSA', person: 'email:rosa@example.com' };
    const same = { ...vote, person: 'email:rosa@example.com' };
    const one = { ...two, required: 1 };

    expect(because({ ...one, votes: [same] }, { rights, proofs: [proof('UROSA')] })).toMatch(/lacks approvals/);
    expect(
      because(
        { ...one, votes: [mine, same] },
        { rights, proofs: [proof('UROSA')], approvers: [{ users: [], groups: ['S1'] }] },
      ),
    ).toBe('yes');
    expect(because({ ...one, votes: [mine] }, { rights, proofs: [] })).toMatch(/lacks approvals/);
  });

  it('takes a standing of just the greatest age, and says who lost his', () => {
    const aged = (checkedAt: string) => [standing('UROSA'), standing('UOMAR', { checkedAt }), standing('UANA')];

    expect(because(two, { standings: aged('2026-11-20T22:05:02.000Z') })).toBe('yes');
    expect(because(two, { standings: aged('2026-11-20T22:05:01.999Z') })).toBe('ask-standing');
    expect(because(two, { standings: [standing('UROSA', { refused: 'left' }), ...aged(at).slice(1)] })).toBe(
      'stale: the requester lost the right to ask: left',
    );
    expect(because(two, { standings: [standing('UROSA'), standing('UOMAR', { refused: 'left' })] })).toBe(
      'stale: an approver lost the right to approve: left',
    );
  });

  it('says what else is in the way', () => {
    expect(because({ ...two, planHash: 'x' }, {})).toBe('stale: the stored plan is not the one that was approved');
    expect(because(two, { now: two.expiresAt })).toBe(`expired: it expired at ${two.expiresAt}`);
    expect(because(two, { frozen: true })).toBe('stale: all writes are frozen');
    expect(because(two, { mode: 'propose' })).toBe('stale: the mode is propose: nothing is written');
    expect(because(two, { objection: 'it is ours' })).toBe('stale: it is ours');
  });

  it('finishes only what AWS has answered: an intent or a refusal is not half applied', () => {
    const [call] = plan.calls;
    if (call === undefined) throw new RangeError('the plan has no call');
    for (const state of ['intent', 'refused'] as const) {
      const begun = { ...two, steps: [{ index: 0, state, call, at }] };
      expect(because(begun, { frozen: true })).toBe('stale: all writes are frozen');
      expect(because(begun, { now: two.expiresAt })).toMatch(/^expired/);
    }
  });
});

describe('what can be undone', () => {
  const [call] = plan.calls;
  const done = call === undefined ? [] : [{ index: 0, state: 'done' as const, call, at }];
  const intent = done.map((step) => ({ ...step, state: 'intent' as const }));
  const refused = done.map((step) => ({ ...step, state: 'refused' as const }));

  it.each([
    ['what is verified', { state: 'verified' }, true],
    ['what is partly done', { state: 'partial' }, true],
    ['what failed after AWS accepted it', { state: 'failed', sentAt: at }, true],
    ['what failed with a call done', { state: 'failed', steps: [...done, ...intent] }, true],
    ['what failed and may have been sent', { state: 'failed', steps: intent }, true],
    ['what failed with all refused', { state: 'failed', steps: refused }, false],
    ['what was never applied', { state: 'stale' }, false],
    ['what is being applied', { state: 'applying', steps: done, sentAt: at }, false],
    ['an undo', { state: 'verified', plan: { ...plan, direction: 'undo' } }, false],
  ] as const)('%s: %#', (_what, changes, can) => {
    expect(isUndoable(proposed(changes as Partial<Approval>))).toBe(can);
  });
});

describe('the state machine', () => {
  it('is this table', () => {
    const next = (from: Approval['state']) => approvalStates.filter((to) => mayFollow(from, to));
    const open = approvalStates.filter((state) => !isOver(state));

    expect(open).toEqual(['proposed', 'approved', 'applying']);
    expect(next('proposed')).toEqual(['approved', 'rejected', 'withdrawn', 'expired', 'stale']);
    expect(next('approved')).toEqual(['applying', 'failed', 'withdrawn', 'expired', 'stale']);
    expect(next('applying')).toEqual(['verified', 'failed', 'partial']);
    for (const state of approvalStates.filter(isOver)) expect(next(state)).toEqual([]);
  });

  it('moves with what is known, and audits it', () => {
    const input = { event: 'stale', actor: 'firebreak', at };
    const audit = { ...input, caseId: 'IR-1', approvalId: 'a1', payload: { state: 'stale', planHash: planHash(plan) } };

    expect(moveTo(proposed(), 'stale', input)).toStrictEqual({ state: 'stale', audit });
    expect(moveTo(proposed(), 'stale', { ...input, outcome: 'so', after: { a: 1 }, payload: { n: 1 } })).toStrictEqual({
      ...{ state: 'stale', outcome: 'so', after: { a: 1 } },
      audit: { ...audit, payload: { ...audit.payload, outcome: 'so', n: 1 } },
    });
  });

  it('never leaves a state that is over', () => {
    for (const from of approvalStates.filter(isOver)) {
      for (const to of approvalStates) {
        expect(moveTo(proposed({ state: from }), to, { event: 'x', actor: 'y', at: 'z' })).toBeUndefined();
      }
    }
  });

  it('reaches "applying" only through "approved", and "verified" only through "applying", whatever the order of moves', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...approvalStates), { maxLength: 30 }), (moves) => {
        const path: string[] = ['proposed'];
        let approval = proposed();
        for (const state of moves) {
          const next = moveTo(approval, state, { event: 'x', actor: 'y', at: 'z' });
          expect(next !== undefined).toBe(mayFollow(approval.state, state));
          if (next?.state === undefined) continue;
          approval = { ...approval, state: next.state };
          path.push(next.state);
        }
        const cameFrom = (state: string) => path[path.indexOf(state) - 1];
        if (path.includes('applying')) expect(cameFrom('applying')).toBe('approved');
        if (path.includes('verified')) expect(cameFrom('verified')).toBe('applying');
        expect(new Set(path).size).toBe(path.length);
      }),
    );
  });

  it('approves only with enough distinct people other than the requester, whatever the order of ballots', () => {
    const person = fc.constantFrom(
      'email:rosa@example.com',
      'email:omar@example.com',
      'email:ana@example.com',
      'unknown:x',
    );
    const ballot = fc.record({
      userId: fc.constantFrom('UROSA', 'UOMAR', 'UANA', 'UOMAR2'),
      person,
      vote: fc.constantFrom('approve' as const, 'reject' as const, 'withdraw' as const),
      at: fc.constantFrom('2026-11-20T22:10:00.000Z', '2026-11-20T22:40:00.000Z'),
      refusal: fc.option(fc.constant('no right'), { nil: undefined }),
      mode: fc.constant('execute' as const),
      rights: fc.constant({ stepUp: false, alone: false }),
      proved: fc.constant([]),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.array(ballot, { maxLength: 12 }), (required, ballots) => {
        let approval = proposed({ required });
        for (const entry of ballots) {
          const outcome = castVote(approval, entry);
          if (!('transition' in outcome)) continue;
          const { state, addVote } = outcome.transition;
          approval = {
            ...approval,
            state: state ?? approval.state,
            votes: addVote === undefined ? approval.votes : [...approval.votes, addVote],
          };
        }
        const approvers = new Set(
          approval.votes.filter((entry) => entry.vote === 'approve').map((entry) => entry.person),
        );
        expect(approvers.has('email:rosa@example.com') || approvers.has('unknown:x')).toBe(false);
        if (approval.state === 'approved') expect(approvers.size).toBeGreaterThanOrEqual(required);
      }),
    );
  });
});

describe('a case that is closed to a few', () => {
  const approved = proposed({ state: 'approved', votes: [vote] });

  it('runs on their votes only, as the executor reads it', () => {
    expect(mayExecute(approved, { ...facts, few: ['UOMAR', 'UROSA'] })).toEqual({ kind: 'yes' });
    expect(mayExecute(approved, { ...facts, few: undefined })).toEqual({ kind: 'yes' });
    expect(mayExecute(approved, { ...facts, few: ['UROSA'] })).toEqual({
      kind: 'no',
      state: 'stale',
      because: 'the case was closed to a few, and UOMAR is none of them',
    });
    expect(mayExecute(approved, { ...facts, few: [] })).toMatchObject({ kind: 'no' });
  });

  it('still brings to its end what is half applied', () => {
    const [call] = plan.calls;
    const step = { index: 0, state: 'done', call: call as never, at: vote.at } as const;

    expect(mayExecute({ ...approved, state: 'applying', steps: [step] }, { ...facts, few: ['UROSA'] })).toEqual({
      kind: 'yes',
    });
  });
});

describe('what failed before AWS answered the last call', () => {
  it('can be undone as soon as one call may have been carried out', () => {
    const [call] = plan.calls;
    const step = (index: number, state: 'intent' | 'done' | 'refused') => ({
      index,
      state,
      call: call as never,
      at: vote.at,
    });
    const failed = (...steps: ReturnType<typeof step>[]) => isUndoable(proposed({ state: 'failed', steps }));

    expect(failed(step(0, 'intent'), step(1, 'refused'))).toBe(true);
    expect(failed(step(0, 'refused'))).toBe(false);
    expect(failed()).toBe(false);
  });
});
