/** Who made a resource, an identity, a key or a session. */
import { z } from 'zod';
import { defineInvestigation } from '#src/contracts/investigation.ts';
import type { Part } from '#src/contracts/message.ts';
import { unfinished } from '#src/domain/answers.ts';
import { classify } from '#src/domain/artifact.ts';
import { type Creation, creationsOf, deletionsOf } from '#src/domain/creation.ts';
import { code, count, line, utc } from '#src/domain/phrases.ts';
import { labelOf } from '#src/domain/pivot-actors.ts';
import { principalOf } from '#src/domain/principal.ts';
import { namedCopyOf } from '#src/domain/shared-events.ts';
import { over90Days } from '#src/domain/window.ts';

export const whoCreated = defineInvestigation({
  name: 'who-created',
  title: 'Who created it',
  target: z.object({ artifact: z.string().min(1) }),
  permissions: ['cloudtrail:LookupEvents'],

  async run({ artifact: word }, ctx) {
    const { artifact, takenFor } = classify(word);
    ctx.progress(`Reading the records of ${artifact.id}`);
    const records = await ctx.evidence.recordsOf(artifact);
    const creations: Creation[] = [];
    for (const creation of creationsOf(artifact.id, records)) {
      const copy = await namedCopyOf(creation.record, ctx.evidence);
      const creator = copy && principalOf(copy)?.id;
      const told = creator ? { ...creation, record: copy, creator } : creation;
      // The copies of two accounts are one call.
      if (!creations.some(({ record }) => record === told.record)) creations.push(told);
    }
    const coverage = ctx.evidence.coverage();
    // A name may be made, deleted and made again: what is there now is the last one's.
    const last = creations.at(-1);
    const deletions = deletionsOf(artifact.id, records).map((record) => ({
      eventId: record.eventID,
      eventTime: record.eventTime,
    }));
    const ending = unfinished(coverage);
    const headline = last
      ? `${creatorLabel(last)} created ${labelOf(artifact.id)} at ${utc(last.record.eventTime)} by ${last.eventName}${fromOf(last)}${ending}.`
      : `Who created ${labelOf(artifact.id)} was not found in what was looked at${records.length > 0 ? `; it is named in ${count(records.length, 'event')}` : ''}${ending}.`;
    return {
      headline: headline.charAt(0).toUpperCase() + headline.slice(1),
      parts: partsOf(creations, deletions, records.length),
      coverage,
      answer: {
        resource: artifact.id,
        takenFor,
        creator: last?.creator ?? null,
        eventId: last?.record.eventID ?? null,
        eventName: last?.eventName ?? null,
        eventTime: last?.record.eventTime ?? null,
        sourceIp: last?.record.sourceIPAddress ?? null,
        accessKey: last?.record.userIdentity.accessKeyId ?? null,
        userAgent: last?.record.userAgent ?? null,
        region: last?.record.awsRegion ?? null,
        earlier: creations.slice(0, -1).map(({ creator, record }) => ({
          creator,
          eventId: record.eventID,
          eventTime: record.eventTime,
        })),
        deleted: deletions,
        coverage,
      },
      pictures: [],
      next: last
        ? [`/ir pivot ${/\s/.test(last.creator) ? artifact.id : last.creator}`]
        : over90Days(`/ir who-created ${artifact.id}`, coverage.from, ctx.now()),
      proposals: [],
    };
  },
});

/** A caller whom only the other account could name. */
function creatorLabel({ creator }: Creation): string {
  return /^\d{12}$/.test(creator) ? `an identity of account ${creator}` : labelOf(creator);
}

function fromOf({ record }: Creation): string {
  const key = record.userIdentity.accessKeyId;
  return `${record.sourceIPAddress === '' ? '' : ` from ${record.sourceIPAddress}`}${key ? ` with key ${key}` : ''}`;
}

function partsOf(
  creations: readonly Creation[],
  deletions: readonly { readonly eventId: string; readonly eventTime: string }[],
  named: number,
): readonly Part[] {
  const last = creations.at(-1);
  const lines = [];
  if (creations.length > 1) {
    lines.push(
      line(
        `It was made ${creations.length} times; before that by ${creations
          .slice(0, -1)
          .map((creation) => `${creatorLabel(creation)} (${utc(creation.record.eventTime)})`)
          .slice(-3)
          .join(', ')}.`,
      ),
    );
  }
  const end = deletions.at(-1);
  const isEarlier = end !== undefined && last !== undefined && end.eventTime < last.record.eventTime;
  if (end)
    lines.push(
      line(
        isEarlier
          ? `An earlier one of this name was deleted at ${utc(end.eventTime)}: what was done under the name before then was not done by this one.`
          : `Deleted at ${utc(end.eventTime)}.`,
      ),
    );
  if (last?.through === 'AWS Internal')
    lines.push(line('AWS made the call itself for the creator, as its console does.'));
  else if (last?.through) lines.push(line(`AWS made the call through ${last.through}: look at what told it to.`));
  if (!last && named > 0)
    lines.push(
      line(
        'It may have been made before the window, in a Region or account that was not looked at, or by a service that does not log it.',
      ),
    );
  const parts: Part[] = [];
  if (last) {
    parts.push({
      kind: 'facts',
      facts: [
        { label: 'Creator', value: [...line(code(last.creator))] },
        { label: 'Event', value: line(code(last.record.eventID), ` ${last.eventName}, ${last.record.awsRegion}`) },
        { label: 'Agent', value: line(last.record.userAgent === '' ? 'not told' : last.record.userAgent) },
      ],
    });
  }
  if (lines.length > 0) parts.push({ kind: 'lines', lines });
  return parts;
}
