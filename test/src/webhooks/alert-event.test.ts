import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkBlocks, checkView } from '../../../demo/slack/block-rules.ts';
import type { Alert } from '../../../src/contracts/alert.ts';
import type { Brief } from '../../../src/contracts/investigation.ts';
import type { Message } from '../../../src/contracts/message.ts';
import type { Case } from '../../../src/contracts/store.ts';
import { type FindingCard, findingCard, furtherSeedsOf, pivotSeedOf } from '../../../src/domain/alert-wording.ts';
import { ownMessage, withCaseNews } from '../../../src/domain/case-card.ts';
import { threadNote } from '../../../src/domain/case-story.ts';
import { digestHead, digestPage, linesPerPage } from '../../../src/domain/digest-wording.ts';
import { addressFactsOf } from '../../../src/domain/finding-addresses.ts';
import { defaultNoise, digestGroup, digestLine, ruleOf, storyOf } from '../../../src/domain/noise.ts';
import { ruleWords } from '../../../src/domain/snooze-wording.ts';
import { toSlack } from '../../../src/slack/blocks.ts';
import { snoozeView } from '../../../src/slack/snooze-dialog.ts';
import { type AlertEventOptions, parseAlertEvent } from '../../../src/webhooks/alert-event.ts';
import { problemsOf } from '../slack/block-rules.ts';
import {
  abuse,
  alarmEvent,
  alarmMessage,
  apiCall,
  asff,
  budgetText,
  compliance,
  costAnomaly,
  envelope,
  everyKind,
  exposedKey,
  guardDutyArn,
  guardDutyCopy,
  imported,
  instanceState,
  ocsf,
  sequence,
  viaCloudTrail,
} from './events.ts';
import { finding, hasSharedData, sharedData } from './findings.ts';

const anything = { accept: 'anything', at: '2026-11-20T21:06:00.000Z' } as const;

function alertsOf(value: unknown, options: AlertEventOptions = anything): readonly Alert[] {
  const parsed = parseAlertEvent(value, options);
  if (!parsed.ok) throw new Error(`${parsed.status}: ${parsed.reason}`);
  return parsed.alerts.map(({ alert }) => alert);
}

function only(value: unknown, options: AlertEventOptions = anything): Alert {
  const [alert, ...more] = alertsOf(value, options);
  expect(more).toEqual([]);
  return alert as Alert;
}

function card(alert: Alert): Message {
  return findingCard(shown(alert));
}

function shown(alert: Alert): FindingCard {
  return {
    case: { id: 'IR-1' },
    alert,
    account: undefined,
    addresses: addressFactsOf(alert, { lookUp: () => undefined }),
    buttons: { pivot: pivotSeedOf(alert) === undefined ? undefined : 'p', contain: 'c', acknowledge: 'a' },
    containable: { yes: true },
    now: new Date('2026-11-20T21:06:00Z'),
  };
}

function words(message: Message): string {
  return JSON.stringify(message);
}

const news: Brief = {
  facts: [{ label: 'Who', value: [{ kind: 'text', text: 'user pipeline' }] }],
  missing: ['the key: AccessDenied'],
  mayComeLater: true,
};

