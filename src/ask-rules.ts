/** Rules on the command line: what is settled about them, with the database where there is one, and changes to it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { UpstreamError, UserError } from './contracts/errors.ts';
import type { InvestigationContext } from './contracts/investigation.ts';
import type { Log } from './contracts/log.ts';
import type { Message } from './contracts/message.ts';
import type { RuleChange, RuleView } from './contracts/rules.ts';
import { say } from './domain/phrases.ts';
import { changeWords } from './domain/sigma/rule-words.ts';
import { readRuleFolder } from './evidence/rule-files.ts';
import { openRuleShelf } from './rule-shelf.ts';
import { connectStore } from './wire.ts';

type RuleContext = Pick<InvestigationContext, 'rules' | 'ruleSettings' | 'inventory'>;

/** What is stored, read at once and let go of. Undefined where this machine has no database yet. */
async function storedRules(
  config: Config,
  log: Log,
): Promise<Pick<RuleView['settings'], 'disabled' | 'exceptions'> | undefined> {
  if (config.databaseUrl === undefined && !existsSync(join(config.dataDir, 'postgres'))) return undefined;
  const { store, close } = await connectStore(config, [], log);
  try {
    return await store.rules.settled();
  } finally {
    await close();
  }
}

/**
 * The rules for one investigation. `dir`: a further folder (`--rules`), which must be readable. `offline`: no database is asked
 * (`--logs`). A database that does not answer is a problem that the answer names, and stops nothing.
 */
export async function rulesFor(
  config: Config,
  log: Log,
  { dir, offline }: { readonly dir: string | undefined; readonly offline: boolean },
): Promise<RuleContext> {
  const more = dir === undefined ? undefined : await readRuleFolder(dir);
  const base = await openRuleShelf(config, undefined).forInvestigation();
  const { rules = [], ruleSettings, inventory } = base;
  const settings = ruleSettings ?? { disabled: [], exceptions: [], problems: [] };
  const stored = offline ? undefined : await orProblem(() => storedRules(config, log));
  return {
    inventory,
    rules: [...rules, ...(more?.files ?? [])],
    ruleSettings: {
      disabled: [...settings.disabled, ...(stored?.value?.disabled ?? [])],
      exceptions: [...settings.exceptions, ...(stored?.value?.exceptions ?? [])],
      problems: [
        ...settings.problems,
        ...(more?.problems ?? []),
        ...(stored?.problem === undefined
          ? []
          : [{ rule: 'what is switched off and excepted', reason: stored.problem }]),
      ],
    },
  };
}

async function orProblem<T>(ask: () => Promise<T>): Promise<{ readonly value?: T; readonly problem?: string }> {
  try {
    return { value: await ask() };
  } catch (error) {
    if (!(error instanceof UpstreamError || error instanceof UserError)) throw error;
    return { problem: `the database could not be read: ${error.message}` };
  }
}

/** All rules as they stand, for the commands that list them. */
export async function viewRules(config: Config, log: Log): Promise<RuleView> {
  const stored = await storedRules(config, log);
  const settled = { settled: () => Promise.resolve(stored ?? { disabled: [], exceptions: [] }) };
  return openRuleShelf(config, { rules: { ...settled, change: refuseChange } }).view();
}

function refuseChange(): never {
  throw new TypeError('a view changes nothing');
}

/** Stores a change, by the user of this machine. Throws UserError for an exception that is not there. */
export async function changeRulesHere(
  change: RuleChange,
  config: Config,
  log: Log,
): Promise<{ message: Message; json: unknown }> {
  const by = `host user ${process.getuid?.() ?? '?'}`;
  const { store, close } = await connectStore(config, [], log);
  try {
    const { done, id } = await store.rules.change(change, by, systemClock.now().toISOString());
    if (!done && change.kind === 'end-exception') throw new UserError('There is no exception of that id.');
    const words = changeWords(change, id);
    const sentence = done ? `${words}. It is stored and audited.` : `Nothing changed: ${words} already.`;
    return { message: say(sentence), json: { change, changed: done, ...(id === undefined ? {} : { id }) } };
  } finally {
    await close();
  }
}
