import { describe, expect, it } from 'vitest';
import type { ButtonMeaning } from '../../../src/contracts/buttons.ts';
import type { StoredInvestigation } from '../../../src/contracts/store.ts';
import { pivotButtons, widerThan } from '../../../src/flows/onward-buttons.ts';

const now = new Date('2026-11-20T23:00:00Z');

describe('the next wider window', () => {
  it.each([
    ['90m', '7d'],
    ['24h', '7d'],
    ['7d', '15d'],
    ['1w', '15d'],
    ['2026-11-19', '7d'],
    ['2026-11-10T00:00:00Z', '15d'],
    ['15d', '90d'],
    ['90d', '365d'],
    ['365d', undefined],
  ])('after %s is %s', (since, wider) => {
    expect(widerThan(since, now)).toBe(wider);
  });
});

describe('buttons to pivot further', () => {
  it('stand for what the answer suggests, over the same time and places', async () => {
    const minted: ButtonMeaning[] = [];
    const mint = async (_key: string, meaning: ButtonMeaning) => `b${minted.push(meaning)}`;
    const stored = {
      id: 'i1',
      request: { target: { artifact: 'AKIAIOSFODNN7EXAMPLE' }, since: '15d', accounts: ['111122223333'] },
    } as unknown as StoredInvestigation;
    const next = [
      '/ir contain disable-access-key AKIAIOSFODNN7EXAMPLE',
      '/ir pivot AKIAIOSFODNN7EXAMPLE',
      '/ir pivot arn:aws:iam::111122223333:role/<!channel>',
      '/ir pivot 198.51.100.7',
      '/ir pivot arn:aws:iam::111122223333:role/DevOps',
      '/ir pivot AKIAIOSFODNN7EXAMPLE --since 90d',
    ];
    const buttons = await pivotButtons(stored, { next }, {
      store: { buttons: { mint } },
    } as unknown as Parameters<typeof pivotButtons>[2]);

    expect(buttons.map(({ action, label }) => `${action} ${label}`)).toEqual([
      'pivot Pivot address 198.51.100.7',
      'pivot Pivot role …vOps',
    ]);
    expect(minted).toEqual([
      {
        kind: 'investigation',
        investigationId: 'i1',
        request: { ...stored.request, target: { artifact: '198.51.100.7' } },
      },
      {
        kind: 'investigation',
        investigationId: 'i1',
        request: { ...stored.request, target: { artifact: 'arn:aws:iam::111122223333:role/DevOps' } },
      },
    ]);
  });
});
