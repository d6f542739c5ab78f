/**
 * Every credential action through Slack's door, on the real process, against a server that enforces IAM: the attacker's call works
 * before and is refused after, a bystander's goes on, and undo puts back what it can.
 */
import {
  AttachUserPolicyCommand,
  CreateServiceSpecificCredentialCommand,
  CreateUserCommand,
  CreateVirtualMFADeviceCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  EnableMFADeviceCommand,
  UpdateAccessKeyCommand,
  UpdateServiceSpecificCredentialCommand,
  UploadSigningCertificateCommand,
  UploadSSHPublicKeyCommand,
} from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoIds } from '../../demo/slack/workspace.ts';
import { killAtCall } from '../support/killing.ts';
import { hasButton, wordsOf } from '../support/scene.ts';
import { arnOfUser, both, type Containment, openContainment, refused } from './cast.ts';

let on: Containment;
beforeAll(async () => {
  on = await openContainment();
});
afterAll(() => on?.scene.close());

async function device(UserName: string, VirtualMFADeviceName: string): Promise<string> {
  const { VirtualMFADevice } = await on.admin.send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName }));
  const SerialNumber = VirtualMFADevice?.SerialNumber ?? '';
  const codes = { AuthenticationCode1: '123456', AuthenticationCode2: '654321' };
  await on.admin.send(new EnableMFADeviceCommand({ UserName, SerialNumber, ...codes }));
  return SerialNumber;
}

describe('access keys', () => {
  it('disable-access-key stops the key, leaves the other key and the bystander, says that a session token lives, and comes undone', async () => {
    const stolen = await on.user('amy');
    const other = await on.key('amy');
    const token = await on.sessionToken(stolen);
    const held = on.held('amy');
    expect([await on.looks(stolen), await on.looks(token)]).toEqual(['works', 'works']);

    const done = await on.contain(`disable-access-key ${stolen.accessKeyId}`);

    expect(await on.looks(stolen)).toMatch(refused);
    expect([await on.looks(other), await on.looks(token)]).toEqual(['works', 'works']);
    expect(wordsOf(done)).toContain('GetSessionToken');
    await on.expectBystander();

    await on.undo(done);
    expect(await on.looks(stolen)).toBe('works');
    expect(on.held('amy')).toBe(held);
  });

  it('asks two people, and says why, before a key of a user whom AWS has quarantined works again', async () => {
    const stolen = await on.user('quinn');
    const done = await on.contain(`disable-access-key ${stolen.accessKeyId}`);
    const PolicyArn = 'arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3';
    await on.admin.send(new AttachUserPolicyCommand({ UserName: 'quinn', PolicyArn }));

    const undo = await on.askUndo(done);
    expect(wordsOf(undo)).toContain('0 of 2');
    expect(wordsOf(undo)).toContain('AWSCompromisedKeyQuarantine');
    await on.approve(undo, ['omar']);
    await on.scene.slack.waitFor(() => wordsOf(on.at(undo.ts)).includes('1 of 2'), 15_000);
    expect(await on.looks(stolen)).toMatch(refused);

    await on.settled(undo, ['una']);
    expect(await on.looks(stolen)).toBe('works');
  });

  it('enable-access-key switches on a key that somebody disabled elsewhere, asks two people, and comes undone', async () => {
    const key = await on.user('edna');
    const update = { UserName: 'edna', AccessKeyId: key.accessKeyId, Status: 'Inactive' as const };
    await on.admin.send(new UpdateAccessKeyCommand(update));
    expect(await on.looks(key)).toMatch(refused);

    const card = await on.ask(`enable-access-key ${key.accessKeyId}`);
    expect(wordsOf(card)).toContain('0 of 2');
    const done = await on.settled(card, both);
    expect(await on.looks(key)).toBe('works');

    await on.undo(done, both);
    expect(await on.looks(key)).toMatch(refused);
    await on.expectBystander();
  });

  it('delete-access-key takes two people and one key, and offers no way back', async () => {
    const stolen = await on.user('della');
    const other = await on.key('della');

    const card = await on.ask(`delete-access-key ${stolen.accessKeyId}`);
    expect(wordsOf(card)).toContain('0 of 2');
    expect(wordsOf(card)).toContain('disable it first');
    expect(wordsOf(card)).toContain('Final');
    await on.approve(card, ['omar']);
    await on.scene.slack.waitFor(() => wordsOf(on.at(card.ts)).includes('1 of 2'), 15_000);
    expect(await on.looks(stolen)).toBe('works');
    const done = await on.settled(card, ['una']);

    expect(await on.looks(stolen)).toMatch(refused);
    expect(on.state('della').keys.map(({ id }) => id)).toEqual([other.accessKeyId]);
    expect(await on.looks(other)).toBe('works');
    expect(hasButton(done, 'undo')).toBe(false);
    await on.expectBystander();
  });
});

