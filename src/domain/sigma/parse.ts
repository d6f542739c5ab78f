/** Reads Sigma files: YAML with one rule per document, checked at this door. A bad rule breaks only itself. */
import { type Document, parseAllDocuments, visit } from 'yaml';
import { z } from 'zod';
import { joined, parseCondition } from './condition.ts';
import { parseSelection } from './selection.ts';
import {
  type CorrelationRule,
  type EventRule,
  levels,
  type Node,
  type RuleHead,
  RuleProblem,
  type SigmaRule,
  type UnsupportedRule,
} from './tree.ts';

/** One file of a rule folder. `path` is relative to the folder. */
export interface RuleFile {
  readonly path: string;
  readonly text: string;
}

export interface RuleBook {
  readonly rules: readonly SigmaRule[];
  readonly unsupported: readonly UnsupportedRule[];
}

const maxFile = 2_000_000;
const maxDocuments = 5_000;

const words = z.union([z.string(), z.array(z.string())]).transform((value) => (Array.isArray(value) ? value : [value]));

const Head = z.looseObject({
  title: z.string().min(1),
  id: z.string().optional(),
  name: z.string().optional(),
  description: z.string().optional(),
  author: z.string().optional(),
  level: z.enum(levels).default('medium'),
  tags: z.array(z.string()).nullish(),
  falsepositives: words.nullish(),
});

const Detection = z.looseObject({
  logsource: z
    .looseObject({ product: z.string().optional(), service: z.string().optional(), category: z.string().optional() })
    .optional(),
  detection: z.looseObject({ condition: words, timeframe: z.unknown().optional() }),
});

/** Numbers come as the text that the file has. An empty one is no zero, at which every event would be a burst. */
const Threshold = z
  .string('is no whole number such as 5')
  .regex(/^\d{1,9}$/, 'is no whole number such as 5')
  .transform(Number);

const Correlation = z.strictObject({
  type: z.enum(['event_count', 'value_count', 'temporal', 'temporal_ordered']),
  rules: words.refine((rules) => rules.length > 0, 'names no rule'),
  'group-by': words.default([]),
  timespan: z.string().regex(/^[1-9]\d{0,5}[smhd]$/, 'is no span such as 5m'),
  condition: z
    .strictObject({
      gt: Threshold.optional(),
      gte: Threshold.optional(),
      field: z.string().optional(),
    })
    .optional(),
  aliases: z.record(z.string(), z.record(z.string(), z.string())).default({}),
  generate: z.boolean().default(false),
});

/**
 * Reads the files in order. Rules that cannot be evaluated as written come back by name and reason; names that stand twice
 * get their path in front. Never throws.
 */
export function parseRules(files: readonly RuleFile[]): RuleBook {
  const rules: SigmaRule[] = [];
  const unsupported: UnsupportedRule[] = [];
  const names = new Set<string>();
  for (const file of files) {
    const base = file.path.split('/').at(-1) ?? file.path;
    for (const [at, document] of documentsOf(file).entries()) {
      const fallback = at === 0 ? base : `${base}#${at + 1}`;
      try {
        const rule = parseRule(document, fallback, file.path);
        const unique = names.has(rule.name) ? { ...rule, name: `${file.path}:${rule.name}` } : rule;
        if (names.has(unique.name)) throw new RuleProblem(`there is a rule of the name "${rule.name}" already`);
        names.add(unique.name);
        rules.push(unique);
      } catch (error) {
        if (!(error instanceof RuleProblem)) throw error;
        unsupported.push({ rule: nameOf(document) ?? fallback, reason: error.message });
      }
    }
  }
  return {
    rules: rules.filter((rule) => rule.kind !== 'correlation' || resolves(rule, rules, unsupported)),
    unsupported,
  };
}

/** Whether all rules that a correlation rests on are there, so that it can hold at all; reports it otherwise. */
function resolves(rule: CorrelationRule, rules: readonly SigmaRule[], unsupported: UnsupportedRule[]): boolean {
  const reason = whyNever(
    rule,
    rules.filter((one) => one.kind === 'event'),
  );
  if (reason !== undefined) unsupported.push({ rule: rule.name, reason });
  return reason === undefined;
}

function whyNever(rule: CorrelationRule, events: readonly EventRule[]): string | undefined {
  const missing = rule.rules.find((name) => !events.some((other) => isCalled(other, name)));
  if (missing !== undefined) return `correlates "${missing}", which is no event rule that could be read`;
  // An event counts for the first of the names that its rule is called by (correlate.ts).
  const placeOf = (event: EventRule): number => rule.rules.findIndex((name) => isCalled(event, name));
  const places = new Set(events.map(placeOf));
  const isCount = rule.type === 'event_count' || rule.type === 'value_count';
  const again = isCount ? undefined : rule.rules.find((_name, at) => !places.has(at));
  if (again !== undefined) return `correlates "${again}" twice, which is counted once`;
  for (const [alias, fields] of Object.entries(rule.aliases)) {
    const other = Object.keys(fields).find((name) => !events.some((one) => isCalled(one, name) && placeOf(one) >= 0));
    if (other !== undefined) return `the alias "${alias}" names "${other}", which is not correlated`;
  }
  return undefined;
}

export function isCalled(rule: RuleHead, name: string): boolean {
  return rule.name === name || (rule.id !== '' && rule.id === name);
}

/** A document, or the problem that keeps it from being one. */
type Read = { readonly value: unknown } | { readonly problem: string };

