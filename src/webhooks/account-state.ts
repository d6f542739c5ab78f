/** What AWS Config and EC2 say about the state of things (DOMAIN.md 2.10). */
import { z } from 'zod';
import { artifactsIn } from '../domain/artifacts-in-text.ts';
import { instantOf } from './instant.ts';
import {
  type Envelope,
  factsOf,
  given,
  ignored,
  type JsonObject,
  malformed,
  type Reading,
  received,
} from './parsed-alert.ts';
import { block, text } from './tolerant.ts';

const Evaluation = block({
  complianceType: text,
  resultRecordedTime: text,
  annotation: text,
  evaluationResultIdentifier: block({ orderingTimestamp: text }),
});
const Compliance = z.looseObject({
  messageType: text,
  configRuleName: text,
  configRuleARN: text,
  awsAccountId: text,
  awsRegion: text,
  resourceType: text,
  resourceId: text,
  notificationCreationTime: text,
  newEvaluationResult: Evaluation,
  oldEvaluationResult: Evaluation,
});

/** `Config Rules Compliance Change`, and the same as the `Message` of SNS. */
export function readCompliance(found: JsonObject, envelope?: Envelope): Reading {
  const said = Compliance.parse(found);
  if (said.messageType !== undefined && said.messageType !== 'ComplianceChangeNotification') {
    return ignored('a message of AWS Config that is no change of compliance');
  }
  const { configRuleName: rule, resourceId, resourceType } = said;
  const state = said.newEvaluationResult?.complianceType;
  if (rule === undefined) return malformed('the name of the Config rule is missing');
  if (state === undefined) return ignored('a change of compliance that names no new state');
  const accountId = said.awsAccountId ?? envelope?.account;
  const region = said.awsRegion ?? envelope?.region;
  const at =
    instantOf(said.newEvaluationResult?.resultRecordedTime) ??
    instantOf(said.notificationCreationTime) ??
    instantOf(envelope?.time);
  return {
    ok: true,
    alerts: [
      received(
        {
          source: 'config',
          key: [accountId ?? '', region ?? '', rule, resourceType ?? '', resourceId ?? ''],
          findingId: said.configRuleARN ?? rule,
          type: state,
          title: rule,
          severity: state === 'NON_COMPLIANT' ? 5 : 2,
          updatedAt: at,
          ...given({ accountId, region, lastSeen: at }),
          resource: { type: resourceType ?? '', ...given({ id: resourceId }) },
          resourceIds: resourceId === undefined ? [] : [resourceId],
          resolved: state !== 'NON_COMPLIANT',
          facts: factsOf({
            Rule: rule,
            State:
              said.oldEvaluationResult?.complianceType === undefined
                ? state
                : `${state}, before ${said.oldEvaluationResult.complianceType}`,
            Remark: said.newEvaluationResult?.annotation,
          }),
        },
        found,
      ),
    ],
  };
}

const InstanceState = z.looseObject({ 'instance-id': text, instance_id: text, instanceId: text, state: text });

/** `EC2 Instance State-change Notification`. */
export function readInstanceState({ detail, account, region, time, resources }: Envelope): Reading {
  const said = InstanceState.parse(detail);
  const inArn = artifactsIn(resources.join('\n')).find(({ id }) => id.startsWith('i-'))?.id;
  const id = said['instance-id'] ?? said.instance_id ?? said.instanceId ?? inArn;
  if (id === undefined) return malformed('detail.instance-id is missing');
  if (said.state === undefined) return malformed('detail.state is missing');
  const at = instantOf(time);
  return {
    ok: true,
    alerts: [
      received(
        {
          source: 'ec2',
          key: [account ?? '', region ?? '', id],
          findingId: id,
          type: said.state,
          title: `EC2 instance ${said.state}`,
          severity: 2,
          updatedAt: at,
          ...given({ accountId: account, region, lastSeen: at }),
          resource: { type: 'Instance', id },
          resourceIds: [id],
          facts: factsOf({ State: said.state }),
        },
        detail,
      ),
    ],
  };
}
