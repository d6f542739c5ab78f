import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeFacts, parseInventoryFile } from '../../../src/domain/inventory-sources.ts';

describe('a file of accounts', () => {
  it('may be a CSV with headers as people write them, with zeros that a spreadsheet dropped', () => {
    const csv =
      '\ufeffAccount ID,Account-Name,Env,Owner Team,Data Classification,Countries,Contacts\r\n11122223333,shop,prod,team-shop,"PII; PCI","de, nl",S0123ABCD\r\n1111-2222-4444,lab,,,,,\r\n';

    expect(parseInventoryFile(csv, 'a.csv')).toEqual({
      accounts: [
        {
          id: '011122223333',
          name: 'shop',
          environment: 'prod',
          owner: 'team-shop',
          dataClass: ['PII', 'PCI'],
          expectedCountries: ['DE', 'NL'],
          contacts: ['S0123ABCD'],
          from: ['a.csv'],
        },
        { id: '111122224444', name: 'lab', from: ['a.csv'] },
      ],
      problems: [],
    });
  });

  it("may be Steampipe's JSON, whose tags fill what has no column", () => {
    const json = JSON.stringify({
      columns: [],
      rows: [{ account_id: '111122223333', title: 'shop', tags: { Environment: 'prod', Owner: 'team-shop' } }],
    });

    expect(parseInventoryFile(json, 's.json').accounts).toEqual([
      {
        ...{ id: '111122223333', name: 'shop', environment: 'prod', owner: 'team-shop', from: ['s.json'] },
        tags: { Environment: 'prod', Owner: 'team-shop' },
      },
    ]);
  });

  it('tells which rows it could not use', () => {
    expect(parseInventoryFile('[{"name":"x"},{"id":"111122223333"}, 5]', 'x.json').problems).toEqual([
      'x.json: row 1 has no 12-digit account id',
      'x.json: row 3 has no 12-digit account id',
    ]);
  });

  it('is refused with an error where it is neither, and never gives half an account', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          for (const account of parseInventoryFile(text, 'f').accounts) expect(account.id).toMatch(/^\d{12}$/);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});

it('of several sources the first that says something wins, field by field', () => {
  const id = '111122223333';
  expect(
    mergeFacts([
      { id, owner: 'config', from: ['config'] },
      { id, owner: 'file', name: 'n', from: ['f'] },
      { id, name: 'org', from: ['org'] },
    ]),
  ).toEqual({ id, owner: 'config', name: 'n', from: ['config', 'f'] });
  expect(mergeFacts([undefined])).toBeUndefined();
});
