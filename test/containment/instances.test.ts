/**
 * Instances, from the command to AWS and back, through the real doors of the real process: isolated, stopped, terminated and
 * brought back, with crashes between the calls, refused calls and attackers who do not hold still.
 */
import { CreateTagsCommand, EC2Client, ModifyNetworkInterfaceAttributeCommand } from '@aws-sdk/client-ec2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { interfacesOf, type NetworkInterface } from '../../demo/aws/network.ts';
import type { Account, Instance } from '../../demo/aws/state.ts';
import {
  addFleet,
  fleet,
  fleetGroup,
  fleetInterface,
  fleetMachine,
  fleetRegion,
} from '../../demo/aws/stories/fleet.ts';
import { demoIds, demoPeople, type Message } from '../../demo/slack/workspace.ts';
import { sql } from '../support/doors.ts';
import { dropWatches, eventually, idle, killAtCall } from '../support/killing.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const { alerts, rosa, omar, onCall, team } = demoIds;
const una = 'U07UNA4ONCA';
let scene: Scene;
let account: Account;
let admin: EC2Client;

beforeAll(async () => {
  const second = {
    id: una,
    name: 'una',
    realName: 'Una',
    email: 'una@acme-cloud.example',
    teamId: team,
    role: 'approver',
  };
  scene = await openScene({
    aws: { backgroundEvents: 0 },
    slack: {
      people: [...demoPeople, second as (typeof demoPeople)[number]],
      groups: [{ id: onCall, handle: 'ir-oncall', name: 'IR on-call', users: [omar, una] }],
    },
    config: {
      regions: ['us-east-1', fleetRegion],
      approvers: { users: [omar, una], groups: [onCall], required: 1 },
    },
    start: false,
  });
  const found = scene.aws.state.accounts.get(scene.aws.accounts.workshop.id);
  if (found === undefined) throw new RangeError('the cast has no workshop');
  account = found;
  addFleet(account, new Date());
  // What the instance was used for is not asked here: it takes seconds of pacing for each card.
  scene.aws.fail({ operation: 'LookupEvents', how: 'accessDenied' });
  const { accessKeyId, secretAccessKey } = scene.aws.credentials.breakGlass;
  admin = new EC2Client({
    region: fleetRegion,
    endpoint: scene.aws.url,
    credentials: { accessKeyId, secretAccessKey },
  });
  await scene.start();
}, 120_000);
afterAll(async () => {
  admin?.destroy();
  await scene?.close();
});

// The looks that follow a change must not mix with the next test.
afterEach(() => dropWatches(scene));

let made = 0;
/** One more machine, with so many interfaces, of which the last ones belong to a service. */
function newMachine(interfaces = 1, managed = 0): Instance {
  made += 1;
  const id = `i-0f1ee700000d${String(made).padStart(5, '0')}`;
  const own = Array.from({ length: interfaces }, (_, index): NetworkInterface => {
    const one = { ...fleetInterface(id, index), id: `eni-0f1ee7d${String(made).padStart(5, '0')}0000${index}` };
    return index < interfaces - managed ? one : { ...one, requesterId: 'amazon-elasticache' };
  });
  const instance = fleetMachine(id, new Date(), { interfaces: own, type: 't3.small' });
  account.instances.push(instance);
  return instance;
}

function machineOf(id: string): Instance {
  const found = account.instances.find((instance) => instance.id === id);
  if (found === undefined) throw new RangeError(`no machine ${id}`);
  return found;
}

const groupsOf = (id: string) => interfacesOf(machineOf(id)).map(({ groups }) => groups.map((group) => group.id));
const groupOf = (id: string) => account.network.securityGroups.find((group) => group.id === id);
const scaling = () => account.network.scalingGroups.find(({ name }) => name === fleetGroup);
/** Whether the rules of its groups let anybody in, or it out. */
const isReachable = (id: string) =>
  groupsOf(id).some((groups) =>
    groups.some((group) => (groupOf(group)?.ingress.length ?? 1) + (groupOf(group)?.egress.length ?? 1) > 0),
  );
const cards = () => scene.slack.messages(alerts);
const cardAt = (ts: string): Message => cards().find((message) => message.ts === ts) ?? ({} as Message);
/** What Firebreak's own role sent, without what was refused. */
const writes = (operation: string) =>
  scene.aws.calls.filter(
    (call) => call.operation === operation && call.principalArn?.includes('/IrResponder/') && call.error === undefined,
  );

