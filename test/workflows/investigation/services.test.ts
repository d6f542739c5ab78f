import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServicesState } from '../../../demo/aws/services-state.ts';
import { ecsService, epoch, fargateTasks } from '../../../demo/aws/services-state.ts';
import { openReach } from '../../../src/aws/reach.ts';
import { contactMarks } from '../../../src/domain/contact-mail.ts';
import { plainText } from '../../../src/domain/plain-text.ts';
import { fargateHourly, lightsailHourly, sageMakerHourly } from '../../../src/domain/service-prices.ts';
import { triage } from '../../../workflows/investigation/triage.ts';
import { quietLog } from '../../fakes/quiet-log.ts';
import { openWatchedAccount, type WatchedAccount } from '../../fakes/watched-account.ts';

const hour = 3_600_000;
const region = 'sa-east-1';
let account: WatchedAccount;
let services: ServicesState;
beforeAll(async () => {
  account = await openWatchedAccount();
  const found = account.aws.state.accounts.get(account.accountId)?.services;
  if (found === undefined) throw new Error('the cast has changed');
  services = found;
});
afterAll(() => account?.close());

/** A triage of the last week, whose log is empty. The Regions of the shop are expected. */
async function ask(more: { readonly aws?: WatchedAccount['reach']; readonly contacts?: readonly string[] } = {}) {
  const coverage = {
    ...{ complete: true, accounts: [account.accountId], regions: ['us-east-1'], badFiles: [], notLookedAt: [] },
    ...{ from: new Date(Date.now() - 7 * 24 * hour).toISOString(), to: new Date().toISOString(), sources: [] },
  };
  const report = await triage.run(triage.target.parse({}), {
    evidence: {
      recordsOf: () => Promise.resolve([]),
      async *all() {},
      coverage: () => coverage,
      progress: () => ({ regionsDone: 1, regions: 1, eventsRead: 0, requests: 0 }),
    },
    aws: more.aws ?? account.reach,
    inventory: account.inventory.map((entry) => ({
      ...entry,
      expectedRegions: ['us-east-1', 'eu-west-1'],
      contacts: more.contacts,
    })),
    signal: new AbortController().signal,
    progress: () => undefined,
    now: () => new Date(),
  });
  const { sweep, steps } = report.answer;
  return {
    report,
    sweep,
    text: plainText({ text: report.headline, parts: report.parts }),
    of: (read: string) => sweep.things.filter((thing) => thing.read === read),
    answer: (read: string) => sweep.services.find((one) => one.read === read),
    step: (id: string) => steps.find((one) => one.id === id),
  };
}

