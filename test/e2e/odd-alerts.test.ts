/** Alerts as AWS and other tools really send them, that once were lost, told as over, or read as less than they are. */
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { webhookToken } from '../../demo/setting.ts';
import { demoIds } from '../../demo/slack/workspace.ts';
import { sql } from '../support/doors.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const { alerts, critical } = demoIds;
const account = '111122223333';
const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
/** Text that no index can compress. */
const noise = (length: number) => randomBytes(length).toString('base64url').slice(0, length);

const event = (source: string, detailType: string, detail: unknown) => ({
  ...{ version: '0', id: randomUUID(), 'detail-type': detailType, source, account, time: ago(1), region: 'eu-west-1' },
  resources: [],
  detail,
});

const hubFinding = (more: Readonly<Record<string, unknown>>) =>
  event('aws.securityhub', 'Security Hub Findings - Imported', {
    findings: [
      {
        ...{ SchemaVersion: '2018-10-08', ProductArn: 'arn:aws:securityhub:eu-west-1::product/aws/inspector' },
        ...{ ProductName: 'Inspector', Region: 'eu-west-1', AwsAccountId: account, GeneratorId: 'AWSInspector' },
        ...{ Types: ['Software and Configuration Checks/Vulnerabilities/CVE'], CreatedAt: ago(60), UpdatedAt: ago(30) },
        ...{ Severity: { Label: 'LOW' }, Description: 'D', RecordState: 'ACTIVE', Workflow: { Status: 'NEW' } },
        Resources: [{ Type: 'AwsEc2Instance', Id: `arn:aws:ec2:eu-west-1:${account}:instance/i-0123456789abcdef0` }],
        ...more,
      },
    ],
  });

const guardDuty = (more: Readonly<Record<string, unknown>>, service: Readonly<Record<string, unknown>> = {}) =>
  event('aws.guardduty', 'GuardDuty Finding', {
    ...{ schemaVersion: '2.0', accountId: account, region: 'eu-west-1', partition: 'aws', id: noise(32) },
    ...{ severity: 8, createdAt: ago(50), updatedAt: ago(10), title: 'T', description: 'D' },
    ...more,
    service: { serviceName: 'guardduty', count: 1, archived: false, ...service },
  });

const callOf = (eventName: string) => ({
  eventVersion: '1.11',
  userIdentity: { type: 'IAMUser', arn: `arn:aws:iam::${account}:user/zed`, accountId: account, userName: 'zed' },
  ...{ eventTime: ago(2), eventSource: 'cloudtrail.amazonaws.com', eventName, awsRegion: 'eu-west-1' },
  ...{ sourceIPAddress: '198.51.100.9', userAgent: 'aws-cli', requestParameters: { name: 'org-trail' } },
  ...{ eventID: randomUUID(), readOnly: false, eventType: 'AwsApiCall', recipientAccountId: account },
});

