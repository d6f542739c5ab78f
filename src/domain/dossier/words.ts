/** Words that the dossiers share. */
import type { Privilege } from '../../contracts/investigation.ts';
import type { Line, Part } from '../../contracts/message.ts';
import type { AccountFacts } from '../../contracts/surroundings.ts';
import { bold, line } from '../phrases.ts';
import type { Gap } from './gaps.ts';
import type { Answered } from './habit-questions.ts';
import type { Rights } from './rights.ts';

const privilegeWords: Readonly<Record<Privilege, string>> = {
  admin: 'administrator',
  escalation: 'can make itself more than it is',
  data: 'can read data',
  compute: 'can run machines or code',
  read: 'can look at settings',
  none: 'no rights found',
};

export function privilegeWord(privilege: Privilege | undefined): string {
  return privilege === undefined ? 'not known' : privilegeWords[privilege];
}

/** `can make itself more than it is: make access keys for other users (limited), ...`. */
export function rightsWords(rights: Rights | null, shown = 3): string {
  if (rights === null) return 'not known';
  const word = privilegeWord(rights.privilege);
  const unread = rights.unread.length > 0 ? `; ${rights.unread.length} of its policies could not be read` : '';
  if (rights.privilege !== 'escalation') return `${word}${unread}`;
  const ways = rights.paths.toSorted((a, b) => Number(a.limited) - Number(b.limited));
  const more = ways.length > shown ? `, and ${ways.length - shown} more ways` : '';
  return `${word}: ${ways
    .slice(0, shown)
    .map((way) => `${way.says}${way.limited ? ' (limited)' : ''}`)
    .join(', ')}${more}${unread}`;
}

export function accountLine(accountId: string, account: AccountFacts | null | undefined): string {
  if (!account) return `${accountId || 'not known'}, not in the inventory`;
  const facts = [
    account.environment,
    account.owner && `owner ${account.owner}`,
    account.dataClass && `data ${account.dataClass.join(', ')}`,
    account.ou && `OU ${account.ou}`,
  ].filter(Boolean);
  return `${account.name === undefined ? '' : `${account.name} `}${accountId}${facts.length > 0 ? `, ${facts.join(', ')}` : ''}`;
}

const marks = { hits: 'YES', 'nothing-found': 'Nothing found', 'not-looked-at': 'NOT KNOWN' } as const;

export function questionsPart(questions: readonly Answered[]): readonly Part[] {
  if (questions.length === 0) return [];
  // What is not known for one and the same reason is said once.
  const unknown = Map.groupBy(
    questions.filter((one) => one.state === 'not-looked-at'),
    ({ answer }) => answer,
  );
  return [
    { kind: 'header', text: 'Questions' },
    {
      kind: 'list',
      items: [
        ...questions
          .filter((one) => one.state !== 'not-looked-at')
          .map((one) =>
            line(
              bold(`${one.question} `),
              `${hopesForYes.has(one.id) ? oppositeMark(one) : marks[one.state]}. ${one.answer}${evidenceWords(one.evidence)}`,
            ),
          ),
        ...[...unknown].map(([answer, same]) =>
          line(bold(`${same.map(({ question }) => question).join(' ')} `), `NOT KNOWN. ${answer}`),
        ),
      ],
    },
  ];
}

const hopesForYes = new Set(['place', 'agent', 'cadence']);

/** Questions that hope for a yes. */
function oppositeMark({ state }: Answered): string {
  return state === 'hits' ? 'NO' : state === 'nothing-found' ? 'As before' : 'NOT KNOWN';
}

function evidenceWords(evidence: readonly string[]): string {
  if (evidence.length === 0) return '';
  return ` Event${evidence.length === 1 ? '' : 's'} ${evidence.slice(0, 2).join(', ')}${evidence.length > 2 ? ` and ${evidence.length - 2} more` : ''}.`;
}

/** What could not be learned, by name. */
export function gapsPart(gaps: readonly Gap[]): readonly Part[] {
  if (gaps.length === 0) return [];
  const items: Line[] = gaps.slice(0, 12).map(({ part, because }) => line(bold(`${part}: `), because));
  return [
    { kind: 'header', text: 'Not answered' },
    { kind: 'list', items: gaps.length > 12 ? [...items, line(`and ${gaps.length - 12} more`)] : items },
  ];
}

/** Days between two instants, rounded down; null where one is missing. */
export function daysBetween(from: string | null | undefined, to: Date): number | null {
  const start = Date.parse(from ?? '');
  return Number.isNaN(start) ? null : Math.max(0, Math.floor((to.getTime() - start) / 86_400_000));
}
