/**
 * AWS as far as the runs need it, exactly: what was written is there at once, and reads may lag behind it for a while, as IAM's do.
 * It enforces nothing and knows no rights; the tests against the local AWS server do that.
 */
import type { ApiCall, AwsReader } from '../../../src/contracts/aws.ts';
import { unusedServices } from '../../fakes/unused-services.ts';
import { groupPrefix } from './isolate.ts';

export const accountId = '999999999999';
export const keyId = 'AKIAIOSFODNN7EXAMPLE';

export interface ModelState {
  keys: Record<string, 'Active' | 'Inactive'>;
  /** By `user/pipeline FirebreakDenyAll`: the document's text. */
  policies: Record<string, string>;
  /** Name by group id. */
  groups: Record<string, string>;
  /** Group ids by interface. */
  interfaces: Record<string, string[]>;
}

export interface ModelAws {
  readonly state: ModelState;
  /** Carries a call out. Returns the fields of AWS's answer. */
  carryOut(call: ApiCall): Readonly<Record<string, unknown>>;
  /** What an attacker does. */
  change(by: (state: ModelState) => void): void;
  /** Reads as they were `lagMs` ago. `around` is what may go wrong with a read. */
  reader(around: (operation: string, read: () => unknown) => Promise<unknown>): AwsReader;
}

export function modelAws(now: () => number, lagMs: () => number): ModelAws {
  const state: ModelState = {
    keys: { [keyId]: 'Active' },
    policies: {},
    groups: { 'sg-0first': 'web', 'sg-1second': 'db' },
    interfaces: { 'eni-1': ['sg-0first'], 'eni-2': ['sg-0first', 'sg-1second'], 'eni-3': ['sg-1second'] },
  };
  const past: { at: number; state: ModelState }[] = [{ at: Number.NEGATIVE_INFINITY, state: structuredClone(state) }];
  let made = 0;
  const change = (by: (state: ModelState) => void) => {
    by(state);
    past.push({ at: now(), state: structuredClone(state) });
  };
  const seenNow = () => {
    const at = now() - lagMs();
    return past.findLast((one) => one.at <= at)?.state ?? state;
  };
  return {
    state,
    change,
    carryOut(call) {
      const input = call.input as Record<string, string> & { Groups: string[]; PolicyDocument: unknown };
      const holder = input.UserName === undefined ? `role/${input.RoleName}` : `user/${input.UserName}`;
      switch (call.operation) {
        case 'UpdateAccessKey':
          change(({ keys }) => {
            keys[input.AccessKeyId ?? ''] = input.Status as 'Active' | 'Inactive';
          });
          return {};
        case 'PutUserPolicy':
        case 'PutRolePolicy': {
          const document = input.PolicyDocument;
          change(({ policies }) => {
            policies[`${holder} ${input.PolicyName}`] =
              typeof document === 'string' ? document : JSON.stringify(document);
          });
          return {};
        }
        case 'DeleteUserPolicy':
        case 'DeleteRolePolicy':
          change(({ policies }) => {
            delete policies[`${holder} ${input.PolicyName}`];
          });
          return {};
        case 'CreateSecurityGroup': {
          made += 1;
          const GroupId = `sg-made${made}`;
          change(({ groups }) => {
            groups[GroupId] = `${groupPrefix}${input.GroupName}`;
          });
          return { GroupId };
        }
        case 'DeleteSecurityGroup':
          change(({ groups }) => {
            delete groups[input.GroupId ?? ''];
          });
          return {};
        case 'ModifyNetworkInterfaceAttribute':
          change(({ interfaces }) => {
            interfaces[input.NetworkInterfaceId ?? ''] = [...input.Groups];
          });
          return {};
        default:
          throw new RangeError(`the model has no ${call.operation}`);
      }
    },
    reader(around) {
      const send = (command: { constructor: { name: string }; input: Record<string, string> }) => {
        const operation = command.constructor.name.replace(/Command$/, '');
        return around(operation, () => answerTo(operation, command.input, seenNow()));
      };
      return {
        ...unusedServices(),
        accountId,
        partition: 'aws',
        iam: { send } as never,
        ec2: () => ({ send }) as never,
      };
    },
  };
}

function answerTo(operation: string, input: Readonly<Record<string, string>>, state: ModelState): unknown {
  const arn = (kind: string, name: string) => `arn:aws:iam::${accountId}:${kind}/${name}`;
  switch (operation) {
    case 'GetAccessKeyLastUsed':
      return { UserName: 'pipeline', AccessKeyLastUsed: { ServiceName: 'N/A', Region: 'N/A' } };
    case 'GetUser':
      return { User: { Arn: arn('user', 'pipeline'), UserId: 'AIDAPIPELINE', UserName: 'pipeline' } };
    case 'GetRole':
      return { Role: { Arn: arn('role', 'DevOps'), RoleId: 'AROADEVOPS', MaxSessionDuration: 3_600 } };
    case 'ListAccessKeys':
      return {
        AccessKeyMetadata: Object.entries(state.keys).map(([AccessKeyId, Status]) => ({
          AccessKeyId,
          Status,
          CreateDate: new Date('2025-01-01T00:00:00Z'),
        })),
      };
    case 'GetUserPolicy':
    case 'GetRolePolicy': {
      const holder = input.UserName === undefined ? `role/${input.RoleName}` : `user/${input.UserName}`;
      const text = state.policies[`${holder} ${input.PolicyName}`];
      if (text === undefined) throw awsError('NoSuchEntityException', 404);
      return { PolicyDocument: encodeURIComponent(text) };
    }
    case 'DescribeNetworkInterfaces':
      return {
        NetworkInterfaces: Object.entries(state.interfaces).map(([NetworkInterfaceId, groups]) => ({
          NetworkInterfaceId,
          Groups: groups.map((GroupId) => ({ GroupId })),
        })),
      };
    case 'DescribeSecurityGroups':
      return {
        SecurityGroups: Object.entries(state.groups).map(([GroupId, GroupName]) => ({ GroupId, GroupName })),
      };
    default:
      throw new RangeError(`the model answers no ${operation}`);
  }
}

/** As the SDK throws it; without a status no answer came. */
export function awsError(name: string, httpStatusCode?: number): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode } });
}
