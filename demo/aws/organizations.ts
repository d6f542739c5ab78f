/** AWS Organizations: the list of accounts, which only the management account may have. */
import { accessDenied } from './errors.ts';
import type { Service } from './service.ts';

export const organizations: Service = {
  name: 'organizations',
  protocol: 'json',
  namespace: '',
  apiVersion: '2016-11-28',
  eventSource: 'organizations.amazonaws.com',
  global: true,
  operations: {
    ListAccounts: {
      readOnly: true,
      run(call) {
        call.may('organizations:ListAccounts');
        const { account } = call.principal;
        if (!account.posture.managesOrganization) {
          throw accessDenied('json', "You don't have permissions to access this resource.");
        }
        const Accounts = [...call.state.accounts.values()].map(({ id, name, orgId }) => ({
          Id: id,
          Arn: `arn:aws:organizations::${account.id}:account/${orgId}/${id}`,
          Email: `aws+${name}@example.com`,
          Name: name,
          Status: 'ACTIVE',
          State: 'ACTIVE',
          JoinedMethod: id === account.id ? 'INVITED' : 'CREATED',
          JoinedTimestamp: 1_700_000_000,
        }));
        return { output: { Accounts } };
      },
    },
  },
};
