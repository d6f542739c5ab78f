/** An SNS of the tests' own: a key, a certificate made for it, and messages signed as SNS signs them. */
import { createSign, generateKeyPairSync, type KeyObject, randomBytes, randomUUID } from 'node:crypto';

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

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const sequence = 0x30;
/** sha256WithRSAEncryption */
const algorithm = Buffer.from('300d06092a864886f70d01010b0500', 'hex');

function utcTime(at: number): Buffer {
  return der(0x17, Buffer.from(`${new Date(at).toISOString().replace(/\D/g, '').slice(2, 14)}Z`));
}

/** A self-signed X.509 certificate of three days: Node makes none, and the machine may have no openssl. */
function certificateOf(publicKey: KeyObject, privateKey: KeyObject): string {
  const commonName = der(sequence, Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from('sns.amazonaws.com')));
  const name = der(sequence, der(0x31, commonName));
  const day = 24 * 3_600_000;
  const signed = der(
    sequence,
    der(0xa0, Buffer.from('020102', 'hex')),
    der(0x02, Buffer.from([1, ...randomBytes(8)])),
    algorithm,
    name,
    der(sequence, utcTime(Date.now() - day), utcTime(Date.now() + 2 * day)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = createSign('RSA-SHA256').update(signed).sign(privateKey);
  const whole = der(sequence, signed, algorithm, der(0x03, Buffer.from([0]), signature));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** Makes a key and a certificate of it. */
export function newSender(): SnsSender {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const certificate = certificateOf(publicKey, privateKey);

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
