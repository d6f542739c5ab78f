/**
 * The only reader of the environment and of the YAML file. One schema (src/config-file.ts); every problem is listed at once.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { ConfigFile, modes } from './config-file.ts';
import { problemsIn } from './config-problems.ts';
import { asError, SetupError } from './contracts/errors.ts';
import { Secret } from './contracts/secret.ts';
import { exceptionWords } from './domain/exceptions.ts';
import { roleProblems } from './domain/inventory.ts';

/** What a process is about to do; decides which settings must be there. */
export type Purpose =
  | { readonly kind: 'serve'; readonly roles: readonly ('web' | 'worker' | 'executor')[] }
  | { readonly kind: 'cli' };

export interface Config extends ConfigFile {
  readonly configPath: string;
  readonly configFound: boolean;
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly logLevel: string;
  readonly databaseUrl: Secret | undefined;
  readonly redisUrl: Secret | undefined;
  readonly webhookTokens: readonly Secret[];
  readonly metricsToken: Secret | undefined;
  readonly slack: {
    readonly botToken: Secret | undefined;
    readonly appToken: Secret | undefined;
    readonly signingSecrets: readonly Secret[];
    readonly apiUrl: string | undefined;
  };
  /** Keys of pagers, by the environment variables that the config names. */
  readonly pagerSecrets: ReadonlyMap<string, Secret>;
  /** The AWS SDK's default Region; endpoints and credentials are the SDK's own business. */
  readonly awsRegion: string;
  /** True where an endpoint is set: emulators know no host names of buckets. */
  readonly s3PathStyle: boolean;
  readonly warnings: readonly string[];
}