/** All that a channel may hear of an alert: the card as it fills in, news of it, the note in the thread, a line of a digest. */
function messagesOf(alert: Alert): readonly Message[] {
  const opened = {
    id: 'IR-1',
    alert,
    round: 1,
    channel: 'C1',
    version: 1,
    shownVersion: 0,
    cardFrom: 0,
  } as unknown as Case;
  const parts = [{ key: 'k', investigation: 'who' as const, brief: news, at: '2026-11-20T21:06:00Z' }];
  const enrichment = {
    ...{ caseId: 'IR-1', version: 'v', parts, accountMissing: [] },
    tries: 1,
    wantedAt: '2026-11-20T21:06:00Z',
  };
  const full = findingCard({
    ...shown(alert),
    enrichment: { enrichment, account: undefined },
    verification: 'pending',
  });
  const line = storyOf(
    alert,
    'C1',
    { case: opened, previous: undefined, members: [], lastAt: '2026-11-20T21:06:00Z' },
    {
      noise: defaultNoise,
      jewel: true,
      muted: false,
    },
  );
  const said = line?.said ?? [{ kind: 'text', text: 'nothing' }];
  return [
    card(alert),
    withCaseNews(full, { case: opened, parts: ['IR-2'], snooze: 's', falsePositive: 'f' }),
    ownMessage({ caseId: 'IR-1', alert, account: undefined, said, acknowledge: 'a', isClosed: false }),
    threadNote(alert, said),
    digestPage(
      0,
      Array.from({ length: linesPerPage }, (_, at) => ({ number: at + 1, caseId: 'IR-1', line: digestLine(alert) })),
    ),
    digestHead({
      ...{ id: 'd', channel: 'C1', openedAt: '2026-11-20T21:06:00Z', total: 80, shown: 0 },
      groups: [{ group: digestGroup(alert, undefined), count: 80 }],
    }),
  ];
}

/** What Slack would refuse by either of two readings of its rules, and what it would bring to life. */
function faultsOf(alert: Alert): readonly string[] {
  const asked = { button: 'b', channelId: 'C1', usual: 24, spans: [{ hours: 24, label: '24 hours' }] };
  const dialog = checkView(snoozeView({ ...asked, what: `Mutes ${ruleWords(ruleOf(alert))}.` }), 'modal');
  return [
    ...(dialog.ok ? [] : dialog.messages),
    ...messagesOf(alert).flatMap((message) => {
      const rendered = toSlack(message);
      const blocks = rendered.blocks ?? [];
      const verdict = checkBlocks(blocks, 'message');
      const live =
        JSON.stringify(rendered).match(/<(?:!(?!date)|@|#|https?:|mailto:)[^>]*>|@(?:here|channel|everyone)\b/giu) ??
        [];
      return [
        ...(verdict.ok ? [] : verdict.messages),
        ...problemsOf({ text: rendered.text, blocks }),
        ...live.map((one) => `live: ${one}`),
      ];
    }),
  ];
}

describe('GuardDuty by any door', () => {
  it('reads the same finding in both spellings, with and without an envelope, as one delivery', () => {
    const pascal = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(pascal);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key.charAt(0).toUpperCase() + key.slice(1), pascal(item)]),
      );
    };
    const { detail } = finding();

    const parsed = [finding(), detail, pascal(detail)].map((value) => parseAlertEvent(value));

    const keys = parsed.map((one) => (one.ok ? one.alerts[0]?.deliveryKey : one.reason));
    expect(new Set(keys).size).toBe(1);
    expect(only(pascal(detail)).actor.accessKeyId).toBe('AKIAIOSFODNN7EXAMPLE');
  });

  it("unfolds a sequence's signals in the order in which they happened", () => {
    const alert = only(sequence());

    expect(alert.signals?.map(({ name, firstSeen }) => [name, firstSeen])).toEqual([
      ['ListUsers', '2026-11-20T20:40:06.000Z'],
      ['CreateRole', '2026-11-20T20:45:06.000Z'],
      ['DeleteTrail', '2026-11-20T20:50:06.000Z'],
    ]);
    const text = words(card(alert));
    expect(text.indexOf('ListUsers')).toBeLessThan(text.indexOf('CreateRole'));
    expect(text.indexOf('CreateRole')).toBeLessThan(text.indexOf('DeleteTrail'));
    expect(text).toContain('attack tactic: discovery');
  });

  it('starts the pivot of a sequence from every key, instance and address that it names', () => {
    const alert = only(sequence());

    expect(pivotSeedOf(alert)).toBe('AKIAIOSFODNN7EXAMPLE');
    expect(furtherSeedsOf(alert)).toEqual(['ASIAIOSFODNN7EXAMPLE', 'i-0abc1234def567890', '198.51.100.7']);
    expect(alert.furtherActors?.map(({ userName }) => userName)).toEqual(['nobody', 'deploy']);
  });
});

