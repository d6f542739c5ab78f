/** The card of a finding: all that a responder needs, on one screen of a phone. */
import type { AddressFacts } from '../contracts/address.ts';
import type { Alert } from '../contracts/alert.ts';
import type { Button, Fact, Inline, Line, Message, Part } from '../contracts/message.ts';
import { isGuardDuty, needsTitle, sentenceOfAlert, sourceName } from './alert-headline.ts';
import { signalList } from './alert-signals.ts';
import { type CardEnrichment, enrichmentParts } from './enrichment-wording.ts';
import { addressLine } from './finding-addresses.ts';
import { type Containable, callsOut, containableKeyOf, whyNoKey } from './finding-subjects.ts';
import { inert } from './inert.ts';
import { type Account, accountWords } from './inventory.ts';
import { resourceName } from './resource-words.ts';
import { severityLabel } from './severity.ts';
import { type ShownVerification, verificationLine } from './verification-wording.ts';

export interface FindingCard {
  readonly case: {
    readonly id: string;
    readonly acknowledgedBy?: string | undefined;
    readonly acknowledgedAt?: string | undefined;
  };
  readonly alert: Alert;
  readonly account: Account | undefined;
  /** What is known of `alert.remote`, in the same order (`addressFactsOf`). */
  readonly addresses: readonly AddressFacts[];
  /** Opaque button ids. Without `pivot` there is nothing to pivot on; without `contain` nothing to contain. */
  readonly buttons: {
    readonly pivot?: string | undefined;
    readonly contain?: string | undefined;
    /** Asks for a plan for the whole case. */
    readonly strike?: string | undefined;
    readonly acknowledge?: string | undefined;
  };
  /** What was looked up in the background; undefined where nothing is. */
  readonly enrichment?: CardEnrichment | undefined;
  /** Whether anything may be contained in this account; `no` is a whole sentence that says why not. */
  readonly containable: Containable;
  readonly verification?: ShownVerification;
  readonly now: Date;
}

const sampleIsNot: Containable = { no: 'This is a sample finding: its resources are not real.' };
const shownAddresses = 3;
const shownFacts = 8;
const dayMs = 24 * 60 * 60 * 1000;

function text(words: string, bold = false): Inline {
  return bold ? { kind: 'text', text: words, bold } : { kind: 'text', text: words };
}
function code(words: string): Inline {
  return { kind: 'code', text: inert(words, 120) };
}

/** `EC2 instance i-0abc "build-7", and 3 more`; undefined where the finding names nothing beside the actor's key. */
function resourceLine(alert: Alert): Line | undefined {
  const { id, name } = alert.resource;
  if (id === undefined && name === undefined) {
    if (!isGuardDuty(alert)) return undefined;
    return alert.actor.accessKeyId !== undefined && alert.resource.type === 'AccessKey'
      ? undefined
      : [text(`${resourceName(alert)}, not named in the finding`)];
  }
  const word = resourceName(alert);
  const kind = alert.resource.type === 'AccessKey' || word === '' ? '' : `${word} `;
  const line: Inline[] = kind === '' ? [] : [text(kind)];
  line.push(code(id ?? name ?? ''));
  if (id !== undefined && name !== undefined) line.push(text(' '), code(name));
  // A bucket is named by name and by ARN: that is one resource.
  const ids = alert.resourceIds.filter((one, _, all) => !all.some((other) => one.endsWith(`:${other}`)));
  const further = ids.length - 1;
  if (further > 0) line.push(text(`, and ${further} more`));
  return line;
}

const userTypeWords = new Map([
  ['IAMUser', 'user'],
  ['AssumedRole', 'role'],
  ['Role', 'role'],
  ['Root', 'root user'],
  ['FederatedUser', 'federated user'],
  ['AWSAccount', 'another account'],
  ['AWSService', 'AWS service'],
  ['Kubernetes', 'Kubernetes user'],
  ['Database', 'database user'],
]);

function actorLine(alert: Alert): Line {
  const { userName, userType, principalArn, principalId, accessKeyId } = alert.actor;
  const name = userName ?? principalArn ?? principalId;
  const line: Inline[] = [];
  if (name !== undefined) {
    const word = userName === undefined ? undefined : userTypeWords.get(userType ?? '');
    if (word !== undefined) line.push(text(`${word} `));
    line.push(code(name));
  }
  if (accessKeyId !== undefined) line.push(text(line.length > 0 ? ', key ' : 'key '), code(accessKeyId));
  return line.length > 0 ? line : [text('not named in the finding')];
}

function accountLine(alert: Alert, account: Account | undefined): Line {
  if (alert.accountId === '') return [text('not named')];
  if (account === undefined) return [code(alert.accountId), text(', '), text('not in the inventory', true)];
  const rest = [
    account.environment,
    account.owner === undefined ? undefined : `owner ${account.owner}`,
    account.dataClass === undefined ? undefined : `data ${account.dataClass.join(', ')}`,
  ].filter((word) => word !== undefined);
  const name = account.name === undefined ? [] : [text(`${account.name} `)];
  return [...name, code(alert.accountId), ...(rest.length > 0 ? [text(`, ${rest.join(', ')}`)] : [])];
}

