/** The IAM side of the reference: what each unit calls, and the policies that follow from it. Made from the lists. */
import { actions } from '#actions';
import { investigations } from '#investigations';
import {
  auditRights,
  auditTrust,
  intakeReads,
  organizationReads,
  type Policy,
  planReads,
  policyOf as policy,
  reachReads,
  responderRights,
  responderTrust,
  sessionTags,
  sortedNames as sorted,
} from '#src/domain/role-rights.ts';
import { fence, generatedBy, table } from './markdown.ts';

/** What asking Athena takes (src/aws/athena.ts), in the account of the config's `athena` section only. */
const athenaCalls = [
  'athena:GetQueryExecution',
  'athena:GetQueryResults',
  'athena:GetWorkGroup',
  'athena:StartQueryExecution',
  'athena:StopQueryExecution',
] as const;

export { auditTrust, intakeReads, organizationReads, type Policy, planReads, reachReads, responderTrust };

/** Rights of the audit role. */
export function auditPolicy(): Policy {
  return auditRights(investigations, actions);
}

/** Rights of the responder role. */
export function responderPolicy(accountId: string, partition: string): Policy {
  return responderRights(actions, accountId, partition);
}

/** Rights of the identity that the worker runs as: it may become the audit roles, and nothing else. */
export function workerPolicy(auditRole: string): Policy {
  return policy({ Sid: 'BecomeAudit', Effect: 'Allow', Action: ['sts:AssumeRole'], Resource: auditRole });
}

/** What the worker needs beside it for the queues and topics of the config. */
export function intakePolicy(queues: string, topics: string): Policy {
  return policy(
    { Sid: 'FetchAlerts', Effect: 'Allow', Action: ['sqs:DeleteMessage', 'sqs:ReceiveMessage'], Resource: queues },
    { Sid: 'ConfirmTopics', Effect: 'Allow', Action: ['sns:ConfirmSubscription'], Resource: topics },
  );
}

/**
 * What the worker needs to anchor the audit in the config's own bucket (src/aws/audit-anchors.ts): to put and lock, not to
 * delete, to shorten a time or to go round a lock.
 */
export function anchorPolicy(bucket: string, prefix: string): Policy {
  const look = ['s3:GetBucketObjectLockConfiguration', 's3:ListBucketVersions'];
  const write = ['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject', 's3:PutObjectRetention'];
  return policy(
    { Sid: 'FindAnchors', Effect: 'Allow', Action: look, Resource: bucket },
    { Sid: 'Anchor', Effect: 'Allow', Action: write, Resource: `${bucket}/${prefix}*` },
  );
}

/** What the worker needs to read a trail's bucket itself (src/aws/s3-objects.ts). */
function importPolicy(bucket: string, prefix: string): Policy {
  return policy(
    { Sid: 'ListLogs', Effect: 'Allow', Action: ['s3:ListBucket'], Resource: bucket },
    { Sid: 'ReadLogs', Effect: 'Allow', Action: ['s3:GetObject'], Resource: `${bucket}/${prefix}*` },
  );
}

/** Rights of the identity that the executor runs as: it may become the responder roles, and nothing else. */
export function executorPolicy(responderRole: string): Policy {
  const becoming = ['sts:AssumeRole', 'sts:SetSourceIdentity', 'sts:TagSession'];
  return policy({ Sid: 'BecomeResponder', Effect: 'Allow', Action: becoming, Resource: responderRole });
}

/** Rights for the inventory, in the management account or a delegated administrator. */
function inventoryPolicy(): Policy {
  return policy({ Sid: 'Inventory', Effect: 'Allow', Action: sorted(organizationReads), Resource: '*' });
}

/**
 * What the audit role of Athena's account needs beside the audit policy. Athena reads tables and buckets in the caller's name.
 * The only things written are results, in their own folder.
 */
function athenaPolicy(): Policy {
  const place = 'arn:aws:athena:us-east-1:444455556666';
  const results = 'arn:aws:s3:::example-athena-results';
  const logs = ['arn:aws:s3:::example-trail', 'arn:aws:s3:::example-flow-logs', 'arn:aws:s3:::example-resolver-logs'];
  const glue = ['catalog', 'database/firebreak', 'table/firebreak/*'];
  return policy(
    { Sid: 'Ask', Effect: 'Allow', Action: athenaCalls, Resource: `${place}:workgroup/firebreak` },
    {
      Sid: 'Tables',
      Effect: 'Allow',
      Action: ['glue:GetDatabase', 'glue:GetPartitions', 'glue:GetTable'],
      Resource: glue.map((name) => `arn:aws:glue:us-east-1:444455556666:${name}`),
    },
    {
      Sid: 'Logs',
      Effect: 'Allow',
      Action: ['s3:GetBucketLocation', 's3:GetObject', 's3:ListBucket'],
      Resource: logs.flatMap((bucket) => [bucket, `${bucket}/*`]),
    },
    {
      Sid: 'Results',
      Effect: 'Allow',
      Action: ['s3:GetBucketLocation', 's3:GetObject', 's3:ListBucket', 's3:PutObject'],
      Resource: [results, `${results}/firebreak/*`],
    },
  );
}

const account = '111122223333';
const hub = '444455556666';

function json(value: Policy): string {
  return fence('json', JSON.stringify(value, undefined, 2));
}

