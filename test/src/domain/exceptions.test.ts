import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogue } from '../../../detections/index.ts';
import type { RuleException } from '../../../src/contracts/rules.ts';
import { ExceptionEntry, exceptionBook, exceptionWords } from '../../../src/domain/exceptions.ts';
import { record, session, user } from './pivot-records.ts';

const now = new Date('2026-11-20T00:00:00Z');
const rule = catalogue().rules.find(({ name }) => name === 'iam-user-created');
if (rule === undefined) throw new Error('the catalogue has changed');

const made = (more: Readonly<Record<string, unknown>> = {}) =>
  record({
    eventSource: 'iam.amazonaws.com',
    eventName: 'CreateUser',
    sourceIPAddress: '198.51.100.7',
    recipientAccountId: '999999999999',
    userIdentity: user('mallory', '999999999999'),
    ...more,
  });

function except(more: Readonly<Record<string, unknown>>): RuleException {
  return { ...ExceptionEntry.parse({ reason: 'known', until: '2026-12-31', ...more }), by: 'config' };
}

function holds(more: Readonly<Record<string, unknown>>, event = made()): boolean {
  return exceptionBook([except(more)], now).heldBy(rule as NonNullable<typeof rule>, event) !== undefined;
}

describe('an exception', () => {
  it.each([
    [{ rule: 'iam-user-created' }, true],
    [{ rule: 'IAM-*' }, true],
    [{ rule: rule.id }, true],
    [{ rule: 'mail-sent' }, false],
    [{ principal: 'arn:aws:iam::999999999999:user/mallory' }, true],
    [{ principal: 'mallory' }, true],
    [{ principal: 'arn:aws:iam::*:user/mal*' }, true],
    [{ principal: 'mallor' }, false],
    [{ ip: '198.51.100.0/24' }, true],
    [{ ip: ['192.0.2.1', '198.51.100.7'] }, true],
    [{ ip: '192.0.2.0/24' }, false],
    [{ account: '999999999999' }, true],
    [{ account: 111122223333 }, false],
    [{ event: 'CreateUser' }, true],
    [{ event: 'iam:Create*' }, true],
    [{ event: 'ec2:CreateUser' }, false],
    [{ tag: 'attack.t1136*' }, true],
    [{ tag: 'attack.exfiltration' }, false],
    [{ rule: 'iam-user-created', ip: '192.0.2.1' }, false],
    [{ rule: 'iam-user-created', ip: '198.51.100.7', principal: 'mallory', account: '999999999999' }, true],
  ])('%j holds: %s', (more, expected) => {
    expect(holds(more)).toBe(expected);
  });

  it('knows a session by its role, and never by the name that its caller chose', () => {
    const event = made({ userIdentity: session('attacker-role', 'onboarding') });

    expect(holds({ principal: 'attacker-role' }, event)).toBe(true);
    expect(holds({ principal: 'onboarding' }, event)).toBe(false);
  });

  it('does not cover an address that is none', () => {
    expect(holds({ ip: '0.0.0.0/0' }, made({ sourceIPAddress: 'cloudformation.amazonaws.com' }))).toBe(false);
  });

  it('ends at the end of its day, and is told then', () => {
    const one = except({ rule: 'iam-user-created', until: '2026-11-20' });
    const during = exceptionBook([one], new Date('2026-11-20T23:59:59Z'));
    const after = exceptionBook([one], new Date('2026-11-21T00:00:00Z'));

    expect(during.heldBy(rule, made())).toBe(one);
    expect(after.heldBy(rule, made())).toBeUndefined();
    expect(after.expired).toEqual([one]);
    expect(exceptionWords(one)).toBe('rule iam-user-created, until 2026-11-21 00:00 UTC (known)');
  });

  it.each([
    [{ reason: 'x', rule: 'a', until: '2026-12-31' }, 'reason'],
    [{ reason: 'known', rule: 'a' }, 'until'],
    [{ reason: 'known', rule: 'a', until: 'soon' }, 'is no day'],
    [{ reason: 'known', until: '2026-12-31' }, 'names nothing'],
    [{ reason: 'known', rule: '*', until: '2026-12-31' }, 'everything'],
    [{ reason: 'known', ip: 'office', until: '2026-12-31' }, 'CIDR'],
    [{ reason: 'known', rule: 'a', until: '2026-12-31', who: 'x' }, 'who'],
  ])('%j is refused', (entry, problem) => {
    const parsed = ExceptionEntry.safeParse(entry);

    expect(parsed.success).toBe(false);
    expect(JSON.stringify(parsed.error?.issues)).toContain(problem);
  });

  it('that names a rule or tag never holds a record back by itself', () => {
    expect(exceptionBook([except({ rule: '*', ip: '198.51.100.7' })], now).heldByAny(made())).toBeUndefined();
    expect(exceptionBook([except({ ip: '198.51.100.7' })], now).heldByAny(made())).toBeDefined();
  });

  it('never holds back more than each of its criteria alone', () => {
    const criteria = fc.record(
      {
        rule: fc.constantFrom('iam-*', 'mail-sent'),
        principal: fc.constantFrom('mallory', 'alice', '*'),
        ip: fc.constantFrom('198.51.100.0/24', '192.0.2.1'),
        account: fc.constantFrom('999999999999', '111122223333'),
        event: fc.constantFrom('Create*', 'Delete*'),
      },
      { requiredKeys: ['rule'] },
    );

    fc.assert(
      fc.property(criteria, (given) => {
        const all = Object.entries(given).every(([name, value]) =>
          name === 'principal' && value === '*' ? true : holds({ [name]: value }),
        );
        expect(holds(given)).toBe(all);
      }),
    );
  });
});
