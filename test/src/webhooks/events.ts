/** Events of every kind for tests, composed after AWS's documented shapes (DOMAIN.md 2). */

type Fields = Readonly<Record<string, unknown>>;

const account = '111122223333';

export function envelope(source: string, detailType: string, detail: unknown, changes: Fields = {}): Fields {
  return {
    version: '0',
    id: 'b1f5a1f0-0000-4000-8000-000000000002',
    'detail-type': detailType,
    source,
    account,
    time: '2026-11-20T21:05:00Z',
    region: 'eu-west-1',
    resources: [],
    detail,
    ...changes,
  };
}

export function sequence(): Fields {
  const signal = (uid: string, name: string, firstSeenAt: string, tactic: string) => ({
    uid,
    type: 'CLOUD_TRAIL',
    name,
    severity: 5,
    count: 2,
    firstSeenAt,
    lastSeenAt: firstSeenAt,
    signalIndicators: [{ key: 'ATTACK_TACTIC', values: [tactic], title: 'MITRE tactic' }],
  });
  return envelope('aws.guardduty', 'GuardDuty Finding', {
    schemaVersion: '2.0',
    accountId: account,
    region: 'eu-west-1',
    partition: 'aws',
    id: 'seq00000000000000000000000000001',
    type: 'AttackSequence:IAM/CompromisedCredentials',
    severity: 9.3,
    title: 'Potential credential compromise.',
    description: 'A sequence of actions.',
    createdAt: '2026-11-20T20:58:11.003Z',
    updatedAt: '2026-11-20T21:04:40.120Z',
    resource: { resourceType: 'AttackSequence' },
    service: {
      count: 1,
      featureName: 'Correlation',
      detection: {
        sequence: {
          uid: 'sequence-1',
          actors: [
            { id: 'a1', user: { name: 'nobody', uid: 'AIDAIOSFODNN7EXAMPL2', type: 'IAMUser' } },
            {
              id: 'a2',
              user: {
                name: 'pipeline',
                uid: 'AIDAIOSFODNN7EXAMPLE',
                type: 'IAMUser',
                credentialUid: 'AKIAIOSFODNN7EXAMPLE',
              },
            },
            {
              id: 'a3',
              user: {
                name: 'deploy',
                uid: 'AROAIOSFODNN7EXAMPLE',
                type: 'AssumedRole',
                credentialUid: 'ASIAIOSFODNN7EXAMPLE',
              },
            },
          ],
          resources: [
            { uid: 'i-0abc1234def567890', resourceType: 'EC2_INSTANCE' },
            { uid: 'arn:aws:s3:::payroll', name: 'payroll', resourceType: 'S3_BUCKET' },
          ],
          endpoints: [{ id: 'e1', ip: '198.51.100.7', location: { country: 'Exampleland' } }],
          signals: [
            signal('s3', 'DeleteTrail', '2026-11-20 20:50:06.000000000', 'Defense Evasion'),
            signal('s1', 'ListUsers', '2026-11-20 20:40:06.000000000', 'Discovery'),
            signal('s2', 'CreateRole', '2026-11-20 20:45:06.000000000', 'Persistence'),
          ],
        },
      },
    },
  });
}

export const guardDutyArn = `arn:aws:guardduty:eu-west-1:${account}:detector/ab12/finding/3ac1f2d4e5b60718293a4b5c6d7e8f90`;

export function asff(changes: Fields = {}): Fields {
  return {
    SchemaVersion: '2018-10-08',
    Id: 'arn:aws:inspector2:eu-west-1:111122223333:finding/0123456789abcdef',
    ProductArn: 'arn:aws:securityhub:eu-west-1::product/aws/inspector',
    ProductName: 'Inspector',
    CompanyName: 'Amazon',
    Region: 'eu-west-1',
    AwsAccountId: account,
    GeneratorId: 'AWSInspector',
    Types: ['Software and Configuration Checks/Vulnerabilities/CVE'],
    FirstObservedAt: '2026-11-20T20:00:00.000Z',
    LastObservedAt: '2026-11-20T21:00:00.000Z',
    CreatedAt: '2026-11-20T20:00:00.000Z',
    UpdatedAt: '2026-11-20T21:00:00.000Z',
    Severity: { Label: 'HIGH', Normalized: 70 },
    Title: 'CVE-2026-0001 - openssl',
    Description: 'A flaw.',
    Resources: [
      {
        Type: 'AwsEc2Instance',
        Id: `arn:aws:ec2:eu-west-1:${account}:instance/i-0abc1234def567890`,
        Region: 'eu-west-1',
      },
    ],
    Vulnerabilities: [{ Id: 'CVE-2026-0001' }],
    Workflow: { Status: 'NEW' },
    RecordState: 'ACTIVE',
    ...changes,
  };
}