async function propose(words: string): Promise<Message> {
  const known = new Set(cards().map((message) => message.ts));
  await scene.slack.slash(rosa, alerts, `contain ${words}`);
  return scene.slack.waitFor(
    () => cards().find((message) => !known.has(message.ts) && hasButton(message, 'approve')),
    60_000,
  );
}

async function approve(card: Message, ...people: readonly string[]): Promise<void> {
  for (const person of people.length === 0 ? [omar] : people) {
    expect((await scene.slack.click(person, alerts, card.ts, 'approve')).outcome).toBe('ok');
  }
}

async function ended(card: Message, heading: string): Promise<string> {
  await scene.slack.waitFor(() => (wordsOf(cardAt(card.ts)).includes(`${heading}: `) ? true : undefined), 60_000);
  await idle(scene);
  return wordsOf(cardAt(card.ts));
}

/** Asks for the undo, has it approved, and waits for its end. */
async function undo(card: Message): Promise<void> {
  const known = new Set(cards().map((message) => message.ts));
  expect((await scene.slack.click(rosa, alerts, card.ts, 'undo')).outcome).toBe('ok');
  const asked = await scene.slack.waitFor(
    () => cards().find((message) => !known.has(message.ts) && hasButton(message, 'approve')),
    60_000,
  );
  await approve(asked);
  await ended(asked, 'Done and verified');
}