const Env = z.object({
  SLACK_BOT_TOKEN: z.string().optional(),
  SLACK_SIGNING_SECRET: z.string().optional(),
  SLACK_APP_TOKEN: z.string().optional(),
  SLACK_API_URL: z
    .url({ protocol: /^https?$/ })
    .transform((url) => (url.endsWith('/') ? url : `${url}/`))
    .optional(),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  WEBHOOK_TOKEN: z.string().optional(),
  METRICS_TOKEN: z.string().optional(),
  FIREBREAK_CONFIG: z.string().optional(),
  FIREBREAK_DATA_DIR: z.string().default('./data'),
  FIREBREAK_MODE: z.enum(modes).optional(),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  HOST: z.string().default('127.0.0.1'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  AWS_REGION: z.string().optional(),
  AWS_DEFAULT_REGION: z.string().optional(),
  AWS_ENDPOINT_URL: z.string().optional(),
  AWS_ENDPOINT_URL_S3: z.string().optional(),
});

/**
 * Reads the environment and the config file. `env` and `cwd` are arguments so that tests need no globals.
 * Throws SetupError with every problem found in both.
 */
export function loadConfig(
  purpose: Purpose,
  env: NodeJS.ProcessEnv = process.env,
  cwd: string = process.cwd(),
): Config {
  const problems: string[] = [];
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''));
  const parsedEnv = Env.safeParse(set);
  if (!parsedEnv.success) problems.push(...problemsIn('environment', parsedEnv.error));
  const raw = parsedEnv.success ? parsedEnv.data : Env.parse({});

  const configPath = resolve(cwd, set.FIREBREAK_CONFIG ?? './firebreak.yml');
  const configFound = existsSync(configPath);
  if (!configFound && set.FIREBREAK_CONFIG) problems.push(`FIREBREAK_CONFIG: there is no file at ${configPath}`);
  const document = configFound ? readYaml(configPath, problems) : {};
  const parsedFile = ConfigFile.safeParse(document ?? {});
  if (!parsedFile.success) problems.push(...problemsIn(configPath, parsedFile.error));
  const file = parsedFile.success ? parsedFile.data : ConfigFile.parse({});

  const slackRoles = purpose.kind === 'serve' && purpose.roles.some((role) => role !== 'executor');
  if (slackRoles) {
    problems.push(...slackProblems(purpose, set));
    if (!configFound)
      problems.push(`there is no config file at ${configPath}: copy firebreak.example.yml and name your channels`);
    else if (document !== undefined && !namesDefaultChannel(document))
      problems.push(`${configPath}: channels.default is not set: the channel that alerts go to`);
  }
  problems.push(...contradictions(file));
  const pagerKeys = file.escalation.pagers.flatMap((pager) => ('keyEnv' in pager ? (pager.keyEnv ?? []) : []));
  const isWorker = purpose.kind === 'serve' && purpose.roles.includes('worker');
  for (const name of pagerKeys) {
    if (isWorker && set[name] === undefined) problems.push(`${name} is not set: escalation.pagers names it as a key`);
  }
  if (problems.length > 0) throw new SetupError(problems);

  return {
    ...file,
    mode: raw.FIREBREAK_MODE ?? file.mode,
    configPath,
    configFound,
    dataDir: resolve(cwd, raw.FIREBREAK_DATA_DIR),
    host: raw.HOST,
    port: raw.PORT,
    logLevel: raw.LOG_LEVEL,
    databaseUrl: secret(raw.DATABASE_URL),
    redisUrl: secret(raw.REDIS_URL),
    webhookTokens: list(raw.WEBHOOK_TOKEN),
    metricsToken: secret(raw.METRICS_TOKEN),
    // An executor must not be able to speak in Slack's name, even where its environment holds the token (DESIGN.md 5).
    slack: slackRoles
      ? {
          botToken: secret(raw.SLACK_BOT_TOKEN),
          appToken: secret(raw.SLACK_APP_TOKEN),
          signingSecrets: list(raw.SLACK_SIGNING_SECRET),
          apiUrl: raw.SLACK_API_URL,
        }
      : { botToken: undefined, appToken: undefined, signingSecrets: [], apiUrl: undefined },
    pagerSecrets: new Map(
      pagerKeys.flatMap((name) => (set[name] === undefined ? [] : [[name, new Secret(set[name])] as const])),
    ),
    awsRegion: raw.AWS_REGION ?? raw.AWS_DEFAULT_REGION ?? 'us-east-1',
    s3PathStyle: (raw.AWS_ENDPOINT_URL_S3 ?? raw.AWS_ENDPOINT_URL) !== undefined,
    warnings: warnings(purpose, raw, file),
  };
}

/** Looks at the variables as they were given: one that is wrong elsewhere must not make these look missing. */
function slackProblems(purpose: Purpose, set: Readonly<Record<string, string | undefined>>): string[] {
  const problems: string[] = [];
  if (!set.SLACK_BOT_TOKEN) problems.push('SLACK_BOT_TOKEN is not set: the bot token (xoxb-...) of the Slack app');
  const isWeb = purpose.kind === 'serve' && purpose.roles.includes('web');
  if (isWeb && list(set.SLACK_SIGNING_SECRET).length === 0 && !set.SLACK_APP_TOKEN) {
    problems.push(
      'SLACK_SIGNING_SECRET (HTTP) or SLACK_APP_TOKEN (Socket Mode) is not set: one of them is needed to hear Slack',
    );
  }
  return problems;
}

/** Of a file that may be wrong in other places: what is there is not called missing. */
function namesDefaultChannel(document: unknown): boolean {
  const { channels } = (document ?? {}) as { channels?: { default?: unknown } | null };
  return (
    channels !== undefined && (channels === null || typeof channels !== 'object' || channels.default !== undefined)
  );
}

