/** The plan that tests of votes are about. */
import type { Plan } from '../../../src/contracts/approval.ts';

export const plan: Plan = {
  action: 'disable-access-key',
  direction: 'apply',
  accountId: '999999999999',
  partition: 'aws',
  target: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE' },
  before: { userName: 'pipeline', status: 'Active' },
  calls: [{ service: 'iam', operation: 'UpdateAccessKey', region: 'us-east-1', input: { UserName: 'pipeline' } }],
  sessionPolicy: { Version: '2012-10-17', Statement: [] },
  responderRole: 'arn:aws:iam::999999999999:role/ir/IrResponder',
};
