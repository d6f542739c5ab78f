import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Approval, Vote } from '../../../src/contracts/approval.ts';
import { type Ballot, castVote, type ExecutionFacts, mayExecute } from '../../../src/domain/approval.ts';
import { PolicyRule, rightsFor } from '../../../src/domain/approval-policy.ts';
import { type BreakGlass, breakGlassHash, reasonProblem } from '../../../src/domain/break-glass.ts';
import { closedShout, shoutMessage } from '../../../src/domain/break-glass-wording.ts';
import { reviewMessage, stageDue, wasAlone } from '../../../src/domain/notices.ts';
import { planHash } from '../../../src/domain/plan.ts';
import { plan } from './sample-plan.ts';

const hash = planHash(plan);
const reason = 'the attacker is active and nobody answers';
const createdAt = '2026-11-20T22:00:00.000Z';
const at = '2026-11-20T22:10:00.000Z';
const tooEarly = '2026-11-20T22:09:59.999Z';
const breakGlass: BreakGlass = { crowds: [{ users: ['UROSA', 'UANA'], groups: [] }], afterMinutes: 10 };
const rights = { stepUp: false, alone: false, breakGlass };

const waiting: Approval = {
  id: 'a1',
  caseId: 'IR-1',
  state: 'proposed',
  plan,
  planHash: hash,
  context: { blastRadius: [], blastCoverage: '', willNotStop: [], reversal: '', cli: [], approvalsBecause: '' },
  requester: { userId: 'UROSA', person: 'email:rosa@example.com' },
  required: 2,
  votes: [],
  steps: [],
  createdAt,
  expiresAt: '2026-11-20T22:30:00.000Z',
  channel: 'C1',
};

const ballot: Ballot = {
  ...{ userId: 'UROSA', person: 'email:rosa@example.com', vote: 'approve', at, refusal: undefined, mode: 'execute' },
  ...{ rights, proved: [breakGlassHash(hash, reason)], breakGlass: reason, frozen: false },
};

const vote: Vote = {
  ...{ userId: 'UROSA', person: 'email:rosa@example.com', vote: 'approve', at, planHash: hash, mode: 'execute' },
  breakGlass: reason,
};
const approved: Approval = { ...waiting, state: 'approved', votes: [vote] };

const facts: ExecutionFacts = {
  now: '2026-11-20T22:10:02.000Z',
  mode: 'execute',
  frozen: false,
  standings: [{ userId: 'UROSA', person: 'email:rosa@example.com', checkedAt: '2026-11-20T22:10:01.000Z' }],
  standingMaxAgeMs: 300_000,
  approvers: [{ users: ['UROSA', 'UOMAR'], groups: [] }],
  rights,
  proofs: [{ userId: 'UROSA', planHash: breakGlassHash(hash, reason), at }],
  required: 2,
  objection: undefined,
  few: undefined,
};