describe('passwords, devices and other credentials', () => {
  const signsIn = (userName: string, password: string, mfaSerial?: string) =>
    on.scene.aws.signIn({
      ...{ accountId: on.account().id, userName, password },
      ...(mfaSerial === undefined ? {} : { mfaSerial }),
    });

  it('remove-console-access shuts the sign-in page, tells that open sessions live and what ends them, and has no way back', async () => {
    const key = await on.user('cora');
    await on.user('cosy');
    const [password, other] = [await on.password('cora'), await on.password('cosy')];
    const open = signsIn('cora', password);
    if (open === undefined) throw new Error('the sign-in page refused');

    const done = await on.contain(`remove-console-access ${arnOfUser('cora')}`);

    expect(signsIn('cora', password)).toBeUndefined();
    expect(signsIn('cosy', other)).toBeDefined();
    expect([await on.looks(open), await on.looks(key)]).toEqual(['works', 'works']);
    expect(wordsOf(done)).toContain('revoke-user-sessions');
    expect(hasButton(done, 'undo')).toBe(false);
    await on.refusedAsk(`remove-console-access ${arnOfUser('cora')}`, /no console password already/);
  });

  it("deactivate-mfa-device takes the attacker's device, not the owner's", async () => {
    await on.user('mia');
    const password = await on.password('mia');
    const [own, planted] = [await device('mia', 'mia'), await device('mia', 'mia-phone-2')];
    expect(signsIn('mia', password, planted)).toBeDefined();

    const done = await on.contain(`deactivate-mfa-device ${arnOfUser('mia')} ${planted}`);

    expect(signsIn('mia', password, planted)).toBeUndefined();
    expect(signsIn('mia', password, own)).toBeDefined();
    expect(hasButton(done, 'undo')).toBe(false);
    const last = await on.ask(`deactivate-mfa-device ${arnOfUser('mia')} ${own}`);
    expect(wordsOf(last)).toContain('WARNING');
  });

  async function credentialsOf(UserName: string): Promise<readonly [string, string, string, string]> {
    const service = { UserName, ServiceName: 'codecommit.amazonaws.com' };
    const make = async () =>
      (await on.admin.send(new CreateServiceSpecificCredentialCommand(service))).ServiceSpecificCredential
        ?.ServiceSpecificCredentialId ?? '';
    const [git, off] = [await make(), await make()];
    await on.admin.send(
      new UpdateServiceSpecificCredentialCommand({ UserName, ServiceSpecificCredentialId: off, Status: 'Inactive' }),
    );
    const ssh = await on.admin.send(new UploadSSHPublicKeyCommand({ UserName, SSHPublicKeyBody: 'ssh-rsa AAAA' }));
    const certificate = await on.admin.send(
      new UploadSigningCertificateCommand({ UserName, CertificateBody: '-----BEGIN CERTIFICATE-----' }),
    );
    return [git, off, ssh.SSHPublicKey?.SSHPublicKeyId ?? '', certificate.Certificate?.CertificateId ?? ''];
  }

  it('disable-service-credentials shuts every door of the user, and undo opens those that were open', async () => {
    const key = await on.user('gus');
    await on.user('gil');
    const [git, off, ssh, certificate] = await credentialsOf('gus');
    const [theirs] = await credentialsOf('gil');
    const opens = () => [git, off, ssh, certificate].map((id) => on.scene.aws.opensDoor(id));
    const held = on.held('gus');
    expect(opens()).toEqual([true, false, true, true]);

    const done = await on.contain(`disable-service-credentials ${arnOfUser('gus')}`);
    expect(opens()).toEqual([false, false, false, false]);
    expect(on.scene.aws.opensDoor(theirs)).toBe(true);
    expect(await on.looks(key)).toBe('works');

    await on.undo(done);
    expect(opens()).toEqual([true, false, true, true]);
    expect(on.held('gus')).toBe(held);
  });

  it('names exactly what AWS refused, goes on with the rest, and puts that rest back', async () => {
    await on.user('pia');
    const [git, , ssh, certificate] = await credentialsOf('pia');
    const held = on.held('pia');
    const stop = on.scene.aws.fail({ operation: 'UpdateSSHPublicKey', how: 'accessDenied' });

    const card = await on.ask(`disable-service-credentials ${arnOfUser('pia')}`);
    const partly = await on.settled(card, ['omar'], /Partly done/);
    stop();

    expect(wordsOf(partly)).toContain('2 of 3 calls were carried out');
    expect(wordsOf(partly)).toContain(`UpdateSSHPublicKey of ${ssh}`);
    expect([git, ssh, certificate].map((id) => on.scene.aws.opensDoor(id))).toEqual([false, true, false]);
    await on.undo(partly);
    expect(on.held('pia')).toBe(held);
  });

  it('brings an undo to its end of which AWS has refused a part', async () => {
    await on.user('una-half');
    const [, , ssh] = await credentialsOf('una-half');
    const held = on.held('una-half');
    const done = await on.contain(`disable-service-credentials ${arnOfUser('una-half')}`);
    const stop = on.scene.aws.fail({ operation: 'UpdateSSHPublicKey', how: 'accessDenied' });
    await on.settled(await on.askUndo(done), ['omar'], /Partly done/);
    stop();
    expect(on.scene.aws.opensDoor(ssh)).toBe(false);

    const isOffered = () => hasButton(on.at(done.ts), 'undo') || undefined;
    await on.scene.slack.waitFor(isOffered, 20_000);
    const rejected = await on.askUndo(done);
    await on.scene.slack.click(demoIds.omar, demoIds.alerts, rejected.ts, 'reject');
    await on.scene.slack.waitFor(() => /Rejected/.test(wordsOf(on.at(rejected.ts))) || undefined, 20_000);
    await on.scene.slack.waitFor(isOffered, 20_000);
    await on.undo(done);
    expect(on.held('una-half')).toBe(held);
  });

  it('is not voided by an attacker who adds a credential between plan and approval', async () => {
    await on.user('liv');
    const [git] = await credentialsOf('liv');
    const card = await on.ask(`disable-service-credentials ${arnOfUser('liv')}`);
    await on.admin.send(new UploadSSHPublicKeyCommand({ UserName: 'liv', SSHPublicKeyBody: 'ssh-rsa BBBB' }));

    await on.settled(card, ['omar']);
    expect(on.scene.aws.opensDoor(git)).toBe(false);
  });

  it('delete-user lists every call, takes two people, and leaves nothing of the user and all of the bystander', async () => {
    const stolen = await on.user('zed');
    // IAM knows the path of who is there, and none of who is gone.
    const zed = Object.assign(on.state('zed'), { path: '/eng/', arn: arnOfUser('zed').replace('/zed', '/eng/zed') });
    const token = await on.sessionToken(stolen);
    const password = await on.password('zed');
    const serial = await device('zed', 'zed');
    const held = await credentialsOf('zed');
    const PolicyArn = 'arn:aws:iam::aws:policy/AWSDenyAll';
    const jane = on.state('JaneDoe');
    on.state('zed').groups.push(...jane.groups);
    await on.contain(`deny-all ${zed.arn}`);
    await on.admin.send(new AttachUserPolicyCommand({ UserName: 'zed', PolicyArn }));
    const before = on.writes().length;

    const card = await on.ask(`delete-user ${zed.arn}`);
    expect(wordsOf(card)).toContain('0 of 2');
    const done = await on.settled(card, both);

    expect(on.writes().slice(before)).toEqual([
      'DeleteAccessKey',
      'DeleteLoginProfile',
      ...['DeleteSigningCertificate', 'DeleteServiceSpecificCredential', 'DeleteServiceSpecificCredential'],
      'DeleteSSHPublicKey',
      'DeactivateMFADevice',
      'DeleteVirtualMFADevice',
      'RemoveUserFromGroup',
      // What allows goes first, what refuses last.
      ...['DeleteUserPolicy', 'DetachUserPolicy', 'DeleteUserPolicy'],
      'DeleteUser',
    ]);
    for (const operation of new Set(on.writes().slice(before))) expect(wordsOf(card)).toContain(`iam:${operation}`);
    expect(on.account().users.has('zed')).toBe(false);
    expect(on.account().unassignedMfa.has(serial)).toBe(false);
    expect([await on.looks(stolen), await on.looks(token)]).toEqual(['AuthFailure', 'AuthFailure']);
    expect(held.some((id) => on.scene.aws.opensDoor(id))).toBe(false);
    expect(signsIn('zed', password, serial)).toBeUndefined();
    expect(hasButton(done, 'undo')).toBe(false);
    expect(jane.groups).toHaveLength(1);
    await on.expectBystander();
  });

  it.each([
    ['goes on where somebody else takes away what it was about to', { otherCredentials: [] }, 'Done and verified'],
    [
      'says what to do where somebody gives him something meanwhile',
      { mfaDevices: [{ serial: 'GAHT12345678', enableDate: new Date() }] },
      'Somebody has changed the target since the plan was made: ask again',
    ],
  ])('delete-user %s', async (_what, meanwhile, told) => {
    const name = `ned-${told.length}`;
    await on.user(name);
    await credentialsOf(name);
    const card = await on.ask(`delete-user ${arnOfUser(name)}`);
    const stop = on.scene.aws.onRequest(({ operation, phase }) => {
      if (operation === 'DeleteAccessKey' && phase === 'before') Object.assign(on.state(name), meanwhile);
      return undefined;
    });
    const ended = await on.settled(card, both, /Done and verified|Partly done/);
    stop();

    expect(wordsOf(ended)).toContain(told);
  });
});

