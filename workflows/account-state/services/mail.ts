/** Amazon SES: whether mail can be sent to anybody, how much was, and in whose name. */
import { GetAccountCommand, ListEmailIdentitiesCommand } from '@aws-sdk/client-sesv2';
import { UpstreamError } from '#src/contracts/errors.ts';
import { listed, paged } from '../look.ts';
import { type Asker, short } from './asker.ts';

/** Those who send for others have thousands. */
const identitiesTold = 100;

const sending: Asker = {
  read: 'SES sending',
  permissions: ['ses:GetAccount'],
  async ask({ reader, region, soon }) {
    const one = await reader.sesv2(region).send(new GetAccountCommand({}), soon());
    if (one.ProductionAccessEnabled === undefined && one.SendQuota === undefined)
      throw new UpstreamError('aws', 'NotAws', "the answer was not AWS's: it says nothing of sending", {
        retryable: false,
      });
    const { Max24HourSend = 0, SentLast24Hours = 0 } = one.SendQuota ?? {};
    const isOpen = one.ProductionAccessEnabled === true;
    const review = one.Details?.ReviewDetails?.Status;
    const isHealthy = one.EnforcementStatus === undefined || one.EnforcementStatus === 'HEALTHY';
    // Every Region has a sandbox of its own, which sends to verified addresses only.
    if (!isOpen && SentLast24Hours <= 0 && review !== 'PENDING' && isHealthy) return { things: [], total: 0 };
    const says = [
      isOpen ? 'may send to anybody (production access)' : 'sandbox',
      ...(one.SendingEnabled === false ? ['sending is off'] : []),
      `${SentLast24Hours.toLocaleString('en-US')} sent in 24 hours of ${Max24HourSend < 0 ? 'any number' : Max24HourSend.toLocaleString('en-US')}`,
      ...(review === 'PENDING' ? ['production access was asked for'] : []),
    ];
    const marks = isHealthy ? [] : [`AWS has it at ${short(one.EnforcementStatus, 30)}`];
    const thing = {
      id: `ses ${region}`,
      says: says.join(', '),
      count: 1,
      at: '',
      hourly: undefined,
      marks,
      bound: true,
    };
    return { things: [thing], total: 1 };
  },
};

const identities: Asker = {
  read: 'SES identities',
  permissions: ['ses:ListEmailIdentities'],
  async ask({ reader, region, soon }) {
    const all = await paged(async (NextToken) => {
      const page = await reader
        .sesv2(region)
        .send(new ListEmailIdentitiesCommand({ PageSize: 1000, NextToken }), soon());
      return { items: listed(page.EmailIdentities, 'EmailIdentities'), next: page.NextToken };
    });
    const things = all.slice(0, identitiesTold).map((one) => ({
      id: short(one.IdentityName, 200),
      says: `${one.IdentityType === 'EMAIL_ADDRESS' ? 'address' : 'domain'} ${short(one.IdentityName)}, ${one.SendingEnabled === true ? 'may send' : 'may not send'}${one.VerificationStatus === undefined ? '' : `, ${short(one.VerificationStatus, 30)}`}`,
      ...{ count: 1, at: '', hourly: undefined, marks: [], bound: true },
    }));
    const rest = all.length - things.length;
    const more = {
      ...{ id: `ses ${region}`, says: `${rest.toLocaleString('en-US')} more identities`, count: rest, at: '' },
      ...{ hourly: undefined, marks: [], bound: true },
    };
    return { things: rest > 0 ? [...things, more] : things, total: all.length };
  },
};

export const mail: readonly Asker[] = [sending, identities];