describe('isolating an instance', () => {
  it('cuts off every interface, takes it out of its group and load balancers, and undo brings all of it back', async () => {
    const id = fleet.scaled;
    const before = structuredClone(groupsOf(id));
    const members = new Set(scaling()?.members.keys());

    const card = await propose(`isolate-instance ${id}`);
    const plan = wordsOf(card);
    expect(plan).toContain('autoscaling:EnterStandby');
    expect(plan).toContain('go on until they are idle');
    expect(plan).toMatch(/Owner says shop-team/);
    expect(plan).toContain('launches another instance in its place');
    expect(isReachable(id)).toBe(true);
    await approve(card);
    expect(await ended(card, 'Done and verified')).toContain('2 of 2 interfaces');

    expect(isReachable(id)).toBe(false);
    expect(isReachable(fleet.sibling)).toBe(true);
    const [group = ''] = groupsOf(id)[0] ?? [];
    expect(groupsOf(id)).toEqual([[group], [group]]);
    expect(groupOf(group)).toMatchObject({ ingress: [], egress: [] });
    expect(scaling()?.members.get(id)).toBe('Standby');
    expect([...(scaling()?.members.keys() ?? [])].filter((member) => !members.has(member))).toHaveLength(1);
    expect(account.network.targetGroups[0]?.targets.find((one) => one.id === id)?.draining).toBe(true);
    expect(account.network.loadBalancers[0]?.instances).toEqual([]);

    // What cannot be read cannot be given back, and is not left out of the undo.
    const stop = scene.aws.fail({ operation: 'DescribeTargetGroups', how: 'accessDenied' });
    const told = scene.slack.ephemerals(rosa).length;
    await scene.slack.click(rosa, alerts, card.ts, 'undo');
    await scene.slack.waitFor(
      () =>
        scene.slack
          .ephemerals(rosa)
          .slice(told)
          .some(({ text }) => text.includes('What it left cannot be read')),
      30_000,
    );
    stop();
    await undo(card);
    expect(groupsOf(id)).toEqual(before);
    expect(groupOf(group)).toBeUndefined();
    expect(scaling()?.members.get(id)).toBe('InService');
    expect(account.network.targetGroups[0]?.targets.find((one) => one.id === id)?.draining).toBe(false);
    expect(account.network.loadBalancers[0]?.instances).toEqual([id]);
  }, 120_000);

  it('keeps SSM reachable, and nothing else, where that is asked for', async () => {
    const { id } = newMachine();
    const card = await propose(`isolate-instance ${id} ssm`);
    await approve(card);
    await ended(card, 'Done and verified');

    const [group = ''] = groupsOf(id)[0] ?? [];
    const endpoints = account.network.endpoints.flatMap((endpoint) => endpoint.interfaces.map((one) => one.privateIp));
    expect(groupOf(group)?.ingress).toEqual([]);
    expect(groupOf(group)?.egress).toEqual(
      endpoints.map((address) => ({ protocol: 'tcp', from: 443, to: 443, peer: { cidr: `${address}/32` } })),
    );
  }, 90_000);

  it('names what AWS refused, interface by interface, having said so before', async () => {
    const { id } = newMachine(5, 2);
    const managed = interfacesOf(machineOf(id)).filter((one) => one.requesterId !== undefined);
    const card = await propose(`isolate-instance ${id}`);
    for (const { id: one } of managed)
      expect(wordsOf(card)).toContain(`The interface ${one} belongs to amazon-elasticache`);
    await approve(card);

    const words = await ended(card, 'Partly done');
    expect(words).toContain('ModifyNetworkInterfaceAttribute (3 of 5 carried out)');
    for (const { id: one } of managed) expect(words).toContain(`${one}: AuthFailure`);
    const [iso] = groupsOf(id)[0] ?? [];
    expect(groupsOf(id).filter((groups) => groups.length === 1 && groups[0] === iso)).toHaveLength(3);
    await undo(card);
    expect(groupsOf(id).flat()).not.toContain(iso);
  }, 120_000);

  it('is void where the groups were changed after the plan, and goes on where only a tag was', async () => {
    const { id } = newMachine();
    const [own] = interfacesOf(machineOf(id));
    const first = await propose(`isolate-instance ${id}`);
    const [, other = ''] = groupsOf(id)[0] ?? [];
    const changed = { NetworkInterfaceId: own?.id, Groups: [other] };
    await admin.send(new ModifyNetworkInterfaceAttributeCommand(changed));
    await approve(first);
    expect(await ended(first, 'Void')).toContain('interfaces was');
    expect(groupsOf(id)).toEqual([[other]]);

    const second = await propose(`isolate-instance ${id}`);
    await admin.send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'Owner', Value: 'nobody-you-know' }] }));
    await approve(second);
    await ended(second, 'Done and verified');
    expect(isReachable(id)).toBe(false);
  }, 120_000);

  it('goes on where scaling and load balancers cannot be read, and says so, but not for a member of a group', async () => {
    const { id } = newMachine();
    const before = structuredClone(groupsOf(id));
    const stops = ['DescribeTargetGroups', 'DescribeLoadBalancers', 'DescribeAutoScalingInstances'].map((operation) =>
      scene.aws.fail({ operation, how: 'accessDenied' }),
    );

    const card = await propose(`isolate-instance ${id}`);
    expect(wordsOf(card)).toContain('Auto Scaling could not be asked (AccessDenied');
    expect(wordsOf(card)).toContain('Whether a load balancer sends it requests could not be asked (AccessDenied');
    await approve(card);
    await ended(card, 'Done and verified');
    expect(isReachable(id)).toBe(false);
    await undo(card);
    expect(groupsOf(id)).toEqual(before);

    const told = scene.slack.ephemerals(rosa).length;
    await scene.slack.slash(rosa, alerts, `contain isolate-instance ${fleet.sibling}`);
    await scene.slack.waitFor(
      () =>
        scene.slack
          .ephemerals(rosa)
          .slice(told)
          .some((message) => message.text.includes('AccessDenied')),
      30_000,
    );
    for (const stop of stops) stop();
    expect(isReachable(fleet.sibling)).toBe(true);
  }, 120_000);

  it('is not undone where somebody has changed the groups since', async () => {
    const { id } = newMachine();
    const card = await propose(`isolate-instance ${id}`);
    const [, other = ''] = groupsOf(id)[0] ?? [];
    await approve(card);
    await ended(card, 'Done and verified');
    const [own] = interfacesOf(machineOf(id));
    await admin.send(new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId: own?.id, Groups: [other] }));

    expect((await scene.slack.click(rosa, alerts, card.ts, 'undo')).outcome).toBe('ok');
    await idle(scene);
    const [refused] = await sql<{ payload: { because: string } }>(
      scene,
      "select payload from audit where event = 'ask.refused' order by seq desc limit 1",
    );
    expect(refused?.payload.because).toContain('something else changed it since');
    expect(groupsOf(id)).toEqual([[other]]);
  }, 90_000);

  it.each([
    'aws CreateSecurityGroup after 1',
    'aws RevokeSecurityGroupEgress before 1',
    'aws ModifyNetworkInterfaceAttribute after 1',
  ])(
    'killed at %s it is finished after a restart, and no call is carried out twice',
    async (where) => {
      const { id } = newMachine(2);
      const card = await propose(`isolate-instance ${id}`);
      await dropWatches(scene);
      const already = ['CreateSecurityGroup', 'RevokeSecurityGroupEgress', 'ModifyNetworkInterfaceAttribute'].map(
        (operation) => [operation, writes(operation).length] as const,
      );
      const killer = await killAtCall(scene, (event) => event === where);
      await approve(card);
      await eventually('it is killed', () => killer.at() !== undefined);
      await killer.stop();
      await scene.start();
      await ended(card, 'Done and verified');

      const times = already.map(([operation, n]) => [operation, writes(operation).length - n]);
      expect(times).toEqual([
        ['CreateSecurityGroup', 1],
        ['RevokeSecurityGroupEgress', 1],
        ['ModifyNetworkInterfaceAttribute', 2],
      ]);
      expect(isReachable(id)).toBe(false);
    },
    180_000,
  );
});

