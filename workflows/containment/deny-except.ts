/**
 * Denies everything to a user or role but what it was used for before the incident (DOMAIN.md 5.6, P4b): the workload goes on, and
 * what the attacker brought does not. The list is learned, shown and approved; it never holds the floor (domain/keep-list.ts).
 */
import { z } from 'zod';
import type { CompletionContext } from '#src/contracts/action.ts';
import { UserError } from '#src/contracts/errors.ts';
import { actsIn } from '#src/domain/acting.ts';
import { isInFloor, keptAction, type Learned, learn } from '#src/domain/keep-list.ts';
import { parseTime } from '#src/domain/window.ts';
import { inlineAction } from './identity/define-inline.ts';
import type { InlineState } from './identity/inline-policy.ts';
import { roomFor, roomReads } from './identity/inline-room.ts';
import { lastAccessed, lastAccessedReads } from './identity/last-accessed.ts';
import { PrincipalTarget, principalIn } from './identity/principal.ts';

const policyName = 'FirebreakDenyExcept';
const usage =
  'deny-except <ARN of a user or role> before=<start of the incident> [without=<address or agent>,...] [keep=svc:Action,...] [days=30]';

const Target = PrincipalTarget.extend({
  /** As typed until the plan is made, then ISO 8601 UTC. */
  before: z.string().max(40),
  /** The suspect's addresses, ranges and parts of agents. */
  without: z.array(z.string().min(2).max(200)).max(20),
  keep: z.array(z.string().regex(keptAction)).max(60),
  days: z.number().int().min(1).max(90),
  /** The whole list, learned and asked for; empty until the plan is made. */
  actions: z.array(z.string()),
  /** What the approver must know of how the list came about. */
  notes: z.array(z.string()),
});
type Target = z.output<typeof Target>;

const dayMs = 86_400_000;
const historyDays = 90;

export const denyExcept = inlineAction<Target>({
  name: 'deny-except',
  title:
    'Deny every action to the user or role except those it was used for before the incident, as the list on this card names them.',
  impact: 'Whatever is not on the list is refused within seconds; what is on it goes on, for the attacker too.',
  usage,
  examples: [
    'role/DevOps before=2h without=203.0.113.250,aws-cli keep=ec2:Describe* days=14',
    'arn:aws:iam::999999999999:user/pipeline before=1h keep=ec2:DescribeInstances',
  ],
  kinds: ['user', 'role'],
  policyName,
  more: { schema: Target, parse: parsed },
  complete: completed,
  completionReads: [...lastAccessedReads, ...roomReads],
  background: ({ actions, notes }) => [`${actions.length} actions are kept: ${actions.join(', ')}.`, ...notes],
  document: (_before, { actions }) => documentOf(actions),
  reversal: 'Undo takes the policy away, or puts back the one of that name that was there before.',
  mintedLivesMs: () => 12 * 3_600_000,
  inForce: 'is denied every action but those on a list',
  willNotStop: ({ principalArn }) => [
    'Whoever holds the credentials can go on doing everything that is on the list, data reads among it.',
    ...(principalArn.includes(':user/')
      ? ['Roles that the user has already assumed live on until their session ends, up to 12 hours.']
      : ['Whoever may assume the role can still do so; calls that are not on the list are then refused.']),
    'Users, keys and resources that were already made go on working.',
  ],
});

function parsed(words: readonly string[]): Target {
  const principal = principalIn(words.slice(0, 1), ['user', 'role'], usage);
  const options = new Map<string, string>();
  for (const word of words.slice(1)) {
    const [, name = '', value = ''] = /^(before|without|keep|days)=(.+)$/s.exec(word) ?? [];
    if (name === '' || options.has(name)) {
      throw new UserError(
        `"${word.slice(0, 40)}" is no option of deny-except, or stands there twice.`,
        `Usage: contain ${usage}`,
      );
    }
    options.set(name, value);
  }
  const before = options.get('before');
  if (before === undefined) {
    throw new UserError(
      'When did the incident begin? Only what was done before that is kept.',
      'Add before=2026-11-20T22:00:00Z, or before=3h.',
    );
  }
  parseTime(before, new Date(0));
  const keep = listed(options.get('keep'));
  const forbidden = keep.filter((entry) => keptAction.test(entry) && isInFloor(entry));
  if (forbidden.length > 0) {
    throw new UserError(
      `${forbidden.join(', ')} can never be kept: with it an attacker gets out of the containment, or blinds you.`,
      'Never kept: iam, sts, organizations, account and Identity Center, key destruction and grants of KMS, changes of CloudTrail, GuardDuty, Config and logs.',
    );
  }
  const days = Number(options.get('days') ?? 30);
  const read = Target.safeParse({
    ...principal,
    ...{ before, without: listed(options.get('without')), keep: [...new Set(keep)].sort(), days },
    ...{ actions: [], notes: [] },
  });
  if (read.success) return read.data;
  const at = String(read.error.issues[0]?.path[0] ?? '');
  throw new UserError(`${at}= is not understood.`, `Usage: contain ${usage}`);
}