describe('Security Hub', () => {
  it('reads a finding of another product: what, where, how grave, from whom', () => {
    const alert = only(imported(asff()));

    expect(alert).toMatchObject({
      source: 'security-hub',
      product: 'Inspector',
      severity: 8,
      accountId: '111122223333',
      region: 'eu-west-1',
      resource: { type: 'AwsEc2Instance', id: 'i-0abc1234def567890' },
    });
    expect(words(card(alert))).toContain('A known vulnerability was found.');
    expect(words(card(alert))).toContain('CVE-2026-0001');
  });

  it('puts a copy of a GuardDuty finding into the case of the original, with its key and address', () => {
    const [native, copy] = [only(finding()), only(imported(guardDutyCopy()))];

    expect(copy.dedupeKey).toBe(native.dedupeKey);
    expect(copy).toMatchObject({
      copyOf: 'guardduty',
      type: native.type,
      severity: 8,
      count: 3,
      actor: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', userName: 'pipeline' },
    });
    expect(copy.remote[0]).toMatchObject({ ip: '198.51.100.7', country: 'Exampleland' });
    expect(copy.api?.name).toBe('RunInstances');
  });

  it('takes what the account itself imports for its own words, whatever id and product it claims', () => {
    const own = 'arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default';
    const forged = only(imported(guardDutyCopy({ ProductArn: own, Workflow: { Status: 'RESOLVED' } })));

    expect(forged.dedupeKey).not.toBe(only(finding()).dedupeKey);
    expect(forged.copyOf).toBeUndefined();
    expect(words(card(forged))).toContain('imported into Security Hub by account 111122223333 itself');

    const genuine = only(imported(asff()));
    const same = only(imported(asff({ ProductArn: own })));
    const elsewhere = only(
      imported(asff({ ProductArn: own.replaceAll('1111', '4444'), AwsAccountId: '444422223333' })),
    );
    expect(new Set([genuine, same, elsewhere].map(({ dedupeKey }) => dedupeKey)).size).toBe(3);
  });

  it('puts the OCSF copy of a GuardDuty finding there too', () => {
    const copy = ocsf({
      finding_info: { uid: guardDutyArn, title: 't', types: ['TTPs/Discovery/Recon:IAMUser-TorIPCaller'] },
      metadata: { product: { name: 'GuardDuty' } },
    });

    const alert = only(envelope('aws.securityhub', 'Findings Imported V2', { findings: [copy] }));

    expect(alert.dedupeKey).toBe(only(finding()).dedupeKey);
    expect(alert.type).toBe('Recon:IAMUser/TorIPCaller');
  });

  it.each([
    ['suppressed', { Workflow: { Status: 'SUPPRESSED' } }, { suppressed: true }],
    ['resolved', { Workflow: { Status: 'RESOLVED' } }, { resolved: true }],
    ['archived', { RecordState: 'ARCHIVED' }, { archived: true }],
    ['a check that passes', { Compliance: { Status: 'PASSED' } }, { resolved: true }],
    ['a sample', { Sample: true }, { sample: true }],
  ])('knows what is %s', (_what, changes, flags) => {
    expect(only(imported(asff(changes)))).toMatchObject(flags);
  });

  it('takes what a person sends by hand as work, whatever its state, and each finding by itself', () => {
    const detail = {
      actionName: 'To the responders',
      findings: [
        asff({ Compliance: { Status: 'PASSED' } }),
        asff({ Id: 'second', Workflow: { Status: 'SUPPRESSED' } }),
      ],
    };

    const alerts = alertsOf(envelope('aws.securityhub', 'Security Hub Findings - Custom Action', detail));

    expect(alerts).toHaveLength(2);
    expect(alerts.map(({ resolved, suppressed }) => resolved ?? suppressed ?? false)).toEqual([false, false]);
    expect(words(card(alerts[0] as Alert))).toContain('To the responders');
  });

  it('reads OCSF severities, states and times', () => {
    const alert = only(
      envelope('aws.securityhub', 'Findings Imported V2', { findings: [ocsf({ status: 'Suppressed' })] }),
    );

    expect(alert).toMatchObject({
      severity: 9.5,
      suppressed: true,
      updatedAt: new Date(1_795_208_400_000).toISOString(),
      resource: { id: 'i-0abc1234def567890' },
    });
  });
});