function seenLine(alert: Alert): Line {
  const times = alert.count === 1 ? 'once' : `${alert.count.toLocaleString('en-US')} times`;
  const { firstSeen, lastSeen } = alert;
  if (firstSeen === undefined && lastSeen === undefined) return [text(`${times}; the finding does not say when`)];
  if (firstSeen === lastSeen || firstSeen === undefined || lastSeen === undefined) {
    return [text(`${times}, `), { kind: 'date', at: lastSeen ?? firstSeen ?? '' }];
  }
  return [{ kind: 'date', at: firstSeen }, text(' to '), { kind: 'date', at: lastSeen }, text(`, ${times}`)];
}

/** The API or domain that the finding is about, in a sentence of its own. */
function detailLine(alert: Alert): Line | undefined {
  const { api, domain } = alert;
  if (api !== undefined) {
    const line: Inline[] = [text('The call: '), code(api.name)];
    if (api.service !== undefined) line.push(text(' on '), code(api.service));
    if (api.errorCode !== undefined) line.push(text(', refused with '), code(api.errorCode));
    return [...line, text('.')];
  }
  return domain === undefined ? undefined : [text('The name: '), code(domain), text('.')];
}

/** Whose title it is that stands beside our own sentence. */
function titleOf(alert: Alert): string {
  if (isGuardDuty(alert)) return "GuardDuty's own title";
  if (alert.source === 'report') return 'The report';
  return alert.product === undefined ? sourceName(alert) : inert(alert.product, 40);
}

function headlines(alert: Alert): Line[] {
  const lines: Line[] = [];
  const own = alert.source === 'guardduty';
  const place = own ? 'GuardDuty' : 'Security Hub';
  if (alert.sample) {
    lines.push([text('SAMPLE', true), text(`: a test finding${own ? ' made by GuardDuty' : ''}. Nothing happened.`)]);
  }
  if (alert.archived) lines.push([text('ARCHIVED', true), text(`: somebody archived this finding in ${place}.`)]);
  if (alert.suppressed === true) {
    lines.push([text('SUPPRESSED', true), text(': somebody, or a rule, suppressed it in Security Hub.')]);
  }
  if (alert.resolved === true) lines.push([text('OVER', true), text(`: ${sourceName(alert)} says so.`)]);
  lines.push([text(sentenceOfAlert(alert), true)]);
  if (needsTitle(alert)) lines.push([text(`${titleOf(alert)}: ${inert(alert.title, 160)}`)]);
  const detail = detailLine(alert);
  if (detail !== undefined) lines.push(detail);
  return lines;
}

function facts(card: FindingCard): Fact[] {
  const { alert, account, addresses } = card;
  const resource = resourceLine(alert);
  const label = callsOut(alert) ? 'Remote address' : 'Source address';
  const shown = addresses.slice(0, shownAddresses);
  const more = alert.remote.length - shown.length;
  const own = isGuardDuty(alert);
  const actor = alert.actor;
  const hasActor = [actor.userName, actor.principalArn, actor.principalId, actor.accessKeyId].some(Boolean);
  const hasTime = alert.firstSeen !== undefined || alert.lastSeen !== undefined;
  return [
    { label: 'Account', value: accountLine(alert, account) },
    ...(alert.region === '' ? [] : [{ label: 'Region', value: [code(alert.region)] }]),
    ...(resource === undefined ? [] : [{ label: 'Resource', value: resource }]),
    ...(own || hasActor ? [{ label: 'Actor', value: actorLine(alert) }] : []),
    ...shown.map((address) => ({ label, value: addressLine(address) })),
    ...(own && shown.length === 0 ? [{ label, value: [text('none in the finding')] }] : []),
    ...(more > 0 && shown.length > 0 ? [{ label: 'More addresses', value: [text(String(more))] }] : []),
    ...(own || hasTime ? [{ label: 'Seen', value: seenLine(alert) }] : []),
    ...(alert.facts ?? []).slice(0, shownFacts).map((fact) => ({
      label: inert(fact.label, 40),
      value: [text(inert(fact.value, 200))],
    })),
  ];
}

function contextLines(card: FindingCard): Line[] {
  const { alert, containable, now } = card;
  const lines: Line[] = [[text(`${sourceName(alert)} `), code(alert.type)]];
  if (alert.reportedBy !== undefined) lines.push([text('Reported by '), { kind: 'person', userId: alert.reportedBy }]);
  const verified = verificationLine(card.verification);
  if (verified !== undefined) lines.push(verified);
  const whyNot = 'no' in containable ? containable.no : canStrike(card) ? undefined : whyNoKey(alert);
  if (whyNot !== undefined) lines.push([text(`Contain is not offered. ${whyNot}`)]);
  const age = now.getTime() - Date.parse(alert.updatedAt);
  if (age < -dayMs / 24) lines.push([text('The finding is dated in the future: check the clocks.')]);
  for (const note of alert.notes.slice(0, 4)) lines.push([text(`Note: ${inert(note, 160)}.`)]);
  const { acknowledgedBy, acknowledgedAt } = card.case;
  if (acknowledgedBy !== undefined) {
    const by: Inline[] = [text('Acknowledged by '), { kind: 'person', userId: acknowledgedBy }];
    if (acknowledgedAt !== undefined) by.push(text(' at '), { kind: 'date', at: acknowledgedAt });
    lines.push(by);
  }
  return lines;
}

