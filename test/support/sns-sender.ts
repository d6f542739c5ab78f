/** An SNS of the tests' own: a key, a certificate made for it, and messages signed as SNS signs them. */
import { execFileSync } from 'node:child_process';
import { createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const topicArn = 'arn:aws:sns:us-east-1:888877776666:security-alerts';
export const certificateUrl =
  'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem';

export interface SnsSender {
  /** PEM. */
  readonly certificate: string;
  sign(fields: Readonly<Record<string, string>>, version?: '1' | '2'): Record<string, string>;
  notification(message: unknown, changes?: Readonly<Record<string, string>>): Record<string, string>;
  confirmation(
    type: 'SubscriptionConfirmation' | 'UnsubscribeConfirmation',
    changes?: Readonly<Record<string, string>>,
  ): Record<string, string>;
}

const covered = ['Message', 'MessageId', 'Subject', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];

/** Makes a key and a certificate with the machine's openssl. */
export function newSender(): SnsSender {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const folder = mkdtempSync(join(tmpdir(), 'firebreak-sns-'));
  const keyFile = join(folder, 'key.pem');
  const certificateFile = join(folder, 'certificate.pem');
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const asked = ['req', '-x509', '-new', '-key', keyFile, '-out', certificateFile, '-days', '2'];
  execFileSync('openssl', [...asked, '-subj', '/CN=sns.amazonaws.com'], { stdio: 'pipe' });
  const certificate = readFileSync(certificateFile, 'utf8');
  rmSync(folder, { recursive: true });

  function sign(fields: Readonly<Record<string, string>>, version: '1' | '2' = '2'): Record<string, string> {
    const text = covered
      .filter((name) => fields[name] !== undefined)
      .map((name) => `${name}\n${fields[name]}\n`)
      .join('');
    const signer = createSign(version === '1' ? 'RSA-SHA1' : 'RSA-SHA256').update(text, 'utf8');
    const Signature = signer.sign(privateKey, 'base64');
    return { ...fields, SignatureVersion: version, Signature, SigningCertURL: certificateUrl };
  }

  return {
    certificate,
    sign,
    notification: (message, changes = {}) =>
      sign({
        Type: 'Notification',
        MessageId: randomUUID(),
        TopicArn: topicArn,
        Message: typeof message === 'string' ? message : JSON.stringify(message),
        Timestamp: new Date().toISOString(),
        ...changes,
      }),
    confirmation: (type, changes = {}) =>
      sign({
        Type: type,
        MessageId: randomUUID(),
        TopicArn: topicArn,
        Token: 'abc123'.repeat(8),
        Message: `You have chosen to subscribe to the topic ${topicArn}.`,
        SubscribeURL: 'https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription',
        Timestamp: new Date().toISOString(),
        ...changes,
      }),
  };
}