describe('CloudTrail via EventBridge', () => {
  it('says who called what from where', () => {
    const alert = only(viaCloudTrail(apiCall()));

    expect(alert).toMatchObject({
      source: 'cloudtrail',
      severity: 8,
      region: 'us-east-1',
      remote: [{ ip: '198.51.100.7' }],
    });
    expect(pivotSeedOf(alert)).toBe('AKIAIOSFODNN7EXAMPLE');
    const text = words(card(alert));
    expect(text).toContain('Somebody gave an IAM user a console password.');
    expect(text).toContain('CreateLoginProfile');
  });

  it('neither shows nor stores a session token', () => {
    const parsed = parseAlertEvent(viaCloudTrail(apiCall()));
    expect(JSON.stringify(parsed)).not.toContain('IQoJb3JpZ2lu');
  });

  it('says that the root user signed in, and that a sign-in failed', () => {
    const root = { type: 'Root', arn: 'arn:aws:iam::111122223333:root', accountId: '111122223333' };
    const signIn = (changes: Record<string, unknown>) =>
      only(
        viaCloudTrail(
          apiCall({ eventName: 'ConsoleLogin', eventSource: 'signin.amazonaws.com', ...changes }),
          'AWS Console Sign In via CloudTrail',
        ),
      );

    const success = signIn({ userIdentity: root, responseElements: { ConsoleLogin: 'Success' } });
    const failure = signIn({ responseElements: { ConsoleLogin: 'Failure' } });

    expect(success.severity).toBe(8);
    expect(words(card(success))).toContain('The root user signed in to the AWS console.');
    expect(words(card(failure))).toContain('AWS refused it');
  });

  it('takes a session issuer that is named by no text', () => {
    const identity = { type: 'AssumedRole', sessionContext: { sessionIssuer: { userName: true } } };
    expect(faultsOf(only(viaCloudTrail(apiCall({ userIdentity: identity }))))).toEqual([]);
  });

  it('passes event names that it does not know', () => {
    expect(words(card(only(viaCloudTrail(apiCall({ eventName: 'FrobnicateQuux' })))))).toContain('FrobnicateQuux');
  });
});