describe('stopping an instance', () => {
  it('takes it out of its group first, so that it is neither replaced nor terminated, and undo starts it again', async () => {
    const id = fleet.scaled;
    const protection = structuredClone(machineOf(id).protection);
    const card = await propose(`stop-instance ${id} no-replacement`);
    expect(wordsOf(card)).toContain('instance-store disks');
    const desired = scaling()?.desired ?? 0;
    await approve(card);
    await ended(card, 'Done and verified');

    expect(machineOf(id).state).toBe('stopped');
    expect(scaling()).toMatchObject({ desired: desired - 1 });
    expect(scaling()?.members.get(id)).toBe('Standby');

    await undo(card);
    expect(machineOf(id)).toMatchObject({ state: 'running', protection });
    expect(scaling()).toMatchObject({ desired });
    expect(scaling()?.members.get(id)).toBe('InService');
  }, 120_000);

  it('says why a spot instance of a one-time request cannot be stopped', async () => {
    const machine = newMachine();
    Object.assign(machine, { spot: { requestId: 'sir-00000one', type: 'one-time', requestState: 'active' } });
    await scene.slack.slash(rosa, alerts, `contain stop-instance ${machine.id}`);
    await idle(scene);

    const [refused] = await sql<{ payload: { because: string } }>(
      scene,
      "select payload from audit where event = 'ask.refused' order by seq desc limit 1",
    );
    expect(refused?.payload.because).toContain('one-time request: AWS cannot stop it');
    expect(machine.state).toBe('running');
  }, 60_000);

  it('is not voided by an attacker who protects the instance against stopping', async () => {
    const machine = newMachine();
    const card = await propose(`stop-instance ${machine.id}`);
    Object.assign(machine, { protection: { stop: true, termination: true } });
    await approve(card);
    await ended(card, 'Done and verified');

    expect(machine.state).toBe('stopped');
  }, 90_000);
});

describe('terminating an instance', () => {
  it('asks two people, ends a persistent spot request, and cannot be undone', async () => {
    const id = fleet.spot;
    const card = await propose(`terminate-instance ${id}`);
    expect(wordsOf(card)).toContain('It is final: two people must approve');
    await approve(card, omar);
    await idle(scene);
    expect(machineOf(id).state).toBe('running');
    await approve(card, una);
    await ended(card, 'Done and verified');

    expect(machineOf(id).state).toBe('terminated');
    expect(machineOf(id).spot?.requestState).toBe('cancelled');
    expect(hasButton(cardAt(card.ts), 'undo')).toBe(false);
  }, 90_000);

  it('is confirmed, and still held later, where EC2 does not show the instance any more', async () => {
    const { id } = newMachine();
    const stop = scene.aws.onRequest(({ operation, phase }) => {
      const at = account.instances.findIndex((one) => one.id === id);
      if (operation === 'TerminateInstances' && phase === 'after') account.instances.splice(at, 1);
      return undefined;
    });
    const card = await propose(`terminate-instance ${id}`);
    await approve(card, omar, una);
    await ended(card, 'Done and verified');
    stop();

    expect(wordsOf(cardAt(card.ts))).toContain(`${id} is no longer shown by EC2`);
  }, 90_000);

  it('writes nothing where it was gone before', async () => {
    const { id } = newMachine();
    const card = await propose(`terminate-instance ${id}`);
    account.instances.splice(
      account.instances.findIndex((one) => one.id === id),
      1,
    );
    await approve(card, omar, una);
    await ended(card, 'Nothing was written');
  }, 90_000);

  it('switches off both protections, the one against stopping too', async () => {
    const card = await propose(`terminate-instance ${fleet.alone}`);
    await approve(card, omar, una);
    await ended(card, 'Done and verified');

    expect(machineOf(fleet.alone)).toMatchObject({
      state: 'terminated',
      protection: { stop: false, termination: false },
    });
  }, 90_000);
});
