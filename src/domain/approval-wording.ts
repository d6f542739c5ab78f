/** The approval card, from its first sight to its end. */
import type { ContainmentAction } from '../contracts/action.ts';
import type { Approval, ApprovalState } from '../contracts/approval.ts';
import type { Button, Line, Message, Part } from '../contracts/message.ts';
import { isUndoable } from './approval.ts';
import { named } from './blanks.ts';
import { brokenGlass } from './break-glass.ts';
import { type Account, accountWords } from './inventory.ts';
import { bold, code, date, line, person, text, utc } from './phrases.ts';
import { targetWords } from './plan.ts';
import { isBeyondCard, planFilename } from './plan-file.ts';
import { watchWords } from './watch.ts';

export interface ApprovalCard {
  readonly approval: Approval;
  readonly action: ContainmentAction;
  readonly account: Account | undefined;
  readonly mode: 'observe' | 'propose' | 'execute';
  readonly frozen: boolean;
  /** Opaque id of the approval's buttons. */
  readonly button: string;
  /** The undo of this approval that is under way or done. */
  readonly undo: 'none' | 'asked' | 'done';
}

const headings: Readonly<Record<ApprovalState, string>> = {
  proposed: 'Approval needed',
  approved: 'Approved, about to be applied',
  applying: 'Being applied',
  verified: 'Done and verified',
  failed: 'Failed',
  partial: 'Partly done',
  rejected: 'Rejected',
  withdrawn: 'Withdrawn',
  expired: 'Expired',
  stale: 'Void',
};

/** What is to be done, in a few words: `disable access key AKIA... of user pipeline`. */
export function whatOf(approval: Approval): string {
  const { plan } = approval;
  const verb = plan.action.replaceAll('-', ' ');
  const target = targetWords(plan.target);
  const user = typeof plan.before.userName === 'string' ? ` of user ${plan.before.userName}` : '';
  return `${plan.direction === 'undo' ? 'undo ' : ''}${verb} ${target}${user}`;
}

export function approvalCard(card: ApprovalCard): Message {
  const { approval } = card;
  const what = whatOf(approval);
  const open = approval.state === 'proposed';
  const parts: Part[] = [
    {
      kind: 'header',
      text: `${brokenGlass(approval) === undefined ? '' : 'BREAK-GLASS, '}${isUndone(card) ? 'Undone' : headings[approval.state]}: ${what}`,
    },
    { kind: 'lines', lines: statusLines(card) },
    { kind: 'facts', facts: facts(card) },
    ...(open ? planParts(card) : endParts(card)),
    ...buttons(card),
    { kind: 'context', lines: [line(`Case ${approval.caseId}, plan ${approval.planHash.slice(0, 12)}`)] },
  ];
  const shown = open && isBeyondCard(parts) ? [...parts.slice(0, 2), beyond, ...parts.slice(2)] : parts;
  return { text: sentence(card, what), parts: shown };
}

/** What was read back then is not so any more: the card must not say it as if it were. */
function isUndone({ approval, undo }: ApprovalCard): boolean {
  return approval.state === 'verified' && undo === 'done';
}

function sentence(card: ApprovalCard, what: string): string {
  const { approval, account, mode } = card;
  const where = accountWords(approval.plan.accountId, account);
  if (isUndone(card)) return `Undone: ${what} in ${where} was carried out, and was undone since.`;
  switch (approval.state) {
    case 'proposed':
      return `Approval needed to ${what} in ${where}. It expires at ${utc(approval.expiresAt)}.`;
    case 'approved':
      return mode === 'execute'
        ? `Approved: ${what} in ${where} is about to be applied.`
        : `Approved, but not run, because the mode is ${mode}: ${what} in ${where}. The card has the AWS CLI commands.`;
    case 'applying':
      return `Being applied: ${what} in ${where}. Not confirmed yet.`;
    case 'verified':
      return `Done and read back from AWS: ${what} in ${where}.`;
    default:
      return `${headings[approval.state]}: ${what} in ${where}. ${approval.outcome ?? ''}`.trim();
  }
}