function listed(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

/** Learns the list. Throws UserError where the logs could not be read, show no use, or where the policy would not fit. */
async function completed(target: Target, state: InlineState, ctx: CompletionContext): Promise<Target> {
  const before = parseTime(target.before, ctx.now);
  const from = Math.max(Date.parse(before) - target.days * dayMs, ctx.now.getTime() - historyDays * dayMs);
  if (Date.parse(before) > ctx.now.getTime()) throw new UserError(`before=${before} lies in the future.`);
  if (from >= Date.parse(before)) {
    throw new UserError(
      `The event history goes back ${historyDays} days, which is after ${before}: nothing can be learned.`,
    );
  }
  const window = { from: new Date(from).toISOString(), to: before };
  const artifact = { kind: target.kind, id: state.principalArn } as const;
  const { records, missing } = await ctx.recordsOf(artifact, window);
  if (missing !== undefined) {
    throw new UserError(
      `No list: the logs from ${window.from} to ${window.to} could not be read whole (${missing}).`,
      'A list with holes stops a workload at random. Ask for fewer days=, or use deny-outside-networks or deny-all.',
    );
  }
  const own = records.filter((record) => actsIn(artifact, record));
  const report = await lastAccessed(state.principalArn, ctx);
  const learned = learn(own, report.uses, { ...target, before });
  if (learned.actions.length === 0) {
    throw new UserError(
      `No list: before ${before} nothing was done that could be kept.`,
      'Name what must go on with keep=, or use deny-all.',
    );
  }
  const size = JSON.stringify(documentOf(learned.actions)).length;
  const room = await roomFor(policyName, target, ctx);
  if (size > room) {
    throw new UserError(
      `The list of ${learned.actions.length} actions takes ${size} characters; AWS leaves ${Math.max(room, 0)} for it on this ${target.kind}.`,
      'Cover several by one wildcard (keep=ec2:Describe*), or use deny-outside-networks or deny-all.',
    );
  }
  return { ...target, before, actions: [...learned.actions], notes: notesOf(learned, target, report.missing, window) };
}

function notesOf(
  learned: Learned,
  { without, keep }: Target,
  missing: string | undefined,
  window: { readonly from: string; readonly to: string },
): string[] {
  const said = (list: readonly string[]) =>
    `${list.slice(0, 12).join(', ')}${list.length > 12 ? ` and ${list.length - 12} more` : ''}`;
  return [
    `Learned from CloudTrail between ${window.from} and ${window.to}${without.length === 0 ? ', from every address, since none was named as the suspect' : `, without ${said(without)}`}.`,
    ...(keep.length === 0 ? [] : [`Asked for by hand: ${said(keep)}.`]),
    'CloudTrail shows no data events here (objects, items, messages, invocations): what only reads or writes data is not on the list unless it was asked for.',
    missing === undefined
      ? "Merged with what IAM's last-accessed report knows from before the incident."
      : `IAM's last-accessed report could not be had (${missing}), so what is used more rarely is missing.`,
    ...(learned.unlisted.length === 0
      ? []
      : [`IAM saw ${said(learned.unlisted)} used, of which the list can name nothing: add keep= for what must go on.`]),
    ...(learned.floor.length === 0 ? [] : [`Used before, and never kept: ${said(learned.floor)}.`]),
    ...(learned.unnamed.length === 0 ? [] : [`No IAM action can be named for ${said(learned.unnamed)}.`]),
  ];
}

function documentOf(actions: readonly string[]): object {
  const statement = { Sid: 'FirebreakDenyExcept', Effect: 'Deny', NotAction: actions, Resource: '*' };
  return { Version: '2012-10-17', Statement: [statement] };
}
