/** Findings of Security Hub in the AWS Security Finding Format (DOMAIN.md 2.10). */
import type { Alert } from '../contracts/alert.ts';
import { parseArnStrict } from '../domain/arn.ts';
import { artifactsIn } from '../domain/artifacts-in-text.ts';
import { Asff, severityOfLabel } from './asff.ts';
import { camelKeys, isRecord, type Json } from './clean-json.ts';
import { alertOfDetail, findingKey } from './guardduty.ts';
import { instantOf } from './instant.ts';
import { factsOf, given, malformed, type Reading, type ReceivedAlert, received } from './parsed-alert.ts';
import { guardDutyArn, guardDutyDetail } from './security-hub-guardduty.ts';

function productOf(finding: Asff): string | undefined {
  const named = finding.productFields?.['aws/securityhub/ProductName'];
  return (
    finding.productName ?? (typeof named === 'string' ? named : undefined) ?? finding.productArn?.split('/').at(-1)
  );
}

/** Security Hub lets nobody but AWS import under these. One without a product, which Security Hub never sends, comes from a tool. */
const productOfAws = /^arn:aws[a-z-]*:securityhub:[a-z0-9-]+::product\/aws\//;
const guardDutyProduct = /^arn:aws[a-z-]*:securityhub:[a-z0-9-]+::product\/aws\/guardduty$/;
/** What an account imports under its own name: each word of it is chosen by whoever may do so there. */
const ownProduct = /^arn:aws[a-z-]*:securityhub:[a-z0-9-]+:(\d{12}):product\/\d{12}\//;

/** The Id is the importer's choice: what somebody else imports under the Id of AWS's finding, or another account's, is not that one. */
function keyOf(finding: Asff, id: string): readonly string[] {
  const isOfAws = finding.productArn === undefined || productOfAws.test(finding.productArn);
  return isOfAws ? [id] : [id, finding.awsAccountId ?? ''];
}

function notesOf(finding: Asff): readonly string[] {
  const by = ownProduct.exec(finding.productArn ?? '')?.[1];
  return by === undefined ? [] : [`it was imported into Security Hub by account ${by} itself`];
}

/** What keeps a finding from being work. One that somebody sends by hand (a custom action) is work, whatever it says. */
type Standing = Pick<Alert, 'archived' | 'suppressed' | 'resolved' | 'undecided'>;

function standing(finding: Asff, actionName: string | undefined): Standing {
  if (actionName !== undefined) return { archived: finding.recordState === 'ARCHIVED' };
  const workflow = finding.workflow?.status ?? finding.workflowState;
  return {
    archived: finding.recordState === 'ARCHIVED',
    suppressed: workflow === 'SUPPRESSED',
    resolved: workflow === 'RESOLVED' || finding.compliance?.status === 'PASSED',
    ...(finding.compliance?.status === 'NOT_AVAILABLE' && { undecided: true }),
  };
}

function commonFacts(finding: Asff, actionName: string | undefined): NonNullable<Alert['facts']> {
  return factsOf({
    'Sent by hand with': actionName,
    Control: finding.compliance?.securityControlId,
    Check: finding.compliance?.status,
    Workflow: finding.workflow?.status,
    Vulnerability: finding.vulnerabilities
      .flatMap((it) => it.id ?? [])
      .slice(0, 5)
      .join(', '),
    Remark: finding.note?.text,
  });
}

/** A copy of a GuardDuty finding: it lands in the case of the original, whichever comes first. */
function guardDutyCopy(
  finding: Asff,
  content: Json,
  arn: string,
  actionName: string | undefined,
): ReceivedAlert | undefined {
  const original = alertOfDetail(guardDutyDetail(finding, arn));
  const [, , , region = '', account = '', resource = ''] = arn.split(':');
  if (original === undefined) return undefined;
  const { archived, suppressed, resolved } = standing(finding, actionName);
  const dedupeKey = findingKey(finding.awsAccountId ?? account, region, resource.split('/').at(-1) ?? '');
  const facts = [...(original.facts ?? []), ...commonFacts(finding, actionName)];
  const draft = received({ ...original, source: 'security-hub', key: [arn] }, content);
  return {
    deliveryKey: draft.deliveryKey,
    alert: {
      ...original,
      source: 'security-hub',
      copyOf: 'guardduty',
      product: 'GuardDuty',
      dedupeKey,
      findingId: arn,
      archived: archived || original.archived,
      sample: finding.sample === true || original.sample,
      ...(suppressed === true && { suppressed }),
      ...(resolved === true && { resolved }),
      ...(facts.length > 0 && { facts }),
    },
  };
}

/** `AWS::IAM::AccessKey:AKIA...`, `AWS::::Account:111122223333`, an ARN: the artifact in it, else as it stands. */
function resourceIdOf(id: string): string {
  const [artifact] = artifactsIn(id);
  return artifact !== undefined && artifact.kind !== 'account'
    ? artifact.id
    : (/^AWS::::Account:(\d{12})$/.exec(id)?.[1] ?? id);
}