function canContain({ containable, alert, buttons }: FindingCard): boolean {
  return 'yes' in containable && buttons.contain !== undefined && containableKeyOf(alert) !== undefined;
}

/** A case that names no key to disable, but somebody or something to look into. */
function canStrike({ containable, alert, buttons }: FindingCard): boolean {
  return 'yes' in containable && buttons.strike !== undefined && containableKeyOf(alert) === undefined && !alert.sample;
}

function buttonsOf(card: FindingCard): Button[] {
  const { pivot, contain, acknowledge } = card.buttons;
  const buttons: Button[] = [];
  if (pivot !== undefined) {
    const describe = 'Pivot: look up who did this, from where, and what else they did';
    buttons.push({ action: 'pivot', value: pivot, label: 'Pivot', describe, style: 'primary' });
  }
  if (contain !== undefined && canContain(card)) {
    const describe = 'Contain: propose to disable the access key; somebody else approves';
    buttons.push({ action: 'contain', value: contain, label: 'Contain', describe, style: 'danger' });
  } else if (canStrike(card)) {
    const describe = 'Contain: propose a plan for the whole case; somebody else approves each step';
    buttons.push({ action: 'contain', value: card.buttons.strike ?? '', label: 'Contain', describe, style: 'danger' });
  }
  if (acknowledge !== undefined && card.case.acknowledgedBy === undefined) {
    const describe = 'Acknowledge: say that you are looking at this finding';
    buttons.push({ action: 'acknowledge', value: acknowledge, label: 'Acknowledge', describe });
  }
  return buttons;
}

/** The notification, and all that a screen reader gets: severity, account, what, resource, and what to do now. */
function sentence(card: FindingCard): string {
  const { alert, account } = card;
  const marks = `${alert.sample ? 'Sample finding, nothing happened. ' : ''}${alert.archived ? 'Archived finding. ' : ''}`;
  const what = sentenceOfAlert(alert);
  const { id, name } = alert.resource;
  const { userName, accessKeyId } = alert.actor;
  const about = [
    id === undefined && name === undefined ? undefined : `${resourceName(alert)} ${inert(name ?? id ?? '', 80)}`.trim(),
    userName === undefined ? undefined : `identity ${inert(userName, 80)}`,
    accessKeyId === undefined ? undefined : `key ${inert(accessKeyId, 40)}`,
  ].filter((part) => part !== undefined);
  const concerned = about.length > 0 ? ` Concerned: ${about.join(', ')}.` : '';
  const advice = alert.sample
    ? 'No action is needed.'
    : card.case.acknowledgedBy !== undefined
      ? 'Somebody is looking at it.'
      : canContain(card)
        ? 'Action needed: look into it with Pivot, propose to disable the key with Contain, or acknowledge it.'
        : card.buttons.pivot === undefined
          ? 'Action needed: look at it and acknowledge it.'
          : 'Action needed: look into it with Pivot, or acknowledge it.';
  const where =
    alert.accountId === '' ? 'an account that is not named' : accountWords(inert(alert.accountId, 30), account);
  const place = [where, inert(alert.region, 40)].filter((part) => part !== '').join(', ');
  const noun = isGuardDuty(alert) || alert.source === 'security-hub' ? 'finding' : 'alert';
  return `${marks}${severityLabel(alert.severity)} severity ${noun} in ${place}: ${what}${concerned} ${advice}`;
}

/**
 * The card. Pure: the same input gives the same Message. Names from outside stand in `code`, cut to size; the renderer
 * makes every string inert. A sample offers no containment whatever the buttons say.
 */
export function findingCard(input: FindingCard): Message {
  const card: FindingCard = input.alert.sample ? { ...input, containable: sampleIsNot } : input;
  const { alert, account } = card;
  const mark = alert.sample ? 'SAMPLE · ' : '';
  const where = account?.name ?? (inert(alert.accountId, 30) || 'account not named');
  const title = [severityLabel(alert.severity), where, inert(alert.region, 40)].filter((part) => part !== '');
  const signals = signalList(alert);
  const buttons = buttonsOf(card);
  const parts: Part[] = [
    { kind: 'header', text: `${mark}${title.join(' · ')}` },
    { kind: 'lines', lines: headlines(alert) },
    ...(signals === undefined ? [] : signals),
    { kind: 'facts', facts: facts(card) },
    ...enrichmentParts(alert, card.enrichment),
    { kind: 'context', lines: contextLines(card) },
  ];
  if (buttons.length > 0) parts.push({ kind: 'buttons', buttons });
  return { text: sentence(card), parts };
}

export { containableKeyOf, furtherSeedsOf, pivotSeedOf } from './finding-subjects.ts';
