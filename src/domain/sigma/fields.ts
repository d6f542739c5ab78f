/** Values of a record's fields, as Sigma sees them: dots go down, arrays stand for each of their elements, all is text. */
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { plainEventName } from '../links-resources.ts';
import { principalGroup, principalOf } from '../principal.ts';

type Json = Readonly<Record<string, unknown>>;

/** Compact JSON of objects, kept as long as the record lives. */
const jsonTexts = new WeakMap<object, string>();

/** The text that a value is compared as; objects as compact JSON. Undefined for null and what is no JSON. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'object' || value === null) return undefined;
  const known = jsonTexts.get(value);
  if (known !== undefined) return known;
  const text = JSON.stringify(value);
  jsonTexts.set(value, text);
  return text;
}

type Derived = (record: CloudTrailRecord) => readonly string[];

export interface FieldPath {
  readonly field: string;
  readonly segments: readonly string[];
  /** What is left of the path from each segment on, in one text. */
  readonly rests: readonly string[];
  readonly derived: Derived | undefined;
}

/**
 * Fields that no record has and rules of ours count or group by. A role's sessions are one principal, so that a new session
 * does not start the count anew; the call is the event's name without the date that Lambda and CloudFront put behind it; the
 * instances are those that a call was aimed at, under whichever name it gives them. Production instances are those that a
 * call named in its answer; which of them are production the config knows (correlate.ts, `Counts`).
 */
const derivedFields: ReadonlyMap<string, Derived> = new Map([
  ['firebreak.principal', principalsOf],
  ['firebreak.call', (record) => (typeof record.eventName === 'string' ? [plainEventName(record.eventName)] : [])],
  ['firebreak.instance', instancesOf],
  ['firebreak.productionInstance', ({ responseElements }) => textsOf({ responseElements }, endedInstances)],
]);

function principalsOf(record: CloudTrailRecord): readonly string[] {
  if (typeof record.userIdentity !== 'object' || record.userIdentity === null) return [];
  const node = principalOf(record);
  return node ? [principalGroup(node)] : [];
}

function instancesOf({ requestParameters: asked }: CloudTrailRecord): readonly string[] {
  return [asked?.instanceIds, asked?.target, asked?.instanceId]
    .flat()
    .filter((id): id is string => typeof id === 'string' && /^m?i-[0-9a-z]+$/i.test(id));
}

const endedInstances: FieldPath = fieldPathOf('responseElements.instancesSet.items.instanceId', undefined);

/** The door puts "" where these are missing, so for them "" is missing. */
const filledAtDoor = new Set(['awsRegion', 'sourceIPAddress', 'userAgent']);

export function fieldPath(field: string): FieldPath {
  return fieldPathOf(field, derivedFields.get(field));
}

function fieldPathOf(field: string, derived: Derived | undefined): FieldPath {
  const segments = field.split('.');
  const rests = segments.map((_segment, at) => segments.slice(at).join('.'));
  return { field, segments, rests, derived };
}

/** Whether any value of the field passes; `test` gets each scalar or object, never null, and stops at the first that passes. */
export function anyValue(record: Json, path: FieldPath, test: (value: unknown) => boolean): boolean {
  if (path.derived) return path.derived(record as unknown as CloudTrailRecord).some(test);
  return walk(record, path, 0, test);
}

function walk(value: unknown, path: FieldPath, at: number, test: (value: unknown) => boolean): boolean {
  if (value === null || value === undefined) return false;
  if (Array.isArray(value)) {
    for (const item of value) if (walk(item, path, at, test)) return true;
    return false;
  }
  const segment = path.segments[at];
  if (segment === undefined) return test(value);
  if (typeof value !== 'object') return false;
  const object = value as Json;
  if (Object.hasOwn(object, segment) && walk(object[segment], path, at + 1, test)) return true;
  // Some keys have dots of their own.
  const rest = path.rests[at + 1] === undefined ? undefined : path.rests[at];
  return rest !== undefined && Object.hasOwn(object, rest) && walk(object[rest], path, path.segments.length, test);
}

/** Missing and null are the same. */
export function isPresent(record: Json, path: FieldPath): boolean {
  return anyValue(record, path, (value) => value !== '' || !filledAtDoor.has(path.field));
}

/** All values of the field as texts, without repeats. */
export function textsOf(record: Json, path: FieldPath): readonly string[] {
  const texts = new Set<string>();
  anyValue(record, path, (value) => {
    const text = textOf(value);
    if (text !== undefined) texts.add(text);
    return false;
  });
  return [...texts];
}

/** Every scalar anywhere in the value, for keywords. */
export function anyLeaf(value: unknown, test: (text: string) => boolean): boolean {
  if (typeof value !== 'object' || value === null) {
    const text = textOf(value);
    return text !== undefined && test(text);
  }
  for (const item of Object.values(value)) if (anyLeaf(item, test)) return true;
  return false;
}
