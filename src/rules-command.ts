/** `firebreak rules lint|test|coverage [DIR]` and `sql`: rules without AWS, Slack or a database. DIR left out: ours and the config's folders. */
import { parseArgs } from 'node:util';
import { catalogue, catalogueFiles, catalogueTests } from '../detections/index.ts';
import { loadConfig } from './config.ts';
import { SetupError } from './contracts/errors.ts';
import { parseRules, type RuleBook, type RuleFile } from './domain/sigma/parse.ts';
import { coverageText, navigatorLayer, ruleWarnings } from './domain/sigma/rule-report.ts';
import { runRuleTests } from './domain/sigma/rule-tests.ts';
import { idCollisions, silencedRules } from './domain/sigma/settled.ts';
import { readRuleFolder, readRuleFolders } from './evidence/rule-files.ts';
import { rulesSqlCommand } from './rules-sql-command.ts';

const usage = 'firebreak rules lint|test|coverage [DIR] [--json], or firebreak rules sql RULE --dialect athena|duckdb';

interface Loaded {
  readonly book: RuleBook;
  readonly files: number;
  readonly problems: readonly { readonly rule: string; readonly reason: string }[];
  readonly tests: readonly RuleFile[];
}

/** Answers on stdout. Returns 0; 1 where lint finds a rule that cannot be evaluated, or a test fails. */
export async function rulesCommand(words: readonly string[]): Promise<number> {
  if (words[0] === 'sql') return rulesSqlCommand(words.slice(1));
  const { positionals, values } = parseArgs({
    args: [...words],
    options: { json: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const [verb, dir, ...more] = positionals;
  if (more.length > 0) throw new SetupError(['name one folder, or none', usage]);
  switch (verb) {
    case 'lint':
      return lint(await load(dir), values.json);
    case 'test':
      return test(await load(dir), values.json);
    case 'coverage': {
      const { book } = await load(dir);
      print(values.json ? JSON.stringify(navigatorLayer(book.rules), undefined, 2) : coverageText(book.rules));
      return 0;
    }
    default:
      throw new SetupError([
        verb === undefined ? 'say what: lint, test, coverage or sql' : `rules has no "${verb.slice(0, 40)}"`,
        usage,
      ]);
  }
}

function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

async function load(dir: string | undefined): Promise<Loaded> {
  if (dir !== undefined) {
    const folder = await readRuleFolder(dir);
    const tests = await readRuleFolder(dir, 'tests');
    return {
      book: parseRules(folder.files),
      files: folder.files.length,
      problems: folder.problems,
      tests: tests.files,
    };
  }
  const { rules } = loadConfig({ kind: 'cli' });
  const folders = await readRuleFolders(rules.folders);
  const tests = await readRuleFolders(rules.folders, 'tests');
  return {
    book: catalogue(folders.files),
    files: catalogueFiles().length + folders.files.length,
    problems: folders.problems,
    tests: [...catalogueTests(), ...tests.files],
  };
}

function lint({ book, files, problems }: Loaded, json: boolean): number {
  const errors = [...problems, ...book.unsupported];
  const warnings = [
    ...[...idCollisions(book), ...silencedRules(book)].map(({ rule, reason }) => ({ rule, warning: reason })),
    ...ruleWarnings(book),
  ];
  if (json) print(JSON.stringify({ files, rules: book.rules.length, errors, warnings }, undefined, 2));
  else {
    for (const { rule, reason } of errors) print(`error: ${rule}: ${reason}`);
    for (const { rule, warning } of warnings) print(`warning: ${rule}: ${warning}`);
    print(`${files} files, ${book.rules.length} rules, ${errors.length} errors, ${warnings.length} warnings`);
  }
  return errors.length > 0 ? 1 : 0;
}

async function test({ book, tests, problems }: Loaded, json: boolean): Promise<number> {
  const results = await runRuleTests(tests, book);
  const failed = results.filter(({ failures }) => failures.length > 0);
  const tested = new Set(results.map(({ rule }) => rule));
  const untested = book.rules.filter((rule) => !tested.has(rule.name) && !tested.has(rule.id)).map((rule) => rule.name);
  const errors = [...problems, ...book.unsupported];
  const cases = results.reduce((sum, one) => sum + one.cases, 0);
  if (json) print(JSON.stringify({ cases, results, untested, errors }, undefined, 2));
  else {
    for (const { file, rule, failures } of failed)
      for (const failure of failures) print(`FAILED: ${file}: ${rule}: ${failure}`);
    for (const { rule, reason } of errors) print(`error: ${rule}: ${reason}`);
    print(
      `${cases} cases of ${results.length} rules, ${failed.length} rules failed; ${untested.length} of ${book.rules.length} rules have no tests`,
    );
  }
  return failed.length > 0 || errors.length > 0 ? 1 : 0;
}
