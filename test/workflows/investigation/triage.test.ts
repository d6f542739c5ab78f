import { describe, expect, it } from 'vitest';
import { catalogue } from '../../../detections/index.ts';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import { plainText } from '../../../src/domain/plain-text.ts';
import { triageSteps } from '../../../src/domain/triage-steps.ts';
import { triage } from '../../../workflows/investigation/triage.ts';
import { record, session, user } from '../../src/domain/pivot-records.ts';

function run(
  records: readonly CloudTrailRecord[],
  complete = true,
  target: unknown = {},
  regions: readonly string[] = ['us-east-1'],
) {
  const coverage = {
    complete,
    accounts: ['999999999999'],
    regions,
    from: '2026-11-20T00:00:00Z',
    to: '2026-11-21T00:00:00Z',
    sources: [{ name: 'test', events: records.length, pages: 1, truncated: !complete, failed: false }],
    badFiles: [],
    notLookedAt: complete ? [] : ['the rest'],
  };
  return triage.run(triage.target.parse(target), {
    evidence: {
      recordsOf: () => Promise.resolve([]),
      async *all() {
        yield* records;
      },
      coverage: () => coverage,
      progress: () => ({ regionsDone: 1, regions: 1, eventsRead: records.length, requests: 0 }),
    },
    aws: undefined,
    signal: new AbortController().signal,
    progress: () => undefined,
    now: () => new Date('2026-11-21T00:00:00Z'),
  });
}

const mallory = user('mallory', '999999999999', 'AKIAIOSFODNN7EXAMPLE');
const call = (source: string, eventName: string, more: Readonly<Record<string, unknown>> = {}) =>
  record({ eventSource: `${source}.amazonaws.com`, eventName, userIdentity: mallory, ...more });

const nine = [
  'instances',
  'identities',
  'console-logins',
  'session-tokens',
  'role-assumptions',
  'users',
  'roles-and-policies',
  'access-keys',
  'instance-profiles',
];

async function stateOf(id: string, records: readonly CloudTrailRecord[], complete = true) {
  const { answer } = await run(records, complete);
  return answer.steps.find((step) => step.id === id);
}

