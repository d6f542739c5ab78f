/** The dossier of an access key, and its words. */
import type { Artifact } from '../../contracts/artifact.ts';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import type { Coverage } from '../../contracts/evidence.ts';
import type { Brief, Deed } from '../../contracts/investigation.ts';
import type { Fact, Part } from '../../contracts/message.ts';
import type { AccountFacts } from '../../contracts/surroundings.ts';
import { actsIn } from '../acting.ts';
import { few, unfinished } from '../answers.ts';
import { linksOf } from '../links.ts';
import { distinctMintings, type Minting, mintingOf } from '../minting.ts';
import { bold, code, count, line, utc } from '../phrases.ts';
import { labelOf } from '../pivot-actors.ts';
import { usesOf } from '../use.ts';
import type { Gap } from './gaps.ts';
import { useWords } from './who-wording.ts';
import { accountLine, gapsPart } from './words.ts';

export interface KeyAnswer {
  readonly key: string;
  /** `long-term` keys belong to a user or root; `temporary` ones to a session. */
  readonly type: 'long-term' | 'temporary' | 'other';
  readonly accountId: string | null;
  /** `the key id itself`, `AWS STS`, `the logs`. */
  readonly accountFrom: string | null;
  readonly account: AccountFacts | null;
  /** ARN of the identity, or the user's name where only IAM told it. */
  readonly owner: string | null;
  readonly ownerFrom: string | null;
  /** Active, Inactive, `gone` (the account has no such key), or null: not known. */
  readonly status: string | null;
  readonly created: {
    readonly at: string | null;
    readonly by: string | null;
    readonly eventId: string | null;
    readonly ageDays: number | null;
  };
  readonly lastUsed: { readonly at: string; readonly service: string; readonly region: string } | null;
  /** True where IAM says that it was never used. */
  readonly neverUsed: boolean;
  readonly otherKeys: readonly { readonly id: string; readonly status: string }[] | null;
  readonly calls: number;
  readonly firstCall: string | null;
  readonly lastCall: string | null;
  readonly addresses: readonly string[];
  readonly did: Deed;
  readonly made: readonly {
    readonly id: string;
    readonly kind: string;
    readonly eventId: string;
    readonly eventTime: string;
  }[];
  readonly minted: readonly Minting[];
  /** For a temporary key: what minted it. */
  readonly mintedBy: Minting | null;
  readonly notAnswered: readonly Gap[];
  readonly coverage: Coverage;
}

export function keyType(id: string): KeyAnswer['type'] {
  return id.startsWith('AKIA') ? 'long-term' : id.startsWith('ASIA') ? 'temporary' : 'other';
}

/** What the key did: its own calls, what they made, what they minted, and what minted it. */
export function keyDeeds(artifact: Artifact, records: readonly CloudTrailRecord[]) {
  const calls = records.filter((record) => actsIn(artifact, record));
  const made = calls.flatMap((record) =>
    linksOf(record)
      .edges.filter((edge) => edge.kind === 'created')
      .map((edge) => ({
        id: edge.to,
        kind: nodeKind(record, edge.to),
        eventId: record.eventID,
        eventTime: record.eventTime,
      })),
  );
  const minted = distinctMintings(calls.flatMap((record) => mintingOf(record) ?? []));
  const mintedBy = records.map(mintingOf).find((minting) => minting?.accessKey === artifact.id) ?? null;
  return { calls, made: [...new Map(made.map((thing) => [thing.id, thing])).values()], minted, mintedBy };
}

function nodeKind(record: CloudTrailRecord, id: string): string {
  return linksOf(record).nodes.find((node) => node.id === id)?.kind ?? 'resource';
}

export function keyHeadline(answer: KeyAnswer): string {
  const owner = answer.owner === null ? 'an owner that is not known' : labelOf(answer.owner);
  const where = answer.accountId === null ? '' : ` in ${answer.account?.name ?? `account ${answer.accountId}`}`;
  const state =
    answer.status === null
      ? ''
      : answer.status === 'gone'
        ? '; the account has no such key any more'
        : `; it is ${answer.status}`;
  const did =
    answer.calls === 0
      ? 'made no call that was found'
      : `made ${count(answer.calls, 'call')}${answer.did.says === '' ? '' : `, and ${answer.did.says}`}`;
  const minted = answer.minted.length > 0 ? `, and minted ${count(answer.minted.length, 'session')}` : '';
  return `Key ${answer.key} belongs to ${owner}${where}${state}; it ${did}${minted}${unfinished(answer.coverage)}.`;
}

