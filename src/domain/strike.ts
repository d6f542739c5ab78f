/**
 * A plan for a whole case: all known credentials of the actor in one strike, so as not to warn him; first the evidence that it
 * would destroy. Pure.
 */
import type { Alert } from '../contracts/alert.ts';
import type { Approval } from '../contracts/approval.ts';
import type { Button, Line, Message, Part } from '../contracts/message.ts';
import type { Strike, StrikeStep } from '../contracts/strike.ts';
import { isGuardDuty } from './alert-headline.ts';
import { type AliveItem, leftOf, type OwnerTag } from './alive.ts';
import { few } from './answers.ts';
import { artifactsIn } from './artifacts-in-text.ts';
import { isAttacked } from './finding-subjects.ts';
import { inert } from './inert.ts';
import { bold, code, count, line, person } from './phrases.ts';
import { nameKeyOfArn } from './principal.ts';

/** Keys, identities, sessions and instances that the case is about. Addresses never: they may be shared. */
export function strikeSeeds(alert: Alert): readonly string[] {
  const { actor, furtherActors = [], accessKeys = [], resourceIds, source, title } = alert;
  const attacked = isAttacked(alert);
  const told = [actor, ...furtherActors].flatMap((one) => [one.accessKeyId, one.principalArn]);
  const instances = resourceIds.filter((id) => /^i-[0-9a-f]{8,17}$/.test(id));
  const named = [...told, ...accessKeys, ...(attacked ? [] : instances)];
  // A case that was opened by hand says what it is about in its title alone.
  const untold = !attacked && named.every((one) => one === undefined);
  const typed = source === 'report' || source === 'other' || untold ? [title] : [];
  const found = [...named.filter((one) => one !== undefined), ...typed].flatMap((words) => artifactsIn(words));
  const useful = found.filter(
    ({ kind, id }) =>
      ['accessKey', 'user', 'role', 'session', 'federatedUser', 'root'].includes(kind) || id.startsWith('i-'),
  );
  return [...new Set(useful.map(({ id }) => id))].slice(0, 50);
}

/** Types of findings about what a machine itself does: credentials that were taken from one are used elsewhere. */
const ofMachine = /^[A-Za-z]+:(?:EC2|Runtime)\//;

/** Instances that GuardDuty says act by themselves. Those that a call or a check names may as well be what was acted upon. */
export function actingInstances(alert: Alert): readonly string[] {
  return isGuardDuty(alert) && ofMachine.test(alert.type) ? strikeSeeds(alert).filter(isInstance) : [];
}

/** Actions that keep what a deny or a stop would destroy, in their order. Those that are not there are not offered. */
const evidenceActions = ['capture-memory', 'snapshot-instance'] as const;

const isolation = 'isolate-instance';

export interface StrikeFacts {
  readonly items: readonly AliveItem[];
  readonly seeds: readonly string[];
  /** Of the seeds, the instances to cut off: see `actingInstances`. */
  readonly acting: readonly string[];
  readonly offers: (action: string, words: readonly string[]) => boolean;
  /** From the inventory; asked before anything else. */
  readonly owner: string | undefined;
  readonly tags: readonly OwnerTag[];
}

export interface DrawnStrike {
  readonly steps: readonly StrikeStep[];
  readonly notes: readonly string[];
}

/** More would be no plan that a person reads; the rest comes with the next one. */
export const mostSteps = 25;

/**
 * Steps in order: evidence; what denies an identity that he made; then keys and passwords; then sessions; then the instances that
 * the case names, cut off from the network. Those that only a session ran on are kept as evidence, not cut off.
 */
