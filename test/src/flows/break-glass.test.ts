import { describe, expect, it } from 'vitest';
import type { ContainmentAction } from '../../../src/contracts/action.ts';
import type { Plan } from '../../../src/contracts/approval.ts';
import { PolicyRule } from '../../../src/domain/approval-policy.ts';
import { breakGlassRights } from '../../../src/flows/break-glass.ts';
import type { Settings } from '../../../src/flows/deps.ts';
import { actions } from '../../../workflows/containment/index.ts';

const plan = {
  ...{ direction: 'apply', accountId: '111122223333', partition: 'aws', target: {}, before: {} },
} as unknown as Plan;

function rights(changes: { action?: object; account?: object; settings?: object; plan?: Plan } = {}) {
  const known = actions.find(({ name }) => name === 'disable-access-key');
  const action = { ...known, caution: undefined, ...changes.action } as unknown as ContainmentAction;
  const settings = {
    accounts: [{ id: '111122223333', name: 'prod', ...changes.account }],
    policies: [PolicyRule.parse({ breakGlass: { users: ['U0ROSA'] }, required: 3 })],
    approvals: { required: 2, expiryMinutes: 30, stepUp: [] },
    managementAccount: undefined,
    ...changes.settings,
  } as unknown as Settings;
  const clock = { now: () => new Date('2026-11-20T22:00:00Z'), sleep: () => Promise.resolve() };
  return breakGlassRights(action, changes.plan ?? plan, undefined, { settings, clock });
}

describe('who may break the glass', () => {
  it('is whom the policy names, though config and policy ask for several', () => {
    expect(rights()).toEqual({ crowds: [{ users: ['U0ROSA'], groups: [] }], afterMinutes: 10 });
  });

  it.each([
    ['the action asks for two', { action: { approvals: 2 } }],
    ['the action is final', { action: { kind: 'eradication' } }],
    ['the account asks for two', { account: { containment: 'approve2' } }],
    ['it is the management account', { settings: { managementAccount: '111122223333' } }],
    ['the account is not known', { settings: { accounts: [] } }],
    ['the action asks for caution', { action: { caution: () => ({ approvals: 2, because: 'it is shared' }) } }],
    ['the action refuses', { action: { caution: () => ({ refused: 'it is shared' }) } }],
    [
      'the way back asks for caution',
      {
        action: { undoCaution: () => ({ approvals: 2, because: 'the key is known to be exposed' }) },
        plan: { ...plan, direction: 'undo', restores: { before: {}, done: [], at: '2026-11-20T21:00:00Z' } } as Plan,
      },
    ],
  ])('is nobody where %s', (_, changes) => {
    expect(rights(changes)).toBeUndefined();
  });
});