describe('odd alerts', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene();
  });
  afterAll(() => scene?.close());

  const everywhere = () => [...scene.slack.messages(alerts), ...scene.slack.messages(critical)];
  const card = (words: string) =>
    scene.slack.waitFor(() => everywhere().find((message) => wordsOf(message).includes(words)), 15_000);
  const send = async (body: unknown) => expect((await scene.send(body)).status).toBe(202);
  const post = async (body: unknown) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${webhookToken}` };
    const url = `${scene.firebreak.url}/webhooks/alert`;
    expect((await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).status).toBe(202);
  };
  const settled = () =>
    expect
      .poll(() => sql(scene, 'SELECT id FROM alerts WHERE handled_at IS NULL'), { timeout: 15_000, interval: 100 })
      .toEqual([]);

  it('makes a card of an alert whose resource has a name longer than an index holds', async () => {
    await send(hubFinding({ Id: 'long', Title: 'Long name', Resources: [{ Type: 'Other', Id: noise(4_000) }] }));
    await send(hubFinding({ Id: 'place', Title: 'Long account', AwsAccountId: noise(4_000) }));

    await card('Long name');
    await card('Long account');
  });

  it('gives the card of an attack sequence its button to pivot, however long the names of its actors are', async () => {
    const actors = Array.from({ length: 30 }, (_, index) => ({
      id: `a${index}`,
      user: { uid: `arn:aws:sts::${account}:assumed-role/${noise(60)}/${noise(60)}`, type: 'AssumedRole' },
    }));
    const sequence = { uid: 's', actors, resources: [], endpoints: [], signals: [{ uid: 'x', name: 'ListUsers' }] };
    await send(
      guardDuty(
        {
          type: 'AttackSequence:IAM/CompromisedCredentials',
          severity: 9,
          resource: { resourceType: 'AttackSequence' },
        },
        { detection: { sequence } },
      ),
    );

    expect(hasButton(await card('Several signals together'), 'pivot')).toBe(true);
  });

  it('hears that people raised a finding in Security Hub, which leaves its time as it was', async () => {
    const at = { Id: 'raised', Title: 'Raised by hand', UpdatedAt: ago(30) };
    await send(hubFinding(at));
    await card('Raised by hand');
    await send(hubFinding({ ...at, Severity: { Label: 'CRITICAL' } }));

    await card('severity rose from Low 2.0 to Critical 9.5');
  });

  it('hears that a finding was suppressed in Security Hub, and that it is not any more', async () => {
    const at = { Id: 'quiet', Title: 'Quiet for a while', UpdatedAt: ago(30), Severity: { Label: 'HIGH' } };
    await send(hubFinding(at));
    await card('Quiet for a while');
    await send(hubFinding({ ...at, Workflow: { Status: 'SUPPRESSED' } }));
    await settled();
    await send(hubFinding({ ...at, Workflow: { Status: 'NOTIFIED' } }));
    await settled();

    const [row] = await sql<{ suppressed: string | null }>(
      scene,
      "SELECT alert->>'suppressed' AS suppressed FROM cases WHERE alert->>'title' = 'Quiet for a while'",
    );
    expect(row?.suppressed).toBe('false');
    const said = await sql<{ said: unknown }>(scene, 'SELECT said FROM case_entries WHERE said IS NOT NULL');
    expect(JSON.stringify(said)).toContain('it was suppressed in Security Hub');
    expect(JSON.stringify(said)).toContain('it is no longer suppressed in Security Hub');
  });

  it('does not tell of a check that could not be made that it passes', async () => {
    const check = { Id: 'check', Title: 'Check of a port', Severity: { Label: 'HIGH' } };
    await send(hubFinding({ ...check, Compliance: { Status: 'FAILED' } }));
    await card('A security check of Security Hub failed.');
    await send(hubFinding({ ...check, UpdatedAt: ago(5), Compliance: { Status: 'NOT_AVAILABLE' } }));

    const words = wordsOf(await card('A security check could not be made.'));

    expect(words).not.toContain('OVER');
    expect(words).not.toContain('passes');
  });

  it('opens a case for a key in public although the event of AWS Health is closed', async () => {
    const detail = {
      ...{ eventArn: `arn:aws:health:us-east-1::event/RISK/X/${randomUUID()}`, service: 'RISK', statusCode: 'closed' },
      ...{ eventTypeCode: 'AWS_RISK_CREDENTIALS_EXPOSED', eventTypeCategory: 'accountNotification' },
      ...{ startTime: 'Fri, 20 Nov 2026 22:00:00 GMT', affectedAccount: account, page: '1', totalPages: '1' },
      eventDescription: [{ language: 'en_US', latestDescription: 'Exposed and closed' }],
      affectedEntities: [{ entityValue: 'AKIAI44QH8DHBEXAMPLE' }],
    };
    await send(event('aws.health', 'AWS Health Event', detail));

    const words = wordsOf(await card('AKIAI44QH8DHBEXAMPLE'));

    expect(words).not.toContain('OVER');
  });

  it('is as grave as the gravest alert of a group, also of one that joins later', async () => {
    const alertOf = (alertname: string, severity: string) => ({
      ...{ status: 'firing', labels: { alertname, severity }, startsAt: ago(60) },
    });
    const group = { groupKey: '{}:{job="x"}', status: 'firing', alerts: [alertOf('Slow queue', 'warning')] };
    await post(group);
    await card('Slow queue');
    await post({ ...group, alerts: [...group.alerts, alertOf('Root shell', 'critical')] });

    await card('severity rose from Medium 5.0 to Critical 9.5');
  });

  it('does not take the first of priorities for the least', async () => {
    await post({ title: 'First of all', priority: 1 });

    expect((await card('First of all')).text).toContain('High (no severity given)');
  });

  it('keeps no password of a command line that GuardDuty quotes', async () => {
    const commandLineExample = 'mysqldump -u root --password=hunter2secret -h db && PGPASSWORD=hunter3secret psql';
    await send(
      guardDuty(
        { type: 'Execution:Runtime/SuspiciousCommand', resource: { resourceType: 'Instance' } },
        { runtimeDetails: { context: { commandLineExample, environment: { DB_PASSWORD: 'hunter4secret' } } } },
      ),
    );
    await card('ran a command that points to a compromise');

    const kept = await sql<{ raw: unknown }>(
      scene,
      "SELECT raw FROM alerts WHERE raw::text LIKE '%mysqldump -u root%'",
    );
    expect(kept).toHaveLength(1);
    expect(JSON.stringify(kept)).not.toMatch(/hunter\dsecret/);
  });

  it('shows what Malware Protection for S3 found, of which there is no finding', async () => {
    const scan = (scanResultStatus: string) =>
      event('aws.guardduty', 'GuardDuty Malware Protection Object Scan Result', {
        ...{ schemaVersion: '1.0', scanStatus: 'COMPLETED', resourceType: 'S3_OBJECT' },
        s3ObjectDetails: { bucketName: 'uploads', objectKey: 'invoice.exe', eTag: 'e', versionId: 'v' },
        scanResultDetails: { scanResultStatus, threats: [{ name: 'EICAR-Test-File' }] },
      });
    expect((await scene.send(scan('NO_THREATS_FOUND'))).status).toBe(200);
    await send(scan('THREATS_FOUND'));

    expect(wordsOf(await card('EICAR-Test-File'))).toContain('invoice.exe');
  });

  it('tells an insight of CloudTrail from the call that it counts', async () => {
    const insight = (state: string) => ({
      ...{ eventVersion: '1.08', eventTime: ago(3), awsRegion: 'eu-west-1', eventID: randomUUID() },
      ...{ eventType: 'AwsCloudTrailInsight', recipientAccountId: account, sharedEventID: 'shared-1' },
      insightDetails: {
        ...{ state, eventSource: 'iam.amazonaws.com', eventName: 'CreateAccessKey', insightType: 'ApiCallRateInsight' },
        insightContext: { statistics: { baseline: { average: 0.01 }, insight: { average: 40 } } },
      },
      eventCategory: 'Insight',
    });
    await send(event('aws.iam', 'AWS Insight via CloudTrail', insight('Start')));
    await card('CloudTrail Insights saw an unusual rate of calls.');
    await send(event('aws.iam', 'AWS Insight via CloudTrail', insight('End')));
    await settled();

    const cases = await sql(scene, "SELECT id FROM cases WHERE alert->>'type' LIKE '%Insight'");
    expect(cases).toHaveLength(1);
    expect(await sql(scene, "SELECT 1 FROM stream_records WHERE record::text LIKE '%Insight%'")).toEqual([]);
  });

  it('gives every record of a list or of a file of CloudTrail to the rules', async () => {
    const envelope = (name: string) => event('aws.cloudtrail', 'AWS API Call via CloudTrail', callOf(name));
    await post([envelope('StopLogging'), envelope('DeleteTrail')]);
    await post({ Records: [callOf('StopLogging'), callOf('DeleteTrail')] });
    await settled();

    const heard = await sql<{ count: string }>(scene, 'SELECT count(*) AS count FROM stream_records');
    expect(heard).toEqual([{ count: '4' }]);
    expect(
      await sql(scene, "SELECT 1 FROM cases WHERE alert->>'source' = 'other' AND alert->>'title' = 'org-trail'"),
    ).toEqual([]);
  });
});
