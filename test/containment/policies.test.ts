/** Policies and sessions, as in credentials.test.ts: what a deny stops, what it leaves, and what undo puts back. */
import { PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quarantineUser } from '../../workflows/containment/quarantine-user.ts';
import { wordsOf } from '../support/scene.ts';
import { arnOfUser, both, type Containment, openContainment, refused } from './cast.ts';

let on: Containment;
beforeAll(async () => {
  on = await openContainment();
});
afterAll(() => on?.scene.close());

describe('policies on users and roles', () => {
  it('deny-all on a user stops his key and his session token, not the role that he has assumed, and comes undone', async () => {
    const stolen = await on.user('dan');
    const role = on.role('Deploy', '/', ['dan']);
    const [token, assumed] = [await on.sessionToken(stolen), await on.assume(stolen, role, 'dan')];
    const held = on.held('dan');

    const done = await on.contain(`deny-all ${arnOfUser('dan')}`);

    expect(await on.looks(stolen)).toMatch(refused);
    expect(await on.looks(token)).toMatch(refused);
    expect(await on.looks(assumed)).toBe('works');
    expect(wordsOf(done)).toContain('already assumed');
    await on.expectBystander();

    await on.undo(done);
    expect([await on.looks(stolen), await on.looks(token)]).toEqual(['works', 'works']);
    expect(on.held('dan')).toBe(held);
  });

  it.each([
    ['deny-all', 'FirebreakDenyAll', 'is denied every action'],
    ['revoke-user-sessions', 'FirebreakRevokeOlderSessions', 'refuses sessions'],
  ])('%s says of another policy under its name that it is another', async (action, PolicyName, inForce) => {
    const name = `eve-${action}`;
    await on.user(name);
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
    });
    await on.admin.send(new PutUserPolicyCommand({ UserName: name, PolicyName, PolicyDocument }));

    const card = await on.ask(`${action} ${arnOfUser(name)}`);
    expect(wordsOf(card)).toContain(`has a policy ${PolicyName} that says something else`);
    const done = await on.settled(card, ['omar']);
    expect(wordsOf(done)).toContain(inForce);
    const undo = await on.askUndo(done);
    expect(wordsOf(await on.settled(undo, both))).toMatch(/Read back from AWS: .*something else/s);
  });

  it('deny-all on a role stops its sessions and no other role', async () => {
    const stolen = await on.user('rob');
    const [role, spared] = [on.role('Taken', '/apps/', ['rob']), on.role('Spared', '/apps/', ['rob'])];
    const [taken, other] = [await on.assume(stolen, role, 'rob'), await on.assume(stolen, spared, 'rob')];
    const policies = JSON.stringify(role.policies);

    const done = await on.contain(`deny-all ${role.arn}`);
    expect(await on.looks(taken)).toMatch(refused);
    expect(await on.looks(other)).toBe('works');
    await on.expectBystander();

    await on.undo(done);
    expect(await on.looks(taken)).toBe('works');
    expect(JSON.stringify(role.policies)).toBe(policies);
  });

  it('puts back, byte for byte, a policy of the same name that was there before', async () => {
    const stolen = await on.user('pam');
    const PolicyDocument =
      '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*","Sid":"FromBefore"}]}';
    await on.admin.send(new PutUserPolicyCommand({ UserName: 'pam', PolicyName: 'FirebreakDenyAll', PolicyDocument }));
    const done = await on.contain(`deny-all ${arnOfUser('pam')}`);
    expect(await on.looks(stolen)).toMatch(refused);

    await on.undo(done);
    const back = on.state('pam').inlinePolicies.find(({ name }) => name === 'FirebreakDenyAll');
    expect(JSON.stringify(back?.document)).toBe(PolicyDocument);
    expect(await on.looks(stolen)).toBe('works');
  });

  it('deny-outside-networks stops the thief elsewhere and not the workload at home, with keys of the same user', async () => {
    const stolen = await on.user('nat');
    const home = await on.key('nat');
    const [first, second] = on.state('nat').keys;
    Object.assign(first ?? {}, { sourceIp: '203.0.113.99' });
    Object.assign(second ?? {}, { sourceIp: '198.51.100.40' });
    const held = on.held('nat');

    const done = await on.contain(`deny-outside-networks ${arnOfUser('nat')} 198.51.100.0/24`);
    expect(await on.looks(stolen)).toMatch(refused);
    expect(await on.looks(home)).toBe('works');
    await on.expectBystander();

    await on.undo(done);
    expect(await on.looks(stolen)).toBe('works');
    expect(on.held('nat')).toBe(held);
  });

  it('quarantine-user stops what exposed keys are abused for, and leaves the rest', async () => {
    const stolen = await on.user('vic');
    expect(await on.starts(stolen)).toBe('works');
    const held = on.held('vic');

    const done = await on.contain(`quarantine-user ${arnOfUser('vic')}`);
    expect(await on.starts(stolen)).toMatch(refused);
    expect(await on.makesUser(stolen, 'vics-friend')).toMatch(refused);
    expect(await on.looks(stolen)).toBe('works');
    await on.expectBystander();

    await on.undo(done);
    expect(await on.starts(stolen)).toBe('works');
    expect(on.held('vic')).toBe(held);
  });
});

