/** Reads ids out of request and response bodies of any shape, within bounds. */

export interface Field {
  /** The key in lower case, without list words: `instancesSet.items[].instanceId` and `instanceIds[]` are both `instanceid`. */
  readonly key: string;
  readonly value: string;
  /** The object that it stands in, to keep an id and an ARN of one thing together. */
  readonly owner: object;
}

/** CloudTrail drops bodies above 100 KB (DOMAIN.md 3.1), so that this cuts nothing real. */
const maxFields = 50_000;
const maxDepth = 12;
const maxValueLength = 2048;

/** Keys that only wrap lists in CloudTrail's rendering of EC2's XML. */
const wrappers = new Set(['items', 'item', 'member', 'content', 'entries']);

/** Every string in the value with its normalised key, in document order. */
export function fieldsOf(value: unknown): readonly Field[] {
  const fields: Field[] = [];
  walk(value, '', undefined, 0, fields);
  return fields;
}

function walk(value: unknown, key: string, owner: object | undefined, depth: number, out: Field[]): void {
  if (out.length >= maxFields || depth > maxDepth) return;
  if (typeof value === 'string') {
    if (value !== '' && value.length <= maxValueLength && owner) out.push({ key, value, owner });
  } else if (Array.isArray(value)) {
    for (const item of value) walk(item, key, isObject(item) ? item : (owner ?? value), depth + 1, out);
  } else if (isObject(value)) {
    for (const [name, inner] of Object.entries(value)) {
      walk(inner, wrappers.has(name) ? key : normalise(name), value, depth + 1, out);
    }
  }
}

function normalise(name: string): string {
  return name
    .replaceAll(/[-_:]/g, '')
    .toLowerCase()
    .replace(/(set|list)$/, '')
    .replace(/(id|arn|name|identifier)s$/, '$1');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The string at a path of keys, matched without regard to case (services differ: `roleArn`, `RoleArn`). */
export function at(value: unknown, ...path: readonly string[]): string | undefined {
  const found = valueAt(value, path);
  return typeof found === 'string' && found !== '' && found.length <= maxValueLength ? found : undefined;
}

/** The same, where numbers, `true` and `false` count as their text: AWS and the exports of it write either. */
export function plainAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = valueAt(value, path);
  return typeof found === 'number' || typeof found === 'boolean' ? String(found) : at(value, ...path);
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let here = value;
  for (const step of path) {
    if (!isObject(here)) return undefined;
    const wanted = step.toLowerCase();
    const key = Object.hasOwn(here, step) ? step : Object.keys(here).find((name) => name.toLowerCase() === wanted);
    if (key === undefined) return undefined;
    here = here[key];
  }
  return here;
}
