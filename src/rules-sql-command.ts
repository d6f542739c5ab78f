/** `firebreak rules sql RULE`: the SQL of rules, to be run by hand in Athena or over the lake's files. It runs nothing. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { catalogue } from '../detections/index.ts';
import { systemClock } from './clock.ts';
import { type Config, loadConfig } from './config.ts';
import { SetupError } from './contracts/errors.ts';
import type { AskedRule } from './contracts/evidence.ts';
import { instant } from './domain/athena/literals.ts';
import { ruleStatements } from './domain/athena/rule-statements.ts';
import { AthenaSection } from './domain/athena/settings.ts';
import { type Picked, pickRules } from './domain/sigma/hunt.ts';
import { parseWindow } from './domain/window.ts';
import { sqlText } from './evidence/lake/columns.ts';
import { Conditions } from './evidence/lake/condition-sql.ts';
import { lakeFolder } from './evidence/lake/pages.ts';
import { readRuleFolders } from './evidence/rule-files.ts';

const usage =
  'firebreak rules sql RULE --dialect athena|duckdb [--since T] [--until T] [--accounts A,..] [--regions R,..]';
const rows = 10_000;

interface Scope {
  readonly from: string;
  readonly to: string;
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
}

/** Answers on stdout. RULE is what a hunt takes: a name, a technique, a tactic, a level or `all`. Throws SetupError, UserError. Returns 0. */
export async function rulesSqlCommand(words: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { positionals, values } = parseArgs({
    args: [...words],
    options: { dialect: text, since: text, until: text, accounts: text, regions: text },
    allowPositionals: true,
  });
  const [word, ...more] = positionals;
  if (word === undefined || more.length > 0) throw new SetupError(['name one rule, technique, tactic or level', usage]);
  const config = loadConfig({ kind: 'cli' });
  const picked = pickRules(word, catalogue((await readRuleFolders(config.rules.folders)).files));
  const window = parseWindow({ since: values.since ?? '24h', until: values.until }, systemClock.now());
  const list = (given: string | undefined) => given?.split(',').map((one) => one.trim());
  const scope: Scope = {
    from: instant(window.from ?? new Date(0).toISOString()),
    to: instant(window.to ?? systemClock.now().toISOString()),
    accounts: list(values.accounts) ?? config.accounts.map(({ id }) => id),
    regions: list(values.regions) ?? config.regions,
  };
  switch (values.dialect) {
    case 'athena':
      print(athenaSql(picked, config, scope));
      return 0;
    case 'duckdb':
      print(duckDbSql(picked, config, scope));
      return 0;
    default:
      throw new SetupError(['say --dialect athena or --dialect duckdb', usage]);
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function asked({ running }: Picked): readonly AskedRule[] {
  return running.map(({ name, tree }) => ({ name, where: tree }));
}

function heading({ running, reporting }: Picked, more: readonly string[]): string {
  const counting = [...reporting].filter(({ kind }) => kind === 'correlation').map(({ name }) => name);
  return [
    `Rules: ${running.map(({ name }) => name).join(', ')}`,
    'A row is here where SQL says yes, and where it cannot tell: the matcher of firebreak hunt would look at it once more.',
    ...(counting.length === 0 ? [] : [`Not in SQL, what these count: ${counting.join(', ')}`]),
    ...more,
  ]
    .map((text) => `-- ${text.replaceAll(/[\r\n]/g, ' ')}`)
    .join('\n');
}

function athenaSql(picked: Picked, config: Config, scope: Scope): string {
  const missing = [
    ...(scope.accounts.length === 0 ? ['no accounts: give --accounts, the table is asked by account'] : []),
    ...(scope.regions.length === 0 ? ['no Regions: give --regions, or set regions in the config'] : []),
  ];
  if (missing.length > 0) throw new SetupError(missing);
  const settings =
    config.athena ??
    AthenaSection.parse({
      // Only the names of the tables are used.
      ...{ accountId: '000000000000', region: 'us-east-1', workgroup: 'primary', database: 'firebreak' },
      tables: { cloudtrail: 'cloudtrail' },
    });
  const { statements, rules } = ruleStatements(settings, scope, asked(picked), rows);
  const parts = rules.filter(({ how }) => how !== 'whole');
  const notes = parts.map(
    ({ rule, how, because }) =>
      `${rule}: ${how === 'none' ? 'not narrowed, left out' : 'narrowed in part'}: ${because.join('; ')}`,
  );
  return [heading(picked, notes), ...statements.map(({ statement }) => `${statement.sql};`)].join('\n');
}

function duckDbSql(picked: Picked, config: Config, scope: Scope): string {
  const conditions = new Conditions();
  const verdicts = asked(picked).map(({ where }) => `TRY(${conditions.sql(where)}) IS NOT FALSE`);
  const files = join(lakeFolder(config.dataDir).shards, '*.parquet');
  const from = `SELECT * FROM read_parquet(${sqlText(files)}, union_by_name = true)
  WHERE event_time >= ${sqlText(scope.from)} AND event_time < ${sqlText(scope.to)}${placed('account', scope.accounts)}`;
  return `${heading(picked, [])}
SELECT event_time, eventSource, eventName, userIdentity, sourceIPAddress, errorCode, requestParameters, responseElements
FROM (${conditions.over(from)})
WHERE ${verdicts.join('\n  OR ')}
ORDER BY event_time;`;
}

function placed(column: string, values: readonly string[]): string {
  return values.length === 0 ? '' : ` AND ${column} IN (${values.map(sqlText).join(', ')})`;
}
