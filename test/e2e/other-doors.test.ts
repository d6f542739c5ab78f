/** Alerts by the other doors: SNS, SQS and GuardDuty itself, by the real process, over the real protocols. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DemoQueue } from '../../demo/aws/server.ts';
import { configFor, environmentFor } from '../../demo/setting.ts';
import { demoIds, type Message } from '../../demo/slack/workspace.ts';
import { intakeReads } from '../../scripts/reference/permissions.ts';
import { run, sql } from '../support/doors.ts';
import { eventually, idle, killAtCall } from '../support/killing.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';
import { newSender, topicArn } from '../support/sns-sender.ts';

const { alerts } = demoIds;
const longMs = 240_000;
const sender = newSender();
const visibilityMs = 2_000;

interface Finding {
  readonly id: string;
  readonly detail: Readonly<Record<string, unknown>> & { readonly id: string };
}

let made = 0;
/** A finding of its own, which no other test sends. */
function another(scene: Scene, detail: Readonly<Record<string, unknown>> = {}): Finding {
  made += 1;
  const event = structuredClone(scene.findings.accessKey) as unknown as Finding;
  const id = `${made}`.padStart(32, 'e');
  return { ...event, id: `finding-${made}`, detail: { ...event.detail, ...detail, id } };
}

function cards(scene: Scene): readonly Message[] {
  return scene.slack.messages(alerts).filter((message) => hasButton(message, 'acknowledge'));
}

async function cardsBecome(scene: Scene, count: number): Promise<void> {
  await eventually(`${count} cards`, () => cards(scene).length >= count);
}

function postSns(scene: Scene, message: unknown): Promise<Response> {
  return fetch(`${scene.firebreak.url}/webhooks/sns`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain; charset=UTF-8' },
    body: JSON.stringify(message),
  });
}

async function readyParts(scene: Scene): Promise<Record<string, { ok: boolean; because?: string }>> {
  const answer = await fetch(`${scene.firebreak.url}/readyz`);
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { parts: Record<string, { ok: boolean; because?: string }> }).parts;
}

async function metric(scene: Scene, name: string): Promise<string[]> {
  const text = await (await fetch(`${scene.firebreak.url}/metrics`)).text();
  return text.split('\n').filter((line) => line.startsWith(name));
}

function environment(scene: Scene): Record<string, string> {
  return {
    ...environmentFor(scene.aws, scene.slack),
    FIREBREAK_DATA_DIR: scene.dataDir,
  };
}

/** A scene with one queue, whose address is AWS's and which is only to be had at the endpoint of the environment. */
async function openIntake(config: Readonly<Record<string, unknown>> = {}): Promise<{ scene: Scene; queue: DemoQueue }> {
  const scene = await openScene({ start: false });
  const queue = scene.aws.addQueue('findings', { visibilityMs });
  await scene.start({
    config: {
      ...configFor(scene.aws),
      queues: [queue.url],
      sns: { topics: [topicArn], certificates: [sender.certificate] },
      ...config,
    },
  });
  return { scene, queue };
}

