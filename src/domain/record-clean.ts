/** Takes secrets, odd prototypes and bottomless nesting out of a record, before anything else sees it (safety rule 8). */
import { redactText } from './redaction.ts';

export type Json = Record<string, unknown>;

export const removedMark = '<removed by Firebreak>';

/** Deeper or larger values than any record CloudTrail writes (256 KB) are cut, so that hostile input stays cheap. */
const maxDepth = 64;
const maxValues = 200_000;

/** A copy without secrets, odd prototypes and bottomless nesting; the same object where there was nothing to do. Never throws. */
export function cleanJson(value: Json): Json {
  return clean(value, 0, false, { left: maxValues }) as Json;
}

/**
 * Keys whose text is a secret wherever it stands (bounded, so that long keys cost no more than their length), and those among them that only name one, describe a rule or, as
 * `responseElements.PasswordUpdated` of sign-in, say how a call ended.
 */
const secretKey =
  /secret|password|passwd|session_?-?token|security_?-?token|identity_?-?token|(access|id|refresh|bearer|sign_?-?in|grant|auth\w{0,64})_?-?token|samlassertion|private_?-?key|keymaterial|api_?-?key_?-?value/i;
const secretName =
  /(arn|id|ids|idlist|name|names|type|policy|reset|resetrequired|lastused|lastchanged|age|length|prevention|stage|stages|status|versionid|^password(updated|recovery(requested|completed)))$/i;
/** What redaction looks for, cheaply: most text has nothing of it. */
const suspicious = /PRIVATE KEY|xox|xapp-|eyJ|FwoG|IQoJ|FQoG|X-Amz-|secret|token=|\/\/|hooks\.slack/i;
/** Far below the length of any token. */
const shortestToken = 20;

type KeyMeaning = 'secret' | 'name' | 'plain';
/** Records have the same few hundred keys again and again. Bounded, since keys come from outside. */
const maxKeyMeanings = 10_000;
const maxKnownKey = 200;
const keyMeanings = new Map<string, KeyMeaning>();

function meaningOf(key: string): KeyMeaning {
  const known = keyMeanings.get(key);
  if (known) return known;
  const meaning = secretName.test(key) ? 'name' : secretKey.test(key) ? 'secret' : 'plain';
  if (keyMeanings.size < maxKeyMeanings && key.length <= maxKnownKey) keyMeanings.set(key, meaning);
  return meaning;
}

/** Whether what stands under the key, or below it, may be taken out of a record. */
export function isSecretKey(key: string): boolean {
  return meaningOf(key) === 'secret';
}

function clean(value: unknown, depth: number, secret: boolean, budget: { left: number }): unknown {
  if (typeof value === 'string') return cleanText(value, secret);
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return secret ? removedMark : Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object') return undefined;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  budget.left -= 1;
  if (depth >= maxDepth || budget.left <= 0) return removedMark;
  if (Array.isArray(value)) {
    const items = value.map((item) => clean(item, depth + 1, secret, budget) ?? null);
    return items.every((item, i) => item === value[i]) ? value : items;
  }
  return cleanObject(value as Json, depth, secret, budget);
}

function cleanObject(value: Json, depth: number, secret: boolean, budget: { left: number }): Json {
  const keys = Object.keys(value);
  /** Made at the first difference. */
  let copy: Json | undefined;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    const inner = value[key];
    const meaning = isValueOfSecret(value, keys, key) ? 'secret' : meaningOf(key);
    const kept = clean(inner, depth + 1, meaning === 'secret' || (secret && meaning !== 'name'), budget);
    // Copying an own `__proto__` key with Object.assign would swap the prototype of the copy.
    const safeKey = key === '__proto__' ? '(__proto__)' : key;
    if (!copy && (kept !== inner || safeKey !== key))
      copy = Object.fromEntries(keys.slice(0, i).map((k) => [k, value[k]]));
    if (copy && kept !== undefined) copy[safeKey] = kept;
  }
  return copy ?? value;
}

const nameKey = /^(?:name|key|parameterkey|parametername)$/i;
const valueKey = /^(?:value|parametervalue)$/i;

/** What is called so is the secret itself: as a key of a request it names one (`{"apiKey":"the id of it"}`) or a page (`nextToken`). */
const secretVariable = /(?:api_?-?key|token)$/i;

/** Environment variables, parameters and tags say in one field what another one is: `{"name":"DB_PASSWORD","value":"..."}`. */
function isValueOfSecret(value: Json, keys: readonly string[], key: string): boolean {
  if (!valueKey.test(key)) return false;
  return keys.some((other) => {
    const name = nameKey.test(other) ? value[other] : undefined;
    return typeof name === 'string' && (meaningOf(name) === 'secret' || secretVariable.test(name));
  });
}

function cleanText(text: string, secret: boolean): string {
  if (
    secret &&
    text !== '' &&
    !text.startsWith('arn:') &&
    !/^(true|false|\*+|HIDDEN_DUE_TO_SECURITY_REASONS)$/.test(text)
  ) {
    return removedMark;
  }
  return text.length < shortestToken || !suspicious.test(text) ? text : redactText(text);
}
