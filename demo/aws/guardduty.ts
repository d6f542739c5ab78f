/** Amazon GuardDuty: ListDetectors, ListMembers, ListFindings, GetFindings in REST JSON (https://docs.aws.amazon.com/guardduty/latest/APIReference/). */
import { AwsError } from './errors.ts';
import type { GuardDutyDetail } from './intake-state.ts';
import type { Input, Value } from './protocols.ts';
import { type Call, type Service, text, texts } from './service.ts';

function bad(message: string): AwsError {
  return new AwsError('BadRequestException', 400, message);
}

const foreignDetector = 'The request is rejected because the input detectorId is not owned by the current account.';

function placeOf(call: Call): string {
  return `${call.principal.account.id}/${call.region}`;
}

/** The findings of the detector that the call names. */
function findingsOf(call: Call): readonly GuardDutyDetail[] {
  const { state, region, principal } = call;
  const detectorId = text(call.input, 'detectorId') ?? '';
  call.may(`guardduty:${call.operation}`, `arn:aws:guardduty:${region}:${principal.account.id}:detector/${detectorId}`);
  if (state.intake.detectors.get(placeOf(call)) !== detectorId) throw bad(foreignDetector);
  const isAdministrator = state.intake.administrator === principal.account.id;
  return [...state.intake.findings]
    .filter(([key, detail]) => (isAdministrator ? detail.region === region : key.startsWith(`${placeOf(call)}/`)))
    .map(([, detail]) => detail);
}

function fieldOf(detail: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((at, name) => (typeof at === 'object' && at !== null ? (at as Input)[name] : undefined), detail);
}

function millis(value: unknown): number {
  return typeof value === 'string' ? Date.parse(value) : Number(value);
}

function fits(detail: GuardDutyDetail, path: string, condition: Input): boolean {
  const value = fieldOf(detail, path);
  return Object.entries(condition).every(([operator, wanted]) => {
    if (operator === 'equals' || operator === 'eq') return texts(condition, operator).includes(String(value));
    if (operator === 'greaterThanOrEqual' || operator === 'gte') return millis(value) >= Number(wanted);
    throw bad(`The request is rejected because the criterion ${operator} is not part of this world.`);
  });
}

/** Every other account with a detector in the Region is a member; other accounts than the administrator's have none. */
function listMembers(call: Call) {
  const { state, region, principal } = call;
  const detectorId = text(call.input, 'detectorId') ?? '';
  call.may('guardduty:ListMembers', `arn:aws:guardduty:${region}:${principal.account.id}:detector/${detectorId}`);
  if (state.intake.detectors.get(placeOf(call)) !== detectorId) throw bad(foreignDetector);
  const administratorId = principal.account.id;
  const places = state.intake.administrator === administratorId ? [...state.intake.detectors] : [];
  const members = places.flatMap(([place, memberDetector]) => {
    const [accountId = '', memberRegion] = place.split('/');
    if (memberRegion !== region || accountId === administratorId) return [];
    const email = `aws+${accountId}@example.com`;
    return [
      {
        accountId,
        administratorId,
        email,
        detectorId: memberDetector,
        relationshipStatus: 'Enabled',
        updatedAt: '2026-01-10T09:00:00.000Z',
      },
    ];
  });
  return { output: { members, nextToken: '' } };
}

function listFindings(call: Call) {
  const findings = findingsOf(call);
  const criteria = fieldOf(call.input, 'findingCriteria.criterion') ?? {};
  const sort = (fieldOf(call.input, 'sortCriteria') ?? {}) as Input;
  const most = Number(call.input.maxResults ?? 50);
  if (!Number.isInteger(most) || most < 1 || most > 50) throw bad('maxResults must be between 1 and 50.');
  const start = Number(text(call.input, 'nextToken') ?? '0');
  const attribute = text(sort, 'attributeName') ?? 'updatedAt';
  const direction = text(sort, 'orderBy') === 'DESC' ? -1 : 1;
  const found = findings
    .filter((detail) => Object.entries(criteria).every(([path, condition]) => fits(detail, path, condition as Input)))
    .sort((a, b) => String(fieldOf(a, attribute)).localeCompare(String(fieldOf(b, attribute))) * direction);
  const end = start + most;
  return {
    output: {
      findingIds: found.slice(start, end).map(({ id }) => id),
      nextToken: end < found.length ? String(end) : '',
    },
  };
}

/** As the API has it: `additionalInfo` is a text of JSON there. */
function apiForm(detail: GuardDutyDetail): Value {
  const service = (detail.service ?? {}) as Readonly<Record<string, Value>>;
  const { additionalInfo, ...rest } = service;
  const info = (additionalInfo ?? {}) as Readonly<Record<string, Value>>;
  const { value: _value, type: _type, ...fields } = info;
  return {
    ...(detail as Readonly<Record<string, Value>>),
    service: { ...rest, additionalInfo: { value: JSON.stringify(fields), type: 'default' } },
  };
}

export const guardduty: Service = {
  name: 'guardduty',
  protocol: 'rest',
  namespace: '',
  apiVersion: '2017-11-28',
  eventSource: 'guardduty.amazonaws.com',
  global: false,
  routes: [
    { method: 'GET', path: /^\/detector$/, operation: 'ListDetectors' },
    { method: 'GET', path: /^\/detector\/(?<detectorId>[^/]+)$/, operation: 'GetDetector' },
    { method: 'GET', path: /^\/detector\/(?<detectorId>[^/]+)\/member$/, operation: 'ListMembers' },
    { method: 'POST', path: /^\/detector\/(?<detectorId>[^/]+)\/findings$/, operation: 'ListFindings' },
    { method: 'POST', path: /^\/detector\/(?<detectorId>[^/]+)\/findings\/get$/, operation: 'GetFindings' },
  ],
  operations: {
    ListDetectors: {
      readOnly: true,
      run(call) {
        call.may('guardduty:ListDetectors');
        const id = call.state.intake.detectors.get(placeOf(call));
        return { output: { detectorIds: id === undefined ? [] : [id] } };
      },
    },
    GetDetector: {
      readOnly: true,
      run(call) {
        const { account } = call.principal;
        const detectorId = text(call.input, 'detectorId') ?? '';
        call.may('guardduty:GetDetector', `arn:aws:guardduty:${call.region}:${account.id}:detector/${detectorId}`);
        if (call.state.intake.detectors.get(placeOf(call)) !== detectorId) throw bad(foreignDetector);
        return {
          output: {
            createdAt: '2026-01-10T09:00:00.000Z',
            updatedAt: '2026-01-10T09:00:00.000Z',
            findingPublishingFrequency: account.posture.findingFrequency,
            serviceRole: `arn:aws:iam::${account.id}:role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty`,
            status: 'ENABLED',
            tags: {},
            features: [{ name: 'CLOUD_TRAIL', status: 'ENABLED' }],
          },
        };
      },
    },
    ListMembers: { readOnly: true, run: listMembers },
    ListFindings: { readOnly: true, run: listFindings },
    GetFindings: {
      readOnly: true,
      run(call) {
        const findings = findingsOf(call);
        const ids = texts(call.input, 'findingIds');
        if (ids.length === 0 || ids.length > 50) throw bad('findingIds must hold 1 to 50 ids.');
        return { output: { findings: findings.filter(({ id }) => ids.includes(id)).map(apiForm) } };
      },
    },
  },
};