describe('what exists now beside EC2', () => {
  it('finds what runs in services, with its cost and whether it is expected there', async () => {
    const { of, sweep, report, text } = await ask();

    expect(of('SageMaker training jobs')).toEqual([
      expect.objectContaining({ region, expected: false, isNew: true, marks: ['GPU or very large'] }),
    ]);
    expect(of('SageMaker training jobs')[0]?.hourly).toBeCloseTo(3 * 3.06 * 1.2, 4);
    expect(of('SageMaker endpoints')[0]).toMatchObject({
      says: expect.stringContaining('2 × ml.m5.large'),
      expected: false,
    });
    expect(of('SageMaker processing jobs')).toHaveLength(1);
    expect(of('SageMaker notebooks')[0]).toMatchObject({ region: 'ap-southeast-1', isNew: false, expected: false });
    expect(of('Lightsail instances')[0]?.hourly).toBeCloseTo(164 / 730, 4);
    expect(of('ECS tasks and services')[0]).toMatchObject({ region: 'eu-west-1', count: 2, expected: true, marks: [] });
    expect(of('ECS tasks and services')[0]?.hourly).toBeCloseTo(2 * (0.5 * 0.04048 + 0.004445), 6);
    expect(of('SES sending')[0]?.says).toContain('1,840 sent in 24 hours of 50,000');
    expect(of('Lambda functions')).toEqual([]);
    expect(sweep.things[0]?.read).toBe('SageMaker training jobs');
    expect(sweep.hourly).toBeGreaterThan(sweep.things.reduce((sum, one) => sum + (one.hourly ?? 0), 0));
    expect(report.headline).toMatch(/6 things in other services stand out/);
    expect(report.answer.plan.join('\n')).toMatch(/Ask who runs .*SageMaker training jobs in sa-east-1/);
    expect(report.coverage.complete).toBe(true);
    expect(text).not.toMatch(/\bclean\b/);
  });

  it('answers the questions of the triage that a service answers, new things as hits, old ones beside the log', async () => {
    const { step } = await ask();

    expect(step('notebooks-and-models')).toMatchObject({ state: 'hits', now: { state: 'found', open: [] } });
    expect(step('notebooks-and-models')?.now?.things.map(({ read }) => read)).toContain('SageMaker endpoints');
    // Tasks that run for weeks say nothing about the window.
    expect(step('containers')).toMatchObject({ state: 'nothing-found', now: { state: 'found' } });
    expect(step('quota-requests')?.now).toMatchObject({ state: 'not-looked-at', open: ['support cases'] });
    expect(step('console-logins')?.now).toBeUndefined();
  });

  it('reads every page of a service, and tells alike tasks as one', async () => {
    const where = { accountId: account.accountId, region, cluster: 'default' };
    const what = { family: 'worker', cpu: 4096, memory: 16_384, image: 'docker.io/someone/worker:latest' };
    const arn = `arn:aws:ecs:${region}:${account.accountId}:cluster/default`;
    services.clusters.set(arn, {
      region,
      tasks: fargateTasks(where, what, new Date(Date.now() - hour), 131),
      services: [ecsService(where, 'worker', 200, new Date()), ecsService(where, 'idle', 5, new Date())],
    });
    const { of, step, text, report } = await ask();
    services.clusters.delete(arn);

    const [many, idle] = of('ECS tasks and services');
    expect(many).toMatchObject({ count: 131, region, expected: false, isNew: true });
    expect(many?.says).toContain('131 Fargate tasks of worker:1 in cluster default, 4 vCPU and 16 GB each');
    expect(many?.says).toContain('service worker wants 200');
    expect(many?.hourly).toBeCloseTo(131 * (4 * 0.04048 + 16 * 0.004445), 4);
    expect(many?.ids).toHaveLength(50);
    expect([many, idle].map((one) => one?.says).join()).toContain('service idle in cluster default wants 5 tasks');
    expect(step('containers')?.state).toBe('hits');
    expect(text).toContain('131 Fargate tasks');
    expect(report.next).toContain(`/ir who-created ${many?.id}`);
  });

  it('tells functions changed in the window, and those that anybody may call, but no others', async () => {
    const own = (name: string, days: number) => ({
      FunctionName: name,
      FunctionArn: `arn:aws:lambda:us-east-1:${account.accountId}:function:${name}`,
      Layers: [{ Arn: 'arn:aws:lambda:us-east-1:123456789012:layer:strange:1' }],
      Environment: { Variables: { TOKEN: 'not-to-be-kept' } },
      LastModified: new Date(Date.now() - days * 24 * hour).toISOString().replace('Z', '+0000'),
    });
    const added = [
      { region: 'us-east-1', shown: own('changed', 1) },
      { region: 'us-east-1', shown: own('open', 400), url: 'NONE' as const },
      { region: 'us-east-1', shown: own('asks', 400), url: 'AWS_IAM' as const },
    ];
    services.functions.push(...added);
    const { of, report, answer } = await ask();
    services.functions.splice(-added.length);

    expect(of('Lambda functions').map(({ id, marks }) => [id.split(':').at(-1), ...marks])).toEqual([
      ['open', 'anybody may call its URL'],
      ['changed'],
    ]);
    expect(of('Lambda functions')[0]?.says).toContain('layers of account 123456789012');
    expect(answer('Lambda functions')).toMatchObject({ state: 'found', total: 4 });
    expect(JSON.stringify(report.answer)).not.toContain('not-to-be-kept');
  });

  it('tells requests for higher limits and support cases of the window, with who asked', async () => {
    const request = (id: string, days: number, Status: string) => ({
      region,
      shown: {
        ...{
          Id: id,
          ServiceCode: 'fargate',
          QuotaName: 'Fargate On-Demand vCPU resource count',
          DesiredValue: 4000,
          Status,
        },
        Created: epoch(new Date(Date.now() - days * 24 * hour)),
        Requester: JSON.stringify({ callerArn: `arn:aws:iam::${account.accountId}:user/pipeline` }),
      },
    });
    services.quotaRequests.push(
      request('new', 1, 'APPROVED'),
      request('old', 60, 'APPROVED'),
      request('open', 60, 'PENDING'),
    );
    services.supportCases = [1, 2, 3].map((n) => ({
      ...{ displayId: `100${n}`, subject: `Limit Increase: SES ${n}`, status: n === 1 ? 'resolved' : 'opened' },
      ...{ serviceCode: 'service-ses', submittedBy: 'someone@example.com' },
      timeCreated: new Date(Date.now() - n * hour).toISOString(),
    }));
    const { of, step, report } = await ask();
    services.quotaRequests.splice(0);
    services.supportCases = undefined;

    expect(of('service quota requests').map(({ id, marks }) => [id, marks.length])).toEqual([
      ['new', 1],
      ['open', 0],
    ]);
    expect(of('service quota requests')[0]?.says).toBe(
      `fargate: Fargate On-Demand vCPU resource count to 4,000, APPROVED, by arn:aws:iam::${account.accountId}:user/pipeline`,
    );
    expect(of('support cases')).toHaveLength(3);
    expect(step('quota-requests')).toMatchObject({ state: 'hits', now: { state: 'found', open: [] } });
    expect(report.answer.plan.join()).toContain('Ask who wanted the higher limits');
  });

  it('tells fleets that launch again what is stopped, and not those that have ended', async () => {
    const at = new Date(Date.now() - hour);
    const fleet = (state: string) => ({
      region,
      shown: {
        ...{ fleetId: `fleet-${state}`, fleetState: state, type: 'maintain', createTime: at },
        targetCapacitySpecification: { totalTargetCapacity: 40 },
      },
    });
    const requested = (state: string) => ({
      region,
      shown: {
        ...{ spotFleetRequestId: `sfr-${state}`, spotFleetRequestState: state, createTime: at },
        spotFleetRequestConfig: { targetCapacity: 25, iamFleetRole: 'arn:aws:iam::999999999999:role/fleet' },
      },
    });
    services.fleets.push(fleet('active'), fleet('deleted'));
    services.spotFleets.push(requested('active'), requested('cancelled'));
    const { of, step } = await ask();
    services.fleets.splice(0);
    services.spotFleets.splice(0);

    expect(of('EC2 fleets').map(({ says }) => says)).toEqual(['fleet fleet-active wants 40, maintain, active']);
    expect(of('spot fleets').map(({ says }) => says)).toEqual(['spot fleet sfr-active wants 25, active']);
    expect(of('spot requests')[0]?.says).toBe('1 spot request for m5d.large, persistent, active');
    expect(step('instances')?.state).toBe('hits');
  });

  it('compares the contacts with those of the config', async () => {
    const mark = async (contacts?: readonly string[]) =>
      (await ask({ ...(contacts && { contacts }) })).of('alternate contacts')[0]?.marks;

    expect(await mark()).toEqual(['a free mailbox']);
    expect(await mark(['#team', 'cloud@workshop.example'])).toEqual([
      'a free mailbox',
      'no domain of the contacts in the config',
    ]);
    expect(await mark(['someone@outlook.com'])).toEqual([]);
  });

  it('shows names from outside without letting them become markup', async () => {
    const notebook = { NotebookInstanceStatus: 'InService', InstanceType: 'ml.t3.medium' };
    services.notebooks.push({
      region,
      shown: { ...notebook, NotebookInstanceName: '<!channel> <https://evil.example|click>\n*bold*' },
    });
    const { of, text } = await ask();
    services.notebooks.pop();

    expect(of('SageMaker notebooks').some(({ says }) => says.includes('\n'))).toBe(false);
    expect(text).not.toContain('<!channel>');
    expect(text).not.toContain('<https:');
  });
});