describe('the queue of alerts', () => {
  let scene: Scene;
  let queue: DemoQueue;
  beforeAll(async () => {
    ({ scene, queue } = await openIntake());
  }, longMs);
  afterAll(() => scene?.close());

  it('is read at AWS_ENDPOINT_URL although its URL names another host, and becomes cards', {
    timeout: longMs,
  }, async () => {
    expect(queue.url).toMatch(/^https:\/\/sqs\.us-east-1\.amazonaws\.com\//);
    const before = cards(scene).length;
    const raw = another(scene);
    const wrapped = another(scene);

    queue.send(raw);
    queue.send(sender.notification(wrapped));
    queue.send(raw);

    await cardsBecome(scene, before + 2);
    await eventually('the queue is empty', () => queue.size() === 0);
    await idle(scene);
    expect(cards(scene).length, 'a repeat is no card of its own').toBe(before + 2);
  });

  it('keeps what it does not understand as dead letters, and goes on', { timeout: longMs }, async () => {
    const before = cards(scene).length;
    queue.send('{"version":"0","source":"aws.guardduty","detail-type":"GuardDuty Finding"}');
    queue.send(`${'['.repeat(5_000)}`);
    queue.send(another(scene));

    await cardsBecome(scene, before + 1);
    await eventually('the queue is empty', () => queue.size() === 0);

    const letters = await sql<{ door: string; body: string }>(scene, 'select door, body from dead_letters');
    expect(letters.length).toBeGreaterThanOrEqual(1);
    expect(letters.some(({ body }) => body.includes('"source":"aws.guardduty"'))).toBe(true);
    expect(await metric(scene, 'firebreak_dead_letters{door="sqs"}')).toEqual([
      `firebreak_dead_letters{door="sqs"} ${letters.length}`,
    ]);
  });

  it('shows dead letters on the command line, and takes them again', { timeout: longMs }, async () => {
    const options = { env: environment(scene) };
    const listed = await run(['deadletters'], options);
    expect(listed.code, listed.stderr).toBe(0);
    const [first = ''] = listed.stdout.split('\n').filter((line) => line.includes(' sqs '));
    const id = first.split(' ')[0] ?? '';

    const shown = await run(['deadletters', 'show', id], options);
    expect(JSON.parse(shown.stdout)).toMatchObject({ id, door: 'sqs', times: 1 });

    const again = await run(['deadletters', 'replay', id], options);
    expect([again.code, again.stdout]).toEqual([1, expect.stringContaining('still not understood')]);

    // What a newer version understands: the letter as it would be had it been a whole finding.
    const before = cards(scene).length;
    await sql(scene, 'update dead_letters set body = $2 where id = $1', [id, JSON.stringify(another(scene))]);
    const taken = await run(['deadletters', 'replay', id], options);
    expect([taken.code, taken.stdout]).toEqual([0, `${id}  stored and queued\n`]);
    await cardsBecome(scene, before + 1);
    expect((await run(['deadletters', 'list'], options)).stdout).not.toContain(id);
    expect((await run(['deadletters', 'show', 'nothing'], options)).code).toBe(2);
    expect((await run(['deadletters', 'replay'], options)).code).toBe(2);
  });

  it('says in /readyz and in the metrics when it cannot be read, and when it can again', {
    timeout: longMs,
  }, async () => {
    // On a busy host it may have failed before, and pauses for a minute at most.
    await eventually('it is read', async () => (await readyParts(scene)).intake?.ok === true, 130_000);
    const heal = scene.aws.fail({ service: 'sqs', how: 'accessDenied' });

    await eventually('it is said', async () => (await readyParts(scene)).intake?.ok === false);
    expect((await readyParts(scene)).intake?.because).toMatch(/^queue findings: sqs: AccessDenied/);
    expect((await metric(scene, 'firebreak_intake_failing_seconds'))[0]).toContain('source="queue findings"');

    heal();
    await eventually('it is read again', async () => (await readyParts(scene)).intake?.ok === true);
  });

  it('stops at once on SIGTERM, while it waits for messages', { timeout: longMs }, async () => {
    const began = Date.now();
    expect(await scene.firebreak.stop()).toBe(0);
    expect(Date.now() - began).toBeLessThan(15_000);
  });
});

describe('a message that was received when the process was killed', () => {
  it.each([
    ['before it was stored', 'aws ReceiveMessage after'],
    ['when it was stored, before it was deleted', 'aws DeleteMessageBatch before'],
    ['when it was deleted', 'aws DeleteMessageBatch after'],
  ])('%s becomes exactly one card', { timeout: longMs }, async (_what, where) => {
    const { scene, queue } = await openIntake();
    try {
      await eventually('it is read', async () => (await readyParts(scene)).intake?.because === undefined);
      let armed = false;
      const killer = await killAtCall(scene, (event) => armed && event.startsWith(where));
      armed = true;
      queue.send(another(scene));
      await eventually('it was killed', () => killer.at() !== undefined);
      await killer.stop();

      await scene.start({ config: { ...configFor(scene.aws), queues: [queue.url] } });
      await cardsBecome(scene, 1);
      await eventually('the queue is empty', () => queue.size() === 0);
      await idle(scene);
      expect(cards(scene)).toHaveLength(1);
    } finally {
      await scene.close();
    }
  });
});

describe('POST /webhooks/sns', () => {
  let scene: Scene;
  beforeAll(async () => {
    ({ scene } = await openIntake({ guardduty: { pollMinutes: 0, verify: false } }));
  }, longMs);
  afterAll(() => scene?.close());

  it('makes a card of a signed finding, and refuses it with a bad signature', { timeout: longMs }, async () => {
    const message = sender.notification(another(scene));
    expect((await postSns(scene, { ...message, Message: `${message.Message} ` })).status).toBe(401);
    expect((await postSns(scene, message)).status).toBe(202);
    await cardsBecome(scene, 1);
    expect(wordsOf(cards(scene)[0])).not.toMatch(/verified/i);
  });

  it('confirms a subscription with the SDK and opens no address', { timeout: longMs }, async () => {
    const token = 'f00d'.repeat(20);
    scene.aws.addConfirmation(token, topicArn);
    const SubscribeURL = `${scene.aws.url}/?Action=ConfirmSubscription&Token=${token}`;
    const message = sender.confirmation('SubscriptionConfirmation', { Token: token, SubscribeURL });

    expect((await postSns(scene, message)).status).toBe(202);
    await eventually('it is confirmed', () => scene.aws.state.intake.confirmations.get(token)?.confirmed !== undefined);

    const calls = scene.aws.calls.filter(({ service }) => service === 'sns');
    expect(calls.map(({ operation, input }) => [operation, input.AuthenticateOnUnsubscribe])).toEqual([
      ['ConfirmSubscription', 'true'],
    ]);
    await idle(scene);
    expect(await sql(scene, `select token from subscriptions where token <> ''`), 'used tokens are forgotten').toEqual(
      [],
    );
  });

  it('says in the channel when a subscription cannot be confirmed, and when one has ended', {
    timeout: longMs,
  }, async () => {
    expect((await postSns(scene, sender.confirmation('SubscriptionConfirmation', { Token: 'unknown' }))).status).toBe(
      202,
    );
    expect((await postSns(scene, sender.confirmation('UnsubscribeConfirmation'))).status).toBe(202);

    const said = (words: string) => scene.slack.messages(alerts).some((message) => wordsOf(message).includes(words));
    await eventually('both are said', () => said('could not be confirmed') && said('has ended the subscription'));
    expect(JSON.stringify(await readyParts(scene))).toContain('SNS topic security-alerts: not confirmed');
  });

  it('keeps a genuine message that nobody understands', { timeout: longMs }, async () => {
    const answer = await postSns(
      scene,
      sender.notification('{"source":"aws.guardduty","detail-type":"GuardDuty Finding"}'),
    );
    expect(answer.status).toBe(400);
    const { deadLetter } = (await answer.json()) as { deadLetter: string };
    const listed = await run(['deadletters', 'show', deadLetter], { env: environment(scene) });
    expect(JSON.parse(listed.stdout)).toMatchObject({ door: 'sns', from: topicArn });
  });
});

describe("GuardDuty's delegated administrator", () => {
  let scene: Scene;
  let policies: { name: string; document: unknown }[];
  const administrator = () => scene.aws.accounts.hub.id;
  const member = () => scene.aws.accounts.workshop.id;
  const asked = (accountId: string, operation: string) =>
    scene.aws.calls.filter((call) => call.operation === operation && call.principalArn?.includes(`:${accountId}:`))
      .length;
  beforeAll(async () => {
    scene = await openScene({ start: false });
    scene.aws.delegateGuardDuty();
    const keyId = scene.aws.credentials.hub.accessKeyId;
    const users = [...(scene.aws.state.accounts.get(administrator())?.users.values() ?? [])];
    policies = users.find((user) => user.keys.some(({ id }) => id === keyId))?.inlinePolicies ?? [];
    const document = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: [...intakeReads, 'account:ListRegions'], Resource: '*' }],
    };
    policies.push({ name: 'administrator', document });
    scene.aws.addFinding(another(scene, { updatedAt: new Date().toISOString() }));
    await scene.start({
      config: { ...configFor(scene.aws), guardduty: { administrator: administrator() } },
    });
  }, longMs);
  afterAll(() => scene?.close());

  it("is asked for its members' findings, which are read again there, and no member is asked itself", {
    timeout: longMs,
  }, async () => {
    await cardsBecome(scene, 1);
    await eventually('it is marked', () => wordsOf(cards(scene)[0]).includes('Verified: read again from GuardDuty.'));
    expect(wordsOf(cards(scene)[0])).toContain(member());
    const sent = another(scene);
    scene.aws.addFinding(sent);
    expect((await scene.send(sent)).status).toBe(202);
    expect((await scene.send(another(scene, { title: 'forged' }))).status).toBe(202);
    const times = (text: string) => cards(scene).map(wordsOf).join('\n').split(text).length - 1;
    await eventually('all are marked', () => times('Verified: read again') === 2 && times('may be forged') === 1);
    await eventually('every Region was looked at', async () => {
      const rows = await sql<{ name: string }>(
        scene,
        `select name from intake_sources where name like 'guardduty ${member()}/%'`,
      );
      return rows.length > 10;
    });

    expect(asked(member(), 'ListFindings')).toBe(0);
    const told = await sql<{ because: string }>(
      scene,
      `select distinct because from intake_sources where name like 'guardduty ${member()}/%'`,
    );
    expect(told).toEqual([{ because: `asked through the administrator ${administrator()}` }]);
    expect((await readyParts(scene)).intake?.ok).toBe(true);
  });

  it('leaves it to the account itself where the administrator cannot be asked', { timeout: longMs }, async () => {
    policies.pop();
    await sql(scene, `update intake_sources set looked_at = now() - interval '1 day'`);
    await eventually('members are asked', () => asked(member(), 'ListFindings') > 0, 90_000);
    await eventually('it is said', async () => (await readyParts(scene)).intake?.ok === false);
    const finding = another(scene);
    scene.aws.addFinding(finding);
    const before = cards(scene).length;
    await scene.send(finding);
    await cardsBecome(scene, before + 1);
    await eventually('it is verified all the same', () =>
      cards(scene)
        .slice(before)
        .some((card) => wordsOf(card).includes('Verified: read again')),
    );
  });
});