/** What no single key shows: two entries, or a role and its account, that do not go together. */
function contradictions(file: ConfigFile): string[] {
  const problems: string[] = [];
  const seenAccounts = new Set<string>();
  for (const account of file.accounts) {
    if (seenAccounts.has(account.id)) problems.push(`accounts: ${account.id} is listed twice`);
    seenAccounts.add(account.id);
    problems.push(...roleProblems(account).map((problem) => `accounts: ${account.id}: ${problem}`));
  }
  const owners = new Map<string, string>();
  for (const person of file.people) {
    for (const id of person.slack) {
      const other = owners.get(id);
      if (other !== undefined && other !== person.name)
        problems.push(`people: ${id} belongs to both ${other} and ${person.name}`);
      owners.set(id, person.name);
    }
  }
  return problems;
}

function warnings(purpose: Purpose, raw: z.output<typeof Env>, file: ConfigFile): string[] {
  if (purpose.kind === 'cli') return [];
  const found: string[] = [];
  // Only the web role has the doors that it opens.
  if (purpose.roles.includes('web') && list(raw.WEBHOOK_TOKEN).length === 0)
    found.push('WEBHOOK_TOKEN is not set: every webhook is answered with 401');
  if (file.approvers.users.length + file.approvers.groups.length === 0) {
    found.push('approvers is empty: nobody can approve, so nothing will ever be contained');
  }
  const { users, groups, required } = file.approvers;
  if (groups.length === 0 && users.length > 0 && new Set(users).size < required) {
    found.push(`approvers.required is ${required}, and approvers.users names fewer people: nothing can be approved`);
  }
  if (file.managementAccount === undefined && file.accounts.some((account) => account.responderRole !== undefined)) {
    found.push('managementAccount is not set: if one of the accounts is it, two approvers are not asked for there');
  }
  found.push(...emptyPlaces(file));
  const ended = file.exceptions.filter((one) => Date.parse(one.until) <= Date.now());
  for (const one of ended) found.push(`exceptions: ended, holds back nothing any more: ${exceptionWords(one)}`);
  const unused = [Object.keys(file.retention).length > 0 && 'retention'].filter((name) => name !== false);
  for (const name of unused) found.push(`${name} is set, but this version does not use it yet`);
  return found;
}

/** Rules of approval go by the accounts of this file alone: in a place that none of them is, they forbid and ask for nothing. */
function emptyPlaces({ policies, accounts }: ConfigFile): string[] {
  const said = (key: string, asked: readonly string[] = [], known: ReadonlySet<string | undefined>) =>
    asked
      .filter((name) => !known.has(name))
      .map((name) => `policies.${key}: no entry of accounts is "${name}", so the rule holds for nothing there`);
  const ids = new Set(accounts.map(({ id }) => id));
  const environments = new Set(accounts.map(({ environment }) => environment));
  return policies.flatMap((rule, index) => [
    ...said(`${index}.accounts`, rule.accounts, ids),
    ...said(`${index}.environments`, rule.environments, environments),
  ]);
}

/** Undefined where the file cannot be read, which `problems` then says. */
function readYaml(path: string, problems: string[]): unknown {
  const say = (error: unknown) =>
    problems.push(`${path}: cannot be read: ${asError(error).message.split('\n')[0]?.replace(/:$/, '')}`);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
    // `<<: *name` is YAML 1.1, and known from Compose files.
    const document = parseDocument(text, { merge: true });
    // A tag that nobody knows is only a warning to the library: the value would be taken without it.
    const wrong = [...document.errors, ...document.warnings];
    for (const error of wrong) say(error);
    return wrong.length > 0 ? undefined : (document.toJS() ?? {});
  } catch (error) {
    say(isNotUtf8(error) ? 'it is not UTF-8' : error);
    return undefined;
  }
}

function isNotUtf8(error: unknown): boolean {
  return error instanceof TypeError && (error as { code?: unknown }).code === 'ERR_ENCODING_INVALID_ENCODED_DATA';
}

function secret(value: string | undefined): Secret | undefined {
  return value === undefined ? undefined : new Secret(value);
}

function list(value: string | undefined): Secret[] {
  return (value ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map((item) => new Secret(item));
}
