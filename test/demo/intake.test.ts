/** The intake services of the local AWS: the SDK understands them, and the documented policies are what they ask for. */
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storyFindings } from '../../demo/aws/findings.ts';
import type { DemoQueue } from '../../demo/aws/server.ts';
import { intakePolicy, intakeReads } from '../../scripts/reference/permissions.ts';
import { openFindings } from '../../src/aws/findings.ts';
import { openMessageQueue } from '../../src/aws/queues.ts';
import { subscriptionConfirmer } from '../../src/aws/subscriptions.ts';
import { judgeFinding } from '../../src/domain/finding-watch.ts';
import { parseAlertEvent } from '../../src/webhooks/alert-event.ts';
import { openWatchedAccount, type WatchedAccount } from '../fakes/watched-account.ts';

const topic = 'arn:aws:sns:us-east-1:888877776666:security-alerts';
const region = 'us-east-1';
let account: WatchedAccount;
let queue: DemoQueue;
const { signal } = new AbortController();
const entry = () => ({ url: queue.url, region, name: 'findings', role: undefined, externalId: undefined });

beforeAll(async () => {
  account = await openWatchedAccount();
  queue = account.aws.addQueue('findings', { visibilityMs: 100 });
  account.aws.addQueue('other');
  account.aws.addConfirmation('token', topic);
  const hub = account.aws.state.accounts.get(account.aws.accounts.hub.id);
  const base = [...(hub?.users.values() ?? [])].find((user) =>
    user.keys.some((key) => key.id === account.aws.credentials.hub.accessKeyId),
  );
  const document = intakePolicy('arn:aws:sqs:us-east-1:888877776666:findings', topic);
  base?.inlinePolicies.push({ name: 'intake', document });
});
afterAll(() => account?.close());

describe('GuardDuty under the documented audit policy', () => {
  it('lists detectors and findings and gives findings that mean what the event means', async () => {
    const { accessKey, mining } = storyFindings(new Date());
    for (const event of [accessKey, ...mining]) account.aws.addFinding(event);
    const findings = openFindings(account.reach);
    const place = { accountId: account.accountId, region };

    const [detectorId = ''] = await findings.detectors(place.accountId, region, signal);
    const ids: string[] = [];
    for await (const page of findings.changed({ ...place, detectorId, since: new Date(0).toISOString() }, signal))
      ids.push(...page);
    const found = await findings.read({ ...place, detectorId, ids }, signal);
    expect(await findings.members({ ...place, detectorId }, signal)).toEqual([]);

    expect(found).toHaveLength(1 + mining.length);
    const [one] = found.filter(({ id }) => id === accessKey.detail.id);
    const [event, read] = [accessKey, one?.raw].map((value) => {
      const parsed = parseAlertEvent(value);
      if (!parsed.ok) throw new Error(parsed.reason);
      return parsed.alerts[0]?.alert;
    });
    expect(read).toEqual(event);
    if (event === undefined) throw new Error('no alert');
    expect(judgeFinding(event, one, read)).toEqual({ state: 'verified' });
    expect(judgeFinding({ ...event, type: 'Backdoor:EC2/Spambot' }, one, read).because).toContain('another type');
    expect(judgeFinding({ ...event, updatedAt: '2099-01-01T00:00:00.000Z' }, one, read).because).toContain(
      'older state',
    );

    const about = (more: Partial<typeof event.actor>) => ({ ...event, actor: { ...event.actor, ...more } });
    const because = (sent: typeof event, held = read) => judgeFinding(sent, one, held).because;
    expect(because(about({ accessKeyId: 'AKIAI44QH8DHBEXAMPLE' }))).toContain('another access key');
    expect(because(about({ principalArn: 'arn:aws:iam::999999999999:user/victim' }))).toContain('another identity');
    expect(because(about({ userType: 'Root' }))).toContain('another identity');
    const more = { userName: 'victim', accessKeyId: 'AKIAI44QH8DHBEXAMPLE' };
    expect(because({ ...event, furtherActors: [more] })).toContain('another access key, another identity');
    expect(because({ ...event, accessKeys: [more.accessKeyId] })).toContain('another access key');
    expect(because(about({ userName: 'ci', principalId: 'AIDACKCEVSQ6C2EXAMPLE' }))).toContain('another identity');
    expect(because({ ...event, resourceIds: [...event.resourceIds, 'i-0123456789abcdef0'] })).toContain(
      'another resource',
    );
    expect(because({ ...event, sample: true })).toContain('another mark of a sample');
    expect(judgeFinding(event, one, undefined).state).toBe('unread');

    // An older state of it: the session and what came to it may be others by now, a long-term key not.
    const older = { ...event, updatedAt: '2020-01-01T00:00:00.000Z', severity: 2 };
    const grown = { ...event, resourceIds: [...event.resourceIds, 'i-0123456789abcdef0'] };
    const session = { ...older, actor: { ...event.actor, accessKeyId: 'ASIAI44QH8DHBEXAMPLE' } };
    expect(judgeFinding(session, one, grown)).toEqual({ state: 'verified' });
    const key = { ...older, actor: { ...event.actor, accessKeyId: 'AKIAI44QH8DHBEXAMPLE' } };
    expect(because(key, grown)).toContain('another access key');
    expect(account.audited()).toEqual([...intakeReads].sort());
  });

  it('pages through what was updated since', async () => {
    const { accessKey } = storyFindings(new Date());
    for (let number = 0; number < 120; number += 1) {
      const detail = {
        ...accessKey.detail,
        id: `${number}`.padStart(32, 'd'),
        updatedAt: new Date(4e12 + number).toISOString(),
      };
      account.aws.addFinding({ detail });
    }
    const findings = openFindings(account.reach);
    const place = { accountId: account.accountId, region };
    const [detectorId = ''] = await findings.detectors(place.accountId, region, signal);
    const pages: number[] = [];
    for await (const page of findings.changed(
      { ...place, detectorId, since: new Date(4e12 + 10).toISOString() },
      signal,
    ))
      pages.push(page.length);
    expect(pages).toEqual([50, 50, 10]);
  });

  it('tells a refusal, and an answer that is not AWS, from GuardDuty being off', async () => {
    const findings = openFindings(account.reach);
    for (const how of ['accessDenied', 'html'] as const) {
      const heal = account.aws.fail({
        service: 'guardduty',
        region: 'eu-west-1',
        how,
        ...(how === 'html' ? { status: 200 } : {}),
      });
      await expect(findings.detectors(account.accountId, 'eu-west-1', signal)).rejects.toMatchObject({
        service: 'guardduty',
      });
      heal();
    }
    account.aws.state.intake.detectors.delete(`${account.accountId}/eu-west-2`);
    expect(await findings.detectors(account.accountId, 'eu-west-2', signal)).toEqual([]);
  });
});

