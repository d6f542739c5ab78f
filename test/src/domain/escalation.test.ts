import { expect, it } from 'vitest';
import { callForHelp } from '../../../src/domain/escalation.ts';

type Call = Parameters<typeof callForHelp>[0];

it('sends nobody to a button that the card of a closed case does not have', () => {
  const alert = { accountId: '111122223333', region: 'eu-west-1', severity: 9.5, type: 'restricted', title: 'closed' };
  const call = { caseId: 'IR-7', round: 0, alert, account: undefined, channel: 'C1' } as unknown as Call;

  expect(JSON.stringify(callForHelp(call, false))).toContain('press Acknowledge there');
  const closed = JSON.stringify(callForHelp(call, true));
  expect(closed).not.toContain('press Acknowledge');
  expect(closed).toContain('IR-7');
  expect(closed).toContain('ask one of them');
});