describe('killed in the middle', () => {
  // The answer to a deletion is lost with the process: the next one must see that it is done, and not send it again.
  it.each(['DeleteAccessKey', 'DeleteVirtualMFADevice', 'DeleteUserPolicy', 'DeleteUser'])(
    'delete-user goes on after kill -9 at %s, and sends no call twice',
    async (operation) => {
      const name = `kim-${operation}`;
      await on.user(name);
      await on.password(name);
      const serial = await device(name, name);
      const card = await on.ask(`delete-user ${arnOfUser(name)}`);
      const before = on.writes().length;
      const killer = await killAtCall(on.scene, (event) => event === `aws ${operation} after 1`);

      await on.approve(card, both);
      await expect.poll(() => killer.at(), { timeout: 30_000 }).toBeDefined();
      await killer.stop();
      await on.start();

      await on.scene.slack.waitFor(() => /Done and verified/.test(wordsOf(on.at(card.ts))), 60_000);
      expect(on.writes().slice(before)).toEqual([
        'DeleteAccessKey',
        'DeleteLoginProfile',
        'DeactivateMFADevice',
        'DeleteVirtualMFADevice',
        'DeleteUserPolicy',
        'DeleteUser',
      ]);
      expect(on.account().users.has(name)).toBe(false);
      expect(on.account().unassignedMfa.has(serial)).toBe(false);
    },
  );
});