function statusLines(card: ApprovalCard): Line[] {
  const { approval, action, mode, frozen } = card;
  if (isUndone(card))
    return [line('It was carried out, and was undone since by a plan of its own. Its card says more.')];
  const lines: Line[] = [];
  const glass = brokenGlass(approval);
  if (glass !== undefined)
    lines.push(line(bold('BREAK-GLASS: '), person(glass.userId), ` approved it alone. Reason: ${glass.breakGlass}`));
  if (approval.state === 'proposed') {
    lines.push(line(approval.plan.direction === 'undo' && 'reversal' in action ? action.reversal : action.title));
    if (approval.plan.direction === 'apply') lines.push(line(bold('Impact: '), action.impact));
    if (mode !== 'execute')
      lines.push(line(bold(`The mode is ${mode}: `), 'approving shows the AWS CLI commands and runs nothing.'));
    if (frozen && approval.plan.direction === 'apply')
      lines.push(line(bold('All writes are frozen: '), 'approving now has no effect.'));
  }
  if (approval.state === 'approved' && mode !== 'execute') {
    lines.push(
      line(`The mode is ${mode}, so Firebreak runs nothing. A person with a break-glass role can run exactly this:`),
    );
  }
  if (approval.state === 'verified' && approval.after !== undefined) {
    lines.push(line(bold('Read back from AWS: '), action.describe(approval.plan.target, approval.after as never), '.'));
    lines.push(
      approval.watched === undefined
        ? line('AWS can take some seconds more until this holds everywhere. What the target does next is watched.')
        : line(bold('Since then: '), watchWords(approval.watched)),
    );
  }
  if (card.undo === 'asked')
    lines.push(line('Somebody asked to undo it: that is a plan of its own, on a card of its own.'));
  if (approval.outcome !== undefined) lines.push(line(approval.outcome));
  return lines;
}

function facts({ approval, account, action }: ApprovalCard) {
  const { plan, requester } = approval;
  const approvers = approval.votes.filter((vote) => vote.vote === 'approve');
  const against = approval.votes.find((vote) => vote.vote !== 'approve');
  return [
    { label: 'Target', value: line(code(targetWords(plan.target))) },
    {
      label: 'Account',
      value: line(
        `${accountWords(plan.accountId, account)}${account?.environment === undefined ? '' : `, ${account.environment}`}${account?.owner === undefined ? '' : `, owner ${account.owner}`}`,
      ),
    },
    { label: 'State before', value: line(action.describe(plan.target, plan.before as never)) },
    { label: 'Asked by', value: line(person(requester.userId)) },
    {
      label: 'Approvals',
      value:
        approvers.length === 0
          ? line(`0 of ${approval.required}. ${approval.context.approvalsBecause}`)
          : line(
              `${approvers.length} of ${approval.required}: `,
              ...approvers.flatMap((vote, index) => [
                ...(index === 0 ? [] : [text(', ')]),
                person(vote.userId),
                text(' at '),
                date(vote.at),
              ]),
            ),
    },
    ...(against === undefined
      ? []
      : [{ label: headingOfVote(against.vote), value: line(person(against.userId), ' at ', date(against.at)) }]),
    ...(approval.state === 'proposed' ? [{ label: 'Expires', value: line(date(approval.expiresAt)) }] : []),
  ];
}

function headingOfVote(vote: 'approve' | 'reject' | 'withdraw'): string {
  return vote === 'reject' ? 'Rejected by' : 'Withdrawn by';
}

const beyond: Part = {
  kind: 'lines',
  lines: [
    line(
      bold('This plan is longer than a Slack message: '),
      'read ',
      code(planFilename),
      ' in its thread before you approve.',
    ),
  ],
};

