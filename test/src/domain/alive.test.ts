import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AliveItem,
  aliveHeadline,
  type Denial,
  denialsIn,
  leftOf,
  longTermState,
  remediesOf,
  sessionState,
} from '../../../src/domain/alive.ts';

const now = new Date('2026-11-20T22:00:00Z');
const deny = (condition?: object) =>
  JSON.stringify({
    Statement: [{ Effect: 'Deny', Action: '*', Resource: '*', ...(condition && { Condition: condition }) }],
  });
const instant = fc.date({
  min: new Date('2026-11-19T00:00:00Z'),
  max: new Date('2026-11-22T00:00:00Z'),
  noInvalidDate: true,
});
const denial: fc.Arbitrary<Denial> = fc.oneof(
  fc.constant({ kind: 'all' as const, policy: 'p' }),
  instant.map((at) => ({ kind: 'before' as const, policy: 'p', at: at.toISOString() })),
  fc.string().map((name) => ({ kind: 'session' as const, policy: 'p', userId: `AROAX:${name}` })),
);
const item: fc.Arbitrary<AliveItem> = fc.record({
  kind: fc.constantFrom('access key', 'session', 'user'),
  id: fc.string(),
  of: fc.string(),
  state: fc.constantFrom('alive', 'dead', 'dead-by-policy', 'unknown'),
  because: fc.string(),
});

describe('what a policy ends', () => {
  it('is everything only by a deny of everything without a condition', () => {
    expect(denialsIn('p', deny())).toEqual([{ kind: 'all', policy: 'p' }]);
    expect(denialsIn('p', deny({ DateLessThan: { 'aws:TokenIssueTime': '2026-11-20T22:00:30Z' } }))).toEqual([
      { kind: 'before', policy: 'p', at: '2026-11-20T22:00:30.000Z' },
    ]);
    expect(denialsIn('p', deny({ StringEquals: { 'aws:userid': 'AROAX:mallory' } }))).toEqual([
      { kind: 'session', policy: 'p', userId: 'AROAX:mallory' },
    ]);
  });

  it.each([
    [
      'a second condition',
      deny({ DateLessThan: { 'aws:TokenIssueTime': '2026-11-20T22:00:30Z' }, Bool: { x: 'true' } }),
    ],
    ['networks', deny({ NotIpAddress: { 'aws:SourceIp': '192.0.2.0/24' } })],
    ['an allow', JSON.stringify({ Statement: { Effect: 'Allow', Action: '*', Resource: '*' } })],
    ['NotAction', JSON.stringify({ Statement: { Effect: 'Deny', NotAction: ['s3:*'], Resource: '*' } })],
    ['one service', JSON.stringify({ Statement: { Effect: 'Deny', Action: 's3:*', Resource: '*' } })],
    ['no policy', '<html>'],
    ['nothing', 'null'],
  ])('is not told by %s', (_what, text) => {
    expect(denialsIn('p', text)).toEqual([]);
  });

  it('is never thrown at, whatever the text holds', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => Array.isArray(denialsIn('p', text))));
  });
});

describe('whether a credential works', () => {
  it('of a long-term one is ended by a deny of everything alone: a deny by time does not reach it', () => {
    fc.assert(
      fc.property(fc.array(denial), (denials) => {
        const dead = longTermState(denials, 'Active').state === 'dead-by-policy';
        expect(dead).toBe(denials.some(({ kind }) => kind === 'all'));
      }),
    );
  });

  it('of a session: over by the clock, denied by its issue time or name, else alive', () => {
    fc.assert(
      fc.property(instant, instant, fc.string(), fc.array(denial), (issued, until, name, denials) => {
        const session = { issuedAt: issued.toISOString(), until: until.toISOString(), name };
        const { state } = sessionState(session, denials, now);
        if (until <= now) {
          expect(state).toBe('dead');
          return;
        }
        const ended = denials.some(
          (one) =>
            one.kind === 'all' ||
            (one.kind === 'before' && one.at > session.issuedAt) ||
            (one.kind === 'session' && one.userId === `AROAX:${name}`),
        );
        expect(state).toBe(ended ? 'dead-by-policy' : 'alive');
      }),
    );
  });

  it('is not known where the policies could not be read, or when it began is not known', () => {
    const session = { issuedAt: undefined, until: '2026-11-20T23:00:00Z', name: 'x' };

    expect(sessionState(session, undefined, now).state).toBe('unknown');
    expect(sessionState(session, [{ kind: 'before', policy: 'p', at: '2026-11-20T23:00:00Z' }], now).state).toBe(
      'alive',
    );
  });
});

describe('what is said of a family', () => {
  it('is never "nothing is left" while something is alive, cannot be told, or was not looked at', () => {
    fc.assert(
      fc.property(fc.array(item), fc.boolean(), (items, complete) => {
        const says = aliveHeadline('x', items, complete);
        if (says.startsWith('Nothing is left')) {
          expect(complete).toBe(true);
          expect(items.length).toBeGreaterThan(0);
          expect(leftOf(items)).toEqual([]);
        }
        if (!complete) expect(says).toContain('not everything could be looked at');
      }),
    );
  });

  it('names each missing step once, and none for what is dead', () => {
    const step = { action: 'deny-all', words: ['user/x'] };
    const one: AliveItem = { kind: 'user', id: 'x', of: 'x', state: 'alive', because: 'it exists', step };

    expect(
      remediesOf([one, { ...one, kind: 'access key' }, { ...one, state: 'dead', step: { action: 'a', words: [] } }]),
    ).toEqual([{ ...step, why: 'user x: it exists' }]);
  });
});