describe('who may not be contained, and who is somebody else by now', () => {
  it('is a user of the same name under another path: the whole ARN is compared with what IAM says', async () => {
    await on.admin.send(new CreateUserCommand({ UserName: 'ida', Path: '/ops/' }));
    const known = 'arn:aws:iam::999999999999:user/ops/ida';

    await on.refusedAsk(`deny-all ${arnOfUser('ida')}`, new RegExp(`IAM knows this name as ${known}`));
    await on.refusedAsk('deny-all arn:aws:iam::999999999999:user/dev/ida', /There is no user/);
    await on.refusedAsk(`delete-user ${arnOfUser('ida')}`, /There is no user/);
    await on.refusedAsk(`deny-all ${known.replace('arn:aws:', 'arn:aws-cn:')}`, /There is no user/);
    expect(wordsOf(await on.ask(`deny-all ${known}`))).toContain('ida');
  });

  it('is contained under a path of wildcards and variables, which its session takes letter by letter', async () => {
    const path = `/\${aws:username}*/?/`;
    await on.admin.send(new CreateUserCommand({ UserName: 'wild', Path: path }));
    const key = await on.key('wild');

    await on.contain(`deny-all arn:aws:iam::999999999999:user${path}wild`);
    expect(on.state('wild').inlinePolicies).toHaveLength(1);
    expect(await on.makesUser(key, 'more')).toBe('AccessDenied');
  });

  it.each(['deny-all', 'delete-user'])(
    '%s does not touch a user who was made again under the same name after the plan',
    async (action) => {
      const name = `twin-${action}`;
      const key = await on.user(name);
      const card = await on.ask(`${action} ${arnOfUser(name)}`);
      await on.admin.send(new DeleteAccessKeyCommand({ UserName: name, AccessKeyId: key.accessKeyId }));
      await on.admin.send(new DeleteUserPolicyCommand({ UserName: name, PolicyName: 'Work' }));
      await on.admin.send(new DeleteUserCommand({ UserName: name }));
      await on.admin.send(new CreateUserCommand({ UserName: name }));
      const before = on.writes().length;

      const ended = await on.settled(card, both, /Void/);

      expect(wordsOf(ended)).toContain('created again');
      expect(on.writes()).toHaveLength(before);
      expect(on.state(name).inlinePolicies).toEqual([]);
    },
  );

  it('says of a service-linked role and of an Identity Center role why not, and what instead', async () => {
    const linked = on.role('AWSServiceRoleForAutoScaling', '/aws-service-role/autoscaling.amazonaws.com/', []);
    const sso = on.role('AWSReservedSSO_Admin_0123456789abcdef', '/aws-reserved/sso.amazonaws.com/', []);
    for (const action of ['deny-all', 'revoke-role-sessions']) {
      expect(await on.refusedAsk(`${action} ${linked.arn}`, /only its service/)).toContain('Contain the service');
      expect(await on.refusedAsk(`${action} ${sso.arn}`, /Identity Center/)).toContain('Disable the person');
    }
    expect(linked.policies.concat(sso.policies).map(({ name }) => name)).toEqual(['Look', 'Look']);
  });

  it('refuses a user and a key that are not there', async () => {
    await on.refusedAsk(`delete-user ${arnOfUser('nobody')}`, /none of the 1 accounts/);
    await on.refusedAsk('delete-access-key AKIAIOSFODNN7NOWHERE', /none of the 1 accounts|not an access key id/);
  });
});