/** The copy that Security Hub makes of `finding()` in findings.ts. */
export function guardDutyCopy(changes: Fields = {}): Fields {
  return asff({
    Id: guardDutyArn,
    ProductArn: 'arn:aws:securityhub:eu-west-1::product/aws/guardduty',
    ProductName: 'GuardDuty',
    Types: ['TTPs/UnauthorizedAccess:IAMUser-MaliciousIPCaller.Custom'],
    UpdatedAt: '2026-11-20T21:04:40.120Z',
    Severity: { Label: 'HIGH', Normalized: 70, Original: '8' },
    Title: 'API RunInstances was invoked from a listed IP address.',
    Resources: [
      {
        Type: 'AwsIamAccessKey',
        Id: 'AWS::IAM::AccessKey:AKIAIOSFODNN7EXAMPLE',
        Details: {
          AwsIamAccessKey: { PrincipalId: 'AIDAIOSFODNN7EXAMPLE', PrincipalName: 'pipeline', PrincipalType: 'IAMUser' },
        },
      },
    ],
    Vulnerabilities: undefined,
    ProductFields: {
      'aws/guardduty/service/count': '3',
      'aws/guardduty/service/action/actionType': 'AWS_API_CALL',
      'aws/guardduty/service/action/awsApiCallAction/api': 'RunInstances',
      'aws/guardduty/service/action/awsApiCallAction/serviceName': 'ec2.amazonaws.com',
      'aws/guardduty/service/action/awsApiCallAction/remoteIpDetails/ipAddressV4': '198.51.100.7',
      'aws/guardduty/service/action/awsApiCallAction/remoteIpDetails/country/countryName': 'Exampleland',
    },
    ...changes,
  });
}

export function imported(found: Fields): Fields {
  return envelope('aws.securityhub', 'Security Hub Findings - Imported', { findings: [found] });
}

export function ocsf(changes: Fields = {}): Fields {
  return {
    activity_name: 'Create',
    class_name: 'Vulnerability Finding',
    class_uid: 2002,
    cloud: { account: { uid: account }, provider: 'AWS', region: 'eu-west-1', cloud_partition: 'aws' },
    finding_info: {
      uid: 'arn:aws:inspector2:eu-west-1:111122223333:finding/fedcba',
      title: 'CVE-2026-0002 - curl',
      desc: 'A flaw.',
      types: ['Software and Configuration Checks/Vulnerabilities/CVE'],
      created_time_dt: '2026-11-20T20:00:00.000Z',
      modified_time: 1_795_208_400_000,
    },
    metadata: { product: { name: 'Inspector', uid: 'x', vendor_name: 'AWS' }, version: '1.6.0' },
    resources: [{ uid: `arn:aws:ec2:eu-west-1:${account}:instance/i-0abc1234def567890`, type: 'AWS::EC2::Instance' }],
    severity: 'Critical',
    severity_id: 5,
    status: 'New',
    status_id: 1,
    vulnerabilities: [{ cve: { uid: 'CVE-2026-0002' } }],
    ...changes,
  };
}

export function apiCall(changes: Fields = {}): Fields {
  return {
    eventVersion: '1.10',
    userIdentity: {
      type: 'IAMUser',
      principalId: 'AIDAIOSFODNN7EXAMPLE',
      arn: `arn:aws:iam::${account}:user/pipeline`,
      accountId: account,
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      userName: 'pipeline',
    },
    eventTime: '2026-11-20T21:00:00Z',
    eventSource: 'iam.amazonaws.com',
    eventName: 'CreateLoginProfile',
    awsRegion: 'us-east-1',
    sourceIPAddress: '198.51.100.7',
    userAgent: 'aws-cli/2.0',
    requestParameters: { userName: 'mallory' },
    responseElements: { credentials: { sessionToken: 'IQoJb3JpZ2luX2VjEXAMPLETOKENEXAMPLETOKENEXAMPLETOKENEXAMPLE' } },
    requestID: 'r',
    eventID: 'c0ffee00-0000-4000-8000-000000000001',
    readOnly: false,
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: account,
    ...changes,
  };
}

export function viaCloudTrail(record: Fields, detailType = 'AWS API Call via CloudTrail'): Fields {
  return envelope('aws.iam', detailType, record, { region: 'us-east-1' });
}

export function exposedKey(changes: Fields = {}): Fields {
  return envelope(
    'aws.health',
    'AWS Health Event',
    {
      eventArn: 'arn:aws:health:us-east-1::event/RISK/AWS_RISK_CREDENTIALS_EXPOSED/AWS_RISK_CREDENTIALS_EXPOSED_1',
      service: 'RISK',
      eventTypeCode: 'AWS_RISK_CREDENTIALS_EXPOSED',
      eventTypeCategory: 'issue',
      startTime: 'Fri, 20 Nov 2026 21:00:00 GMT',
      eventDescription: [{ language: 'en_US', latestDescription: 'The key was found at https://github.example/leak.' }],
      affectedEntities: [{ entityValue: 'AKIAIOSFODNN7EXAMPLE' }],
      communicationId: 'c-1',
      page: '1',
      totalPages: '1',
      ...changes,
    },
    { region: 'us-east-1' },
  );
}

