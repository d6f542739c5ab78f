/** The lines that enrichment adds to the card of an alert. */
import type { Alert } from '../contracts/alert.ts';
import type { Enrichment } from '../contracts/enrichment.ts';
import type { Fact, Inline, Line, Part } from '../contracts/message.ts';
import type { AccountFacts } from '../contracts/surroundings.ts';
import { caseSeverity } from './case-severity.ts';
import { gravestOf, stateOf } from './enrichment.ts';
import { inert } from './inert.ts';
import { bold, line, text } from './phrases.ts';
import { severityRank } from './severity.ts';

export interface CardEnrichment {
  readonly enrichment: Enrichment | undefined;
  /** What is known of the account now. */
  readonly account: AccountFacts | undefined;
}

const userGroup = /^S[A-Z0-9]{2,20}$/;
const user = /^[UW][A-Z0-9]{2,20}$/;
const shownFacts = 10;
const shownMissing = 3;
const order = ['who', 'key', 'instance', 'ip'];

/** Severity in one line, what was learned in a few, and what is missing. Nothing for samples and cases without a finding. */
export function enrichmentParts(alert: Alert, card: CardEnrichment | undefined): readonly Part[] {
  if (card === undefined || alert.sample || alert.type === '') return [];
  const { enrichment, account } = card;
  const parts = [...(enrichment?.parts ?? [])].sort(
    (a, b) => order.indexOf(a.investigation) - order.indexOf(b.investigation),
  );
  const severity = caseSeverity({
    findingSeverity: alert.severity,
    environment: account?.environment,
    dataClass: account?.dataClass,
    ...gravestOf(parts),
  });
  const facts: Fact[] = parts.flatMap(({ brief }) => brief.facts).slice(0, shownFacts);
  const lines: Line[] = [];
  const missing = [...new Set([...(enrichment?.accountMissing ?? []), ...parts.flatMap(({ brief }) => brief.missing)])];
  if (enrichment !== undefined) {
    const state = stateOf(enrichment);
    if (state === 'running') lines.push(line('Being looked up: who, key, instance, address. This card fills in.'));
    if (missing.length > 0) {
      const more = missing.length > shownMissing ? `, and ${missing.length - shownMissing} more` : '';
      const later = state === 'waiting' ? ' It is asked again, and this card fills in.' : '';
      lines.push(
        line(
          bold('Missing: '),
          `${missing
            .slice(0, shownMissing)
            .map((one) => inert(one, 120))
            .join('; ')}${more}.${later}`,
        ),
      );
    }
  }
  return [
    { kind: 'lines', lines: [line(bold('Case severity: '), severity.line)] },
    ...ownerPart(alert, account),
    ...(facts.length > 0 ? [{ kind: 'facts', facts } satisfies Part] : []),
    ...(lines.length > 0 ? [{ kind: 'context', lines } satisfies Part] : []),
  ];
}

/** Whom to ask. High and critical findings mention the owner's group or person; lower ones name them without a call. */
function ownerPart(alert: Alert, account: AccountFacts | undefined): readonly Part[] {
  const contacts = account?.contacts ?? [];
  if (contacts.length === 0) return [];
  const calls = severityRank(alert.severity) >= 2;
  const pieces: Inline[] = contacts
    .slice(0, 4)
    .flatMap((contact, index): Inline[] => [
      ...(index === 0 ? [] : [text(', ')]),
      calls && userGroup.test(contact)
        ? { kind: 'group', groupId: contact }
        : calls && user.test(contact)
          ? { kind: 'person', userId: contact }
          : { kind: 'code', text: inert(contact, 80) },
    ]);
  const owner = account?.owner === undefined ? [] : [text(`${inert(account.owner, 60)}: `)];
  return [{ kind: 'facts', facts: [{ label: 'Ask', value: [...owner, ...pieces] }] }];
}