/** All that the approver decides on: the calls, the use, what goes on, the way back. */
function planParts({ approval }: ApprovalCard): Part[] {
  const { plan, context } = approval;
  return [
    {
      kind: 'lines',
      lines: [line(bold('Exact AWS calls'), `, as ${plan.responderRole} with a session policy for these only`)],
    },
    {
      kind: 'preformatted',
      text: plan.calls
        .map((call) => `${call.service}:${call.operation} ${JSON.stringify(named(call.input))}`)
        .join('\n'),
    },
    { kind: 'lines', lines: [line(bold('Who uses it'), ` (${context.blastCoverage})`)] },
    { kind: 'list', items: context.blastRadius.map((entry) => line(entry)) },
    ...(context.willNotStop.length === 0
      ? []
      : ([
          { kind: 'lines', lines: [line(bold('It will not stop'))] },
          { kind: 'list', items: context.willNotStop.map((entry) => line(entry)) },
        ] satisfies Part[])),
    { kind: 'lines', lines: [line(bold('Way back: '), context.reversal)] },
  ];
}

function endParts(card: ApprovalCard): Part[] {
  const { approval, mode } = card;
  if (approval.state === 'approved' && mode !== 'execute') {
    return [{ kind: 'preformatted', text: approval.context.cli.join('\n') }];
  }
  if (approval.state === 'verified' && !isUndone(card) && approval.context.willNotStop.length > 0) {
    return [
      { kind: 'lines', lines: [line(bold('What it did not stop'))] },
      { kind: 'list', items: approval.context.willNotStop.map((entry) => line(entry)) },
    ];
  }
  return [];
}

function buttons({ approval, action, button, undo }: ApprovalCard): Part[] {
  const target = targetWords(approval.plan.target).slice(-4);
  const make = (name: Button['action'], label: string, describe: string, style?: Button['style']): Button => ({
    action: name,
    value: button,
    label,
    describe,
    ...(style === undefined ? {} : { style }),
  });
  if (approval.state === 'proposed') {
    const verb = approval.plan.direction === 'undo' ? 'Approve undoing it for' : 'Approve it for';
    return [
      {
        kind: 'buttons',
        buttons: [
          make('approve', 'Approve', `${verb} the target ending ${target}`, 'danger'),
          make('reject', 'Reject', `Reject the plan for the target ending ${target}`),
          make('withdraw', 'Withdraw', 'Withdraw your own request'),
        ],
      },
    ];
  }
  if (isUndoable(approval) && 'undo' in action && undo === 'none') {
    return [{ kind: 'buttons', buttons: [make('undo', 'Undo', `Ask to undo it for the target ending ${target}`)] }];
  }
  return [];
}

/** A word in the approval's thread for those who follow it; an update of a card notifies nobody. */
export function milestone(
  approval: Approval,
  head?: { readonly seq: number; readonly hash: string },
): Message | undefined {
  const what = whatOf(approval);
  const said: Partial<Record<ApprovalState, string>> = {
    verified: `Done and read back from AWS: ${what}.`,
    failed: `Failed: ${what}. ${approval.outcome ?? ''}`,
    partial: `Partly done: ${what}. ${approval.outcome ?? ''}`,
    stale: `Void, nothing was written: ${what}. ${approval.outcome ?? ''}`,
    expired: `Expired: ${what}. ${approval.outcome ?? ''}`,
  };
  const sentenceSaid = said[approval.state]?.trim();
  if (sentenceSaid === undefined) return undefined;
  const voters = approval.votes.filter((vote) => vote.vote === 'approve').map((vote) => person(vote.userId));
  return {
    text: sentenceSaid,
    parts: [
      {
        kind: 'lines',
        lines: [
          line(sentenceSaid, ' ', person(approval.requester.userId), ...voters.flatMap((voter) => [text(' '), voter])),
        ],
      },
      // Outside of the database: a chain that was rewritten or cut off no longer holds it.
      ...(head === undefined
        ? []
        : [{ kind: 'context' as const, lines: [line(`Head of the audit: entry ${head.seq}, `, code(head.hash))] }]),
    ],
  };
}