function documentsOf(file: RuleFile): readonly Read[] {
  if (file.text.length > maxFile) return [{ problem: `larger than ${maxFile} characters` }];
  const documents = parseAllDocuments(file.text, { version: '1.2', merge: false, logLevel: 'silent' });
  if (!Array.isArray(documents)) return [{ problem: 'an empty file' }];
  if (documents.length > maxDocuments) return [{ problem: `more than ${maxDocuments} documents` }];
  return documents.map(readDocument).filter((read) => !('value' in read) || read.value !== null);
}

function readDocument(document: Document): Read {
  const [error] = document.errors;
  if (error) return { problem: `not YAML: ${error.message.split('\n')[0]?.slice(0, 200) ?? ''}` };
  // Account ids begin with zeros, and versions are no fractions: numbers stay as they are written.
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === 'number' || typeof node.value === 'bigint')
        node.value = node.source ?? String(node.value);
    },
  });
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) };
  } catch (thrown) {
    if (thrown instanceof ReferenceError) return { problem: 'too many YAML aliases' };
    throw thrown;
  }
}

function nameOf(read: Read): string | undefined {
  const name = 'value' in read ? (read.value as { name?: unknown } | undefined)?.name : undefined;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

function parseRule(read: Read, fallback: string, file: string): SigmaRule {
  if ('problem' in read) throw new RuleProblem(read.problem);
  const value = read.value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new RuleProblem('not a Sigma rule');
  if ('action' in value) throw new RuleProblem('rule collections ("action") are legacy: write whole documents');
  if ('filter' in value) throw new RuleProblem('Sigma filters are not supported');
  const head = headOf(checked(Head, value), fallback, file);
  if ('correlation' in value && 'detection' in value)
    throw new RuleProblem('both a detection and a correlation: write two documents');
  if ('correlation' in value) return correlationOf(head, checked(Correlation, value.correlation, 'correlation'));
  return eventRuleOf(head, checked(Detection, value));
}

function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, under?: string): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues
    .slice(0, 5)
    .map((issue) => `${[under ?? [], ...issue.path].flat().join('.')}: ${issue.message}`);
  throw new RuleProblem(problems.join('; '));
}

function headOf(head: z.output<typeof Head>, fallback: string, file: string): RuleHead {
  const tags = (head.tags ?? []).map((tag) => tag.toLowerCase());
  return {
    name: head.name || fallback,
    id: head.id ?? '',
    title: head.title,
    description: (head.description ?? '').trim(),
    author: head.author ?? '',
    level: head.level,
    technique: tags.flatMap((tag) => /^attack\.(t\d{4}(\.\d{3})?)$/.exec(tag)?.[1]?.toUpperCase() ?? []),
    tactic: tags.flatMap((tag) => tacticOf(tag) ?? []),
    falsepositives: head.falsepositives ?? [],
    tags,
    file,
  };
}

/** `attack.command-and-control` -> `Command and Control`. Groups, software and the like are no tactics. */
function tacticOf(tag: string): string | undefined {
  const name = /^attack\.([a-z][a-z_-]+)$/.exec(tag)?.[1];
  return name
    ?.split(/[_-]/)
    .map((word) => (word === 'and' ? word : word.charAt(0).toUpperCase() + word.slice(1)))
    .join(' ');
}

function eventRuleOf(head: RuleHead, { logsource, detection }: z.output<typeof Detection>): EventRule {
  const { product = 'aws', service = 'cloudtrail', category } = logsource ?? {};
  if (product.toLowerCase() !== 'aws' || service.toLowerCase() !== 'cloudtrail' || category !== undefined)
    throw new RuleProblem(`log source ${[product, service, category].filter(Boolean).join('/')} is not CloudTrail`);
  const { condition, timeframe, ...rest } = detection;
  if (timeframe !== undefined) throw new RuleProblem('timeframe is legacy: write a correlation rule');
  const selections = new Map<string, Node>(
    Object.entries(rest).map(([name, value]) => [name, inSelection(name, () => parseSelection(value))]),
  );
  return {
    ...head,
    kind: 'event',
    tree: joined(
      'or',
      condition.map((one) => parseCondition(one, selections)),
    ),
  };
}

function inSelection(name: string, read: () => Node): Node {
  try {
    return read();
  } catch (error) {
    throw error instanceof RuleProblem ? new RuleProblem(`${name}: ${error.message}`) : error;
  }
}

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function correlationOf(head: RuleHead, found: z.output<typeof Correlation>): CorrelationRule {
  const { type, condition } = found;
  const counts = type === 'event_count' || type === 'value_count';
  const atLeast = condition?.gte ?? (condition?.gt === undefined ? undefined : condition.gt + 1);
  if (counts && atLeast === undefined) throw new RuleProblem('correlation condition: only gt and gte are supported');
  if (atLeast === 0) throw new RuleProblem('correlation condition: holds without any event');
  if (type === 'value_count' && condition?.field === undefined)
    throw new RuleProblem('value_count needs the field that it counts');
  if (!counts && condition !== undefined) throw new RuleProblem(`${type} with a condition is not supported`);
  return {
    ...head,
    kind: 'correlation',
    type,
    rules: found.rules,
    groupBy: found['group-by'],
    aliases: found.aliases,
    timespanMs: Number(found.timespan.slice(0, -1)) * (units[found.timespan.slice(-1)] ?? 0),
    atLeast: atLeast ?? 1,
    field: condition?.field,
    generate: found.generate,
  };
}