describe('what could not be looked at', () => {
  it('is said once for all Regions where a right is missing, and nothing else is lost', async () => {
    const stop = account.aws.fail({ service: 'lambda', how: 'accessDenied' });
    const { answer, report, sweep } = await ask();
    stop();

    expect(answer('Lambda functions')).toMatchObject({ state: 'not-looked-at', because: /^AccessDenied/ as never });
    expect(sweep.failures).toEqual([expect.stringMatching(/^Lambda functions of \d{12} in 17 Regions: AccessDenied/)]);
    expect(report.coverage).toMatchObject({ complete: false, notLookedAt: sweep.failures });
    expect(answer('SageMaker training jobs')?.state).toBe('found');
  });

  it('is one line where all of a Region is closed, as policies of organisations do', async () => {
    const closed = ['ap-south-1', 'ca-central-1', 'eu-north-1'];
    const stops = closed.map((one) => account.aws.fail({ region: one, how: 'accessDenied' }));
    const { sweep, answer } = await ask();
    for (const stop of stops) stop();

    const own = sweep.failures.filter((one) => !one.includes('GuardDuty'));
    expect(own).toHaveLength(1);
    expect(own[0]).toMatch(/^EC2 instances, Auto Scaling groups, ECS tasks .* of \d{12} in 3 Regions: UnauthorizedOp/);
    expect(answer('EC2 fleets')).toMatchObject({ state: 'not-looked-at', regionsLookedAt: 14 });
  });

  it('leaves no "nothing found" where one Region of many refused', async () => {
    const stops = [
      account.aws.fail({ operation: 'GetInstances', region: 'eu-west-3', how: 'html' }),
      account.aws.fail({ operation: 'ListApps', region: 'eu-west-3', how: '500' }),
      account.aws.fail({ operation: 'GetBundles', region, how: 'accessDenied' }),
      account.aws.fail({ operation: 'ListFunctionUrlConfigs', how: 'accessDenied' }),
    ];
    const { answer, of, sweep } = await ask();
    for (const stop of stops) stop();

    expect(answer('SageMaker Studio apps')).toMatchObject({ state: 'not-looked-at', regionsLookedAt: 16 });
    expect(answer('SageMaker Studio apps')?.because).toMatch(/^in eu-west-3: /);
    expect(answer('Lightsail instances')).toMatchObject({ state: 'found' });
    expect(of('Lightsail instances')[0]).toMatchObject({ hourly: undefined, unpriced: 'Lightsail 2xlarge_3_0' });
    expect(sweep.unpriced).toContain('Lightsail 2xlarge_3_0');
    expect(sweep.failures.join('\n')).toMatch(/Lightsail instances of \d{12} in eu-west-3: NotAws/);
    expect(sweep.failures.join('\n')).toMatch(
      /Lambda functions of \d{12} in us-east-1: URLs of functions: AccessDenied/,
    );
  });

  it('asks again where AWS throttles', async () => {
    const stop = account.aws.fail({
      operation: 'ListNotebookInstances',
      region: 'ap-southeast-1',
      how: 'throttle',
      times: 2,
    });
    const { of, sweep } = await ask();
    stop();

    expect(of('SageMaker notebooks')).toHaveLength(1);
    expect(sweep.failures).toEqual([]);
  });

  it('names a missing support plan without calling the answer incomplete', async () => {
    const { answer, report, sweep } = await ask();

    expect(answer('support cases')).toMatchObject({ state: 'not-looked-at' });
    expect(answer('support cases')?.because).toContain('no support plan');
    expect(sweep.notLookedAt.join()).toContain('support cases of');
    expect(report.coverage.complete).toBe(true);
  });

  it('does not wait for a service that hangs longer than for one call', async () => {
    const stop = account.aws.fail({ service: 'servicequotas', region: 'eu-west-3', how: 'hang' });
    const started = performance.now();
    const { answer, sweep } = await ask();
    const seconds = (performance.now() - started) / 1000;
    stop();

    expect(sweep.failures).toEqual([
      expect.stringMatching(/^service quota requests of \d{12} in eu-west-3: no answer within 20 seconds$/),
    ]);
    expect(answer('service quota requests')?.state).toBe('not-looked-at');
    expect(seconds).toBeLessThan(60);
  }, 90_000);

  it('ends with the run', async () => {
    const controller = new AbortController();
    const stop = account.aws.onRequest(({ service }) => {
      if (service === 'sagemaker') controller.abort(new Error('enough'));
    });
    const asked = triage.run(triage.target.parse({}), {
      evidence: {
        recordsOf: () => Promise.resolve([]),
        async *all() {},
        coverage: () => ({
          ...{ complete: true, accounts: [account.accountId], regions: [], badFiles: [], notLookedAt: [] },
          ...{ from: '', to: '', sources: [] },
        }),
        progress: () => ({ regionsDone: 1, regions: 1, eventsRead: 0, requests: 0 }),
      },
      aws: account.reach,
      signal: controller.signal,
      progress: () => undefined,
      now: () => new Date(),
    });

    await expect(asked).rejects.toThrow('enough');
    stop();
  });
});

