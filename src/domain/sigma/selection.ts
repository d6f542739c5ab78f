/** Selections of a Sigma rule: maps, lists of maps, keywords, and the modifiers behind field names. */
import { isNetwork } from './cidr.ts';
import { joined } from './condition.ts';
import { literalOf, opened, parsePattern } from './pattern.ts';
import { regexMatcher } from './regex.ts';
import { type Node, RuleProblem, type Test } from './tree.ts';

type Scalar = string | boolean | null;

/** Modifiers that this engine knows; any other makes the rule unsupported. */
const known = new Set([
  ...['contains', 'startswith', 'endswith', 'all', 're', 'i', 'm', 's', 'cased', 'cidr', 'exists', 'fieldref', 'neq'],
  ...['lt', 'lte', 'gt', 'gte'],
]);
const positions = ['contains', 'startswith', 'endswith'] as const;
const comparisons = ['lt', 'lte', 'gt', 'gte'] as const;
const maxValues = 20_000;

/** Reads one selection. Throws RuleProblem for what cannot be evaluated as written. */
export function parseSelection(value: unknown): Node {
  if (Array.isArray(value)) {
    if (value.length === 0) throw new RuleProblem('empty selection');
    return joined(
      'or',
      value.map((item) => (isMap(item) ? parseMap(item) : keyword(scalarOf(item)))),
    );
  }
  return isMap(value) ? parseMap(value) : keyword(scalarOf(value));
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseMap(map: Readonly<Record<string, unknown>>): Node {
  const parts = Object.entries(map).map(([key, value]) => parseField(key, value));
  if (parts.length === 0) throw new RuleProblem('empty selection');
  return joined('and', parts);
}

function parseField(key: string, value: unknown): Node {
  const [field = '', ...modifiers] = key.split('|');
  for (const modifier of modifiers)
    if (!known.has(modifier)) throw new RuleProblem(`modifier "${modifier}" is not supported`);
  const values = (Array.isArray(value) ? value : [value]).map(scalarOf);
  if (values.length === 0) throw new RuleProblem(`no values for "${key}"`);
  if (values.length > maxValues) throw new RuleProblem(`more than ${maxValues} values for "${key}"`);
  const kind = modifiers.includes('all') ? 'and' : 'or';
  if (field === '') return joined(kind, values.map(keyword));
  const tests = joined(
    kind,
    values.map((one) => parseValue(field, modifiers, one)),
  );
  return modifiers.includes('neq') ? { kind: 'not', of: tests } : tests;
}

function parseValue(field: string, modifiers: readonly string[], value: Scalar): Node {
  const has = (name: string): boolean => modifiers.includes(name);
  const comparison = comparisons.find(has);
  const position = positions.filter(has);
  const kinds = [has('re'), has('cidr'), has('exists'), has('fieldref'), comparison !== undefined].filter(Boolean);
  const isMixed =
    kinds.length > 1 || position.length > 1 || (position.length > 0 && kinds.length > 0 && !has('fieldref'));
  if (isMixed || (!has('re') && ['i', 'm', 's'].some(has)))
    throw new RuleProblem(`modifiers "${modifiers.join('|')}" do not go together`);
  if (has('exists')) return { kind: 'exists', field, expected: truthOf(value) };
  if (value === null) {
    if (kinds.length + position.length > 0) throw new RuleProblem(`null does not go with "${modifiers.join('|')}"`);
    return { kind: 'null', field };
  }
  return { kind: 'field', field, test: testOf(modifiers, position[0], comparison, String(value)) };
}

function testOf(
  modifiers: readonly string[],
  position: (typeof positions)[number] | undefined,
  comparison: (typeof comparisons)[number] | undefined,
  value: string,
): Test {
  const cased = modifiers.includes('cased');
  if (modifiers.includes('re')) {
    const flags = ['i', 'm', 's'].filter((flag) => modifiers.includes(flag)).join('');
    // Read here so that a bad one makes the rule unsupported, not the hunt fail.
    regexMatcher(value, flags);
    return { kind: 'regex', source: value, flags };
  }
  if (modifiers.includes('cidr')) {
    if (!isNetwork(value)) throw new RuleProblem(`"${value.slice(0, 60)}" is no network`);
    return { kind: 'cidr', network: value };
  }
  if (modifiers.includes('fieldref')) {
    const where = { contains: 'contains', startswith: 'start', endswith: 'end' } as const;
    return { kind: 'field', field: value, where: position ? where[position] : 'whole', cased };
  }
  if (comparison) {
    const number = Number(value);
    if (value.trim() === '' || !Number.isFinite(number)) throw new RuleProblem(`"${value.slice(0, 60)}" is no number`);
    return { kind: 'compare', sign: comparison, number };
  }
  const pattern = opened(
    parsePattern(value),
    position === 'contains' || position === 'endswith',
    position === 'contains' || position === 'startswith',
  );
  return { kind: 'text', pattern, cased };
}

/** A keyword stands anywhere in any value. */
function keyword(value: Scalar): Node {
  if (value === null || literalOf(parsePattern(String(value))) === '') throw new RuleProblem('empty keyword');
  const pattern = opened(parsePattern(String(value)), true, true);
  return { kind: 'keyword', test: { kind: 'text', pattern, cased: false } };
}

function truthOf(value: Scalar): boolean {
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === 'yes') return true;
  if (value === 'false' || value === 'no') return false;
  throw new RuleProblem('"exists" takes true or false');
}

/** Numbers come as the text that the file has. */
function scalarOf(value: unknown): Scalar {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  throw new RuleProblem('a value that is neither text, number, boolean nor null');
}
