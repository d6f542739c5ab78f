/** JSON from outside, made safe to walk, to merge and to store (DOMAIN.md 9.4). */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Findings nest some 12 levels; nobody needs more. */
export const deepestNesting = 64;

const dangerousKeys = new Set(['__proto__', 'constructor', 'prototype']);

/** PostgreSQL's jsonb takes neither NUL nor lone surrogates; a finding must not bounce because of them. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '\ufffd').toWellFormed();
}

function clean(value: unknown, depthLeft: number): Json | undefined {
  if (typeof value === 'string') return storable(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value !== 'object') return null;
  if (depthLeft === 0) return undefined;
  if (Array.isArray(value)) {
    const items: Json[] = [];
    for (const item of value) {
      const cleaned = clean(item, depthLeft - 1);
      if (cleaned === undefined) return undefined;
      items.push(cleaned);
    }
    return items;
  }
  const entries: [string, Json][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (dangerousKeys.has(key)) continue;
    const cleaned = clean(item, depthLeft - 1);
    if (cleaned === undefined) return undefined;
    entries.push([storable(key), cleaned]);
  }
  return Object.fromEntries(entries);
}

/**
 * A copy without `__proto__`, `constructor` and `prototype` keys, with every string storable. Undefined where arrays and
 * objects nest deeper than `deepestNesting`. Never throws.
 */
export function cleanJson(value: unknown): Json | undefined {
  return clean(value, deepestNesting);
}

export function isRecord(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** GetFindings spells some keys in a way that lower-casing the first letter does not turn into EventBridge's. */
const aliases = new Map([
  ['sourceIps', 'sourceIPs'],
  ['aSN', 'asn'],
  ['mFAStatus', 'mfaStatus'],
]);

/**
 * GetFindings' PascalCase as EventBridge's camelCase, at every level (DOMAIN.md 2.1). Where an object has both spellings
 * of a key, the camelCase one is kept.
 */
export function camelKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(camelKeys);
  if (!isRecord(value)) return value;
  const entries = new Map<string, Json>();
  for (const [key, item] of Object.entries(value)) {
    const lower = key.charAt(0).toLowerCase() + key.slice(1);
    const name = aliases.get(lower) ?? lower;
    if (name === key || !entries.has(name)) entries.set(name, camelKeys(item));
  }
  return Object.fromEntries(entries);
}
