/** A plan as it is read in a terminal: all of it, since whoever approves there has no card. */
import type { ContainmentAction } from '../contracts/action.ts';
import type { Approval } from '../contracts/approval.ts';
import type { Line, Message } from '../contracts/message.ts';
import { whatOf } from './approval-wording.ts';
import { bold, line } from './phrases.ts';

/** Every field of the plan that its hash covers, the commands for a break-glass role, and what to type next. */
export function planOnHost(approval: Approval, action: ContainmentAction | undefined): Message {
  const { plan, context } = approval;
  const title = `${whatOf(approval)} in account ${plan.accountId}: ${approval.state}`;
  const facts: Line[] = [
    line(bold('Approval: '), approval.id),
    line(bold('Plan hash: '), approval.planHash),
    line(bold('Asked by: '), `${approval.requester.userId}, expires ${approval.expiresAt}`),
    line(bold('Approvals: '), `${approvers(approval)} of ${approval.required}. ${context.approvalsBecause}`),
    ...(action === undefined || plan.direction === 'undo' ? [] : [line(bold('Impact: '), action.impact)]),
    ...[...context.blastRadius, context.blastCoverage].map((sentence) => line(bold('Use: '), sentence)),
    ...context.willNotStop.map((sentence) => line(bold('Will not stop: '), sentence)),
    line(bold('Way back: '), context.reversal),
    line(bold('Responder role: '), plan.responderRole),
    ...(approval.outcome === undefined ? [] : [line(bold('Outcome: '), approval.outcome)]),
  ];
  return {
    text: title,
    parts: [
      { kind: 'header', text: title },
      { kind: 'lines', lines: facts },
      { kind: 'lines', lines: [line(bold('The calls, with every policy in them:'))] },
      { kind: 'preformatted', text: JSON.stringify(plan.calls, undefined, 2) },
      { kind: 'lines', lines: [line(bold('Session policy:'))] },
      { kind: 'preformatted', text: JSON.stringify(plan.sessionPolicy, undefined, 2) },
      { kind: 'lines', lines: [line(bold('The same by hand, with a break-glass role:'))] },
      { kind: 'preformatted', text: context.cli.join('\n') },
      { kind: 'lines', lines: nextWords(approval) },
    ],
  };
}

function approvers({ votes }: Approval): number {
  return votes.filter(({ vote }) => vote === 'approve').length;
}

function nextWords({ id, state }: Approval): Line[] {
  const who = '--as <Slack user id> --code <one-time code>';
  const record = line('Ran it by hand? ', `firebreak ir record ${id} ${who} "what was run"`);
  return state === 'proposed'
    ? [line('Next: ', `firebreak ir approve|reject|withdraw ${id} ${who}`), record]
    : [record];
}
