import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Suspects } from '../../../../src/evidence/lake/suspects.ts';

const harmful = [
  ...['secretKey', 'MySECRETs', 'passwd', 'Password', 'nextToken', 'samlAssertion', 'private_key', 'PRIVATE KEY'],
  ...[
    'privateKey',
    'keyMaterial',
    'apiKey',
    'API_KEY',
    'api-key',
    'hooks.slack',
    'X-Amz-Signature',
    'xoxb-',
    'xapp-',
    'eyJhbG',
    'FwoGZX',
    'IQoJb3',
    'FQoGZX',
  ],
  ...['//user:word@host', '\\u0041', '\\/', '__proto__', ':NaN', ',nan', '[Inf', ':inf', ':INF', ':-NaN', ',-inf'],
];

function found(content: Buffer, from = 0): number | undefined {
  return new Suspects(content, content.length).next(from)?.at;
}

describe('suspects in the bytes of a file', () => {
  it.each(harmful)('are found wherever %j begins', (text) => {
    for (let before = 0; before < 9; before++) {
      for (const after of ['', '":', '-"}]}   ']) {
        const content = Buffer.from(`${'.'.repeat(before)}${text}${after}`);
        expect(found(content), `${before} ${after}`).toBeDefined();
      }
    }
  });

  it('are found in any text and in any memory, from any place, and harmless text has none', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab"{}:,-_./é'), maxLength: 70 });
    const run = fc.record({ before: text, word: fc.constantFrom(...harmful), after: text, shift: fc.nat(3) });
    fc.assert(
      fc.property(run, ({ before, word, after, shift }) => {
        const bytes = Buffer.from(`${before}${word}-${after}`);
        const content = Buffer.from(new ArrayBuffer(bytes.length + shift), shift);
        content.set(bytes);
        const at = Buffer.byteLength(before) + Math.max(0, word.search(/secret|token/i));
        expect(found(content)).toBeLessThanOrEqual(at);
        expect(found(content, at)).toBeDefined();
        expect(found(Buffer.from(before.replaceAll('//', '')))).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    '"eventSource":"secretsmanager.amazonaws.com","eventName":"x","url":"https://example.com/a b@c"',
    '"url":"https://example.com/a@b"',
    '"eventName":"GetSecretValue","awsRegion":["GetAuthorizationToken"]}',
    '{"secretId":"x","TokenName":1,"apiKeyId":"y","passwordType":["password","a secret"]}',
    '{"AuthenticationMethod":"AuthHeader","x-amz-id-2":"hX9/a+b=","bytesTransferredOut":0}',
  ])(
    'are not in texts that name nothing but the service, the call or the secret, nor in addresses without a user: %s',
    (text) => {
      expect(found(Buffer.from(text))).toBeUndefined();
    },
  );

  it.each([
    '{"secretsmanager.amazonaws.com":"x"}',
    '{"url":"/a?x-amz-id-2&x-amz-security-token=y"}',
    '{"secretValue":"x"}',
    '{"secretIds":"x"}',
    '{"value":"x","name":"DB_PASSWORD"}',
    '{"value":"x","name":"CLIENT_SECRET","type":"PLAINTEXT"}',
    String.raw`"{\"secretId\":1}"`,
    String.raw`"//a//b////me:\"x\\@host"`,
  ])('are in texts that look much like them: %s', (text) => {
    expect(found(Buffer.from(text))).toBeDefined();
  });
});
