/** Somebody else changes the target between the plan and its approval: what they did is neither overwritten nor taken back. */
import {
  AttachUserPolicyCommand,
  DeleteUserPolicyCommand,
  GetRolePolicyCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoIds, type Message } from '../../demo/slack/workspace.ts';
import { wordsOf } from '../support/scene.ts';
import { arnOfUser, both, type Containment, openContainment, refused } from './cast.ts';

const { alerts, rosa } = demoIds;
let on: Containment;
beforeAll(async () => {
  on = await openContainment();
});
afterAll(() => on?.scene.close());

const quarantine = 'arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3';

async function documentOf(RoleName: string, PolicyName: string): Promise<string> {
  const { PolicyDocument = '' } = await on.admin.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
  return decodeURIComponent(PolicyDocument);
}

describe('an undo that was overtaken', () => {
  it('leaves a newer revocation that a colleague has made in the console meanwhile', async () => {
    const stolen = await on.user('rhea');
    const role = on.role('Console', '/', ['rhea']);
    const done = await on.contain(`revoke-role-sessions ${role.arn}`);
    const undo = await on.askUndo(done);

    const [RoleName, PolicyName] = [role.name, 'AWSRevokeOlderSessions'];
    const Condition = { DateLessThan: { 'aws:TokenIssueTime': new Date(Date.now() + 600_000).toISOString() } };
    const Statement = [{ Effect: 'Deny', Action: '*', Resource: '*', Condition }];
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    await on.admin.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }));
    const newer = await on.assume(stolen, role, 'newer');
    expect(await on.looks(newer)).toMatch(refused);

    const ended = await on.settled(undo, both, /Nothing was written|Done and verified/);
    expect(wordsOf(ended)).toContain('Nothing was written');
    expect(await documentOf(RoleName, PolicyName)).toBe(PolicyDocument);
    expect(await on.looks(newer)).toMatch(refused);
  });

  it("does not take off AWS's own quarantine, attached while the plan to attach it waited", async () => {
    await on.user('quinn');
    const plan = await on.ask(`quarantine-user ${arnOfUser('quinn')}`);
    await on.admin.send(new AttachUserPolicyCommand({ UserName: 'quinn', PolicyArn: quarantine }));
    const ended = await on.settled(plan, ['omar'], /Nothing was written|Done and verified/);
    expect(wordsOf(ended)).toContain('Nothing was written');
    expect(wordsOf(ended)).not.toContain('"action_id":"undo"');
  });

  it('asks again for two people where AWS has found the key in public since the undo was planned', async () => {
    const stolen = await on.user('kay');
    const done = await on.contain(`disable-access-key ${stolen.accessKeyId}`);
    const undo = await on.askUndo(done);
    await on.admin.send(new AttachUserPolicyCommand({ UserName: 'kay', PolicyArn: quarantine }));
    const ended = await on.settled(undo, ['omar'], /Nothing was written|Done and verified/);
    expect(wordsOf(ended)).toContain('two people must approve');
    expect(await on.looks(stolen)).toMatch(refused);
  });
});

it('puts back, byte for byte, what it took the place of, where that is newer than the plan', async () => {
  const stolen = await on.user('bea');
  const plan = await on.ask(`deny-all ${arnOfUser('bea')}`);
  const PolicyDocument =
    '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*","Sid":"Meanwhile"}]}';
  await on.admin.send(new PutUserPolicyCommand({ UserName: 'bea', PolicyName: 'FirebreakDenyAll', PolicyDocument }));
  const held = on.held('bea');
  const done = await on.settled(plan, ['omar']);
  expect(await on.looks(stolen)).toMatch(refused);

  await on.undo(done);
  expect(on.held('bea')).toBe(held);
});