describe('AWS Health', () => {
  it('offers to disable a key that AWS found in public', () => {
    const alert = only(exposedKey());

    expect(alert).toMatchObject({ source: 'health', severity: 9.5, actor: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE' } });
    const message = card(alert);
    expect(words(message)).toContain('AWS found an access key of this account in public.');
    expect(
      message.parts.flatMap((part) => (part.kind === 'buttons' ? part.buttons.map(({ action }) => action) : [])),
    ).toEqual(['pivot', 'contain', 'acknowledge']);
  });

  it('finds instance and address of an abuse report', () => {
    const alert = only(abuse());
    expect(alert.resourceIds).toContain('i-0abc1234def567890');
    expect(alert.remote).toEqual([{ ip: '203.0.113.9' }]);
    expect(words(card(alert))).toContain('AWS received an abuse report about this account.');
  });
});

describe('alarms, money, Config and EC2', () => {
  it('reads an alarm the same from EventBridge and from SNS', () => {
    const [event, message] = [only(alarmEvent()), only(alarmMessage())];
    expect(event.dedupeKey).toBe(message.dedupeKey);
    expect(message.region).toBe('eu-west-1');
    expect(pivotSeedOf(message)).toBe('i-0abc1234def567890');
    expect(words(card(event))).toContain('An alarm fires.');
  });

  it('knows that an alarm is over', () => {
    expect(only(alarmEvent('OK'))).toMatchObject({ resolved: true, type: 'OK' });
  });

  it('reads the text of a budget line by line', () => {
    const alert = only(budgetText, { topicArn: 'arn:aws:sns:us-east-1:111122223333:money' });
    expect(alert).toMatchObject({
      source: 'budgets',
      accountId: '111122223333',
      title: 'month',
      severity: 8,
      updatedAt: '2026-11-20T00:00:00.000Z',
    });
    expect(words(card(alert))).toContain('$1,250.85');
  });

  it.each([costAnomaly(), envelope('aws.ce', 'Anomaly Detected', costAnomaly())])('reads a cost anomaly', (event) => {
    expect(only(event)).toMatchObject({
      source: 'cost-anomaly',
      accountId: '111122223333',
      region: 'ap-south-1',
      severity: 8,
    });
    expect(words(card(only(event)))).toContain('$1,800.50');
  });

  it('follows the compliance of one resource with one rule', () => {
    const [broken, kept] = [
      only(compliance('NON_COMPLIANT')),
      only(compliance('COMPLIANT', '2026-11-20T22:00:00.000Z')),
    ];
    expect(broken.dedupeKey).toBe(kept.dedupeKey);
    expect([broken.resolved, kept.resolved]).toEqual([false, true]);
  });

  it('reads both spellings of an instance state', () => {
    const other = envelope('aws.ec2', 'EC2 Instance State-change Notification', {
      instance_id: 'i-0abc1234def567890',
      state: 'terminated',
    });
    expect(only(other).dedupeKey).toBe(only(instanceState()).dedupeKey);
    expect(words(card(only(other)))).toContain('An EC2 instance was terminated.');
  });
});

describe('other tools', () => {
  const body = {
    kind: 'intrusion',
    data: {
      headline: 'Odd login',
      score: 'red',
      who: ['arn:aws:iam::111122223333:user/eve'],
      place: { acct: 444455556666 },
    },
    key: 'k-1',
    noise: '203.0.113.9',
  };
  const mapping = {
    name: 'Sensor',
    when: { kind: 'intrusion' },
    title: ['data.headline'],
    severity: ['data.missing', 'data.score'],
    severities: { red: 9 },
    account: ['data.place.acct'],
    id: ['key'],
    artifacts: ['data.who[*]'],
  };

  it('are read by the mapping of the config', () => {
    const alert = only(body, { mappings: [mapping] });

    expect(alert).toMatchObject({
      source: 'other',
      product: 'Sensor',
      title: 'Odd login',
      severity: 9,
      accountId: '444455556666',
      actor: { principalArn: 'arn:aws:iam::111122223333:user/eve' },
      remote: [],
      notes: ['it does not say when it happened'],
    });
    expect(alert.dedupeKey).toBe(
      only({ ...body, data: { ...body.data, headline: 'New words' } }, { mappings: [mapping] }).dedupeKey,
    );
  });

  it('are guessed without one, and the card says so', () => {
    const alert = only({
      alert: { name: 'Shell in container', severity: 'warning' },
      context: {
        account_id: '111122223333',
        awsRegion: 'eu-west-1',
        src: '203.0.113[.]9',
        key: 'AKIAIOSFODNN7EXAMPLE',
      },
      timestamp: '2026-11-20T21:00:00Z',
    });

    expect(alert).toMatchObject({
      title: 'Shell in container',
      severity: 5,
      accountId: '111122223333',
      region: 'eu-west-1',
      updatedAt: '2026-11-20T21:00:00.000Z',
      remote: [{ ip: '203.0.113.9' }],
      actor: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE' },
    });
    expect(words(card(alert))).toContain('its fields were guessed');
  });

  it('take the time at which they came where they say none', () => {
    expect(only({ title: 'x' }).updatedAt).toBe(anything.at);
  });

  it('are not guessed at the EventBridge door', () => {
    expect(parseAlertEvent({ title: 'x' }, { accept: 'eventbridge' })).toEqual({
      ok: false,
      status: 'malformed',
      reason: 'not an EventBridge event: `source` is missing',
    });
    expect(parseAlertEvent(envelope('my.app', 'Order Placed', {}), { accept: 'eventbridge' })).toMatchObject({
      ok: false,
      status: 'ignored',
    });
  });

  it('do not come of the test that S3 sends for a new notification', () => {
    const test = { Service: 'Amazon S3', Event: 's3:TestEvent', Time: '2026-11-20T10:00:00.000Z', Bucket: 'logs' };
    for (const accept of ['known', 'anything'] as const) {
      expect(parseAlertEvent(test, { accept })).toMatchObject({ ok: false, status: 'ignored' });
    }
  });

  it('come as a list as well, and nothing of it is lost', () => {
    expect(alertsOf([alarmMessage(), { title: 'x' }, finding()]).map(({ source }) => source)).toEqual([
      'cloudwatch',
      'other',
      'guardduty',
    ]);
  });

  it('come as text, whose subject is the title', () => {
    const alert = only('Look at 198.51.100(.)7 please', { ...anything, subject: 'Hello' });
    expect(alert).toMatchObject({ title: 'Hello', remote: [{ ip: '198.51.100.7' }] });
    expect(parseAlertEvent('Hello world!')).toMatchObject({ ok: false, status: 'malformed' });
  });
});

describe('every kind', () => {
  it.each(everyKind())('%s gives a card that Slack takes', (_what, event) => {
    const alert = only(event);
    expect(faultsOf(alert)).toEqual([]);
    expect(card(alert).text).toMatch(/^[A-Z].+\.$/);
    expect(words(card(alert))).not.toMatch(/undefined|\[object/);
  });

  it.each(everyKind())('%s is the same delivery when it comes again in another envelope', (_what, event) => {
    const again =
      typeof event === 'object'
        ? { ...(event as object), ...('source' in (event as object) && { id: 'other' }) }
        : event;
    const [first, second] = [parseAlertEvent(event, anything), parseAlertEvent(again, anything)];
    expect(first.ok && second.ok && first.alerts[0]?.deliveryKey === second.alerts[0]?.deliveryKey).toBe(true);
  });
});

interface Sample {
  readonly name: string;
  readonly body: unknown;
}

function samples(): readonly Sample[] {
  if (!existsSync(sharedData)) return [];
  const documents = globSync(join(sharedData, '{eventbridge,findings,sns}/**/*.{json,tpl}')).map((file) => ({
    name: relative(sharedData, file),
    body: JSON.parse(readFileSync(file, 'utf8')) as unknown,
  }));
  const lines = globSync(join(sharedData, 'detection-tests/**/*.ndjson')).flatMap((file) =>
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line, index) => ({
        name: `${relative(sharedData, file)}#${index}`,
        body: (JSON.parse(line) as { event: unknown }).event,
      })),
  );
  // Tests of correlations hold no alerts; what is in their folder is walked all the same.
  const others = globSync(join(sharedData, 'detection-tests/**/*.json')).map((file) => ({
    name: relative(sharedData, file),
    body: JSON.parse(readFileSync(file, 'utf8')) as unknown,
  }));
  return [...documents, ...lines, ...others];
}

/** Not alerts, or not at this door; each is refused with the reason. */
const refused: Readonly<Record<string, RegExp>> = {
  'aws-doc-notification.json': /SNS message/,
  'bobf-valid_signature.json': /SNS message/,
  'awsConfigRuleConfigurationChanged.json': /Config rule/,
  'cloudWatchDashboardEvent.json': /dashboard/,
  'cloudWatchLogEvent.json': /log lines/,
  'cloudWatchLogEventWithPolicyLevel.json': /log lines/,
  'kinesisFirehoseSQSEvent.json': /Firehose/,
  's3Event.json': /objects in S3/,
  's3EventBridgeNotificationObjectCreatedEvent.json': /objects in S3/,
  's3EventBridgeNotificationObjectExpiredEvent.json': /objects in S3/,
  's3EventBridgeNotificationObjectRestoreCompletedEvent.json': /objects in S3/,
  's3EventDeleteObject.json': /objects in S3/,
  's3EventGlacier.json': /objects in S3/,
  's3ObjectEventIAMUser.json': /Object Lambda/,
  'snsEvent.json': /SNS event/,
  'sqsEvent.json': /SQS event/,
  'app-elb-config-event.json': /Config rule/,
  'event-config-rule-instance.json': /Config rule/,
  's3-from-rule-sans-accelerator.json': /Config rule/,
  'event-cloud-trail-bedrock-create-customization-jobs.json': /no readable eventTime/,
  'event-scheduled.json': /scheduled event/,
  'event-securityhub-insight-2.json': /insight/,
};

describe.skipIf(!hasSharedData)('the shared samples', () => {
  const all = samples();

  it('are there to be tested', () => expect(all.length).toBeGreaterThan(300));

  it.each(all.filter(({ name }) => !name.startsWith('detection-tests')))(
    '$name is accepted and rendered, or refused with the reason',
    ({ name, body }) => {
      const parsed = parseAlertEvent(body, anything);
      const reason = refused[name.split('/').at(-1) ?? ''];
      if (reason === undefined) {
        expect(parsed).toMatchObject({ ok: true });
        expect(parsed.ok && parsed.alerts.flatMap(({ alert }) => faultsOf(alert))).toEqual([]);
      } else {
        expect(parsed.ok ? 'taken' : parsed.reason).toMatch(reason);
      }
    },
  );

  it('of detections are all accepted and rendered; those that lack a time are read by guesses or refused for it', () => {
    const bad: string[] = [];
    for (const { name, body } of all.filter((one) => one.name.startsWith('detection-tests'))) {
      const parsed = parseAlertEvent(body, anything);
      if (!parsed.ok) {
        if (!/no readable eventTime/.test(parsed.reason)) bad.push(`${name}: ${parsed.reason}`);
      } else for (const { alert } of parsed.alerts) bad.push(...faultsOf(alert).map((fault) => `${name}: ${fault}`));
    }
    expect(bad).toEqual([]);
  });
});

const attack = fc.constantFrom(
  '<!channel>',
  '<https://evil.example|login>',
  '<@U012345>',
  '\u202e`@here`',
  '\n*x*',
  '\u0000',
  'https://evil.example',
  'a'.repeat(5_000),
  '',
  '\ud800',
  null,
  0,
  -1,
  1e308,
  true,
  [],
  {},
  { __proto__: { polluted: true } },
);

/** Replaces some values of a body by hostile ones, keeping what tells its kind. */
function mutated(value: unknown, next: () => unknown, key = ''): unknown {
  if (['source', 'detail-type'].includes(key)) return value;
  if (Array.isArray(value)) {
    const chosen = next();
    return chosen !== undefined && key !== 'findings' ? chosen : value.map((item) => mutated(item, next));
  }
  if (typeof value === 'object' && value !== null) {
    const chosen = key === '' || key === 'detail' ? undefined : next();
    if (chosen !== undefined) return chosen;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mutated(item, next, name)]));
  }
  return next() ?? value;
}

