import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import type { Alert } from '../../../src/contracts/alert.ts';
import { UpstreamError } from '../../../src/contracts/errors.ts';
import { registerSns, type SnsDoorDeps } from '../../../src/webhooks/sns-door.ts';
import type { SnsMessage } from '../../../src/webhooks/sns-message.ts';
import { fetchCertificate, type SnsTrust, snsCheck } from '../../../src/webhooks/sns-signature.ts';
import { certificateUrl, newSender, topicArn } from '../../support/sns-sender.ts';
import { finding } from './findings.ts';

const sender = newSender();
const event = () => finding() as object;
const open: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

async function door(trust: Partial<SnsTrust> = {}, changes: Partial<SnsDoorDeps> = {}) {
  const received: { deliveryKey: string; alert: Alert }[] = [];
  const subscriptions: object[] = [];
  const letters: { reason: string; body: string }[] = [];
  const fetched: string[] = [];
  const app = Fastify();
  open.push(app);
  await registerSns(app, {
    trust: {
      topics: [topicArn],
      allowVersion1: false,
      certificates: [],
      fetchCertificate: async (url) => {
        fetched.push(url);
        return sender.certificate;
      },
      now: () => new Date(),
      ...trust,
    },
    receive: async (input) => {
      const repeat = received.some((one) => one.deliveryKey === input.deliveryKey);
      received.push(input);
      return { repeat };
    },
    subscription: async (input) => void subscriptions.push(input),
    keep: async (letter) => {
      letters.push(letter);
      return 'letter-1';
    },
    log: { debug() {}, info() {}, warn() {}, error() {} },
    ...changes,
  });
  const post = (message: unknown, headers: Record<string, string> = {}) =>
    app.inject({
      method: 'POST',
      url: '/webhooks/sns',
      headers: { 'content-type': 'text/plain; charset=UTF-8', ...headers },
      payload: typeof message === 'string' ? message : JSON.stringify(message),
    });
  return { post, received, subscriptions, letters, fetched, app };
}