describe("somebody else's endpoint", () => {
  let other: Server;
  let answer: { readonly status: number; readonly body: string };
  const address = () => `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  beforeAll(async () => {
    other = createServer((request, response) => {
      request.resume();
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' }).end(answer.body);
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => other.close(resolve)));

  /** Reads through clients of its own, with SageMaker (or another service) at that address. */
  async function askAt(variable: string, url: string) {
    process.env[variable] = url;
    const { id, name, auditRole, responderRole, externalId } = account.aws.accounts.workshop;
    const accounts = [{ id, name, auditRole, responderRole, externalId }];
    const aws = openReach({ accounts, regions: [], region: 'us-east-1', log: quietLog });
    try {
      return await ask({ aws });
    } finally {
      delete process.env[variable];
    }
  }

  it.each([
    [501, '{"__type":"InternalFailure","message":"The API for service sagemaker is not emulated"}', /InternalFailure/],
    [404, '{"__type":"UnknownOperationException","message":"Unknown operation"}', /UnknownOperationException/],
    [404, 'page not found', /NotAws/],
    [200, '<html>Sign in</html>', /NotAws/],
    [200, '', /NotAws/],
    [200, '{"status":"ok"}', /no list NotebookInstances/],
    [
      200,
      '{"NotebookInstances":"all","Apps":7,"Endpoints":{},"TrainingJobSummaries":[null]}',
      /no list NotebookInstances/,
    ],
    [200, '{"NotebookInstances":[{"NotebookInstanceName":5,"InstanceType":{"a":1},"CreationTime":"x"}]}', /./],
  ])(
    'that answers %i %s is no reason to stop, nor an empty answer',
    async (status, body, reason) => {
      answer = { status, body };
      const { answer: answerOf, of, report, sweep } = await askAt('AWS_ENDPOINT_URL_SAGEMAKER', address());

      const told = answerOf('SageMaker notebooks');
      expect(told?.state).toBe('not-looked-at');
      expect(told?.because).toMatch(reason);
      expect(sweep.failures.filter((one) => one.startsWith('SageMaker notebooks'))).toHaveLength(1);
      expect(report.coverage.complete).toBe(false);
      expect(of('ECS tasks and services')).toHaveLength(1);
    },
    60_000,
  );

  it('without an address is a service that is not offered there, where the Region answers otherwise', async () => {
    const { answer: answerOf, report } = await askAt('AWS_ENDPOINT_URL_LIGHTSAIL', `http://${'a'.repeat(64)}.invalid`);

    expect(answerOf('Lightsail instances')).toMatchObject({ state: 'not-looked-at', regionsLookedAt: 0 });
    expect(answerOf('Lightsail instances')?.notOffered).toHaveLength(17);
    expect(answerOf('Lightsail instances')?.because).toContain('not offered');
    expect(report.answer.sweep.notLookedAt.join()).toContain('Lightsail instances of');
    expect(report.coverage.complete).toBe(true);
  }, 60_000);
});

