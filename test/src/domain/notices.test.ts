import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { approvalStates } from '../../../src/contracts/approval.ts';
import type { NoticeStage } from '../../../src/contracts/strike.ts';
import { isOver } from '../../../src/domain/approval.ts';
import { decidersOf, stageDue } from '../../../src/domain/notices.ts';

const createdAt = '2026-11-20T22:00:00.000Z';
const expiresAt = '2026-11-20T22:30:00.000Z';
const at = (minutes: number) => new Date(Date.parse(createdAt) + minutes * 60_000).toISOString();

/** Looks every so often, as the sweep does; what was told, when. */
function looked(times: readonly number[], decidedAt: number | undefined, state: (typeof approvalStates)[number]) {
  const notices: { stage: NoticeStage; at: string; minute: number }[] = [];
  for (const minute of [...times].sort((a, b) => a - b)) {
    const now = decidedAt !== undefined && minute >= decidedAt ? state : 'proposed';
    for (let n = 0; n < 6; n += 1) {
      const stage = stageDue({ state: now, createdAt, expiresAt, votes: [] }, notices, at(minute), 'execute');
      if (stage === undefined) break;
      notices.push({ stage, at: at(minute), minute });
    }
  }
  return notices;
}

describe('who waits', () => {
  it('is told at once, reminded once after half of the time, then called in the channel', () => {
    const notices = looked([0, 5, 14.9, 15.1, 20, 22.4, 22.6, 29], undefined, 'proposed');

    expect(notices.map(({ stage, minute }) => `${stage} ${minute}`)).toEqual([
      'asked 0',
      'reminded 15.1',
      'escalated 22.6',
    ]);
  });

  it('is never told twice of one thing, and never of a plan that does not wait', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 60, noNaN: true }), { maxLength: 30 }),
        fc.option(fc.double({ min: 0, max: 60, noNaN: true }), { nil: undefined }),
        fc.constantFrom(...approvalStates.filter((state) => state !== 'proposed')),
        (times, decidedAt, state) => {
          const notices = looked(times, decidedAt, state);
          expect(new Set(notices.map(({ stage }) => stage)).size).toBe(notices.length);
          for (const { stage, minute } of notices) {
            const isDecided = decidedAt !== undefined && minute >= decidedAt;
            expect(['decided', 'ended'].includes(stage)).toBe(isDecided);
            if (!isDecided) expect(minute).toBeLessThan(30);
            if (stage === 'ended') expect(isOver(state)).toBe(true);
          }
        },
      ),
    );
  });
});

describe('who is told', () => {
  const groups = new Map([['S1', ['U1', 'U2', 'U9']]]);

  it('is on the list and in the group where both are named, and not the asker', () => {
    const approvers = { users: ['U1', 'U2', 'U3'], groups: ['S1'] };

    expect(decidersOf({ approvers }, [], groups, 'U2')).toEqual(['U1']);
    expect(decidersOf({ approvers }, [], new Map(), 'U2')).toEqual(['U1', 'U3']);
    expect(decidersOf({ approvers: { users: [], groups: ['S1'] } }, [], groups, undefined)).toEqual(['U1', 'U2', 'U9']);
    expect(decidersOf({ approvers }, [{ users: ['U2'], groups: [] }], groups, undefined)).toEqual(['U2']);
  });
});