describe('POST /webhooks/sns', () => {
  it('stores the finding in a signed notification, and says so of a repeat', async () => {
    const { post, received, fetched } = await door();
    const message = sender.notification(event());

    const answers = [await post(message, { 'x-amz-sns-message-type': 'Notification' }), await post(message)];

    expect(answers.map(({ statusCode }) => statusCode)).toEqual([202, 202]);
    expect(answers.map((answer) => answer.json())).toEqual([
      { status: 'stored', repeat: false },
      { status: 'stored', repeat: true },
    ]);
    expect(received[0]?.alert.actor.accessKeyId).toBe('AKIAIOSFODNN7EXAMPLE');
    expect(fetched, 'one certificate is fetched once').toEqual([certificateUrl]);
  });

  it('checks the Subject with the signature where there is one', async () => {
    const { post } = await door();
    const signed = sender.notification(event(), { Subject: 'GuardDuty' });

    expect((await post(signed)).statusCode).toBe(202);
    expect((await post({ ...signed, Subject: 'Other' })).statusCode).toBe(401);
    const { Subject: _subject, ...without } = signed;
    expect((await post(without)).statusCode).toBe(401);
  });

  it('takes version 1 only where the config allows it', async () => {
    const { Signature: _, SignatureVersion: __, SigningCertURL: ___, ...fields } = sender.notification(event());
    const message = sender.sign(fields, '1');

    const refused = await (await door()).post(message);
    expect(refused.statusCode).toBe(401);
    expect(refused.json().error).toContain('sns.allowVersion1');
    expect((await (await door({ allowVersion1: true })).post(message)).statusCode).toBe(202);
  });

  it('never takes a SHA-1 signature that calls itself version 2', async () => {
    const { Signature: _, SignatureVersion: __, SigningCertURL: ___, ...fields } = sender.notification(event());
    const { post } = await door({ allowVersion1: true });
    expect((await post({ ...sender.sign(fields, '1'), SignatureVersion: '2' })).statusCode).toBe(401);
  });

  it.each([
    ['another host', 'https://sns.us-east-1.amazonaws.com.evil.example/SimpleNotificationService-0a.pem'],
    ['a host that only begins like it', 'https://sns.us-east-1.amazonaws.community/SimpleNotificationService-0a.pem'],
    ['plain http', 'http://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem'],
    ['a port', 'https://sns.us-east-1.amazonaws.com:8443/SimpleNotificationService-0a.pem'],
    ['a user', 'https://a@sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem'],
    ['another path', 'https://sns.us-east-1.amazonaws.com/x/SimpleNotificationService-0a.pem'],
    ['a way up', 'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem/../../evil.pem'],
    ['a query', 'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem?a=.pem'],
    ['a fragment', 'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem#.pem'],
    ['another Region', 'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem'],
    ['another partition', 'https://sns.us-east-1.amazonaws.com.cn/SimpleNotificationService-0a.pem'],
    ['a bucket', 'https://s3.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem'],
    ['a line break', 'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem\n'],
    ['a backslash', 'https:\\\\sns.us-east-1.amazonaws.com\\SimpleNotificationService-0a.pem'],
    ['capitals', 'HTTPS://SNS.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem'],
    ['the metadata service', 'http://169.254.169.254/latest/meta-data/SimpleNotificationService-0a.pem'],
  ])('refuses a certificate at %s, and fetches nothing', async (_what, url) => {
    const { post, fetched, received } = await door();
    const answer = await post({ ...sender.notification(event()), SigningCertURL: url });
    expect(answer.statusCode).toBe(401);
    expect(fetched).toEqual([]);
    expect(received).toEqual([]);
  });

  it.each([
    ['a topic that is not in the list', { TopicArn: 'arn:aws:sns:us-east-1:888877776666:other' }],
    ['the topic of another account', { TopicArn: topicArn.replace('888877776666', '888877776667') }],
    ['the topic in another partition', { TopicArn: topicArn.replace('arn:aws:', 'arn:aws-cn:') }],
    ['a message of yesterday', { Timestamp: new Date(Date.now() - 24 * 3_600_000).toISOString() }],
    ['a message of 61 minutes ago', { Timestamp: new Date(Date.now() - 61 * 60_000).toISOString() }],
    ['a message of tomorrow', { Timestamp: new Date(Date.now() + 24 * 3_600_000).toISOString() }],
  ])('refuses %s although it is signed, and fetches nothing', async (_what, changes) => {
    const { post, fetched, received } = await door();
    expect((await post(sender.notification(event(), changes))).statusCode).toBe(401);
    expect([fetched, received]).toEqual([[], []]);
  });

  it('refuses everything where no topic is configured', async () => {
    const { post } = await door({ topics: [] });
    expect((await post(sender.notification(event()))).statusCode).toBe(401);
  });

  it.each([
    ['the message', { Message: '{}' }],
    ['the id', { MessageId: 'other' }],
    ['the time', { Timestamp: new Date(Date.now() - 1_000).toISOString() }],
    ['the signature', { Signature: Buffer.from('x'.repeat(256)).toString('base64') }],
  ])('refuses a notification in which %s was changed', async (_what, changes) => {
    const { post, received, letters } = await door();
    expect((await post({ ...sender.notification(event()), ...changes })).statusCode).toBe(401);
    expect([received, letters]).toEqual([[], []]);
  });

  it('refuses what another key has signed', async () => {
    const { post } = await door();
    expect((await post(newSender().notification(event()))).statusCode).toBe(401);
  });

  it('uses pinned certificates and fetches none, even where they do not fit', async () => {
    const right = await door({ certificates: [{ pem: sender.certificate }] });
    const wrong = await door({ certificates: [{ pem: newSender().certificate }] });
    const elsewhere = await door({ certificates: [{ url: 'https://sns.example/a.pem', pem: sender.certificate }] });
    const message = sender.notification(event());

    expect((await right.post(message)).statusCode).toBe(202);
    expect((await right.post({ ...message, SigningCertURL: 'https://evil.example/a.pem' })).statusCode).toBe(401);
    expect((await wrong.post(message)).statusCode).toBe(401);
    expect((await elsewhere.post(message)).statusCode).toBe(401);
    expect((await elsewhere.post({ ...message, SigningCertURL: 'https://sns.example/a.pem' })).statusCode).toBe(202);
    expect([...right.fetched, ...wrong.fetched, ...elsewhere.fetched]).toEqual([]);
  });

  it('answers 503 where the certificate cannot be got, so that SNS sends again', async () => {
    const { post } = await door({ fetchCertificate: () => Promise.reject(new Error('no way there')) });
    const answer = await post(sender.notification(event()));
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('10');
  });

  it('answers 503 where the alert cannot be stored', async () => {
    const down = () => Promise.reject(new UpstreamError('database', '57P01', 'down', { retryable: true }));
    const { post } = await door({}, { receive: down });
    expect((await post(sender.notification(event()))).statusCode).toBe(503);
  });

  it('stores the wish to confirm, with the token, and opens no address', async () => {
    const { post, subscriptions, fetched } = await door();
    const url = 'https://evil.example/?Action=ConfirmSubscription';
    const message = sender.confirmation('SubscriptionConfirmation', { SubscribeURL: url, Token: 'token-1' });

    const answer = await post(message, { 'x-amz-sns-message-type': 'SubscriptionConfirmation' });

    expect(answer.statusCode).toBe(202);
    expect(subscriptions).toEqual([{ messageId: message.MessageId, topicArn, wish: 'confirm', token: 'token-1' }]);
    expect(fetched).toEqual([certificateUrl]);
  });

  it('keeps no token of an UnsubscribeConfirmation: it would subscribe again', async () => {
    const { post, subscriptions } = await door();
    const message = sender.confirmation('UnsubscribeConfirmation');
    expect((await post(message)).statusCode).toBe(202);
    expect(subscriptions).toEqual([{ messageId: message.MessageId, topicArn, wish: 'ended', token: '' }]);
  });

  it.each([
    ['raw delivery', JSON.stringify(finding()), { 'x-amz-sns-rawdelivery': 'true' }, 'raw message delivery'],
    ['an event without an envelope', JSON.stringify(finding()), {}, 'raw message delivery'],
    ['an empty body', '', {}, 'the body is empty'],
    ['no JSON', 'hello', {}, 'the body is not JSON in UTF-8'],
    ['a list', '[]', {}, 'not an SNS message'],
    ['an unknown Type', JSON.stringify({ ...sender.notification('a'), Type: 'Other' }), {}, 'Type'],
    [
      'another Type in the header',
      JSON.stringify(sender.notification('a')),
      { 'x-amz-sns-message-type': 'SubscriptionConfirmation' },
      'x-amz-sns-message-type',
    ],
  ])('answers 400 to %s and says why', async (_what, body, headers, reason) => {
    const { post, fetched } = await door();
    const answer = await post(body, headers as Record<string, string>);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error).toContain(reason);
    expect(fetched).toEqual([]);
  });

  it('keeps a genuine message that it does not understand as a dead letter', async () => {
    const { post, letters } = await door();
    const answer = await post(
      sender.notification('{"version":"0","detail-type":"GuardDuty Finding","source":"aws.guardduty"}'),
    );
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ deadLetter: 'letter-1' });
    expect(letters).toHaveLength(1);
    expect(JSON.parse(letters[0]?.body ?? '')).toMatchObject({ Type: 'Notification', TopicArn: topicArn });
  });

  it('asks for POST, and takes at most a megabyte', async () => {
    const { app, post } = await door();
    const got = await app.inject({ method: 'GET', url: '/webhooks/sns' });
    expect([got.statusCode, got.headers.allow]).toEqual([405, 'POST']);
    expect((await post('x'.repeat(1_100_000))).statusCode).toBe(413);
  });

  it('answers some 4xx or 202 to whatever is done to a message, and never crashes', async () => {
    const { post } = await door();
    const base = sender.notification(event());
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(base)),
        fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }), fc.constant(undefined)),
        async (field, value) => {
          const { statusCode } = await post({ ...base, [field]: value });
          expect([202, 400, 401]).toContain(statusCode);
          if (value !== base[field] && statusCode === 202) expect(['UnsubscribeURL']).toContain(field);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('a message that SNS itself signed', () => {
  const folder = new URL('../../../../shared/data/sns/', import.meta.url);

  it.skipIf(!existsSync(folder))('has a good signature of version 1 until it is touched', async () => {
    const message = JSON.parse(readFileSync(new URL('bobf-valid_signature.json', folder), 'utf8')) as SnsMessage;
    const isGenuine = snsCheck({
      topics: [message.TopicArn],
      allowVersion1: true,
      certificates: [{ pem: readFileSync(new URL('bobf-certificate.pem', folder), 'utf8') }],
      fetchCertificate: () => Promise.reject(new Error('not asked for')),
      now: () => new Date(Date.parse(message.Timestamp) + 1_000),
    });

    expect(await isGenuine(message)).toEqual({ yes: true });
    expect(await isGenuine({ ...message, Message: `${message.Message} ` })).toMatchObject({ yes: false, later: false });
  });
});

describe('fetching a certificate', () => {
  it('follows no redirect, takes no error page and nothing large', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      if (request.url === '/moved') response.writeHead(302, { location: '/certificate' }).end();
      else if (request.url === '/missing') response.writeHead(404).end('no');
      else if (request.url === '/large') response.end('x'.repeat(20_000));
      else response.end(sender.certificate);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      expect(await fetchCertificate(`${at}/certificate`)).toBe(sender.certificate);
      for (const path of ['moved', 'missing', 'large'])
        await expect(fetchCertificate(`${at}/${path}`)).rejects.toThrow();
      expect(asked).toEqual(['/certificate', '/moved', '/missing', '/large']);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
