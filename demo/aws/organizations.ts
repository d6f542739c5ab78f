/** AWS Organizations: one organisation of all accounts of the world; the hub is its delegated administrator. */
import { AwsError } from './errors.ts';
import { type Call, type Operation, type Service, text } from './service.ts';
import { type Account, accountOf } from './state.ts';

const units = [
  { id: 'ou-exmp-security1', name: 'Security', parent: 'r-exmp' },
  { id: 'ou-exmp-workload', name: 'Workloads', parent: 'r-exmp' },
  { id: 'ou-exmp-prod0001', name: 'Prod', parent: 'ou-exmp-workload' },
] as const;
/** Accounts of the organisation see one page of this size, so that readers have to ask for the next. */
const pageSize = 1;

function refused(code: string, message: string): AwsError {
  return new AwsError(code, 400, message);
}

/** The caller may, and calls from the delegated administrator: from any other account AWS refuses whatever the policies say. */
function allowed(call: Call, resource = '*'): readonly Account[] {
  call.may(`organizations:${call.operation}`, resource);
  const all = [...call.state.accounts.values()];
  const { account } = call.principal;
  if (account.id !== all[0]?.id && !account.posture.managesOrganization) {
    throw refused('AccessDeniedException', "You don't have permissions to access this resource.");
  }
  return all;
}

function parentOf(child: string, all: readonly Account[]): { Id: string; Type: string } {
  const unit = units.find(({ id }) => id === child);
  const at = all.findIndex(({ id }) => id === child);
  if (unit === undefined && at < 0)
    throw refused('ChildNotFoundException', "You specified a child that doesn't exist.");
  const id = unit?.parent ?? (at === 0 ? units[0].id : units[2].id);
  return { Id: id, Type: id.startsWith('r-') ? 'ROOT' : 'ORGANIZATIONAL_UNIT' };
}

function read(run: (call: Call) => Awaited<ReturnType<Operation['run']>>['output']): Operation {
  return { readOnly: true, run: (call) => ({ output: run(call) }) };
}

export const organizations: Service = {
  name: 'organizations',
  protocol: 'json',
  namespace: '',
  apiVersion: '2016-11-28',
  eventSource: 'organizations.amazonaws.com',
  global: true,
  operations: {
    ListAccounts: read((call) => {
      const all = allowed(call);
      const start = Number(text(call.input, 'NextToken') ?? '0');
      const Accounts = all.slice(start, start + pageSize).map(({ id, name, orgId }) => ({
        ...{ Id: id, Name: name, Email: `aws+${name}@example.com`, Status: 'ACTIVE', State: 'ACTIVE' },
        ...{ Arn: `arn:aws:organizations::${all[0]?.id}:account/${orgId}/${id}`, JoinedMethod: 'CREATED' },
        JoinedTimestamp: 1_700_000_000,
      }));
      return { Accounts, ...(start + pageSize < all.length ? { NextToken: String(start + pageSize) } : {}) };
    }),
    ListParents: read((call) => ({ Parents: [parentOf(text(call.input, 'ChildId') ?? '', allowed(call))] })),
    DescribeOrganizationalUnit: read((call) => {
      allowed(call);
      const id = text(call.input, 'OrganizationalUnitId') ?? '';
      const unit = units.find((one) => one.id === id);
      if (unit === undefined) throw refused('OrganizationalUnitNotFoundException', "We can't find an OU with that id.");
      return { OrganizationalUnit: { Id: unit.id, Name: unit.name } };
    }),
    ListTagsForResource: read((call) => {
      allowed(call);
      const account = accountOf(call.state, text(call.input, 'ResourceId') ?? '');
      return { Tags: account.name === 'workshop-prod' ? [{ Key: 'DataClassification', Value: 'PII' }] : [] };
    }),
  },
};
