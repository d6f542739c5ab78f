/** AWS Account Management: Regions and contacts. */
import { AwsError } from './errors.ts';
import { type Service, text, texts } from './service.ts';

const pageSize = 50;

export const account: Service = {
  name: 'account',
  protocol: 'rest',
  namespace: '',
  apiVersion: '2021-02-01',
  eventSource: 'account.amazonaws.com',
  global: true,
  operations: {
    GetAlternateContact: {
      readOnly: true,
      run(call) {
        const { account: own } = call.principal;
        const asked = text(call.input, 'AccountId') ?? own.id;
        call.may('account:GetAlternateContact', `arn:aws:account::${own.id}:account`);
        const type = text(call.input, 'AlternateContactType') ?? '';
        if (!['BILLING', 'OPERATIONS', 'SECURITY'].includes(type))
          throw new AwsError('ValidationException', 400, 'AlternateContactType is not valid.');
        const contact = call.state.accounts.get(asked)?.posture.contacts.get(type);
        if (contact === undefined)
          throw new AwsError(
            'ResourceNotFoundException',
            404,
            'No contact of the inputted alternate contact type found.',
          );
        return { output: { AlternateContact: { ...contact, AlternateContactType: type } } };
      },
    },
    ListRegions: {
      readOnly: true,
      run(call) {
        const { account: own } = call.principal;
        const asked = text(call.input, 'AccountId');
        call.may('account:ListRegions', `arn:aws:account::${asked ?? own.id}:account`);
        if (asked !== undefined && asked !== own.id) {
          const message = 'User is not authorized to perform this operation on another account.';
          throw new AwsError('AccessDeniedException', 403, message, 'AccessDenied');
        }
        const wanted = texts(call.input, 'RegionOptStatusContains');
        const all = [...own.regions]
          .filter(([, status]) => wanted.length === 0 || wanted.includes(status))
          .map(([RegionName, RegionOptStatus]) => ({ RegionName, RegionOptStatus }));
        const size = call.input.MaxResults === undefined ? pageSize : Number(call.input.MaxResults);
        const start = Number(text(call.input, 'NextToken') ?? '0');
        const invalid = !Number.isInteger(size) || size < 1 || size > pageSize || !Number.isInteger(start) || start < 0;
        if (invalid) throw new AwsError('ValidationException', 400, 'MaxResults or NextToken is not valid.');
        const end = start + size;
        return {
          output: { Regions: all.slice(start, end), ...(end < all.length ? { NextToken: String(end) } : {}) },
        };
      },
    },
  },
};