function otherProduct(finding: Asff, id: string, content: Json, actionName: string | undefined): ReceivedAlert {
  const { productArn, resources } = finding;
  const main = resources.find((it) => it.type !== 'AwsAccount' && it.id !== undefined) ?? resources[0];
  const key = resources.find((it) => it.details?.awsIamAccessKey !== undefined)?.details?.awsIamAccessKey;
  const keyId =
    key?.accessKeyId ??
    artifactsIn(resources.flatMap((it) => it.id ?? []).join('\n')).find(({ kind }) => kind === 'accessKey')?.id;
  const service = alertOfDetail({
    id,
    type: 'none',
    accountId: '0',
    region: 'x',
    service: { action: finding.action ?? {} },
  });
  const resourceIds = [...new Set(resources.flatMap((it) => (it.id === undefined ? [] : [resourceIdOf(it.id)])))];
  const resourceTags = resources
    .flatMap(({ id: on, tags = {} }) =>
      Object.entries(tags).flatMap(([key, value]) =>
        on === undefined || typeof value !== 'string' ? [] : [{ resource: resourceIdOf(on), key, value }],
      ),
    )
    .slice(0, 200);
  const provider = finding.findingProviderFields;
  const severity =
    severityOfLabel(finding.severity?.label, finding.severity?.normalized) ??
    severityOfLabel(provider?.severity?.label, provider?.severity?.normalized);
  const type = finding.types[0] ?? provider?.types[0] ?? finding.generatorId ?? 'not named';
  return received(
    {
      source: 'security-hub',
      key: keyOf(finding, id),
      findingId: id,
      type,
      notes: notesOf(finding),
      title: finding.title ?? type,
      description: finding.description ?? '',
      updatedAt: instantOf(finding.updatedAt) ?? instantOf(finding.lastObservedAt) ?? instantOf(finding.createdAt),
      ...given({
        severity,
        accountId: finding.awsAccountId,
        region: finding.region ?? main?.region ?? parseArnStrict(productArn ?? '')?.region,
        partition: main?.partition ?? parseArnStrict(productArn ?? '')?.partition,
        findingArn: keyOf(finding, id).length > 1 || parseArnStrict(id) === undefined ? undefined : id,
        firstSeen: instantOf(finding.firstObservedAt) ?? instantOf(finding.createdAt),
        lastSeen: instantOf(finding.lastObservedAt),
        product: productOf(finding),
        api: service?.api,
        actionType: service?.actionType,
        domain: service?.domain,
      }),
      ...standing(finding, actionName),
      resource: {
        type: main?.type ?? '',
        ...given({ id: main?.id === undefined ? undefined : resourceIdOf(main.id) }),
      },
      resourceIds,
      ...(resourceTags.length > 0 && { resourceTags }),
      actor: given({
        accessKeyId: keyId,
        principalId: key?.principalId,
        userName: key?.principalName ?? key?.userName,
        userType: key?.principalType,
      }),
      remote: service?.remote ?? [],
      sample: finding.sample === true,
      facts: commonFacts(finding, actionName),
    },
    content,
  );
}

function readFinding(found: Json, actionName: string | undefined): ReceivedAlert | { readonly missing: string } {
  if (!isRecord(found)) return { missing: 'the finding is not an object' };
  const finding = Asff.parse(camelKeys(found));
  if (finding.id === undefined) return { missing: 'the Id of the finding is missing' };
  if (finding.awsAccountId === undefined) return { missing: 'the AwsAccountId of the finding is missing' };
  const isGuardDuty = finding.productArn === undefined || guardDutyProduct.test(finding.productArn);
  const arn = isGuardDuty && guardDutyArn.test(finding.id) ? finding.id : undefined;
  const copy = arn === undefined ? undefined : guardDutyCopy(finding, found, arn, actionName);
  return copy ?? otherProduct(finding, finding.id, found, actionName);
}

/** One finding or several (a custom action sends what was ticked); one that is unreadable is refused only where all are. */
export function readSecurityHub(findings: Json | undefined, actionName?: string): Reading {
  if (!Array.isArray(findings) || findings.length === 0) return malformed('detail.findings is missing or empty');
  const read = findings.map((found) => readFinding(found, actionName));
  const alerts = read.filter((one) => 'alert' in one);
  const bad = read.find((one) => 'missing' in one);
  if (alerts.length === 0) return malformed(bad?.missing ?? 'the finding is not readable');
  if (bad === undefined) return { ok: true, alerts };
  const note = `${read.length - alerts.length} further findings of the same event were not readable: ${bad.missing}`;
  return {
    ok: true,
    alerts: alerts.map((one) => ({ ...one, alert: { ...one.alert, notes: [...one.alert.notes, note] } })),
  };
}