describe('breaking the glass', () => {
  it('approves at once, though two are asked for and it is the one who asked, and is audited as that with the reason', () => {
    expect(castVote(waiting, ballot)).toMatchObject({
      transition: {
        state: 'approved',
        addVote: { breakGlass: reason },
        audit: { event: 'break-glass', actor: 'UROSA', payload: { reason, planHash: hash } },
      },
    });
  });

  it.each<[string, Partial<Ballot>, string]>([
    ['without a rule', { rights: { stepUp: false, alone: true } }, 'allows no break-glass'],
    [
      'by a rule that names nobody',
      { rights: { ...rights, breakGlass: { crowds: [], afterMinutes: 1 } } },
      'allows no',
    ],
    ['by somebody else', { userId: 'UOMAR' }, 'does not name you'],
    ['with too few words', { breakGlass: 'urgent' }, 'reason of at least 3 words'],
    ['too early', { at: tooEarly }, 'only 10 minutes after'],
    ['at no time', { at: 'never' }, 'expired'],
    ['while frozen', { frozen: true }, 'frozen'],
    ['in another mode', { mode: 'propose' }, 'mode is propose'],
    ['without a code', { proved: [] }, 'one-time code'],
    ['with a code for an ordinary approval', { proved: [hash] }, 'one-time code'],
    ['with a code for another reason', { proved: [breakGlassHash(hash, `${reason}, maybe`)] }, 'one-time code'],
    ['on the host', { door: 'host' }, 'in Slack'],
    ['after the expiry', { at: '2026-11-20T22:30:00.000Z' }, 'expired'],
    ['without the standing of an approver', { refusal: 'you are a guest' }, 'guest'],
  ])('is refused %s', (_, changes, says) => {
    expect(castVote(waiting, { ...ballot, ...changes })).toEqual({ refused: expect.stringContaining(says) });
  });

  it('is refused where nobody has looked whether writes are frozen', () => {
    const { frozen: _, ...unasked } = ballot;
    expect(castVote(waiting, unasked)).toEqual({ refused: expect.stringContaining('frozen') });
  });

  it('can be done by who has approved as one of two, and is one approval when it comes twice', () => {
    const { breakGlass: _, ...ordinary } = vote;
    const ana = { ...ordinary, userId: 'UANA', person: 'email:ana@example.com' };
    const one = { ...waiting, votes: [ana] };

    expect(castVote(one, { ...ballot, userId: 'UANA', person: ana.person })).toMatchObject({
      transition: { state: 'approved' },
    });
    expect(castVote(approved, ballot)).toEqual({ repeat: true });
  });

  it('leaves a code that counts for no ordinary approval', () => {
    const { breakGlass: _, ...ordinary } = { ...ballot, userId: 'UOMAR', person: 'email:omar@example.com' };
    const asked = { ...ordinary, rights: { ...rights, stepUp: true } };
    expect(castVote(waiting, asked)).toEqual({ refused: expect.stringContaining('one-time code') });
  });
});