describe('SQS and SNS under the documented intake policy', () => {
  it('hands a message out until it is deleted, and says how often', async () => {
    queue.send({ hello: 'world' });
    const source = openMessageQueue(entry(), undefined);
    const first = await source.receive(1, signal);
    const again = await source.receive(2, signal);
    expect([...first, ...again].map(({ body, deliveries }) => [body, deliveries])).toEqual([
      ['{"hello":"world"}', 1],
      ['{"hello":"world"}', 2],
    ]);
    expect(await source.remove(again)).toEqual([]);
    expect(queue.size()).toBe(0);
    source.close();
  });

  it('is asked at the endpoint of the environment and never at the host of the URL', async () => {
    const source = openMessageQueue({ ...entry(), url: 'http://127.0.0.1:1/888877776666/findings' }, undefined);
    queue.send('x');
    const [message] = await source.receive(1, signal);
    expect(message?.body).toBe('x');
    await source.remove(message === undefined ? [] : [message]);
    source.close();
  });

  it('ends a long poll at once when told to', async () => {
    const source = openMessageQueue(entry(), undefined);
    const ended = new AbortController();
    const waiting = source.receive(20, ended.signal);
    const began = Date.now();
    setTimeout(() => ended.abort(), 100);
    await expect(waiting).rejects.toThrow();
    expect(Date.now() - began).toBeLessThan(5_000);
    source.close();
  });

  it('says that a queue is not there, or not ours', async () => {
    const other = openMessageQueue({ ...entry(), url: queue.url.replace('findings', 'other') }, undefined);
    await expect(other.receive(0, signal)).rejects.toMatchObject({
      service: 'sqs',
      code: expect.stringContaining('AccessDenied'),
    });
    const client = new SQSClient({
      region,
      useQueueUrlAsEndpoint: false,
      credentials: account.aws.credentials.bystander,
    });
    await expect(client.send(new ReceiveMessageCommand({ QueueUrl: queue.url }))).rejects.toThrow(/not authorized/);
    await expect(client.send(new DeleteMessageCommand({ QueueUrl: queue.url, ReceiptHandle: 'r' }))).rejects.toThrow(
      /not authorized/,
    );
    other.close();
  });

  it('confirms a topic with its token, again too, and no other', async () => {
    const first = await subscriptionConfirmer.confirm(topic, 'token');
    expect(first.subscriptionArn).toMatch(new RegExp(`^${topic}:`));
    expect(await subscriptionConfirmer.confirm(topic, 'token')).toEqual(first);
    await expect(subscriptionConfirmer.confirm(topic, 'other')).rejects.toMatchObject({
      service: 'sns',
      retryable: false,
    });
    await expect(subscriptionConfirmer.confirm(topic.replace('security', 'x'), 'token')).rejects.toMatchObject({
      service: 'sns',
      retryable: false,
    });
  });
});