describe('GuardDuty itself', () => {
  let scene: Scene;
  let missed: Finding;
  beforeAll(async () => {
    scene = await openScene({ start: false });
    missed = another(scene, { updatedAt: new Date().toISOString() });
    scene.aws.addFinding(missed);
    await scene.start();
  }, longMs);
  afterAll(() => scene?.close());

  it('is asked for what no event brought', { timeout: longMs }, async () => {
    await cardsBecome(scene, 1);
    await eventually('it is marked', () => wordsOf(cards(scene)[0]).includes('Verified: read again from GuardDuty.'));
    expect(scene.aws.calls.some(({ operation }) => operation === 'GetFindings')).toBe(true);
  });

  it('is no second card when the event comes after all', { timeout: longMs }, async () => {
    expect((await scene.send(missed)).status).toBe(202);
    await idle(scene);
    expect(cards(scene)).toHaveLength(1);
  });

  it('tells findings that it holds from findings that it does not know', { timeout: longMs }, async () => {
    const real = another(scene);
    const forged = another(scene, { title: 'forged' });
    const raised = another(scene, { severity: 5 });
    // A real finding, sent with the key of somebody else, for people to disable.
    const swapped = another(scene);
    const { resource } = swapped.detail as unknown as { resource: { accessKeyDetails: object } };
    const accessKeyDetails = { ...resource.accessKeyDetails, accessKeyId: 'AKIAI44QH8DHBEXAMPLE' };
    scene.aws.addFinding(real);
    scene.aws.addFinding(swapped);
    scene.aws.addFinding({ detail: { ...raised.detail, severity: 2 } });
    const other = { ...swapped, detail: { ...swapped.detail, resource: { ...resource, accessKeyDetails } } };
    for (const finding of [real, forged, raised, other]) expect((await scene.send(finding)).status).toBe(202);
    await cardsBecome(scene, 5);

    const words = () => cards(scene).map(wordsOf).join('\n');
    const times = (text: string) => words().split(text).length - 1;
    await eventually(
      'all are marked',
      () =>
        times('Verified: read again') === 2 &&
        times('may be forged') === 1 &&
        times('another severity') === 1 &&
        times('another access key') === 1,
    );
  });

  it('says on the card when it could not look, and does not hold the card up', { timeout: longMs }, async () => {
    const heal = scene.aws.fail({ service: 'guardduty', operation: 'GetFindings', how: 'accessDenied' });
    const finding = another(scene);
    scene.aws.addFinding(finding);
    const before = cards(scene).length;
    const began = Date.now();
    await scene.send(finding);
    await cardsBecome(scene, before + 1);
    expect(Date.now() - began).toBeLessThan(5_000);
    await eventually('it is said', () =>
      cards(scene).some((card) => wordsOf(card).includes('GuardDuty could not be asked')),
    );
    heal();
  });

  it('shows a Region that cannot be looked at', { timeout: longMs }, async () => {
    scene.aws.fail({ service: 'guardduty', region: 'eu-west-3', how: 'accessDenied' });
    await sql(scene, `update intake_sources set looked_at = now() - interval '1 day'`);
    await eventually('it is said', async () => (await readyParts(scene)).intake?.ok === false);
    expect((await readyParts(scene)).intake?.because).toMatch(
      /GuardDuty cannot be asked in eu-west-3 \(guardduty: AccessDenied/,
    );
  });
});
