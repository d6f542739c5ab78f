/** Any JSON and any text as an alert: by a mapping of the config, else by sensible guesses. */
import { type AlertMapping, parsePath, type Step, severityOfWord } from '../domain/alert-mapping.ts';
import { accountsIn, artifactsIn, regionsIn } from '../domain/artifacts-in-text.ts';
import { redactText } from '../domain/redaction.ts';
import { isRecord, type Json } from './clean-json.ts';
import { instantOf } from './instant.ts';
import { given, type JsonObject, type ReceivedAlert, received, sha256 } from './parsed-alert.ts';

const longestTitle = 300;
const longestText = 4_000;
const mostStrings = 5_000;

function valuesAt(value: Json | undefined, steps: readonly Step[]): readonly Json[] {
  const [first, ...rest] = steps;
  if (value === undefined) return [];
  if (first === undefined) return [value];
  if (first === '*') return Array.isArray(value) ? value.flatMap((item: Json) => valuesAt(item, rest)) : [];
  if (Array.isArray(value)) return typeof first === 'number' ? valuesAt(value[first] as Json | undefined, rest) : [];
  return isRecord(value) && Object.hasOwn(value, first) ? valuesAt(value[first], rest) : [];
}

function textOf(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value.trim() || undefined;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** Of the first path that holds something, all that it holds. */
function allAt(body: Json, paths: readonly string[] | undefined): readonly string[] {
  for (const path of paths ?? []) {
    const found = valuesAt(body, parsePath(path) ?? []).flatMap((value) => textOf(value) ?? []);
    if (found.length > 0) return found;
  }
  return [];
}

function firstAt(body: Json, paths: readonly string[] | undefined): string | undefined {
  return allAt(body, paths)[0];
}

/** True where every path of `when` holds its value. */
export function isMeant({ when }: AlertMapping, body: Json): boolean {
  return Object.entries(when ?? {}).every(([path, wanted]) =>
    valuesAt(body, parsePath(path) ?? []).some((value) => textOf(value) === String(wanted)),
  );
}

/** Every string, number and key's value below, in order. */
function stringsIn(value: Json, into: string[] = []): string[] {
  if (into.length >= mostStrings) return into;
  if (Array.isArray(value)) for (const item of value) stringsIn(item as Json, into);
  else if (isRecord(value)) for (const item of Object.values(value)) stringsIn(item, into);
  else if (typeof value === 'string' && value !== '') into.push(value);
  // An account id may come as a number.
  else if (typeof value === 'number' && value >= 1e9) into.push(String(value).padStart(12, '0'));
  return into;
}

/** Where tools keep what an alert is about, most telling first; looked for at the top, then one and two levels down. */
const guesses = {
  title: [
    'title',
    'summary',
    'rule',
    'rulename',
    'alertname',
    'alert_name',
    'name',
    'subject',
    'headline',
    'message',
    'text',
    'event',
    'description',
  ],
  description: ['description', 'details', 'detail', 'message', 'body', 'output', 'text', 'summary'],
  severity: ['severity', 'level', 'criticality', 'risk', 'severity_label', 'severitylabel'],
  rank: ['priority', 'urgency'],
  account: [
    'accountid',
    'account_id',
    'awsaccountid',
    'aws_account_id',
    'aws_account',
    'account',
    'recipientaccountid',
    'cloud_account_id',
  ],
  region: ['region', 'awsregion', 'aws_region', 'cloud_region'],
  time: [
    'time',
    'timestamp',
    '@timestamp',
    'eventtime',
    'event_time',
    'createdat',
    'created_at',
    'date',
    'startsat',
    'occurred_at',
    'detected_at',
  ],
  id: [
    'id',
    'alertid',
    'alert_id',
    'fingerprint',
    'dedup_key',
    'dedupkey',
    'incident_id',
    'event_id',
    'uuid',
    'uid',
    'finding_id',
    'groupkey',
  ],
  product: ['product', 'tool', 'vendor', 'source', 'service', 'provider', 'monitor'],
} as const;

const guessed: ReadonlySet<string> = new Set(Object.values(guesses).flat());
const longestName = Math.max(...[...guessed].map((name) => name.length));

/** Of the objects of one depth, what they hold under names that are looked for, in lower case. */
type Level = readonly ReadonlyMap<string, string>[];

/** The top, and one and two levels down: read once, since all names together are looked for in all keys. */
function levelsOf(body: JsonObject): readonly Level[] {
  const levels: Level[] = [];
  let objects: readonly JsonObject[] = [body];
  for (let depth = 0; depth < 3; depth += 1) {
    levels.push(objects.map(namesIn));
    objects = objects
      .flatMap((object): readonly Json[] =>
        Object.values(object).flatMap((value) => (Array.isArray(value) ? value : [value])),
      )
      .filter(isRecord)
      .slice(0, 200);
  }
  return levels;
}

/** Of two spellings of a name the first counts, also where it holds nothing. */
function namesIn(object: JsonObject): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(object)) {
    const name = key.length > longestName ? '' : key.toLowerCase();
    if (guessed.has(name) && !found.has(name)) found.set(name, textOf(value) ?? '');
  }
  return found;
}

/** All that objects of one depth hold under the first of the names that is found at all. */
function guessAll(levels: readonly Level[], names: readonly string[]): readonly string[] {
  for (const level of levels) {
    for (const name of names) {
      const found = level.flatMap((object) => object.get(name) || []);
      if (found.length > 0) return found;
    }
  }
  return [];
}

/** What is not readable counts as high, here too. */
const unreadable = 8;

