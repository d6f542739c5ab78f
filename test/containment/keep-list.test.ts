/** deny-except through Slack's door: what was used before the incident goes on, and nothing else, on a server that enforces it. */
import { DescribeRegionsCommand } from '@aws-sdk/client-ec2';
import { DeleteUserPolicyCommand, ListAccessKeysCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { later, recordOf, type Story } from '../../demo/aws/stories/story.ts';
import { wordsOf } from '../support/scene.ts';
import { arnOfUser, type Containment, type Keys, openContainment } from './cast.ts';

const home = '198.51.100.40';
const thief = '203.0.113.250';
const hour = 3_600_000;
const refused = /^(UnauthorizedOperation|AccessDenied)$/;

/** What pipeline did: at home two days ago, the thief's tries of the same day, and everything after the incident began. */
const story: Story = {
  name: 'a pipeline and a thief who share a key',
  load(stage) {
    const { workshop } = stage.cast;
    const user = workshop.users.get('pipeline');
    if (user === undefined) throw new RangeError('the cast has no user pipeline');
    const { arn, id: principalId, name: userName } = user;
    const accessKeyId = user.keys[0]?.id ?? '';
    const userIdentity = { type: 'IAMUser', principalId, arn, accountId: workshop.id, accessKeyId, userName };
    const from = (sourceIp: string, userAgent: string) => ({
      accountId: workshop.id,
      userIdentity,
      sourceIp,
      userAgent,
    });
    const [own, theirs] = [from(home, 'Boto3/1.34 Python/3.12'), from(thief, 'aws-cli/2.22')];
    const happenings = [
      [own, -48, 'ec2', 'DescribeInstances', true],
      [own, -47, 's3', 'ListBuckets', true],
      [own, -46, 'lambda', 'GetFunction20150331v2', true],
      [own, -45, 'iam', 'ListAccessKeys', true],
      [theirs, -44, 'ec2', 'RunInstances', false],
      [theirs, -44, 'ec2', 'DescribeVpcs', true],
      [own, -0.5, 'ec2', 'CreateTags', false],
    ] as const;
    for (const [actor, hours, service, name, readOnly] of happenings) {
      const at = later(stage.now, hours * hour);
      const happening = { at, region: 'us-east-1', source: `${service}.amazonaws.com`, name, readOnly };
      stage.record(recordOf(stage.random, actor, happening));
    }
    workshop.lastAccessed.set(arn, [
      {
        namespace: 'ec2',
        lastAuthenticated: later(stage.now, -44 * hour),
        actions: [
          { name: 'RunInstances', at: later(stage.now, -44 * hour) },
          { name: 'DescribeRegions', at: later(stage.now, -200 * 24 * hour) },
          { name: 'TerminateInstances', at: later(stage.now, -0.25 * hour) },
        ],
      },
      { namespace: 'sqs', lastAuthenticated: later(stage.now, -46 * hour), actions: [] },
      {
        namespace: 'kms',
        lastAuthenticated: later(stage.now, -90 * hour),
        actions: [{ name: 'ScheduleKeyDeletion', at: later(stage.now, -90 * hour) }],
      },
    ]);
  },
};

let on: Containment;
let pipeline: Keys;
beforeAll(async () => {
  on = await openContainment({ aws: { story } });
  pipeline = on.scene.aws.credentials.attacker;
});
afterAll(() => on?.scene.close());

const user = arnOfUser('pipeline');
const asked = `deny-except ${user} before=1h without=${thief}`;

async function outcomeOf(call: () => Promise<unknown>): Promise<string> {
  return call().then(
    () => 'works',
    (error: Error) => error.name,
  );
}
const regions = () => outcomeOf(() => on.ec2(pipeline).send(new DescribeRegionsCommand({})));
const ownKeys = () => outcomeOf(() => on.iam(pipeline).send(new ListAccessKeysCommand({ UserName: 'pipeline' })));

describe('deny-except', () => {
  it('has every action that it keeps in its card, or in a file in the thread where the card is too short', async () => {
    const { arn } = on.role('Runner', '/', ['pipeline']);
    const at = new Date(Date.now() - 48 * hour);
    const used = Array.from({ length: 100 }, (_, n) => ({ name: `DescribeSomethingWithALongName${n + 100}`, at }));
    on.account().lastAccessed.set(arn, [{ namespace: 'ec2', lastAuthenticated: at, actions: used }]);
    const keep = [...used.map(({ name }) => `ec2:${name}`), 'ssm:SendCommand'];

    const card = await on.ask(`deny-except ${arn} before=1h keep=ssm:SendCommand`);

    const planned = () => on.scene.slack.files().find(({ file }) => file.name === 'plan.json');
    await on.scene.slack.waitFor(() => planned()?.shares.some(({ threadTs }) => threadTs === card.ts), 10_000);
    const whole = Buffer.from(planned()?.bytes ?? []).toString();
    expect(keep.filter((action) => !whole.includes(action))).toEqual([]);
    expect(JSON.parse(whole)).toMatchObject({ calls: [{ call: 'iam:PutRolePolicy' }] });
    expect(wordsOf(on.at(card.ts))).toContain('This plan is longer than a Slack message');
  });

  it.each([
    [`deny-except ${user}`, /When did the incident begin/],
    [`deny-except ${user} before=1h keep=iam:GetUser`, /can never be kept/],
    [`deny-except ${user} before=1h keep=kms:*`, /can never be kept/],
    [`deny-except ${user} before=1h keep=cloudtrail:Stop*`, /can never be kept/],
    [`deny-except ${user} before=1h keep=*`, /keep= is not understood/],
    [`deny-except ${user} before=tomorrow`, /not a time/],
    [`deny-except ${user} before=2999-01-01`, /lies in the future/],
    [`deny-except ${user} before=2020-01-01`, /goes back 90 days/],
    [`deny-except ${user} before=1h days=500`, /days= is not understood/],
    [`deny-except ${user} before=1h whithout=1.2.3.4`, /no option of deny-except/],
    [`deny-except ${user} before=1h without=Boto3,aws-cli,${home}`, /DescribeRegions|nothing was done/],
  ])('is refused, or learns less, for "%s"', async (words, why) => {
    if (String(why).includes('DescribeRegions')) {
      const card = await on.ask(words);
      expect(wordsOf(card)).toContain('1 actions are kept: ec2:DescribeRegions');
      return;
    }
    await on.refusedAsk(words, why);
  });

  it('is refused where the logs cannot be read', async () => {
    const stop = on.scene.aws.fail({ operation: 'LookupEvents', how: 'accessDenied' });

    // Of somebody who has not been asked about: what LookupEvents has answered once is not asked for again.
    const other = `deny-except ${arnOfUser('reporting')} before=1h keep=ec2:DescribeInstances`;
    expect(await on.refusedAsk(other, /could not be read whole/)).toContain('deny-all');

    stop();
  });

  it('is refused at once where its policies may not be read: no second try would be answered otherwise', async () => {
    const stop = on.scene.aws.fail({ operation: 'ListUserPolicies', how: 'accessDenied' });

    const asked = `deny-except ${arnOfUser('pipeline')} before=1h keep=ec2:DescribeInstances`;
    const told = await on.refusedAsk(asked, /plan could not be made|No plan yet/);
    stop();
    expect(told).toContain('The plan could not be made: AWS answered AccessDenied');
  });

  it('is refused where the list does not fit beside the policies that the user has', async () => {
    const Action = Array.from({ length: 60 }, (_, n) => `ec2:DescribeSomethingLong${n}`);
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action, Resource: '*' }],
    });
    const policy = { UserName: 'pipeline', PolicyName: 'Large' };
    await on.admin.send(new PutUserPolicyCommand({ ...policy, PolicyDocument }));

    expect(await on.refusedAsk(asked, /characters; AWS leaves \d+ for it on this user/)).toContain('wildcard');

    await on.admin.send(new DeleteUserPolicyCommand(policy));
  });

  it('keeps what was done before at home, refuses the rest, says what it cannot know, and comes undone', async () => {
    const held = on.held('pipeline');
    expect([await on.looks(pipeline), await regions(), await on.starts(pipeline), await ownKeys()]).toEqual(
      Array.from({ length: 4 }, () => 'works'),
    );

    const card = await on.ask(`${asked} keep=sns:Publish`);

    const words = wordsOf(card);
    const kept = [
      'ec2:DescribeInstances',
      'ec2:DescribeRegions',
      'lambda:GetFunction',
      's3:ListAllMyBuckets',
      'sns:Publish',
    ];
    expect(words).toContain(`5 actions are kept: ${kept.join(', ')}.`);
    for (const said of [
      'data events',
      'IAM saw kms, sqs used',
      'iam:ListAccessKeys',
      'kms:ScheduleKeyDeletion',
      'NotAction',
      thief.replace(/\.(\d+)$/, '[.]$1'),
    ]) {
      expect(words).toContain(said);
    }
    for (const never of ['"ec2:RunInstances', '"ec2:DescribeVpcs', '"ec2:CreateTags', '"ec2:TerminateInstances']) {
      expect(words.replaceAll('\\', '')).not.toContain(never);
    }

    const done = await on.settled(card, ['omar']);
    expect([await on.looks(pipeline), await regions()]).toEqual(['works', 'works']);
    expect(await on.starts(pipeline)).toMatch(refused);
    expect(await ownKeys()).toMatch(refused);
    expect(await on.looks(on.scene.aws.credentials.bystander)).toBe('works');

    await on.undo(done);
    expect([await on.starts(pipeline), await ownKeys()]).toEqual(['works', 'works']);
    expect(on.held('pipeline')).toBe(held);
  });
});
