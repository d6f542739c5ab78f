/** How alerts of other tools are read: the `mappings` of the config file, and the paths in them. */
import { z } from 'zod';

export type Step = string | number | '*';

const step = /(?:^|\.)([^.[\]"\s]+)|\[(\d{1,6}|\*)\]|\["([^"\]]{1,200})"\]/gy;

/** `a.b[0].c`, `a[*].b`, `labels["app.name"]` as its steps; undefined where it is no path. */
export function parsePath(path: string): readonly Step[] | undefined {
  const steps: Step[] = [];
  let end = 0;
  for (const match of path.matchAll(step)) {
    const [whole, name, index, quoted] = match;
    steps.push(name ?? quoted ?? (index === '*' ? '*' : Number(index)));
    end = match.index + whole.length;
  }
  return steps.length > 0 && end === path.length ? steps : undefined;
}

const Path = z
  .string()
  .trim()
  .min(1)
  .max(300)
  .refine((path) => parsePath(path) !== undefined, 'a path is like a.b[0].c, a[*].b or labels["app.name"]');
const Paths = z.union([Path.transform((path) => [path]), z.array(Path).min(1)]);

/** One entry of `mappings`: a tool that posts to `/webhooks/alert`, or by SNS or SQS. */
export const AlertMapping = z
  .strictObject({
    /** The tool's name, as the card shows it. */
    name: z.string().trim().min(1).max(60),
    /** Which bodies are meant: each path must hold this value. Without it: every body that is of no known kind. */
    when: z.record(Path, z.union([z.string(), z.number(), z.boolean()])).optional(),
    /** Each field takes one path or several, of which the first that holds something counts. */
    title: Paths.optional(),
    description: Paths.optional(),
    severity: Paths.optional(),
    /** The tool's own words for severities, on a scale of 1 to 10. */
    severities: z.record(z.string().trim().toLowerCase(), z.number().min(1).max(10)).optional(),
    account: Paths.optional(),
    region: Paths.optional(),
    time: Paths.optional(),
    /** What stays the same when the tool sends the alert again. Without it: all that is sent. */
    id: Paths.optional(),
    /** Where ARNs, keys, addresses and resource ids stand. Without it they are looked for everywhere. */
    artifacts: Paths.optional(),
  })
  .readonly();
export type AlertMapping = z.output<typeof AlertMapping>;

const words: Readonly<Record<string, number>> = {
  emergency: 10,
  fatal: 10,
  critical: 9.5,
  crit: 9.5,
  sev0: 9.5,
  sev1: 9.5,
  p0: 9.5,
  p1: 9.5,
  alert: 8,
  severe: 8,
  high: 8,
  error: 8,
  err: 8,
  major: 8,
  sev2: 8,
  p2: 8,
  medium: 5,
  moderate: 5,
  warning: 5,
  warn: 5,
  minor: 5,
  sev3: 5,
  p3: 5,
  low: 2,
  notice: 2,
  sev4: 2,
  p4: 2,
  info: 1,
  informational: 1,
  information: 1,
  debug: 1,
  none: 1,
  sev5: 1,
  p5: 1,
};

/**
 * A severity as tools write it, on a scale of 1 to 10: a word, 1 to 10 as it is, 11 to 100 as per cent. Undefined where it
 * cannot be read: the card says so, and the alert counts as high.
 */
export function severityOfWord(word: string | undefined, own: AlertMapping['severities'] = {}): number | undefined {
  const said = word?.trim().toLowerCase();
  if (said === undefined || said === '') return undefined;
  if (Object.hasOwn(own, said)) return own[said];
  if (Object.hasOwn(words, said)) return words[said];
  const figure = Number(said);
  if (!(figure > 0 && figure <= 100)) return undefined;
  return Math.max(1, figure <= 10 ? figure : figure / 10);
}