export function keyParts(answer: KeyAnswer, calls: readonly CloudTrailRecord[]): readonly Part[] {
  const { created, minted, made } = answer;
  const facts: Fact[] = [
    {
      label: 'Owner',
      value: answer.owner === null ? line('not known') : line(code(answer.owner), ` (from ${answer.ownerFrom})`),
    },
    {
      label: 'Account',
      value: line(
        `${accountLine(answer.accountId ?? '', answer.account)}${answer.accountFrom === null ? '' : ` (from ${answer.accountFrom})`}`,
      ),
    },
    {
      label: 'Type',
      value: line(
        answer.type === 'temporary' ? 'temporary: it cannot be disabled, and works until its end' : answer.type,
      ),
    },
    ...(answer.status === null
      ? []
      : [{ label: 'State', value: line(answer.status === 'gone' ? 'the account has no such key' : answer.status) }]),
    {
      label: 'Created',
      value: line(
        created.at === null
          ? 'not known'
          : `${utc(created.at)}${created.ageDays === null ? '' : `, ${count(created.ageDays, 'day')} ago`}${created.by === null ? '' : ` by ${labelOf(created.by)}`}`,
      ),
    },
    ...(answer.type === 'temporary'
      ? []
      : [{ label: 'Last use', value: line(useWords(answer.neverUsed ? null : (answer.lastUsed ?? undefined))) }]),
    ...(answer.otherKeys === null
      ? []
      : [
          {
            label: 'Other keys',
            value: line(
              few(
                answer.otherKeys.map(({ id, status }) => `${id} ${status}`),
                4,
              ) || 'none of the same user',
            ),
          },
        ]),
    ...(answer.addresses.length > 0 ? [{ label: 'Addresses', value: line(few(answer.addresses, 4)) }] : []),
  ];
  const parts: Part[] = [{ kind: 'facts', facts }];
  if (answer.mintedBy)
    parts.push({
      kind: 'lines',
      lines: [
        line(
          bold('Minted by: '),
          `${labelOf(answer.mintedBy.by)} by ${answer.mintedBy.eventName} at ${utc(answer.mintedBy.eventTime)}${answer.mintedBy.withKey ? ` with key ${answer.mintedBy.withKey}` : ''}; works until ${utc(answer.mintedBy.aliveUntil)}`,
        ),
      ],
    });
  if (answer.calls > 0)
    parts.push({ kind: 'header', text: 'What it did' }, { kind: 'list', items: usesOf(calls).map((use) => line(use)) });
  if (made.length > 0)
    parts.push(
      { kind: 'header', text: 'What it made' },
      {
        kind: 'list',
        items: [
          ...made
            .slice(0, 12)
            .map((thing) => line(code(thing.id), ` at ${utc(thing.eventTime)}, event ${thing.eventId}`)),
          ...(made.length > 12 ? [line(`and ${made.length - 12} more`)] : []),
        ],
      },
    );
  if (minted.length > 0)
    parts.push(
      { kind: 'header', text: 'What it minted' },
      {
        kind: 'list',
        items: minted
          .slice(-8)
          .map((one) =>
            line(
              `${one.identity ? labelOf(one.identity) : 'a session of its own'}${one.accessKey ? `, ${one.accessKey}` : ''}, ${one.eventName} at ${utc(one.eventTime)}; works until ${utc(one.aliveUntil)}`,
            ),
          ),
      },
    );
  return [...parts, ...gapsPart(answer.notAnswered)];
}

export function keyBrief(answer: KeyAnswer): Brief {
  const { created, lastUsed } = answer;
  const age = created.ageDays === null ? undefined : `${count(created.ageDays, 'day')} old`;
  // IAM learns of a use hours later than the logs.
  const used = answer.neverUsed
    ? answer.calls === 0
      ? 'never used as far as IAM knows'
      : undefined
    : lastUsed
      ? `last used ${utc(lastUsed.at)} for ${lastUsed.service}`
      : undefined;
  const state = [
    answer.status === 'gone' ? 'gone by now' : answer.status,
    age,
    used,
    answer.minted.length > 0 ? `minted ${count(answer.minted.length, 'session')}` : undefined,
  ]
    .filter(Boolean)
    .join(', ');
  return {
    facts: [
      {
        label: 'Key',
        value: line(
          `${answer.owner === null ? 'owner not known' : `of ${labelOf(answer.owner)}`}${state === '' ? '' : `, ${state}`}${answer.made.length > 0 ? `, made ${count(answer.made.length, 'thing')}` : ''}`,
        ),
      },
    ],
    missing: answer.notAnswered.map(({ part, because }) => `${part}: ${because}`),
    mayComeLater: answer.notAnswered.some(({ retryable }) => retryable),
    did: answer.did,
  };
}
