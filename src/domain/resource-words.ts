/** Words for the kinds of resources that findings name. */
import type { Alert } from '../contracts/alert.ts';
import { inert } from './inert.ts';

const resourceWords = new Map([
  ['AccessKey', 'access key'],
  ['Instance', 'EC2 instance'],
  ['S3Bucket', 'S3 bucket'],
  ['S3Object', 'S3 object'],
  ['EKSCluster', 'EKS cluster'],
  ['ECSCluster', 'ECS cluster'],
  ['Container', 'container'],
  ['RDSDBInstance', 'RDS database'],
  ['RDSLimitlessDB', 'RDS Limitless database'],
  ['Lambda', 'Lambda function'],
  ['EBSSnapshot', 'EBS snapshot'],
  ['EC2Image', 'machine image'],
  ['AttackSequence', 'attack sequence'],
  ['Alarm', 'alarm'],
  ['Budget', 'budget'],
  ['Service', 'service'],
  ['Health', ''],
]);

/** `EC2 instance`; the finding's own word where it is not known. */
export function resourceName(alert: Alert): string {
  return resourceWords.get(alert.resource.type) ?? inert(alert.resource.type, 40);
}
