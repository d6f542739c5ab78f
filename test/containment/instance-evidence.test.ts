/**
 * What is done about an instance that somebody has got into, through the doors: asked in Slack, approved by another person, run
 * by the executor against an account that enforces IAM. A sibling with the same role is the bystander.
 */
import {
  DeleteSnapshotCommand,
  DescribeInstancesCommand,
  EC2Client,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { associationOf } from '../../demo/aws/evidence.ts';
import { metadataCredentials } from '../../demo/aws/instance-metadata.ts';
import { addWebServers, sibling, webServer } from '../../demo/aws/stories/machines.ts';
import { configFor } from '../../demo/setting.ts';
import { demoIds, type Message } from '../../demo/slack/workspace.ts';
import { sql } from '../support/doors.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const { alerts, rosa, omar } = demoIds;
const forensics = { bucket: 'forensic-images', memoryTool: '/opt/forensics/avml' };

let scene: Scene;
beforeAll(async () => {
  scene = await openScene({
    aws: { story: { name: 'web servers', load: addWebServers }, backgroundEvents: 0 },
    start: false,
  });
  await scene.start({
    config: {
      ...configFor(scene.aws),
      regions: ['us-east-1'],
      forensics,
      approvers: { users: [rosa, omar], required: 1 },
    },
  });
});
afterAll(() => scene?.close());

const cards = () => scene.slack.messages(alerts);
const cardAt = (ts: string): Message => cards().find((message) => message.ts === ts) ?? ({} as Message);
const machine = (id = webServer) => {
  const workshop = scene.aws.state.accounts.get(scene.aws.accounts.workshop.id);
  const found = workshop?.instances.find((instance) => instance.id === id);
  if (workshop === undefined || found === undefined) throw new Error('the cast has changed');
  return { workshop, instance: found };
};
const sent = (operation: string) =>
  scene.aws.calls.filter((call) => call.operation === operation && call.principalArn?.includes('/IrResponder/'));

async function ask(words: string): Promise<Message> {
  const known = new Set(cards().map((message) => message.ts));
  await scene.slack.slash(rosa, alerts, `contain ${words}`);
  return nextCard(known);
}

function nextCard(known: ReadonlySet<string>): Promise<Message> {
  return scene.slack.waitFor(
    () => cards().find((message) => !known.has(message.ts) && hasButton(message, 'approve')),
    30_000,
  );
}

/** Approves and waits until the card says how it ended. */
async function approve(card: Message): Promise<string> {
  await scene.slack.click(omar, alerts, card.ts, 'approve');
  await scene.slack.waitFor(() => /Done and verified|NOT CONFIRMED/.test(wordsOf(cardAt(card.ts))), 60_000);
  return wordsOf(cardAt(card.ts));
}

async function refused(words: string): Promise<string> {
  const told = new Set(scene.slack.ephemerals(rosa).map((message) => message.ts));
  await scene.slack.slash(rosa, alerts, `contain ${words}`);
  const message = await scene.slack.waitFor(
    () => scene.slack.ephemerals(rosa).find((one) => !told.has(one.ts) && !one.text.startsWith('Making the plan')),
    30_000,
  );
  return wordsOf(message);
}

/** A call with what the metadata of an instance gave: the caller's name, or AWS's code of refusal. */
async function tryWith(credentials: ReturnType<typeof metadataCredentials>): Promise<string> {
  const client = new EC2Client({ region: 'us-east-1', endpoint: scene.aws.url, credentials, maxAttempts: 1 });
  try {
    const answer = await client.send(new DescribeInstancesCommand({}));
    return answer.Reservations === undefined ? 'nothing' : 'works';
  } catch (error) {
    return (error as Error).name;
  } finally {
    client.destroy();
  }
}

function admin(): EC2Client {
  const { accessKeyId, secretAccessKey } = scene.aws.credentials.breakGlass;
  const credentials = { accessKeyId, secretAccessKey };
  return new EC2Client({ region: 'us-east-1', endpoint: scene.aws.url, credentials, maxAttempts: 1 });
}

function policies(): unknown {
  return structuredClone(machine().workshop.roles.get('shop-web')?.policies);
}

/** The calls are as old in the store as the credentials live: then lifting a refusal is safe. */
async function sixHoursPass(): Promise<void> {
  await sql(scene, "update approvals set sent_at = sent_at - interval '6 hours 1 minute' where sent_at is not null");
}

async function undo(card: Message): Promise<void> {
  await scene.slack.waitFor(() => hasButton(cardAt(card.ts), 'undo'), 20_000);
  const known = new Set(cards().map((message) => message.ts));
  await scene.slack.click(rosa, alerts, card.ts, 'undo');
  expect(await approve(await nextCard(known))).toContain('Done and verified');
}

let policiesBefore: unknown;
let revoked: Message;
describe('revoke-instance-session', () => {
  it('refuses what the attacker took from the instance, and nothing of its sibling', async () => {
    const [stolen, bystander] = [
      metadataCredentials(scene.aws.state, webServer),
      metadataCredentials(scene.aws.state, sibling),
    ];
    expect([await tryWith(stolen), await tryWith(bystander)]).toEqual(['works', 'works']);
    policiesBefore = policies();
    revoked = await ask(`revoke-instance-session ${webServer}`);

    expect(await approve(revoked)).toContain('Done and verified');

    expect(await tryWith(stolen)).toBe('UnauthorizedOperation');
    expect(await tryWith(metadataCredentials(scene.aws.state, webServer))).toBe('UnauthorizedOperation');
    expect(await tryWith(bystander)).toBe('works');
  });

  it('is not lifted by one person while the credentials can still be alive', async () => {
    const known = new Set(cards().map((message) => message.ts));
    await scene.slack.click(rosa, alerts, revoked.ts, 'undo');
    const undo = await nextCard(known);

    expect(wordsOf(undo)).toMatch(/two people must approve/);
    await scene.slack.click(rosa, alerts, undo.ts, 'withdraw');
    await scene.slack.waitFor(() => !hasButton(cardAt(undo.ts), 'approve'), 20_000);
  });

  it('undone once they have ended, lets the instance work as before', async () => {
    await sixHoursPass();
    await undo(revoked);

    expect(policies()).toEqual(policiesBefore);
    expect(await tryWith(metadataCredentials(scene.aws.state, webServer))).toBe('works');
  });
});

describe('remove-instance-profile', () => {
  it('takes the profile off and refuses what was given already; undone, all is as before', async () => {
    const profile = associationOf(machine().instance)?.profileArn;
    const stolen = metadataCredentials(scene.aws.state, webServer);
    const bystander = metadataCredentials(scene.aws.state, sibling);
    expect(await tryWith(stolen)).toBe('works');
    const card = await ask(`remove-instance-profile ${webServer}`);

    expect(await approve(card)).toContain('Done and verified');

    expect([await tryWith(stolen), await tryWith(bystander)]).toEqual(['UnauthorizedOperation', 'works']);
    expect(() => metadataCredentials(scene.aws.state, webServer)).toThrow('has no profile');
    await sixHoursPass();
    await undo(card);
    expect(associationOf(machine().instance)?.profileArn).toBe(profile);
    expect(policies()).toEqual(policiesBefore);
    expect(await tryWith(metadataCredentials(scene.aws.state, webServer))).toBe('works');
  });
});

describe('protect-instance', () => {
  it('keeps an administrator from terminating it; undone, both attributes are what they were', async () => {
    const card = await ask(`protect-instance ${webServer}`);

    expect(await approve(card)).toContain('Done and verified');

    const terminate = new TerminateInstancesCommand({ InstanceIds: [webServer] });
    await expect(admin().send(terminate)).rejects.toMatchObject({ name: 'OperationNotPermitted' });
    expect(machine().instance.evidence?.shutdown).toBe('stop');
    await undo(card);
    expect(machine().instance).toMatchObject({
      protection: { termination: false },
      evidence: { shutdown: 'terminate' },
    });
  });
});

it('gives back what shows of a change that was not confirmed, where an attacker has changed the rest back', async () => {
  const card = await ask(`protect-instance ${sibling}`);
  const { instance } = machine(sibling);
  const { evidence } = instance;
  const stop = scene.aws.onRequest(({ operation, phase }) => {
    if (operation === 'ModifyInstanceAttribute' && phase === 'after') Object.assign(instance, { evidence });
    return undefined;
  });
  expect(await approve(card)).toContain('NOT CONFIRMED');
  stop();
  expect(instance.protection?.termination).toBe(true);

  await undo(card);
  expect(instance.protection?.termination).toBe(false);
}, 90_000);

describe('require-imdsv2', () => {
  it('requires tokens and one hop; undone, the options are what they were', async () => {
    const before = machine().instance.evidence?.metadata;
    const card = await ask(`require-imdsv2 ${webServer}`);

    expect(await approve(card)).toContain('Done and verified');

    expect(machine().instance.evidence?.metadata).toEqual({ tokens: 'required', hops: 1 });
    expect(machine(sibling).instance.evidence?.metadata).toEqual(before);
    await undo(card);
    expect(machine().instance.evidence?.metadata).toEqual(before);
  });
});

let unfinished: Message | undefined;
describe('snapshot-instance', () => {
  it('takes all volumes in one call, with the case and the approval on them, locked so that an attacker cannot delete them', async () => {
    const card = await ask(`snapshot-instance ${webServer} 30`);
    expect(wordsOf(card)).toContain('instance store are not covered');

    expect(await approve(card)).toContain('Done and verified');

    const { snapshots } = machine().workshop.evidence;
    expect(sent('CreateSnapshots')).toHaveLength(1);
    expect(snapshots.map(({ volumeId, lock }) => [volumeId, lock?.mode, lock?.days])).toEqual(
      machine().instance.evidence?.volumes?.map(({ id }) => [id, 'governance', 30]),
    );
    for (const { id, tags } of snapshots) {
      expect(tags.map(({ Key }) => Key).sort()).toEqual(['ir:approval', 'ir:case', 'ir:instance']);
      expect(tags.every(({ Value: value }) => value !== '')).toBe(true);
      await expect(admin().send(new DeleteSnapshotCommand({ SnapshotId: id }))).rejects.toMatchObject({
        name: 'SnapshotLocked',
      });
    }
  });

  it('is not done twice where the answer of AWS is lost', async () => {
    const card = await ask(`snapshot-instance ${sibling}`);
    scene.aws.fail({ service: 'ec2', operation: 'CreateSnapshots', times: 1, how: 'applyThenClose' });

    expect(await approve(card)).toContain('Done and verified');

    const { snapshots } = machine().workshop.evidence;
    const wanted = machine(sibling).instance.evidence?.volumes?.map(({ id }) => id);
    const made = snapshots.filter(({ volumeId }) => wanted?.includes(volumeId));
    expect(made).toHaveLength(2);
    expect(made.every(({ lock }) => lock !== undefined)).toBe(true);
    for (const snapshot of made) snapshot.hasFailed = true;
    unfinished = card;
  });
});

describe('capture-memory', () => {
  it('runs the fixed script once and says that it ended well', async () => {
    const card = await ask(`capture-memory ${webServer}`);

    expect(await approve(card)).toContain('Done and verified');

    const [command, ...more] = machine().workshop.evidence.commands;
    expect(more).toEqual([]);
    expect(command?.comment).not.toBe('');
    expect(JSON.stringify(command?.parameters)).toContain('s3://forensic-images/memory/i-0aa11bb22cc33dd44/');
  });

  it('says at once that the tool failed, and is never called done', async () => {
    const { instance } = machine();
    const evidence = { ...instance.evidence, agent: { ping: 'Online', platform: 'Linux', ends: 'Failed' } };
    Object.assign(instance, { evidence });
    const card = await ask(`capture-memory ${webServer}`);

    const words = await approve(card);

    expect(words).toContain('NOT CONFIRMED');
    expect(words).toMatch(/is Failed, exit code 1/);
  });

  it.each([
    ['is not managed', undefined, /not managed by Systems Manager.*hibernate/s],
    [
      'does not answer',
      { ping: 'ConnectionLost', platform: 'Linux' },
      /does not answer Systems Manager \(ConnectionLost\)/,
    ],
    ['runs Windows', { ping: 'Online', platform: 'Windows' }, /runs Windows: the fixed script is for Linux/],
  ])('says what to do instead where the instance %s', async (_what, agent, says) => {
    const { instance } = machine();
    Object.assign(instance, { evidence: { ...instance.evidence, agent } });

    expect(await refused(`capture-memory ${webServer}`)).toMatch(says);
  });
});

it('says of a snapshot that AWS could not finish later that nobody changed it back', async () => {
  const thread = () => scene.slack.thread(alerts, unfinished?.ts ?? '').map(wordsOf);
  // The first look comes a minute after the call.
  const told = await scene.slack.waitFor(() => thread().find((words) => words.includes('IT DOES NOT HOLD')), 80_000);
  expect(told).toMatch(/IT DOES NOT HOLD: EC2 could not finish snap-.*Nobody changed it back/);
  expect(told).not.toMatch(/somebody changed it back|Contained/);
});
