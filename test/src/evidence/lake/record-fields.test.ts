import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordFields } from '../../../../src/evidence/lake/columns.ts';
import { RecordFields, spareBytes } from '../../../../src/evidence/lake/record-fields.ts';

const fields = new RecordFields();

/** As a file is held: not at the beginning of its memory, with a 0 behind it. */
function read(content: Buffer): { isRead: boolean; bytes: Buffer } {
  const bytes = Buffer.concat([Buffer.from('xx'), content, Buffer.alloc(spareBytes)]);
  fields.begin(bytes, 2, 2 + content.length);
  return { isRead: fields.more(bytes, content.length) === 'end', bytes };
}

function textOf(bytes: Buffer, row: number, field: string): string | undefined {
  const at = (row * recordFields.length + recordFields.indexOf(field)) * 2;
  const [from, to] = [fields.spans[at] ?? 0, fields.spans[at + 1] ?? 0];
  return to === 0 ? undefined : bytes.toString('utf8', from, to);
}

const packings: readonly ((records: readonly unknown[]) => string)[] = [
  (records) => JSON.stringify({ Records: records }),
  (records) => `${JSON.stringify(records)}\n`,
  (records) => records.map((record) => JSON.stringify(record)).join('\n'),
];

const record = fc.dictionary(fc.constantFrom(...recordFields, 'brandNew', 'eventTim'), fc.jsonValue(), { minKeys: 1 });

/** JSON by our own rules: NDJSON, or one document. */
function isJson(text: string): boolean {
  const parts = text.startsWith('{"Records":[') || text.startsWith('[') ? [text] : text.trimEnd().split(/\n/);
  try {
    for (const part of parts) JSON.parse(part);
    return true;
  } catch {
    return false;
  }
}

describe('the fields of records', () => {
  it('are found where they lie, whatever stands in them; those that are null or unknown are not', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), fc.constantFrom(...packings), (records, pack) => {
        const { isRead, bytes } = read(Buffer.from(pack(records)));
        expect(isRead).toBe(true);
        expect(fields.rows).toBe(records.length);
        for (const [row, one] of records.entries()) {
          const known = Object.keys(one).filter((key) => recordFields.includes(key));
          expect(bytes.toString('utf8', fields.bounds[row * 2], fields.bounds[row * 2 + 1])).toBe(JSON.stringify(one));
          expect(fields.odd[row] === 1).toBe(known.length < Object.keys(one).length || hasEscapedName(one));
          for (const field of recordFields) {
            const value = Object.hasOwn(one, field) ? one[field] : null;
            expect(textOf(bytes, row, field), field).toBe(value === null ? undefined : JSON.stringify(value));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('are never read out of what is not JSON', () => {
    const bytes = fc.constantFrom(...Buffer.from('"\\{}[],:0-1.eEntf u\n\u0001\u00ff/'));
    let read1 = 0;
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...packings),
        fc.array(fc.tuple(fc.nat(), fc.constantFrom('put', 'set', 'cut'), bytes), { minLength: 1, maxLength: 3 }),
        (records, pack, edits) => {
          let content = Buffer.from(pack(records));
          for (const [place, edit, byte] of edits) {
            const at = place % content.length;
            const rest = content.subarray(edit === 'put' ? at : at + 1);
            content = Buffer.concat([content.subarray(0, at), Buffer.from(edit === 'cut' ? [] : [byte]), rest]);
          }
          if (content.length === 0 || !read(content).isRead) return;
          read1 += 1;
          const isUnicode = content.toString('utf8').includes('\\u');
          // Escapes of letters are looked into by the door of all records.
          if (!isUnicode) expect(isJson(content.toString('utf8')), content.toString('utf8')).toBe(true);
        },
      ),
      { numRuns: 3000 },
    );
    expect(read1).toBeGreaterThan(100);
  });

  it.each([
    ['white space', '{"Records":[{"eventVersion": "1"}]}'],
    ['more in the envelope', '{"Records":[{"eventVersion":"1"}],"more":1}'],
    ['two documents', '{"Records":[{"eventVersion":"1"}]}{"Records":[{"eventVersion":"1"}]}'],
    ['no records', '{"Records":[]}'],
    ['nothing', ''],
    ['a cut end', '{"Records":[{"eventVersion":"1"}'],
    ['bytes that are no UTF-8', Buffer.from('{"Records":[{"userAgent":"\xff"}]}', 'latin1')],
    ['more records than any file has', `[${'{"a":1},'.repeat(200_000)}{"a":1}]`],
    ['bottomless nesting', `{"Records":[{"requestParameters":${'['.repeat(100)}${']'.repeat(100)}}]}`],
  ])('are left to the careful way for %s', (_what, text) => {
    expect(read(Buffer.from(text)).isRead).toBe(false);
  });

  it('that come twice, and ids with escapes, make a record odd', () => {
    for (const text of [
      '{"eventName":"a","eventName":"b"}',
      '{"eventName":null,"eventName":"b"}',
      '{"sourceIPAddress":"a\\"b"}',
    ]) {
      expect(read(Buffer.from(`[${text}]`)).isRead).toBe(true);
      expect(fields.odd[0], text).toBe(1);
    }
  });
});

function hasEscapedName(one: Readonly<Record<string, unknown>>): boolean {
  return ['sourceIPAddress', 'recipientAccountId'].some((field) => JSON.stringify(one[field] ?? null).includes('\\'));
}