describe('the executor', () => {
  it('runs what one person approved by break-glass', () => {
    expect(mayExecute(approved, facts)).toEqual({ kind: 'yes' });
    expect(mayExecute(approved, { ...facts, rights: { ...rights, stepUp: true } })).toEqual({ kind: 'yes' });
  });

  it.each<[string, Partial<ExecutionFacts>, string]>([
    ['its own config allows none', { rights: { stepUp: false, alone: true } }, 'allows no break-glass'],
    [
      'its own config names others',
      { rights: { ...rights, breakGlass: { ...breakGlass, crowds: [{ users: ['UANA'], groups: ['S1'] }] } } },
      'does not name',
    ],
    ['it has seen no code', { proofs: [] }, 'code'],
    ['the code was for an ordinary approval', { proofs: [{ userId: 'UROSA', planHash: hash, at }] }, 'code'],
    ['the code was of somebody else', { proofs: [{ ...facts.proofs[0], userId: 'UANA' } as never] }, 'code'],
    ['it saw the code too early', { proofs: [{ ...facts.proofs[0], at: tooEarly } as never] }, 'only 10 minutes'],
    ['writes are frozen', { frozen: true }, 'frozen'],
    ['the mode is another', { mode: 'propose' }, 'mode'],
    ['it is protected or forbidden', { objection: 'it is protected' }, 'protected'],
    ['the person is no approver', { approvers: [{ users: ['UOMAR'], groups: [] }] }, 'no longer an approver'],
  ])('refuses when %s', (_, changes, says) => {
    expect(mayExecute(approved, { ...facts, ...changes })).toMatchObject({
      kind: 'no',
      because: expect.stringContaining(says),
    });
  });

  it('refuses one from the host, where nobody is told', () => {
    const onHost = { ...approved, votes: [{ ...vote, door: 'host' }] } as const;
    expect(mayExecute(onHost, facts)).toMatchObject({ kind: 'no', because: expect.stringContaining('in Slack') });
  });

  it('refuses a reason that was changed or shortened afterwards', () => {
    for (const other of ['because I can do it', 'no'])
      expect(mayExecute({ ...approved, votes: [{ ...vote, breakGlass: other }] }, facts)).toMatchObject({ kind: 'no' });
  });

  it('refuses an undo of one person while writes are frozen, and finishes what is half applied', () => {
    const restoring = { ...plan, direction: 'undo' } as const;
    const undoHash = planHash(restoring);
    const undo: Approval = {
      ...{ ...approved, plan: restoring, planHash: undoHash, votes: [{ ...vote, planHash: undoHash }] },
    };
    const proofs = [{ userId: 'UROSA', planHash: breakGlassHash(undoHash, reason), at }];
    expect(mayExecute(undo, { ...facts, proofs })).toEqual({ kind: 'yes' });
    expect(mayExecute(undo, { ...facts, proofs, frozen: true })).toMatchObject({ kind: 'no' });
    const [call] = plan.calls;
    const half = { ...approved, steps: [{ index: 0, state: 'done', call: call as never, at }] as const };
    expect(mayExecute(half, { ...facts, frozen: true })).toEqual({ kind: 'yes' });
  });

  it('never counts one without proof, reason, time, policy and name, whatever the rest says', () => {
    const some = fc.record({
      hasProof: fc.constantFrom('right', 'ordinary', 'other', 'none'),
      says: fc.constantFrom(reason, 'no', '', 'a b c d e f g h'),
      who: fc.constantFrom('UROSA', 'UANA', 'UOMAR'),
      minutes: fc.integer({ min: 0, max: 29 }),
      after: fc.integer({ min: 1, max: 40 }),
      hasRule: fc.boolean(),
      frozen: fc.boolean(),
      mode: fc.constantFrom('observe', 'propose', 'execute'),
      stepUp: fc.boolean(),
    });
    fc.assert(
      fc.property(some, ({ hasProof, says, who, minutes, after, hasRule, frozen, mode, stepUp }) => {
        const when = new Date(Date.parse(createdAt) + minutes * 60_000).toISOString();
        const right = breakGlassHash(hash, says);
        const proved = { right: [right], ordinary: [hash], other: [breakGlassHash('0', says)], none: [] }[hasProof];
        const its = { stepUp, alone: false, breakGlass: hasRule ? { ...breakGlass, afterMinutes: after } : undefined };
        const person = `email:${who}`;
        const may =
          hasRule &&
          hasProof === 'right' &&
          says === reason &&
          who !== 'UOMAR' &&
          minutes >= after &&
          !frozen &&
          mode === 'execute';
        const own = { userId: who, person, at: when, mode, proved, frozen, breakGlass: says, rights: its };
        const cast = castVote(waiting, { ...ballot, ...own });
        expect('transition' in cast).toBe(may);
        const forged = { ...approved, votes: [{ ...vote, userId: who, person, at: when, mode, breakGlass: says }] };
        const standings = [who, 'UROSA'].map((userId) => ({ userId, person: `email:${userId}`, checkedAt: when }));
        const run = mayExecute(forged, {
          ...facts,
          ...{
            now: when,
            mode,
            frozen,
            rights: its,
            standings,
            approvers: [{ users: ['UROSA', 'UANA', 'UOMAR'], groups: [] }],
          },
          proofs: proved.map((one) => ({ userId: who, planHash: one, at: when })),
        });
        expect(run.kind === 'yes').toBe(may);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the rules of break-glass', () => {
  const asked = {
    ...{ action: { name: 'deny-all' }, isReversible: true, accountId: '111122223333', environment: 'prod' },
  } as const;
  const of = (written: readonly unknown[], changes: object = {}) =>
    rightsFor(
      written.map((rule) => PolicyRule.parse(rule)),
      [],
      { ...asked, ...changes },
    ).breakGlass;

  it('are none where none speaks, for what is final, and where a rule forbids or says false', () => {
    const rule = { breakGlass: { users: ['U0ROSA'] } };
    expect(of([{}])).toBeUndefined();
    expect(of([rule])).toEqual({ crowds: [{ users: ['U0ROSA'], groups: [] }], afterMinutes: 10 });
    expect(of([rule, { breakGlass: false }])).toBeUndefined();
    expect(of([rule, { forbidden: 'not here' }])).toBeUndefined();
    expect(of([rule], { isReversible: false })).toBeUndefined();
    expect(of([rule], { action: { name: 'delete-user', kind: 'eradication' } })).toBeUndefined();
    expect(of([{ ...rule, environments: ['dev'] }])).toBeUndefined();
  });

  it('hold together: everybody must be named by all, after the longest time', () => {
    const rules = [
      { breakGlass: { users: ['U0ROSA'], afterMinutes: 5 } },
      { breakGlass: { users: ['U0OMAR'], groups: ['S0NIGHT'], afterMinutes: 20 }, required: 2 },
    ];
    expect(of(rules)).toEqual({
      crowds: [
        { users: ['U0ROSA'], groups: [] },
        { users: ['U0OMAR'], groups: ['S0NIGHT'] },
      ],
      afterMinutes: 20,
    });
  });

  it('must name users: whoever edits a group must not give himself this', () => {
    for (const breakGlass of [{ groups: ['S0NIGHT'] }, { users: [] }, true, { users: ['U0ROSA'], afterMinutes: 0 }])
      expect(PolicyRule.safeParse({ breakGlass }).success, JSON.stringify(breakGlass)).toBe(false);
  });

  it('take words for a reason, in any script', () => {
    for (const good of [reason, 'никто не отвечает сейчас']) expect(reasonProblem(good)).toBeUndefined();
    for (const bad of ['', 'a b c d e f g', '... ... ... ...', 'two words']) expect(reasonProblem(bad)).toBeDefined();
  });
});

describe('the shout', () => {
  it('names who, what and why, and for a closed case only who and which case', () => {
    const glass = { ...vote, breakGlass: reason };
    const open = JSON.stringify(shoutMessage({ approval: approved, account: undefined, channel: 'C1' }, glass));
    for (const word of ['BREAK-GLASS', 'UROSA', 'AKIAIOSFODNN7EXAMPLE', reason, 'IR-1', '/ir freeze'])
      expect(open).toContain(word);
    const closed = JSON.stringify(closedShout(approved, glass));
    for (const word of ['BREAK-GLASS', 'UROSA', 'IR-1']) expect(closed).toContain(word);
    for (const word of ['AKIA', 'pipeline', 'disable', reason]) expect(closed).not.toContain(word);
  });
});

describe('after break-glass', () => {
  it('another approver is asked for a review, and reminded half a day later', () => {
    const done = { ...approved, state: 'verified' } as const;
    const had = (...stages: readonly ('decided' | 'review' | 'ended')[]) => stages.map((stage) => ({ stage, at }));
    expect(wasAlone(done)).toBe(true);
    expect(stageDue(done, had(), at, 'execute')).toBe('decided');
    expect(stageDue(done, had('decided'), at, 'execute')).toBe('review');
    expect(stageDue(done, had('decided', 'review'), '2026-11-21T10:09:59.000Z', 'execute')).toBeUndefined();
    expect(stageDue(done, had('decided', 'review'), '2026-11-21T10:10:00.000Z', 'execute')).toBe('ended');
    expect(stageDue(done, had('decided', 'review', 'ended'), '2026-11-22T10:10:00.000Z', 'execute')).toBeUndefined();
    const message = reviewMessage({ approval: done, account: undefined, channel: 'C1' }, 'reminded');
    expect(message.text).toMatch(/^Reminder.*break-glass/);
    expect(JSON.stringify(message.parts)).toContain(reason);
  });
});
