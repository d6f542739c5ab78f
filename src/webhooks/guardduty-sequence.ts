/** An attack sequence unfolded: its signals in order, and everybody and every key that it names (DOMAIN.md 2.5). */
import type { AlertActor, AlertSignal } from '../contracts/alert.ts';
import type { Detail } from './guardduty-detail.ts';
import { instantOf } from './instant.ts';

/** GuardDuty's own limit. */
const mostSignals = 100;
const mostActors = 400;

function isText(text: string | undefined): text is string {
  return text !== undefined;
}

/** The signals by the time of their first sight; those without a time come last, in the finding's order. */
export function signalsOf(detail: Detail): readonly AlertSignal[] {
  const signals = detail.service?.detection?.sequence?.signals ?? [];
  const read = signals.slice(0, mostSignals).map((signal): AlertSignal => {
    const firstSeen = instantOf(signal.firstSeenAt) ?? instantOf(signal.createdAt);
    const lastSeen = instantOf(signal.lastSeenAt);
    return {
      ...(signal.uid !== undefined && { id: signal.uid }),
      type: signal.type ?? 'not named',
      name: signal.name ?? signal.uid ?? 'not named',
      ...(signal.severity !== undefined && { severity: signal.severity }),
      ...(signal.count !== undefined && { count: signal.count }),
      ...(firstSeen !== undefined && { firstSeen }),
      ...(lastSeen !== undefined && { lastSeen }),
      indicators: signal.signalIndicators.map((indicator) =>
        [indicator.key ?? 'indicator', indicator.values.filter(isText).join(', ') || indicator.title]
          .filter(isText)
          .join(': '),
      ),
    };
  });
  // ISO 8601 of equal length sorts as text; `~` sorts after every digit.
  return read.toSorted((a, b) =>
    (a.firstSeen ?? '~') < (b.firstSeen ?? '~') ? -1 : a.firstSeen === b.firstSeen ? 0 : 1,
  );
}

const arnForm = /^arn:aws[a-z-]*:(?:iam|sts)::/;

/** Every actor of a sequence; the one with an access key comes first, as `actorOf` chooses it. */
export function sequenceActors(detail: Detail): readonly AlertActor[] {
  const actors = detail.service?.detection?.sequence?.actors ?? [];
  const named = actors.slice(0, mostActors).flatMap(({ user }): AlertActor[] => {
    if (user === undefined) return [];
    const { uid, name, type, credentialUid } = user;
    const isArn = arnForm.test(uid ?? '');
    return [
      {
        ...(isArn && uid !== undefined && { principalArn: uid }),
        ...(!isArn && uid !== undefined && { principalId: uid }),
        ...(name !== undefined && { userName: name }),
        ...(type !== undefined && { userType: type }),
        ...(credentialUid !== undefined && { accessKeyId: credentialUid }),
      },
    ];
  });
  const first = named.findIndex((actor) => actor.accessKeyId !== undefined);
  return first <= 0 ? named : [named[first] as AlertActor, ...named.filter((_, index) => index !== first)];
}