/** Several alerts in one body (Alertmanager groups them) are as grave as the gravest of them. */
function gravest(said: readonly string[], severities: AlertMapping['severities']): string | undefined {
  const weight = (word: string) => severityOfWord(word, severities) ?? unreadable;
  return said.toSorted((a, b) => weight(b) - weight(a))[0];
}

/** A figure under `priority` says nothing: with many tools 1 is the first to be looked at. */
function guessSeverity(levels: readonly Level[]): string | undefined {
  const isRank = guessAll(levels, guesses.severity).length === 0;
  const said = isRank
    ? guessAll(levels, guesses.rank).map((word) => (/^\d+$/.test(word) ? `priority ${word}` : word))
    : guessAll(levels, guesses.severity);
  return gravest(said, undefined);
}

/** A word, not a score that happens to stand under such a name. */
function productOf(levels: readonly Level[]): string | undefined {
  const named = guessAll(levels, guesses.product)[0];
  return named !== undefined && /\p{L}/u.test(named) && named.length <= 60 ? named : undefined;
}

interface Said {
  readonly name?: string | undefined;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly severity?: string | undefined;
  readonly severities?: AlertMapping['severities'];
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  readonly time?: string | undefined;
  readonly id?: string | undefined;
  /** The text in which artifacts are looked for. */
  readonly text: string;
  readonly notes: readonly string[];
}

function alertOf(said: Said, content: Json): ReceivedAlert {
  const artifacts = artifactsIn(said.text);
  const keys = artifacts.filter(({ kind }) => kind === 'accessKey').map(({ id }) => id);
  const identity = artifacts.find(({ kind }) => /^(?:user|role|session|root|federatedUser)$/.test(kind));
  const resourceIds = artifacts.filter(({ kind }) => kind === 'resource').map(({ id }) => id);
  const accounts = accountsIn(artifacts);
  const account = said.account?.replaceAll('-', '');
  const notes = [...said.notes];
  if (account === undefined && accounts.length > 1)
    notes.push(`it names ${accounts.length} accounts: the first is shown`);
  const severity = severityOfWord(said.severity, said.severities);
  if (severity === undefined) notes.push('it gives no severity that can be read: it is treated as high');
  const at = instantOf(said.time);
  const title = redactText(said.title ?? 'An alert without a title').slice(0, longestTitle);
  return received(
    {
      source: 'other',
      // Without an id of its own, the same words are the same alert.
      key: [said.name ?? '', said.id ?? sha256(JSON.stringify(content))],
      findingId: (said.id ?? sha256(JSON.stringify(content))).slice(0, 300),
      type: said.name ?? 'alert',
      title,
      description: redactText(said.description ?? '').slice(0, longestText),
      updatedAt: at,
      ...given({
        severity,
        product: said.name,
        accountId: account !== undefined && /^\d{6,14}$/.test(account) ? account.padStart(12, '0') : accounts[0],
        region: said.region ?? regionsIn(artifacts)[0],
        lastSeen: at,
      }),
      resource: { type: '', ...given({ id: resourceIds[0] }) },
      resourceIds,
      actor: given({ principalArn: identity?.id, accessKeyId: keys[0] }),
      ...(keys.length > 1 && { accessKeys: keys, furtherActors: keys.slice(1).map((one) => ({ accessKeyId: one })) }),
      remote: artifacts.filter(({ kind }) => kind === 'ip').map(({ id }) => ({ ip: id })),
      notes,
    },
    content,
  );
}

/** By the operator's mapping; what the mapping does not say or does not find is guessed. */
export function readMapped(body: JsonObject, mapping: AlertMapping | undefined): ReceivedAlert {
  const levels = levelsOf(body);
  const take = (field: 'title' | 'description' | 'account' | 'region' | 'time' | 'id') => {
    const mapped = firstAt(body, mapping?.[field]);
    if (mapped !== undefined || mapping?.[field] !== undefined) return mapped;
    return guessAll(levels, guesses[field])[0];
  };
  const notFound = (['title', 'severity', 'account', 'id'] as const).filter(
    (field) => mapping?.[field] !== undefined && firstAt(body, mapping[field]) === undefined,
  );
  const texts =
    mapping?.artifacts === undefined
      ? stringsIn(body)
      : mapping.artifacts.flatMap((path) => valuesAt(body, parsePath(path) ?? []).flatMap((value) => stringsIn(value)));
  return alertOf(
    {
      name: mapping?.name ?? productOf(levels),
      title: take('title'),
      description: take('description'),
      severity:
        mapping?.severity === undefined
          ? guessSeverity(levels)
          : gravest(allAt(body, mapping.severity), mapping.severities),
      severities: mapping?.severities,
      account: take('account'),
      region: take('region'),
      time: take('time'),
      id: take('id'),
      text: texts.join('\n'),
      notes: [
        ...(mapping === undefined ? ['its fields were guessed: a mapping in the config says what they mean'] : []),
        ...(notFound.length > 0 ? [`the mapping found nothing for ${notFound.join(', ')}`] : []),
      ],
    },
    body,
  );
}

/** A message that is text: its subject or first line is the title. */
export function readText(message: string, subject: string | undefined, region: string | undefined): ReceivedAlert {
  const line = message.split('\n').find((one) => one.trim() !== '');
  return alertOf(
    {
      name: 'a message',
      title: subject ?? line?.trim(),
      description: message,
      region,
      text: `${subject ?? ''}\n${message}`,
      notes: [],
    },
    redactText(message),
  );
}