/** docs/reference/permissions.md */
export function permissionsPage(): string {
  const worker = `arn:aws:iam::${hub}:role/ir/FirebreakWorker`;
  const executor = `arn:aws:iam::${hub}:role/ir/FirebreakExecutor`;
  const audit = `arn:aws:iam::${account}:role/ir/IrAudit`;
  const responder = `arn:aws:iam::${account}:role/ir/IrResponder`;
  const unitRows = [
    ...investigations.map((unit) => [`\`${unit.name}\``, 'investigation', names(unit.permissions), 'none']),
    ...actions.map((action) => [
      `\`${action.name}\``,
      'containment',
      names(action.permissions.read),
      names(action.permissions.write),
    ]),
  ];
  return `${generatedBy('commands/, workflows/ and src/aws/')}
# AWS permissions

What Firebreak calls, and the policies that allow exactly that. Contract tests run every unit under the audit policy, the
responder policy and the trust policies of this page, and compare the calls made with the table.

The examples use account \`${account}\`, the hub account \`${hub}\`, the external id \`change-me\` and the partition
\`aws\`. Put your own in their place. In China the ARNs begin with \`arn:aws-cn:\`, in GovCloud with \`arn:aws-us-gov:\`;
Firebreak takes the partition from the role ARNs of the config.

## What each unit calls

${table(['unit', 'kind', 'reads', 'writes'], unitRows)}

Beside these, every look at an account asks for its Regions with ${names(reachReads)} (the second only where the first
is refused; neither where the config names \`regions\`), and every plan reads the target's use with ${names(planReads)}.
The worker asks GuardDuty with ${names(intakeReads)} (see \`guardduty\` in the config), of the administrator account too where one is named. A pager of kind \`sns\` asks \`sns:Publish\` on its topic for
the worker's own identity.
\`sts:GetCallerIdentity\` is called where the config has no accounts, or one without \`auditRole\`; AWS asks no permission for it.

## Audit role

One in each account. The worker becomes it; nothing here writes. Permissions:

${json(auditPolicy())}

Trust. Audit sessions carry no tags and no source identity, so \`sts:AssumeRole\` is enough:

${json(auditTrust(worker, 'change-me'))}

Where the config says \`inventory.organizations\`, the audit role of \`managementAccount\` (else the worker's own identity, in a
delegated administrator account) needs this as well:

${json(inventoryPolicy())}

Only where the config has an \`athena\` section, and only in that account, the audit role also needs this, with your own
workgroup, tables and buckets (\`kms:Decrypt\` too where a bucket has a key of its own). The cost is told before the query
from the sizes of the objects, which the worker's own identity lists: it needs \`s3:ListBucket\` on the buckets of the logs.

${json(athenaPolicy())}

An account without \`auditRole\` is read with the worker's own credentials, which then need the permissions above.

## Responder role

One in each account that may be contained. Only the executor becomes it. Each session is narrowed by a session policy to one
action and one target, lasts 15 minutes, and carries the tags ${names(sessionTags)} and a source identity (\`ir-\` and the
approver's Slack id). Permissions:

${json(responderPolicy(account, 'aws'))}

Add a \`Deny\` on everything for your break-glass users, so that AWS says no where Firebreak's own list fails.

Trust. Tags and source identity are AWS permissions of their own: without \`sts:TagSession\` and \`sts:SetSourceIdentity\` in
the trust policy AND in the executor's policy, every containment ends with AccessDenied. A session without the four tags is
refused:

${json(responderTrust(executor, 'change-me'))}

## The identities that Firebreak runs as

The worker (\`serve --role worker\`, \`firebreak ir\`, \`firebreak doctor\`):

${json(workerPolicy(audit))}

With \`queues\` or \`sns.topics\` in the config, the worker also needs this, for its own queues and topics (and
\`kms:Decrypt\` for a queue with a key of its own). It deletes nothing but the messages that it has stored:

${json(intakePolicy(`arn:aws:sqs:eu-west-1:${hub}:firebreak-findings`, `arn:aws:sns:eu-west-1:${hub}:security-alerts`))}

With \`audit.anchor\` in the config, the worker also needs this, for that bucket and prefix. It is the one thing that Firebreak
writes to AWS beside the calls of approved plans, its own queues and topics, and the results of Athena; the bucket is the
installation's own, and best in another account, with a bucket policy that lets the worker in. Without
\`s3:ListBucket\` S3 answers 403 instead of 404 for a bucket or object that is not there:

${json(anchorPolicy('arn:aws:s3:::example-audit-anchors', 'firebreak-audit/'))}

With \`imports\` in the config, or for \`firebreak import s3://...\`, the worker also needs this for each place, and the rights on SQS
above for the queue of an entry (\`kms:Decrypt\` too where the bucket has a key of its own):

${json(importPolicy('arn:aws:s3:::org-trail', 'AWSLogs/o-abcd123456/'))}

A \`role\` under \`queues\` is one more that the worker must be allowed to become (\`sts:AssumeRole\`); the rights on that queue are then the role's.

The executor (\`serve --role executor\`):

${json(executorPolicy(responder))}

The web role needs no AWS credentials. \`serve\` without \`--role\` runs all three with one identity, which then needs both
policies.
`;
}

function names(list: readonly string[]): string {
  return list.map((name) => `\`${name}\``).join(', ');
}
