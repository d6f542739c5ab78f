import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountsIn, artifactsIn, regionsIn } from '../../../src/domain/artifacts-in-text.ts';
import { alertOfReport } from '../../../src/domain/report.ts';

function ids(text: string): readonly string[] {
  return artifactsIn(text).map(({ id }) => id);
}

describe('artifacts in a text', () => {
  it('are found in an e-mail, in the order in which they are named', () => {
    const mail = `Dear customer,
      we found AKIAIOSFODNN7EXAMPLE (user arn:aws:iam::111122223333:user/alice). It was used in account 4444-5555-6666
      from 198.51.100.7:443 and [2001:db8::1] on i-0abc1234def567890, see "arn:aws:s3:::payroll/2026 01.csv".`;

    expect(ids(mail)).toEqual([
      'AKIAIOSFODNN7EXAMPLE',
      'arn:aws:iam::111122223333:user/alice',
      '444455556666',
      '198.51.100.7',
      '2001:db8::1',
      'i-0abc1234def567890',
      'arn:aws:s3:::payroll/2026',
    ]);
  });

  it.each([
    'hxxp://198.51.100[.]7/x',
    'hXXps://198[.]51[.]100[.]7',
    '198(.)51(.)100(.)7',
    '198[dot]51 (dot) 100{.}7',
    '198.51.100.\u200b7',
    '<http://198.51.100.7|198.51.100.7>',
    '&lt;198.51.100.7&gt;',
  ])('are found where they were made harmless: %s', (text) => {
    expect(ids(text)).toEqual(['198.51.100.7']);
  });

  it('are found in every partition', () => {
    expect(ids('arn:aws-cn:iam::111122223333:role/a arn:aws-us-gov:iam::111122223333:root')).toEqual([
      'arn:aws-cn:iam::111122223333:role/a',
      'arn:aws-us-gov:iam::111122223333:root',
    ]);
  });

  it.each([
    'version 1.2.3.4.5',
    'at 12:30:45',
    '999.1.1.1',
    'order 1234567890123',
    'tel +491234567890',
    '$123456789012',
    'ts 1763676000.123456',
    'multi-i-0abc1234def567890-x',
    'XAKIAIOSFODNN7EXAMPLEX',
    'a::b',
  ])('are not seen in %s', (text) => {
    expect(ids(text)).toEqual([]);
  });

  it('tell accounts and Regions, also from inside ARNs', () => {
    const artifacts = artifactsIn('arn:aws:lambda:eu-west-1:111122223333:function:f and 444455556666');
    expect(accountsIn(artifacts)).toEqual(['444455556666', '111122223333']);
    expect(regionsIn(artifacts)).toEqual(['eu-west-1']);
  });
});

const octet = fc.integer({ min: 0, max: 255 });
const base32 = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567');
const hex = fc.constantFrom(...'0123456789abcdef');
const artifact = fc.oneof(
  fc.tuple(octet, octet, octet, octet).map((parts) => parts.join('.')),
  fc
    .tuple(fc.constantFrom('AKIA', 'ASIA'), fc.array(base32, { minLength: 16, maxLength: 16 }))
    .map(([prefix, rest]) => prefix + rest.join('')),
  fc.array(hex, { minLength: 17, maxLength: 17 }).map((digits) => `i-${digits.join('')}`),
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 12, maxLength: 12 }).map((digits) => digits.join('')),
  fc
    .tuple(fc.stringMatching(/^\d{12}$/), fc.stringMatching(/^[A-Za-z][A-Za-z0-9+=@_-]{0,20}[a-z]$/))
    .map(([account, name]) => `arn:aws:iam::${account}:user/${name}`),
);
const around = fc.constantFrom(' ', '\n', ' (', ') ', '"', ', ', '; ', '. ', ' “', '” ', '\t', ' <', '> ', ' — ');

describe('any text', () => {
  it('gives back every artifact put into it, each once, whatever stands around it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(around, artifact), { minLength: 1, maxLength: 12 }), (parts) => {
        const text = `${parts.map(([space, one]) => `word${space} ${one}`).join(' , ')} end`;
        expect(new Set(ids(text))).toEqual(new Set(parts.map(([, one]) => one)));
        expect(ids(text)).toHaveLength(new Set(parts.map(([, one]) => one)).size);
      }),
      { numRuns: 500 },
    );
  });

  it('gives the same for its defanged form', () => {
    fc.assert(
      fc.property(
        fc.tuple(octet, octet, octet, octet),
        fc.constantFrom('[.]', '(.)', '(dot)', '[dot]', ' [.] '),
        (parts, dot) => {
          expect(ids(`see ${parts.join(dot)} there`)).toEqual([parts.join('.')]);
        },
      ),
    );
  });

  it('never makes it fail, and never takes long', () => {
    const nasty = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 2_000 }),
      fc
        .constantFrom('arn:aws:', ':', '1.', '[.]', '0', 'AKIA', 'i-', '<', 'a')
        .chain((bit) => fc.nat(20_000).map((times) => bit.repeat(times))),
    );
    fc.assert(
      fc.property(nasty, (text) => {
        const began = performance.now();
        const found = artifactsIn(text);
        expect(performance.now() - began).toBeLessThan(2_000);
        expect(found.length).toBeLessThanOrEqual(200);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a report', () => {
  const report = (text: string) => alertOfReport({ text, reportedBy: 'U1', at: '2026-11-20T21:00:00.000Z' });

  it('keeps no secret that was pasted along', () => {
    const pasted = 'aws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYzz xoxb-1234567890-abc';
    expect(JSON.stringify(report(pasted))).not.toMatch(/wJalrXUt|xoxb-1234/);
  });

  it('is the same alert where only the spacing differs', () => {
    expect(report('one  two\nthree').dedupeKey).toBe(report(' one two three ').dedupeKey);
    expect(report('one').dedupeKey).not.toBe(report('two').dedupeKey);
  });

  it('puts what it found where the card and the pivot look', () => {
    const alert = report('key AKIAIOSFODNN7EXAMPLE of arn:aws:iam::111122223333:user/eve from 203.0.113(dot)9');
    expect(alert).toMatchObject({
      accountId: '111122223333',
      actor: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', principalArn: 'arn:aws:iam::111122223333:user/eve' },
      remote: [{ ip: '203.0.113.9' }],
      reportedBy: 'U1',
    });
  });
});