describe('prices of services', () => {
  it('knows Fargate by size and system, SageMaker by machine, Lightsail by month', () => {
    expect(fargateHourly({ cpu: '1024', memory: '2048' })).toBeCloseTo(0.04937, 5);
    expect(fargateHourly({ cpu: '1024', memory: '2048', architecture: 'arm64' })).toBeCloseTo(0.0395, 5);
    expect(fargateHourly({ cpu: '1024', memory: '2048', platformFamily: 'Windows-2022-Core' })).toBeGreaterThan(0.1);
    expect(fargateHourly({ cpu: undefined, memory: '2048' })).toBeUndefined();
    expect(fargateHourly({ cpu: 'many', memory: '2048' })).toBeUndefined();
    expect(sageMakerHourly('ml.m5.xlarge')).toBeCloseTo(0.2304, 4);
    expect(sageMakerHourly('ml.zz9.large')).toBeUndefined();
    expect(lightsailHourly(undefined)).toBeUndefined();
  });
});

describe('the mail address of a contact', () => {
  it.each([
    ['a@outlook.com', [], ['a free mailbox']],
    ['a@yahoo.co.uk', [], ['a free mailbox']],
    ['a@example.com', [], []],
    ['a@sub.example.com', ['example.com'], []],
    ['a@notexample.com', ['example.com'], ['no domain of the contacts in the config']],
    ['', [], []],
  ])('%s against %j has the marks %j', (mail, expected, marks) => {
    expect(contactMarks(mail, expected)).toEqual(marks);
  });
});
