/**
 * How fast rules are checked in memory: events per second and core with our catalogue, and with as many rules as 500, against
 * JSON.parse of the same events, which is the least that reading them costs.
 *
 *   node bench/sigma.ts [--events 100000] [--rules DIR]
 */
import { parseArgs } from 'node:util';
import { catalogue, catalogueFiles } from '../detections/index.ts';
import type { CloudTrailRecord } from '../src/contracts/cloudtrail.ts';
import { pickRules, runHunt } from '../src/domain/sigma/hunt.ts';
import { parseRules, type RuleBook, type RuleFile } from '../src/domain/sigma/parse.ts';
import { ruleSet } from '../src/domain/sigma/rule-set.ts';
import { readRuleFiles } from '../src/evidence/rule-files.ts';

const { values } = parseArgs({
  options: { events: { type: 'string', default: '100000' }, rules: { type: 'string' } },
});
const lines = eventLines(Number(values.events));

const parsing = median(() => {
  for (const line of lines) JSON.parse(line);
  return undefined;
});
console.log(`JSON.parse (baseline): ${rate(parsing)} events/s`);

const ours = catalogue();
report(`our ${ours.rules.length} rules`, ours);
report('500 rules', parseRules(repeated(catalogueFiles(), 500, ours.rules.length)));
if (values.rules !== undefined) {
  const theirs = parseRules(await readRuleFiles(values.rules));
  report(`${theirs.rules.length} rules of ${values.rules}`, theirs);
}

const records = lines.map((line) => JSON.parse(line) as CloudTrailRecord);
const before = performance.now();
const { matches } = await runHunt(stream(records), pickRules('all', ours), {
  signal: new AbortController().signal,
  progress: () => undefined,
});
const ms = performance.now() - before;
console.log(
  `a whole hunt with its bursts: ${rate(ms)} events/s, ${(ms / parsing).toFixed(2)} of JSON.parse, ${matches.length} matches`,
);

function report(name: string, book: RuleBook): void {
  const set = ruleSet(book.rules.filter((rule) => rule.kind === 'event'));
  let found = 0;
  const took = median(() => {
    // New objects each time: what is remembered per record must not help.
    const fresh = lines.map((line) => JSON.parse(line) as CloudTrailRecord);
    found = 0;
    const start = performance.now();
    for (const record of fresh) found += set.match(record).length;
    return performance.now() - start;
  });
  console.log(`${name}: ${rate(took)} events/s, ${(took / parsing).toFixed(2)} of JSON.parse, ${found} matches`);
}

/** Median of three, in milliseconds; `run` may measure itself. */
function median(run: () => number | undefined): number {
  const times = [0, 1, 2].map(() => {
    const start = performance.now();
    const own = run();
    return own ?? performance.now() - start;
  });
  return times.toSorted((a, b) => a - b)[1] ?? Number.NaN;
}

function rate(ms: number): string {
  return Math.round((lines.length / ms) * 1000).toLocaleString('en-US');
}

/** The same rules again under other names, up to `wanted`. */
function repeated(files: readonly RuleFile[], wanted: number, have: number): readonly RuleFile[] {
  const copies = Array.from({ length: Math.ceil(wanted / have) }, (_, n) =>
    files.map(({ path, text }) => ({
      path: `${n}/${path}`,
      text:
        n === 0
          ? text
          : text.replace(/^name: (.*)$/gm, `name: $1-${n}`).replace(/^ {4}- ([a-z-]+)$/gm, `    - $1-${n}`),
    })),
  );
  return copies.flat();
}

async function* stream(all: readonly CloudTrailRecord[]): AsyncGenerator<CloudTrailRecord> {
  yield* all;
}

/** Everyday calls, mostly reading, by many principals; the same at every run. */
function eventLines(count: number): readonly string[] {
  const calls = (
    'ec2:DescribeInstances ec2:DescribeVolumes ec2:DescribeTags ec2:DescribeNetworkInterfaces sts:AssumeRole sts:GetCallerIdentity ' +
    's3:GetBucketAcl s3:ListBuckets iam:GetRole iam:ListAttachedRolePolicies kms:Decrypt kms:GenerateDataKey logs:CreateLogStream ' +
    'logs:DescribeLogGroups cloudtrail:LookupEvents secretsmanager:GetSecretValue ssm:GetParameters dynamodb:DescribeTable ' +
    'lambda:GetFunction20150331v2 lambda:UpdateFunctionCode20150331v2 ecs:DescribeTasks ecs:RunTask ec2:RunInstances ' +
    'ec2:AuthorizeSecurityGroupIngress iam:CreateAccessKey iam:PutRolePolicy signin:ConsoleLogin sqs:ReceiveMessage ' +
    'autoscaling:DescribeAutoScalingGroups elasticloadbalancing:DescribeTargetHealth monitoring:PutMetricAlarm rds:DescribeDBInstances'
  ).split(' ');
  return Array.from({ length: count }, (_, n) => {
    const [service = '', eventName = ''] = (calls[(n * 7) % calls.length] ?? '').split(':');
    const role = `role-${(n * 13) % 350}`;
    return JSON.stringify({
      eventVersion: '1.11',
      userIdentity: {
        type: 'AssumedRole',
        principalId: `AROAEXAMPLE${role}:session-${n % 40}`,
        arn: `arn:aws:sts::111122223333:assumed-role/${role}/session-${n % 40}`,
        accountId: '111122223333',
        accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
        sessionContext: {
          sessionIssuer: {
            type: 'Role',
            arn: `arn:aws:iam::111122223333:role/${role}`,
            accountId: '111122223333',
            userName: role,
          },
          attributes: { creationDate: '2026-11-20T00:00:00Z', mfaAuthenticated: 'false' },
        },
      },
      eventTime: new Date(Date.UTC(2026, 10, 20) + n * 500).toISOString(),
      eventSource: `${service}.amazonaws.com`,
      eventName,
      awsRegion: 'eu-west-1',
      sourceIPAddress: `198.51.100.${n % 250}`,
      userAgent:
        'aws-sdk-java/2.20.1 Linux/5.10 OpenJDK_64-Bit_Server_VM/17 Java/17 vendor/Amazon.com_Inc. cfg/retry-mode/standard',
      errorCode: n % 97 === 0 ? 'AccessDenied' : undefined,
      requestParameters: {
        instancesSet: {
          items: Array.from({ length: n % 4 }, (_item, i) => ({ instanceId: `i-0123456789abc${n % 900}${i}` })),
        },
        policyDocument: eventName.startsWith('Put')
          ? '{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'
          : undefined,
        secretId: `secret-${n % 30}`,
        maxResults: 100,
      },
      responseElements: null,
      requestID: `req-${n}`,
      eventID: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
      readOnly: /^(Get|List|Describe|Lookup)/.test(eventName),
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: '111122223333',
      eventCategory: 'Management',
      tlsDetails: {
        tlsVersion: 'TLSv1.3',
        cipherSuite: 'TLS_AES_128_GCM_SHA256',
        clientProvidedHostHeader: `${service}.eu-west-1.amazonaws.com`,
      },
    });
  });
}
