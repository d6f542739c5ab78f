/** What exists now beside EC2 instances: every read of every service, in one Region or of the whole account. Reads only. */
import pLimit from 'p-limit';
import type { AwsReader } from '#src/contracts/aws.ts';
import { inert } from '#src/domain/inert.ts';
import type { NotLooked, ServiceLook } from '#src/domain/services-now.ts';
import { look, soon, whyNot } from './look.ts';
import { accountWide } from './services/account-wide.ts';
import type { Asker, Where } from './services/asker.ts';
import { containers } from './services/containers.ts';
import { functions } from './services/functions.ts';
import { lightsail } from './services/lightsail.ts';
import { machineLearning } from './services/machine-learning.ts';
import { mail } from './services/mail.ts';
import { quotaRequests } from './services/quota-requests.ts';
import { spot } from './services/spot.ts';

const regional = [containers, functions, ...machineLearning, ...mail, quotaRequests, lightsail, ...spot];

/** IAM actions that these reads take. */
export const serviceCalls: readonly string[] = [...regional, ...accountWide].flatMap(({ permissions }) => permissions);

/** Of one Region. Services are paced each by itself, so that they may be asked side by side. */
const readsAtOnce = 6;

export interface ServicesAsked {
  /** What counts as made lately, ISO 8601 UTC. */
  readonly since: string;
  /** Domains of the mail addresses that the config has for the account. */
  readonly domains: readonly string[];
  readonly signal: AbortSignal;
}

/** `isThere`: another service of the Region has answered, so that a name that is not found is the service's. */
export function servicesIn(
  reader: AwsReader,
  region: string,
  asked: ServicesAsked,
  isThere: boolean,
): Promise<readonly ServiceLook[]> {
  return all(regional, { reader, region }, asked, isThere);
}

/** Contacts and support cases. */
export function servicesOfAccount(reader: AwsReader, asked: ServicesAsked): Promise<readonly ServiceLook[]> {
  return all(accountWide, { reader, region: '' }, asked, false);
}

function all(
  askers: readonly Asker[],
  { reader, region }: Pick<Where, 'reader' | 'region'>,
  { since, domains, signal }: ServicesAsked,
  isThere: boolean,
): Promise<readonly ServiceLook[]> {
  const where: Where = {
    ...{ reader, region, since, domains },
    soon: () => soon(signal),
    part: (ask) => look(ask, signal),
  };
  const limit = pLimit(readsAtOnce);
  return Promise.all(
    askers.map(({ read, ask }) =>
      limit(async (): Promise<ServiceLook> => {
        try {
          return { read, region, found: { ok: true, value: await ask(where) } };
        } catch (error) {
          return { read, region, found: notLooked(error, region, signal, isThere) };
        }
      }),
    ),
  );
}

/** How AWS says that an account has not taken a service or a support plan. */
const notSubscribed = /^(SubscriptionRequiredException|OptInRequired|OptInRequiredException|NotSignedUp)$/;

function notLooked(error: unknown, region: string, signal: AbortSignal, isThere: boolean): NotLooked {
  // What stands in for AWS may answer with fields of other kinds. One such answer must not end the whole triage.
  if (error instanceof TypeError && !('$metadata' in error)) {
    signal.throwIfAborted();
    return { ok: false, why: 'failed', reason: inert(`the answer could not be read: ${error.message}`) };
  }
  const { code, reason } = whyNot(error, signal);
  if (code === 'SubscriptionRequiredException' && region === '') {
    const told = 'no support plan whose cases can be read (Business or more): they could not be looked at';
    return { ok: false, why: 'not-subscribed', reason: told };
  }
  if (notSubscribed.test(code)) return { ok: false, why: 'not-subscribed', reason };
  // A service that a Region does not have has no name there; the Region's other services do.
  if (code === 'ENOTFOUND' && isThere) {
    return { ok: false, why: 'not-offered', reason: 'the service is not offered there (its endpoint has no address)' };
  }
  return { ok: false, why: 'failed', reason };
}
