/** The dossier of an identity in words: headline, parts, and a few lines for a card. */
import type { Brief } from '../../contracts/investigation.ts';
import type { Fact, Part } from '../../contracts/message.ts';
import { few, unfinished } from '../answers.ts';
import { bold, code, count, line, utc } from '../phrases.ts';
import { labelOf } from '../pivot-actors.ts';
import { tagWords } from './tags.ts';
import { trustWords } from './trust.ts';
import type { WhoAnswer } from './who.ts';
import { accountLine, gapsPart, privilegeWord, questionsPart, rightsWords } from './words.ts';

export function whoHeadline(answer: WhoAnswer): string {
  const { subject, state, quarantine, rights } = answer;
  const name =
    subject.session === undefined ? labelOf(subject.id) : `session ${subject.session} of role ${subject.name}`;
  const is =
    state === 'gone'
      ? 'does not exist any more'
      : `${privilegeIs(rights)}${quarantine.length > 0 ? `, and is quarantined already by ${quarantine.map(({ by }) => by).join(' and ')}` : ''}`;
  const hits = answer.questions.filter((one) => one.state === 'hits');
  const odd =
    hits.length === 0
      ? ''
      : `; ${count(hits.length, 'thing')} stand${hits.length === 1 ? 's' : ''} out: ${hits.map((one) => shortNames[one.id] ?? one.id).join(', ')}`;
  const words = `${name} ${is}${odd}${unfinished(answer.coverage)}.`;
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const shortNames: Readonly<Record<string, string>> = {
  'off-hours': 'unusual hours',
  'first-time': 'calls never made before',
  cadence: 'busier than ever',
  place: 'an unexpected place',
  agent: 'other programs',
  'right-changes': 'rights or credentials changed',
  'failed-logins': 'failed sign-ins',
};

function privilegeIs(rights: WhoAnswer['rights']): string {
  switch (rights?.privilege) {
    case 'admin':
      return 'is an ADMINISTRATOR';
    case undefined:
      return 'has rights that could not be read in full';
    case 'none':
      return 'has no rights that were found';
    default:
      return privilegeWord(rights?.privilege);
  }
}

export function whoParts(answer: WhoAnswer, now: Date): readonly Part[] {
  const facts: Fact[] = [
    { label: 'Account', value: line(accountLine(answer.subject.accountId, answer.account)) },
    {
      label: 'Identity',
      value: line(code(answer.subject.id), answer.subject.uniqueId === null ? '' : `, ${answer.subject.uniqueId}`),
    },
    { label: 'Created', value: line(createdWords(answer, now)) },
    { label: 'Rights', value: line(rightsWords(answer.rights)) },
    ...(answer.rights && answer.rights.policies.length > 0
      ? [
          {
            label: 'Policies',
            value: line(
              few(
                answer.rights.policies.map(({ name, via }) => (via === 'itself' ? name : `${name} (by ${via})`)),
                8,
              ),
            ),
          },
        ]
      : []),
    ...(answer.rights?.boundary ? [{ label: 'Boundary', value: line(code(answer.rights.boundary)) }] : []),
    ...credentialFacts(answer),
    ...(answer.person === null
      ? []
      : [{ label: 'Person', value: line(`${answer.person.says} A name is a hint, not a proof.`) }]),
    ...answer.tags.slice(0, 6).map((tag) => ({ label: 'Tag', value: line(tagWords(tag)) })),
  ];
  const parts: Part[] = [{ kind: 'facts', facts }];
  if (answer.quarantine.length > 0) {
    parts.push({
      kind: 'lines',
      lines: answer.quarantine.map((one) =>
        line(bold(`Quarantined already by ${one.by}: `), code(one.policy), `. ${one.leaves}`),
      ),
    });
  }
  if (answer.rights !== null)
    parts.push({
      kind: 'context',
      lines: [line(`Rights are read from its own policies; not in it: ${answer.rights.notConsidered.join(', ')}.`)],
    });
  parts.push(
    ...questionsPart(answer.questions),
    ...usualPart(answer),
    ...changesPart(answer),
    ...gapsPart(answer.notAnswered),
  );
  return parts;
}

function createdWords({ created }: WhoAnswer, now: Date): string {
  if (created.at === null && created.by === null) return 'not known';
  const days =
    created.at === null ? undefined : Math.max(0, Math.floor((now.getTime() - Date.parse(created.at)) / 86_400_000));
  const when =
    created.at === null
      ? 'when is not known'
      : `${utc(created.at)} (${days === 0 ? 'today' : `${count(days ?? 0, 'day')} ago`})`;
  return created.by === null
    ? `${when}; by whom is not in the window`
    : `${when} by ${labelOf(created.by)}${created.sourceIp ? ` from ${created.sourceIp}` : ''}`;
}

function credentialFacts(answer: WhoAnswer): readonly Fact[] {
  const facts: Fact[] = [];
  const { subject, groups, mfa, console, keys, trust, lastUsed } = answer;
  if (subject.kind === 'user') {
    if (groups !== null) facts.push({ label: 'Groups', value: line(few(groups, 6) || 'none') });
    if (mfa !== null) facts.push({ label: 'MFA', value: line(mfa.length === 0 ? 'NONE' : few(mfa, 3)) });
    if (console !== null)
      facts.push({
        label: 'Console',
        value: line(
          console.password
            ? `password since ${utc(console.createdAt ?? '')}, ${passwordUse(answer)}${console.resetRequired ? ', must be changed at the next sign-in' : ''}`
            : 'no password',
        ),
      });
    if (keys !== null && keys.length === 0) facts.push({ label: 'Keys', value: line('none') });
    for (const key of keys ?? [])
      facts.push({
        label: 'Key',
        value: line(
          code(key.id),
          ` ${key.status}, ${key.ageDays === null ? 'age not known' : `${count(key.ageDays, 'day')} old`}, ${useWords(key.lastUsed)}`,
        ),
      });
  }
  if (trust !== null) facts.push({ label: 'Trusts', value: line(few(trust.map(trustWords), 5) || 'nobody') });
  if (lastUsed !== null)
    facts.push({ label: 'Last used', value: line(`${utc(lastUsed.at)} in ${lastUsed.region || 'a Region not told'}`) });
  const alive = answer.sessions.filter(({ mayBeAlive }) => mayBeAlive);
  if (answer.sessions.length > 0)
    facts.push({
      label: 'Sessions',
      value: line(
        `${count(answer.sessions.length, 'session')} minted in the window; ${
          alive.length === 0
            ? 'by the clock all have run out'
            : `${alive.length} may still be alive, the last until ${utc(
                alive
                  .map(({ aliveUntil }) => aliveUntil)
                  .sort()
                  .at(-1) ?? '',
              )}`
        }`,
      ),
    });
  return facts;
}

/** The last use stands with the user himself, which may be refused where the password is shown. */
function passwordUse({ console, subject }: WhoAnswer): string {
  if (console?.lastUsed) return `last used ${utc(console.lastUsed)}`;
  return subject.uniqueId === null ? 'last use not known' : 'never used';
}

export function useWords(
  used: { readonly at: string; readonly service: string; readonly region: string } | null | undefined,
): string {
  if (used === undefined) return 'last use not known';
  return used === null
    ? 'never used as far as IAM knows'
    : `last used ${utc(used.at)} for ${used.service} in ${used.region}`;
}

function usualPart({ usual, thisTime, calls }: WhoAnswer): readonly Part[] {
  if (calls === 0) return [];
  const row = (label: string, before: readonly string[], now: readonly string[]) => [
    label,
    few(before, 4) || '-',
    few(now, 4) || '-',
  ];
  const hours = (list: readonly number[]) => list.map((hour) => String(hour).padStart(2, '0'));
  return [
    { kind: 'header', text: 'Usual, and this time' },
    {
      kind: 'table',
      columns: ['', 'Before', `Since ${utc(thisTime.from)}`],
      rows: [
        ['Calls', `${usual.calls} on ${count(usual.days, 'day')}`, String(thisTime.calls)],
        ['Hours (UTC)', hours(usual.hours).join(' ') || '-', hours(thisTime.hours).join(' ') || '-'],
        row('Countries', usual.countries, thisTime.countries),
        row('Addresses', usual.addresses, thisTime.addresses),
        row('Programs', usual.agents, thisTime.agents),
        row('Regions', usual.regions, thisTime.regions),
        row('Services', usual.services, thisTime.services),
      ],
    },
  ];
}

function changesPart({ changes }: WhoAnswer): readonly Part[] {
  if (changes.length === 0) return [];
  return [
    { kind: 'header', text: 'Changes of its rights and credentials' },
    {
      kind: 'list',
      items: changes
        .slice(-8)
        .map((change) =>
          line(
            `${utc(change.eventTime)} ${change.eventName} by ${change.by === '' ? 'a caller that is not named' : labelOf(change.by)}, event ${change.eventId}`,
          ),
        ),
    },
  ];
}

/** What stands on the card: at most four lines. */
export function whoBrief(answer: WhoAnswer, now: Date): Brief {
  const { rights, questions, quarantine } = answer;
  const facts: Fact[] = [
    {
      label: 'Who',
      value: line(`${answer.state === 'gone' ? 'gone by now; ' : ''}created ${createdWords(answer, now)}`),
    },
    { label: 'Can', value: line(rightsWords(rights, 2)) },
  ];
  if (answer.subject.kind === 'user') {
    const words = [
      answer.mfa === null ? undefined : answer.mfa.length === 0 ? 'no MFA' : 'MFA',
      answer.console === null ? undefined : answer.console.password ? 'console password' : 'no console password',
      answer.keys === null
        ? undefined
        : count(answer.keys.filter(({ status }) => status === 'Active').length, 'active key'),
    ].filter((word) => word !== undefined);
    if (words.length > 0) facts.push({ label: 'Holds', value: line(words.join(', ')) });
  }
  const odd = questions.filter(({ state }) => state === 'hits').map(({ answer: told }) => told);
  if (odd.length > 0) facts.push({ label: 'Stands out', value: line(odd.slice(0, 2).join(' ')) });
  for (const one of quarantine.slice(0, 1))
    facts.push({ label: 'Quarantined', value: line(`already by ${one.by}, `, code(one.policy)) });
  return {
    facts,
    missing: answer.notAnswered.map(({ part, because }) => `${part}: ${because}`),
    mayComeLater: answer.notAnswered.some(({ retryable }) => retryable),
    ...(rights?.privilege === undefined ? {} : { privilege: rights.privilege }),
    did: answer.did,
  };
}
