/** The rules as they stand: our own, those of the config's folders, and what the config and people have settled about them. */
import type { Config } from './config.ts';
import type { RuleSettings } from './contracts/rules.ts';
import type { Store } from './contracts/store.ts';
import { allBaselineRules } from './domain/baseline/rules.ts';
import { idCollisions, silencedRules } from './domain/sigma/settled.ts';
import { type RuleFolder, readRuleFolders } from './evidence/rule-files.ts';
import type { RuleShelf } from './flows/deps.ts';

/** A changed file is seen after this long at the latest. */
const keptMs = 30_000;

/** `store` undefined: only what the config settles. */
export function openRuleShelf(
  config: Pick<Config, 'rules' | 'exceptions' | 'accounts'>,
  store: Pick<Store, 'rules'> | undefined,
): RuleShelf {
  let kept: { readonly at: number; readonly folder: Promise<RuleFolder> } | undefined;

  function folders(): Promise<RuleFolder> {
    if (kept === undefined || Date.now() - kept.at > keptMs) {
      kept = { at: Date.now(), folder: readRuleFolders(config.rules.folders) };
    }
    return kept.folder;
  }

  async function settings({ problems }: RuleFolder): Promise<RuleSettings> {
    const stored = (await store?.rules.settled()) ?? { disabled: [], exceptions: [] };
    const configured = config.rules.disabled.map((rule) => ({ rule, reason: 'the config', by: 'config' }));
    return {
      disabled: [...configured, ...stored.disabled],
      exceptions: [...config.exceptions.map((one) => ({ ...one, by: 'config' })), ...stored.exceptions],
      problems,
    };
  }

  return {
    async forInvestigation() {
      const folder = await folders();
      return { rules: folder.files, ruleSettings: await settings(folder), inventory: config.accounts };
    },
    async view() {
      const folder = await folders();
      // Most processes never ask for the rules.
      const { catalogue } = await import('../detections/index.ts');
      const book = catalogue(folder.files);
      const own = await settings(folder);
      return {
        rules: [...book.rules, ...allBaselineRules],
        settings: own,
        faults: [...own.problems, ...book.unsupported, ...idCollisions(book), ...silencedRules(book)],
      };
    },
  };
}