export function strikeOf(facts: StrikeFacts): DrawnStrike {
  const left = leftOf(facts.items);
  const notes: string[] = [];
  const denied = new Set(
    left.flatMap(({ step, kind }) =>
      step?.action === 'deny-all' && /^(user|role)$/.test(kind) ? step.words.map(sameName) : [],
    ),
  );
  const steps = new Map<string, StrikeStep>();
  const add = (step: StrikeStep) => {
    const key = [step.action, ...step.words].join(' ');
    if (!steps.has(key)) steps.set(key, step);
  };
  for (const id of instancesOf(facts)) {
    for (const action of evidenceActions) {
      if (!facts.offers(action, [id])) continue;
      add({
        phase: 'evidence',
        action,
        words: [id],
        why: 'kept first: what follows warns or ends what runs on it.',
      });
    }
  }
  for (const item of [...left].sort((a, b) => rank(a) - rank(b))) {
    if (item.step === undefined) {
      notes.push(`No step for the ${item.kind} ${item.id}: ${item.because}.`);
      continue;
    }
    // A deny on an identity that he made ends its keys and password as well.
    if (item.step.action !== 'deny-all' && denied.has(sameName(item.of)) && item.kind !== 'session') continue;
    add({
      phase: 'credentials',
      ...item.step,
      why: `${item.kind} ${item.id}: ${item.because}. ${ownerOf(item, facts)}`,
    });
  }
  for (const id of facts.acting) {
    if (!facts.offers(isolation, [id])) continue;
    add({
      phase: 'network',
      action: isolation,
      words: [id],
      why: 'The case is about it: what runs on it goes on otherwise.',
    });
  }
  const untouched = facts.seeds.filter((id) => isInstance(id) && !facts.acting.includes(id));
  if (untouched.length > 0)
    notes.push(
      `Not cut off, since the case does not say that ${untouched.length === 1 ? 'it acts by itself' : 'they act by themselves'}: ${few(untouched, 3)}. isolate-instance does it.`,
    );
  const all = [...steps.values()];
  if (all.length > mostSteps) notes.push(`${all.length - mostSteps} more steps are left out: ask again after these.`);
  notes.push('No source address is blocked: an address may be shared.');
  if (!all.some(({ phase }) => phase === 'evidence') && instancesOf(facts).length > 0) {
    notes.push(
      'No evidence is kept first: there is no action here that takes memory or snapshots. Take them by hand before you approve.',
    );
  }
  return { steps: all.slice(0, mostSteps), notes: notes.slice(0, 20) };
}

/** An ARN out of a session's lacks the path that IAM's own has. */
function sameName(arn: string): string {
  return nameKeyOfArn(arn) ?? arn;
}

function isInstance(id: string): boolean {
  return id.startsWith('i-');
}

function rank({ kind, step }: AliveItem): number {
  if (step?.action === 'deny-all') return 0;
  return kind === 'session' || kind === 'console session' ? 2 : 1;
}

function instancesOf({ items, seeds }: StrikeFacts): readonly string[] {
  const ofSessions = leftOf(items).flatMap(({ step }) => /\/(i-[0-9a-f]{8,17})$/.exec(step?.words[0] ?? '')?.[1] ?? []);
  return [...new Set([...seeds.filter(isInstance), ...ofSessions])];
}

/** Whom to ask: nobody for what he made; else the owner by the inventory; then what a tag says, with who set it. */
function ownerOf(item: AliveItem, { owner, tags }: StrikeFacts): string {
  if (item.madeBy !== undefined && item.kind !== 'session') return `Made by ${item.madeBy}: it needs no owner.`;
  const told = tags
    .filter(({ id }) => id === item.of)
    .slice(0, 2)
    .map(
      ({ key, value, setBy }) =>
        `tag ${key}=${value}, set by ${setBy === '' ? 'somebody that these logs do not show' : setBy}`,
    );
  const known = owner === undefined ? 'The inventory names no owner' : `Owner by the inventory: ${owner}`;
  return `${[known, ...told].join('; ')}.`;
}

export interface StepState {
  readonly step: StrikeStep;
  /** Undefined while it is being planned, or where there is no plan. */
  readonly approval: Approval | undefined;
  /** True where planning is over. */
  readonly isPlanned: boolean;
}

/** Of the characters of a Slack message: what the list of steps may take, beside the rest of the card. */
const roomForSteps = 9_500;
/** What Slack's blocks add to the text of a step. */
const costOfStep = 80;

/**
 * The steps that the card has room for, in order. Only these may be voted on by its button: names and tags are as long as the actor
 * chose them, and nobody approves what the card does not show.
 */