it('does not bring a key to life by an undo that was not working before', async () => {
  const stolen = await on.user('exa');
  const [key] = on.state('exa').keys;
  key?.history.push({ status: 'Expired' as never, at: new Date() });
  const done = await on.contain(`disable-access-key ${stolen.accessKeyId}`);

  const known = on.scene.slack.ephemerals(rosa).length;
  await on.scene.slack.click(rosa, alerts, done.ts, 'undo');
  await on.scene.slack.waitFor(
    () =>
      on.scene.slack
        .ephemerals(rosa)
        .slice(known)
        .find((told) => /Nothing to do/.test(JSON.stringify(told))),
    30_000,
  );
  expect(key?.history.at(-1)?.status).toBe('Inactive');
});

describe('two plans for one target, drawn before either was approved', () => {
  it('does not let the later take the place of the earlier on one word', async () => {
    await on.user('nell');
    const narrow = await on.ask(`deny-outside-networks ${arnOfUser('nell')} 198.51.100.7`);
    const wide = await on.ask(`deny-outside-networks ${arnOfUser('nell')} 203.0.113.0/24`);
    await on.settled(narrow, ['omar']);
    const ended = await on.settled(wide, ['omar'], /Nothing was written|Done and verified/);
    expect(wordsOf(ended)).toContain('two people must approve');
    expect(JSON.stringify(on.state('nell').inlinePolicies)).toContain('198.51.100.7/32');
  });

  it.each([1, 2])(
    'revokes two sessions of one role, approved at the same moment, and gives one of them back (%i)',
    async (n) => {
      const stolen = await on.user(`mia${n}`);
      const role = on.role(`Pair${n}`, '/', [`mia${n}`]);
      const sessions = [await on.assume(stolen, role, 'first'), await on.assume(stolen, role, 'second')];
      const plans = [
        await on.ask(`revoke-session arn:aws:sts::999999999999:assumed-role/Pair${n}/first`),
        await on.ask(`revoke-session arn:aws:sts::999999999999:assumed-role/Pair${n}/second`),
      ];
      const end = /Nothing was written|Done and verified|NOT CONFIRMED/;
      const ended = await Promise.all(plans.map((plan) => on.settled(plan, ['omar'], end)));
      const states = await Promise.all(sessions.map((session) => on.looks(session)));
      expect(ended.map((card) => wordsOf(card).includes('Done and verified'))).toEqual([true, true]);
      expect(states.every((state) => refused.test(state))).toBe(true);

      // The later and the earlier come undone each by itself.
      await on.undo(ended[0] as Message, both);
      expect(await Promise.all(sessions.map((session) => on.looks(session)))).toEqual(['works', states[1]]);
    },
  );

  it('takes a name and the ARN of the same role for the same wish', async () => {
    await on.user('ned');
    const role = on.role('Twice', '/apps/', ['ned']);
    await on.ask('deny-all role/Twice');
    expect(await on.refusedAsk(`deny-all ${role.arn}`, /same plan/)).toContain('waits for a decision already');
  });
});

it('goes on watching a containment whose undo AWS has refused', async () => {
  await on.user('wes');
  const done = await on.contain(`deny-all ${arnOfUser('wes')}`);
  const stop = on.scene.aws.fail({ operation: 'DeleteUserPolicy', how: 'accessDenied' });
  const undo = await on.askUndo(done);
  await on.settled(undo, ['omar'], /Nothing was written/);
  stop();
  await on.admin.send(new DeleteUserPolicyCommand({ UserName: 'wes', PolicyName: 'FirebreakDenyAll' }));

  // The first look comes after a minute. Slack is away just then: what it found is told all the same.
  const isTold = ({ args }: { readonly args: unknown }) => JSON.stringify(args).includes('IT NO LONGER HOLDS');
  const back = on.scene.slack.fail({ method: 'chat.postMessage', how: '500', times: 10_000 });
  await on.scene.slack.waitFor(() => on.scene.slack.calls.find(isTold), 80_000);
  back();
  await on.scene.slack.waitFor(() => on.thread(done).find((words) => words.includes('IT NO LONGER HOLDS')), 60_000);
});
