import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AccessRule, accessOf, closedTo } from '../../../src/domain/access.ts';

const groups = new Map([['S01', ['U02']]]);
const asking = { command: 'hunt', userId: 'U01', channel: 'C01', accounts: undefined };

function rules(...written: readonly unknown[]): AccessRule[] {
  return written.map((rule) => AccessRule.parse(rule));
}

describe('the rules of access', () => {
  it('let everybody read where there are none', () => {
    expect(accessOf([], asking, groups)).toEqual({ without: [] });
  });

  it('refuse commands to others, by id and by group, and elsewhere than in their channels', () => {
    const allow = rules({ commands: ['hu*'], allow: ['S01'] });

    expect(accessOf(allow, asking, groups)).toHaveProperty('refused');
    expect(accessOf(allow, { ...asking, userId: 'U02' }, groups)).toEqual({ without: [] });
    expect(accessOf(allow, { ...asking, userId: 'U02' }, new Map())).toHaveProperty('refused');
    expect(accessOf(allow, { ...asking, command: 'pivot' }, groups)).toEqual({ without: [] });
    const place = rules({ channels: ['C02'] });
    expect(accessOf(place, asking, groups)).toMatchObject({ refused: expect.stringMatching('other channels') });
    expect(accessOf(place, { ...asking, channel: 'C02' }, groups)).toEqual({ without: [] });
  });

  it('take accounts out of a question about all, and refuse a question about one of them', () => {
    const closed = rules({ accounts: ['111122223333'], allow: ['U02'] });

    expect(accessOf(closed, asking, groups)).toEqual({ without: ['111122223333'] });
    expect(accessOf(closed, { ...asking, accounts: ['111122223333'] }, groups)).toHaveProperty('refused');
    expect(accessOf(closed, { ...asking, userId: 'U02', accounts: ['111122223333'] }, groups)).toEqual({ without: [] });
  });

  it('never open by another rule what one has closed', () => {
    const rule = fc.record(
      {
        commands: fc.constantFrom(['hunt'], ['pivot'], ['*']),
        accounts: fc.constantFrom(['111122223333'], ['444455556666']),
        channels: fc.constantFrom(['C01'], ['C02']),
        allow: fc.constantFrom(['U01'], ['U02']),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 4 }), rule, (some, one) => {
        const before = accessOf(rules(...some), asking, groups);
        const after = accessOf(rules(...some, one), asking, groups);
        if ('refused' in before) expect(after).toHaveProperty('refused');
        else if ('without' in after) expect(after.without).toEqual(expect.arrayContaining([...before.without]));
      }),
    );
  });

  it('close a case to all but the few', () => {
    expect(closedTo({ id: 'IR-1', restrictedTo: ['U01'] }, 'U02')).toContain('IR-1');
    expect(closedTo({ id: 'IR-1', restrictedTo: ['U01'] }, 'U01')).toBeUndefined();
    expect(closedTo({ id: 'IR-1' }, 'U02')).toBeUndefined();
  });
});