export function abuse(): Fields {
  return envelope('aws.health', 'AWS Health Abuse Event', {
    eventArn: 'arn:aws:health:global::event/ABUSE/AWS_ABUSE_DOS_REPORT/AWS_ABUSE_DOS_REPORT_1',
    service: 'ABUSE',
    eventTypeCode: 'AWS_ABUSE_DOS_REPORT',
    eventTypeCategory: 'issue',
    startTime: 'Fri, 20 Nov 2026 21:00:00 GMT',
    eventDescription: [{ language: 'en_US', latestDescription: 'Denial of service from 203.0.113.9.' }],
    affectedEntities: [{ entityValue: 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc1234def567890' }],
  });
}

const alarmArn = `arn:aws:cloudwatch:eu-west-1:${account}:alarm:RootUsed`;

export function alarmEvent(state = 'ALARM', at = '2026-11-20T21:00:00.000+0000'): Fields {
  return envelope(
    'aws.cloudwatch',
    'CloudWatch Alarm State Change',
    {
      alarmName: 'RootUsed',
      configuration: {
        description: 'The root user did something',
        metrics: [{ id: 'm', metricStat: { metric: { namespace: 'CIS', name: 'RootUsage', dimensions: {} } } }],
      },
      previousState: { value: state === 'OK' ? 'ALARM' : 'OK', reason: 'r', timestamp: at },
      state: { value: state, reason: 'Threshold crossed: 1 datapoint (3.0)', timestamp: at },
    },
    { resources: [alarmArn] },
  );
}

export function alarmMessage(): Fields {
  return {
    AlarmName: 'RootUsed',
    AlarmDescription: 'The root user did something',
    AWSAccountId: account,
    NewStateValue: 'ALARM',
    NewStateReason: 'Threshold crossed: 1 datapoint (3.0)',
    StateChangeTime: '2026-11-20T21:00:00.000+0000',
    Region: 'EU (Ireland)',
    AlarmArn: alarmArn,
    OldStateValue: 'OK',
    Trigger: {
      MetricName: 'RootUsage',
      Namespace: 'CIS',
      Dimensions: [{ name: 'InstanceId', value: 'i-0abc1234def567890' }],
    },
  };
}

export const budgetText = `AWS Budget Notification November 20, 2026
AWS Account 111122223333

Dear AWS Customer,

You requested that we alert you when the ACTUAL Cost associated with your month budget is greater than $80.00.

Budget Name: month
Budget Type: Cost
Budgeted Amount: $100.00
Alert Type: ACTUAL
Alert Threshold: > $80.00
ACTUAL Amount: $1,250.85

[1] https://console.aws.amazon.com/billing/`;

export function costAnomaly(): Fields {
  return {
    accountId: '444455556666',
    anomalyId: 'f1a7-anomaly',
    anomalyStartDate: '2026-11-18T00:00:00Z',
    anomalyEndDate: '2026-11-19T00:00:00Z',
    dimensionalValue: 'Amazon EC2',
    monitorArn: 'arn:aws:ce::444455556666:anomalymonitor/1',
    impact: { maxImpact: 900, totalImpact: 1_800.5, totalActualSpend: 1_900, totalExpectedSpend: 99.5 },
    rootCauses: [
      { service: 'Amazon EC2', region: 'ap-south-1', linkedAccount: account, usageType: 'APS3-BoxUsage:p4d.24xlarge' },
    ],
    anomalyDetailsLink: 'https://console.aws.amazon.com/cost-management/',
  };
}

export function compliance(state: 'COMPLIANT' | 'NON_COMPLIANT', at = '2026-11-20T21:00:00.000Z'): Fields {
  return envelope('aws.config', 'Config Rules Compliance Change', {
    resourceId: 'payroll',
    resourceType: 'AWS::S3::Bucket',
    awsRegion: 'eu-west-1',
    awsAccountId: account,
    configRuleName: 's3-bucket-public-read-prohibited',
    configRuleARN: `arn:aws:config:eu-west-1:${account}:config-rule/config-rule-x`,
    messageType: 'ComplianceChangeNotification',
    newEvaluationResult: { complianceType: state, resultRecordedTime: at },
  });
}

export function instanceState(state = 'terminated'): Fields {
  return envelope('aws.ec2', 'EC2 Instance State-change Notification', { 'instance-id': 'i-0abc1234def567890', state });
}

/** One of each, for tests that walk all kinds. */
export function everyKind(): readonly (readonly [string, unknown])[] {
  return [
    ['an attack sequence', sequence()],
    ['a finding of Inspector in ASFF', imported(asff())],
    ['a copy of a GuardDuty finding', imported(guardDutyCopy())],
    ['an OCSF finding', envelope('aws.securityhub', 'Findings Imported V2', { findings: [ocsf()] })],
    ['an API call', viaCloudTrail(apiCall())],
    ['an exposed key', exposedKey()],
    ['an abuse report', abuse()],
    ['an alarm of EventBridge', alarmEvent()],
    ['an alarm of SNS', alarmMessage()],
    ['a budget', budgetText],
    ['a cost anomaly', costAnomaly()],
    ['a Config change', compliance('NON_COMPLIANT')],
    ['an instance state', instanceState()],
    [
      'another tool',
      {
        rule: 'Shell in container',
        priority: 'Critical',
        output: 'from 203.0.113[.]9 as arn:aws:iam::111122223333:user/eve',
        uuid: 'u-1',
      },
    ],
  ];
}