describe('hostile events', () => {
  const bodies = [...everyKind().map(([, body]) => body), ...samples().map(({ body }) => body)];

  it('never crash, never lose what they hold, never put anything live into a card', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...bodies),
        fc.infiniteStream(fc.option(attack, { freq: 6, nil: undefined })),
        (body, stream) => {
          const parsed = parseAlertEvent(
            mutated(body, () => stream.next().value),
            anything,
          );
          if (!parsed.ok) {
            expect(parsed.reason).toMatch(/^[^<>@]{5,200}$/);
            return;
          }
          expect(parsed.alerts.length).toBeGreaterThan(0);
          for (const { alert, deliveryKey } of parsed.alerts) {
            expect(faultsOf(alert)).toEqual([]);
            expect(deliveryKey).toMatch(/^[a-z0-9-]+-[0-9a-f]{64}$/);
            expect(JSON.stringify(alert)).not.toContain('\\u0000');
            expect(Number.isFinite(alert.severity)).toBe(true);
          }
          expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
        },
      ),
      { numRuns: 700 },
    );
  }, 60_000);

  it('of any JSON at all are taken at the door that takes anything', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), (body) => {
        const parsed = parseAlertEvent(body, anything);
        if (!parsed.ok) return expect(parsed.reason.length).toBeGreaterThan(5);
        for (const { alert } of parsed.alerts) expect(faultsOf(alert)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