describe('a triage', () => {
  it('finds nothing about IAM only where the Region was looked at that logs it', async () => {
    const states = async (...regions: string[]) => {
      const { answer } = await run([call('iam', 'CreateUser')], true, {}, regions);
      const stateOfStep = (id: string) => answer.steps.find((step) => step.id === id)?.state;
      return [stateOfStep('users'), stateOfStep('access-keys'), stateOfStep('containers'), answer.coverage.complete];
    };

    expect(await states('eu-west-1')).toEqual(['hits', 'not-looked-at', 'nothing-found', false]);
    expect(await states('eu-west-1', 'us-east-1')).toEqual(['hits', 'nothing-found', 'nothing-found', true]);
    expect(await states('cn-north-1')).toEqual(['hits', 'nothing-found', 'nothing-found', true]);
    expect(await states('us-gov-east-1')).toEqual(['hits', 'not-looked-at', 'nothing-found', false]);
  });

  it('takes no event of CloudTrail Insights for the calls that it counts', async () => {
    const counted = (source: string, eventName: string) =>
      record({
        eventName: undefined,
        eventSource: undefined,
        userIdentity: undefined,
        eventType: 'AwsCloudTrailInsight',
        insightDetails: { state: 'Start', eventSource: `${source}.amazonaws.com`, eventName },
      });

    const { answer } = await run([counted('iam', 'CreateUser'), counted('cloudtrail', 'StopLogging')]);

    expect(answer.steps.filter(({ state }) => state === 'hits')).toEqual([]);
  });

  it('asks the nine questions in their order, then those about the habits of attackers', async () => {
    const { answer } = await run([]);

    expect(answer.steps.map((step) => step.id).slice(0, 9)).toEqual(nine);
    expect(answer.steps).toHaveLength(triageSteps.length);
  });

  it('counts only production among the instances that were terminated, where the config says what is', async () => {
    const items = Array.from({ length: 20 }, (_, i) => ({ instanceId: `i-${String(i).padStart(17, '0')}` }));
    const burst = [call('ec2', 'TerminateInstances', { responseElements: { instancesSet: { items } } })];
    const headline = async (production: unknown) => (await run(burst, true, { production })).headline;

    expect(await headline({ instances: [], accounts: ['999999999999'] })).toContain('Suspicious: user mallory');
    expect(await headline({ instances: items.map(({ instanceId }) => instanceId), accounts: [] })).toContain(
      'Suspicious: user mallory',
    );
    expect(
      await headline({ instances: items.slice(1).map(({ instanceId }) => instanceId), accounts: [] }),
    ).not.toContain('Suspicious');
    expect(await headline({ instances: [], accounts: ['111122223333'] })).not.toContain('Suspicious');
    expect(await headline(undefined)).toContain('Suspicious: user mallory');
  });

  it('never says clean: nothing was found in what was looked at', async () => {
    const { answer, headline, parts } = await run([]);

    expect(new Set(answer.steps.map((step) => step.state))).toEqual(new Set(['nothing-found']));
    expect(headline).toBe('Nothing was found in what was looked at.');
    expect(plainText({ text: headline, parts })).not.toMatch(/clean|all clear|no compromise/i);
  });

  it('does not say that nothing was found where not all was looked at', async () => {
    const { answer } = await run([call('iam', 'CreateUser')], false);

    const states = new Map(answer.steps.map((step) => [step.id, step.state]));
    expect(states.get('users')).toBe('hits');
    expect(states.get('access-keys')).toBe('not-looked-at');
    expect([...states.values()]).not.toContain('nothing-found');
  });

  it.each([
    ['instances', call('ec2', 'RunInstances')],
    ['console-logins', call('signin', 'ConsoleLogin', { responseElements: { ConsoleLogin: 'Failure' } })],
    ['session-tokens', call('sts', 'GetFederationToken')],
    ['role-assumptions', call('sts', 'AssumeRole')],
    ['users', call('iam', 'UpdateUser')],
    ['roles-and-policies', call('rolesanywhere', 'CreateTrustAnchor')],
    ['access-keys', call('iam', 'CreateServiceSpecificCredential')],
    ['instance-profiles', call('ec2', 'ReplaceIamInstanceProfileAssociation')],
    ['member-accounts', call('organizations', 'CreateAccount')],
    ['containers', call('ecs', 'RegisterTaskDefinition')],
    ['many-regions', call('account', 'EnableRegion')],
    ['quota-requests', call('servicequotas', 'RequestServiceQuotaIncrease')],
    ['mail-abuse', call('ses', 'GetSendQuota')],
    ['notebooks-and-models', call('sagemaker', 'CreateNotebookInstance')],
    ['contacts', call('account', 'PutAlternateContact')],
    ['billing', call('budgets', 'DeleteBudget')],
    ['cover-up', call('cloudtrail', 'StopLogging')],
    ['cover-up', call('cloudtrail', 'StopLogging', { errorCode: 'AccessDenied', errorMessage: 'not authorized' })],
    ['access-keys', call('iam', 'EnableMFADevice', { requestParameters: { userName: 'mallory' } })],
    ['access-keys', call('iam', 'ChangePassword')],
    ['access-keys', call('iam', 'ResetServiceSpecificCredential')],
    ['access-keys', call('iam', 'DeleteSSHPublicKey')],
    ['roles-and-policies', call('iam', 'DetachGroupPolicy')],
    ['roles-and-policies', call('iam', 'DeletePolicyVersion')],
    ['roles-and-policies', call('iam', 'PutUserPermissionsBoundary')],
    ['users', call('iam', 'RemoveUserFromGroup')],
  ])('answers %s with the event', async (id, event) => {
    expect(await stateOf(id, [event])).toMatchObject({ state: 'hits', evidence: [event.eventID] });
  });

  it('follows those who made instances to what else they did, and nobody else', async () => {
    const launch = call('ec2', 'RunInstances');
    const key = call('iam', 'CreateAccessKey');
    const look = call('iam', 'ListUsers', { readOnly: true });
    const other = call('iam', 'CreateAccessKey', { userIdentity: user('alice') });

    expect(await stateOf('identities', [key, look, other, launch])).toMatchObject({
      state: 'hits',
      evidence: [key.eventID],
    });
    expect(await stateOf('identities', [key, other])).toMatchObject({ state: 'nothing-found' });
  });

  it('finds work spread over many Regions', async () => {
    const spread = ['us-east-1', 'eu-west-1', 'ap-south-1', 'sa-east-1', 'eu-north-1'].map((awsRegion) =>
      call('ec2', 'RunInstances', { awsRegion, eventTime: '2026-11-20T22:00:00Z' }),
    );

    expect(await stateOf('many-regions', spread)).toMatchObject({ state: 'hits' });
    expect(await stateOf('many-regions', spread.slice(1))).toMatchObject({ state: 'nothing-found' });
  });

  it('leaves out what AWS launches and assumes by itself', async () => {
    const scaling = call('ec2', 'RunInstances', {
      userIdentity: {
        ...session('AWSServiceRoleForAutoScaling', 'AutoScaling'),
        invokedBy: 'autoscaling.amazonaws.com',
      },
    });
    const assumed = call('sts', 'AssumeRole', {
      userIdentity: { type: 'AWSService', invokedBy: 'lambda.amazonaws.com' },
    });

    expect(await stateOf('instances', [scaling])).toMatchObject({ state: 'nothing-found' });
    expect(await stateOf('role-assumptions', [assumed])).toMatchObject({ state: 'nothing-found' });
  });

  it('ends in a plan: whom to pivot on, which key to disable, what to switch on again', async () => {
    const { parts, headline, next, proposals } = await run([
      call('cloudtrail', 'StopLogging'),
      call('iam', 'CreateLoginProfile'),
    ]);
    const text = plainText({ text: headline, parts });

    expect(headline).toMatch(/^Suspicious: user mallory in 999999999999; 2 of 18 questions have hits\.$/);
    expect(text).toContain('Switch logging and detection on again first');
    expect(next[0]).toBe('/ir pivot arn:aws:iam::999999999999:user/mallory');
    expect(proposals).toEqual([
      expect.objectContaining({ action: 'disable-access-key', words: ['AKIAIOSFODNN7EXAMPLE'] }),
    ]);
  });

  it('names only rules that there are', () => {
    const names = catalogue().rules.map((rule) => rule.name);

    for (const step of triageSteps) for (const rule of step.rules) expect(names).toContain(rule);
  });
});
