/** What belongs to the whole account: whom AWS writes to, and what was asked of its support. */
import { type AlternateContact, type AlternateContactType, GetAlternateContactCommand } from '@aws-sdk/client-account';
import { DescribeCasesCommand } from '@aws-sdk/client-support';
import { isAwsError } from '#src/domain/aws-errors.ts';
import { contactMarks } from '#src/domain/contact-mail.ts';
import { listed, paged } from '../look.ts';
import { type Asker, isoOf, short, type Where } from './asker.ts';

const kinds = ['BILLING', 'OPERATIONS', 'SECURITY'] as const;

const contacts: Asker = {
  read: 'alternate contacts',
  permissions: ['account:GetAlternateContact'],
  async ask(where) {
    const told = await Promise.all(kinds.map(async (kind) => [kind, await contactOf(kind, where)] as const));
    const things = told.flatMap(([kind, one]) =>
      one === undefined
        ? []
        : [
            {
              id: kind,
              says: `${kind}: ${short(one.Name)}, ${short(one.EmailAddress, 120)}`,
              ...{ count: 1, at: '', hourly: undefined, bound: false },
              marks: contactMarks(one.EmailAddress ?? '', where.domains),
            },
          ],
    );
    return { things, total: things.length };
  },
};

async function contactOf(
  AlternateContactType: AlternateContactType,
  { reader, soon }: Where,
): Promise<AlternateContact | undefined> {
  try {
    const answer = await reader.account.send(new GetAlternateContactCommand({ AlternateContactType }), soon());
    return answer.AlternateContact;
  } catch (error) {
    // How AWS says that none is set (DOMAIN.md 6.4).
    if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
    throw error;
  }
}

const cases: Asker = {
  read: 'support cases',
  permissions: ['support:DescribeCases'],
  async ask({ reader, since, soon }) {
    const all = await paged(async (nextToken) => {
      const input = { afterTime: since, includeResolvedCases: true, includeCommunications: false, maxResults: 100 };
      const page = await reader.support.send(new DescribeCasesCommand({ ...input, nextToken }), soon());
      return { items: listed(page.cases, 'cases'), next: page.nextToken };
    });
    const things = all.map((one) => ({
      id: one.displayId ?? one.caseId ?? '',
      says: `${short(one.subject, 120)}, ${short(one.status, 30)}, ${short(one.serviceCode, 40)}, by ${short(one.submittedBy)}`,
      ...{ count: 1, at: isoOf(one.timeCreated), hourly: undefined, marks: [], bound: false },
    }));
    return { things, total: all.length };
  },
};

export const accountWide: readonly Asker[] = [contacts, cases];