export function onCard(steps: readonly StepState[]): readonly StepState[] {
  let room = roomForSteps;
  const end = steps.findIndex((state) => {
    room -= JSON.stringify(stepLine(state, steps.length)).length + costOfStep;
    return room < 0;
  });
  return end < 0 ? steps : steps.slice(0, end);
}

/**
 * The waiting steps that one click may vote on: those on the card that ask for no code, and none that cuts a machine off while its evidence
 * is still being planned, or waits for more than this click.
 */
export function votable(steps: readonly StepState[], asksCode: (approval: Approval) => boolean): readonly Approval[] {
  const waits = ({ step, approval, isPlanned }: StepState) => {
    if (step.phase !== 'evidence') return false;
    if (approval === undefined) return !isPlanned;
    return approval.state === 'proposed' && (asksCode(approval) || approval.required - approval.votes.length > 1);
  };
  const isFirst = steps.some(waits);
  const now = onCard(steps).filter(({ step }) => !(isFirst && step.phase === 'network'));
  return waitingOf(now).filter((approval) => !asksCode(approval));
}

/** `button` is the opaque id that stands for `votes` waiting steps (`votable`); undefined where there are too few. */
export function strikeCard(
  strike: Strike,
  steps: readonly StepState[],
  button: { readonly id: string; readonly votes: number } | undefined,
): Message {
  const waiting = waitingOf(steps).length;
  const listed = onCard(steps);
  const left = steps.length - listed.length;
  const text =
    steps.length === 0
      ? `No plan for case ${strike.caseId}: nothing that works and can be ended from here was found.`
      : `Plan for case ${strike.caseId}: ${count(steps.length, 'step')}, ${waiting === 0 ? 'none waits' : `${waiting} waiting for approval`}.`;
  const parts: Part[] = [
    { kind: 'header', text: `Strike: case ${strike.caseId}` },
    {
      kind: 'lines',
      lines: [
        line(text),
        line('Asked by ', person(strike.userId), '. Each step has a card of its own with its exact calls.'),
      ],
    },
    ...(steps.length === 0
      ? []
      : [{ kind: 'list' as const, ordered: true, items: listed.map((state) => stepLine(state, steps.length)) }]),
    ...(left === 0
      ? []
      : [
          {
            kind: 'lines' as const,
            lines: [line(`${count(left, 'more step')}, for which this card is too short: on cards of their own only.`)],
          },
        ]),
    ...(strike.notes.length === 0 ? [] : [{ kind: 'list' as const, items: strike.notes.map((note) => line(note)) }]),
  ];
  if (button !== undefined) {
    const others = waitingOf(listed).length - button.votes;
    const buttons: Button[] = [
      {
        action: 'approve',
        value: button.id,
        label: `Approve ${count(button.votes, 'step')}`,
        describe: 'Give your approval to so many of the waiting steps listed here, in order',
        style: 'danger',
      },
    ];
    parts.push({ kind: 'buttons', buttons });
    parts.push({
      kind: 'context',
      lines: [
        line(
          'Your vote is cast on each step in order, under the same rules as on its own card; evidence runs before the rest.',
        ),
        ...(others > 0
          ? [
              line(
                `${count(others, 'step')} more ${others === 1 ? 'waits' : 'wait'} on ${others === 1 ? 'its' : 'their'} own card: for a one-time code, or until the evidence is kept.`,
              ),
            ]
          : []),
      ],
    });
  }
  return { text, parts };
}

function waitingOf(steps: readonly StepState[]): readonly Approval[] {
  return steps.flatMap(({ approval }) => (approval?.state === 'proposed' ? [approval] : []));
}

/** `of` so many steps: the more there are, the shorter is why. */
function stepLine({ step, approval, isPlanned }: StepState, of: number): Line {
  const why = inert(step.why, Math.max(60, Math.floor(roomForSteps / of) - costOfStep - 220));
  const state = approval?.state ?? (isPlanned ? 'no plan: whoever asked was told why' : 'being planned');
  return line(
    bold(step.action),
    ' ',
    code(step.words.join(' ')),
    `: ${state}. ${step.phase === 'evidence' ? 'Evidence, ' : ''}${why}`,
  );
}
