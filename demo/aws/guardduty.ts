/** Amazon GuardDuty: the detectors. */
import { AwsError } from './errors.ts';
import { type Call, type Outcome, type Service, text } from './service.ts';

function getDetector(call: Call): Outcome {
  const { account } = call.principal;
  const id = text(call.input, 'DetectorId') ?? '';
  call.may('guardduty:GetDetector', `arn:aws:guardduty:${call.region}:${account.id}:detector/${id}`);
  const detector = account.posture.detectors.get(call.region);
  if (detector === undefined || detector.id !== id) {
    const message = 'The request is rejected because the input detectorId is not owned by the current account.';
    throw new AwsError('BadRequestException', 400, message);
  }
  return {
    output: {
      createdAt: '2026-01-10T09:00:00.000Z',
      updatedAt: '2026-01-10T09:00:00.000Z',
      findingPublishingFrequency: detector.frequency,
      serviceRole: `arn:aws:iam::${account.id}:role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty`,
      status: detector.enabled ? 'ENABLED' : 'DISABLED',
      tags: {},
      features: [{ name: 'CLOUD_TRAIL', status: 'ENABLED' }],
    },
  };
}

export const guardduty: Service = {
  name: 'guardduty',
  protocol: 'rest',
  namespace: '',
  apiVersion: '2017-11-28',
  eventSource: 'guardduty.amazonaws.com',
  global: false,
  route(method, path) {
    if (method !== 'GET') return undefined;
    const [root, id, ...more] = path.split('/').filter((part) => part !== '');
    if (root !== 'detector' || more.length > 0) return undefined;
    if (id === undefined) return { operation: 'ListDetectors', input: {} };
    return { operation: 'GetDetector', input: { DetectorId: decodeURIComponent(id) } };
  },
  operations: {
    ListDetectors: {
      readOnly: true,
      run(call) {
        const { account } = call.principal;
        call.may('guardduty:ListDetectors', `arn:aws:guardduty:${call.region}:${account.id}:detector/*`);
        const detector = account.posture.detectors.get(call.region);
        return { output: { detectorIds: detector === undefined ? [] : [detector.id] } };
      },
    },
    GetDetector: { readOnly: true, run: getDetector },
  },
};