describe("AWS's own quarantine where AWS may not have it", () => {
  it('is refused before anybody approves it', async () => {
    const iam = { send: () => Promise.reject(Object.assign(new Error('none'), { name: 'NoSuchEntityException' })) };
    const planned = quarantineUser.complete?.({} as never, {} as never, { aws: { partition: 'aws-cn', iam } } as never);
    await expect(planned).rejects.toMatchObject({
      name: 'UserError',
      message: 'AWS has no policy AWSCompromisedKeyQuarantineV3 in aws-cn: there is nothing to attach.',
    });
  });

  it('is planned, and said to be unread, where that may not be asked', async () => {
    await on.user('vera');
    const stop = on.scene.aws.fail({ operation: 'GetPolicy', how: 'accessDenied' });
    const card = await on.ask(`quarantine-user ${arnOfUser('vera')}`);
    stop();
    expect(wordsOf(card)).toContain('could not be read (iam:GetPolicy is refused)');
  });

  it('is said to be unread on the card of a key, where the user may not be asked for his policies', async () => {
    const { accessKeyId } = await on.user('vito');
    const stop = on.scene.aws.fail({ operation: 'ListAttachedUserPolicies', how: 'accessDenied' });
    const card = await on.ask(`delete-access-key ${accessKeyId}`);
    stop();
    expect(wordsOf(card)).toContain('Whether AWS has quarantined the user, as it does for keys in public, could not');
  });
});

describe('sessions', () => {
  it('revoke-role-sessions stops every session of the role from before, no other role, and is lifted early by two people only', async () => {
    const stolen = await on.user('sam');
    const [role, spared] = [on.role('Revoked', '/', ['sam']), on.role('NotRevoked', '/', ['sam'])];
    const [taken, other] = [await on.assume(stolen, role, 'sam'), await on.assume(stolen, spared, 'sam')];
    const policies = JSON.stringify(role.policies);

    const done = await on.contain(`revoke-role-sessions ${role.arn}`);
    expect(await on.looks(taken)).toMatch(refused);
    expect(await on.looks(other)).toBe('works');
    await on.expectBystander();

    const undo = await on.askUndo(done);
    expect(wordsOf(undo)).toContain('0 of 2');
    expect(wordsOf(undo)).toContain('can live until');
    await on.settled(undo, both);
    expect(await on.looks(taken)).toBe('works');
    expect(JSON.stringify(role.policies)).toBe(policies);
  });

  it('revoke-session stops one session of a role and not the others', async () => {
    const stolen = await on.user('joe');
    const role = on.role('Shared', '/', ['joe']);
    const [thief, colleague] = [await on.assume(stolen, role, 'thief'), await on.assume(stolen, role, 'colleague')];
    const policies = JSON.stringify(role.policies);

    const done = await on.contain('revoke-session arn:aws:sts::999999999999:assumed-role/Shared/thief');
    expect(await on.looks(thief)).toMatch(refused);
    expect(await on.looks(colleague)).toBe('works');

    await on.undo(done, both);
    expect(await on.looks(thief)).toBe('works');
    expect(JSON.stringify(role.policies)).toBe(policies);
  });

  it('revoke-user-sessions stops session tokens and console sessions, and not the key', async () => {
    const stolen = await on.user('ula');
    const password = await on.password('ula');
    const token = await on.sessionToken(stolen);
    const browser = on.scene.aws.signIn({ accountId: on.account().id, userName: 'ula', password });
    if (browser === undefined) throw new Error('the sign-in page refused');
    expect([await on.looks(token), await on.looks(browser)]).toEqual(['works', 'works']);
    const held = on.held('ula');

    const done = await on.contain(`revoke-user-sessions ${arnOfUser('ula')}`);
    expect(await on.looks(token)).toMatch(refused);
    expect(await on.looks(browser)).toMatch(refused);
    expect(await on.looks(stolen)).toBe('works');
    await on.expectBystander();

    await on.undo(done, both);
    expect([await on.looks(token), await on.looks(browser)]).toEqual(['works', 'works']);
    expect(on.held('ula')).toBe(held);
  });
});
