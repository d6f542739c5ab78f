/** What a person reports in words (a pasted e-mail, a hunch) as an Alert, and what was found in the words. Pure. */
import { createHash } from 'node:crypto';
import type { Alert, AlertFact } from '../contracts/alert.ts';
import type { NodeKind } from '../contracts/artifact.ts';
import type { Message } from '../contracts/message.ts';
import { accountsIn, artifactsIn, type FoundArtifact, regionsIn } from './artifacts-in-text.ts';
import { inert } from './inert.ts';
import { partitionOfRegion } from './partition.ts';
import { code, count, line } from './phrases.ts';
import { redactText } from './redaction.ts';

/** Slack's own limit for an input is 3,000; the shell may bring a whole e-mail. */
export const longestReport = 100_000;
const longestTitle = 160;
const longestKept = 4_000;

export const urgencies = ['critical', 'high', 'medium', 'low'] as const;
export type Urgency = (typeof urgencies)[number];
const severities: Readonly<Record<Urgency, number>> = { critical: 9.5, high: 8, medium: 5, low: 2 };

export interface WordsOfReport {
  readonly text: string;
  /** Slack user id. */
  readonly reportedBy: string;
  readonly urgency?: Urgency | undefined;
  /** ISO 8601 UTC. */
  readonly at: string;
}

const kindWords: readonly (readonly [string, readonly (NodeKind | 'event')[]])[] = [
  ['Access keys', ['accessKey']],
  ['Identities', ['user', 'role', 'session', 'root', 'federatedUser', 'service']],
  ['Addresses', ['ip']],
  ['Resources', ['resource']],
  ['Accounts', ['account']],
  ['Events', ['event']],
];

/** One line per kind of thing that was found. */
function foundFacts(artifacts: readonly FoundArtifact[]): readonly AlertFact[] {
  return kindWords.flatMap(([label, kinds]) => {
    const ids = artifacts.filter(({ kind }) => kinds.includes(kind)).map(({ id }) => id);
    return ids.length === 0 ? [] : [{ label, value: ids.join(', ') }];
  });
}

/**
 * The same words, reported twice, are the same alert. Secrets in them are taken out. What was extracted is on the card; the
 * first key, identity, instance or address is where a pivot starts.
 */
export function alertOfReport({ text, reportedBy, urgency = 'high', at }: WordsOfReport): Alert {
  const words = redactText(text.slice(0, longestReport)).trim();
  const artifacts = artifactsIn(words);
  const of = (...kinds: readonly string[]) => artifacts.filter(({ kind }) => kinds.includes(kind)).map(({ id }) => id);
  const keys = of('accessKey');
  const identities = of('user', 'role', 'session', 'root', 'federatedUser');
  const accounts = accountsIn(artifacts);
  const region = regionsIn(artifacts)[0] ?? '';
  const resourceIds = of('resource');
  const id = createHash('sha256').update(words.replace(/\s+/gu, ' ')).digest('hex');
  const title = words.split('\n').find((one) => one.trim() !== '') ?? 'without words';
  return {
    source: 'report',
    dedupeKey: createHash('sha256')
      .update(JSON.stringify(['report', id]))
      .digest('hex'),
    updatedAt: at,
    count: 1,
    findingId: id,
    type: 'report',
    severity: severities[urgency],
    title: title.trim().slice(0, longestTitle),
    description: words.slice(0, longestKept),
    partition: partitionOfRegion(region),
    accountId: accounts[0] ?? '',
    region,
    resource: { type: '', ...(resourceIds[0] !== undefined && { id: resourceIds[0] }) },
    resourceIds,
    actor: {
      ...(identities[0] !== undefined && { principalArn: identities[0] }),
      ...(keys[0] !== undefined && { accessKeyId: keys[0] }),
    },
    furtherActors: [
      ...keys.slice(1).map((accessKeyId) => ({ accessKeyId })),
      ...identities.slice(1).map((principalArn) => ({ principalArn })),
    ],
    ...(keys.length > 0 && { accessKeys: keys }),
    remote: of('ip').map((ip) => ({ ip })),
    lastSeen: at,
    sample: false,
    archived: false,
    reportedBy,
    facts: foundFacts(artifacts),
    notes: accounts.length > 1 ? [`it names ${accounts.length} accounts: the first is shown`] : [],
  };
}

/** What was extracted from a text, for the shell: words, and the same as data. */
export function extracted(text: string): { readonly message: Message; readonly json: unknown } {
  const artifacts = artifactsIn(text);
  const sentence =
    artifacts.length === 0
      ? 'There is no ARN, key, address, resource id or account in this text.'
      : `${count(artifacts.length, 'artifact')} in this text.`;
  return {
    message: {
      text: sentence,
      parts: [
        { kind: 'lines', lines: [line(sentence)] },
        ...(artifacts.length === 0
          ? []
          : [
              {
                kind: 'list' as const,
                items: artifacts.map(({ id, takenFor }) => line(code(inert(id, 200)), `, ${inert(takenFor, 120)}`)),
              },
            ]),
      ],
    },
    json: { artifacts, accounts: accountsIn(artifacts), regions: regionsIn(artifacts) },
  };
}
