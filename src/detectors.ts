/** The detector of the stream, made again when rule files, switches or exceptions change. */
import { createHash, randomUUID } from 'node:crypto';
import { catalogue } from '../detections/index.ts';
import type { Config } from './config.ts';
import type { Log } from './contracts/log.ts';
import { type Detector, detectorOf } from './domain/detection/detector.ts';
import { productionCounts, productionOf } from './domain/detection/production.ts';
import { nothingSettled, silencedRules } from './domain/sigma/settled.ts';
import type { Detectors, RuleShelf } from './flows/deps.ts';

/** A change is heeded after this long at the latest; an exception that ends, too. */
const keptMs = 30_000;

/** Rules that cannot be read are told in the log, once, and harm no other. */
export function openDetectors(
  config: Pick<Config, 'accounts' | 'detections'>,
  shelf: Pick<RuleShelf, 'forInvestigation'>,
  log: Log,
): Detectors {
  const counts = productionCounts(productionOf(config.accounts, config.detections.productionInstances));
  const ownRoles = config.accounts.flatMap(({ auditRole, responderRole }) =>
    [auditRole, responderRole].filter((role) => role !== undefined),
  );
  let kept: { readonly at: number; readonly detector: Promise<Detector> } | undefined;
  let book: { readonly key: string; readonly rules: ReturnType<typeof catalogue> } | undefined;

  async function make(): Promise<Detector> {
    const { rules = [], ruleSettings = nothingSettled } = await shelf.forInvestigation();
    const key = createHash('sha256').update(JSON.stringify(rules)).digest('hex');
    if (book?.key !== key) {
      book = { key, rules: catalogue(rules) };
      for (const fault of [...ruleSettings.problems, ...book.rules.unsupported])
        log.warn({ ...fault }, 'a rule is not evaluated');
      for (const fault of silencedRules(book.rules)) log.warn({ ...fault }, 'a rule is silent');
    }
    const { openFrom, maxAgeHours } = config.detections;
    const options = { settings: ruleSettings, now: new Date(), openFrom, maxAgeHours, counts, ownRoles };
    return detectorOf(book.rules, { ...options, newId: randomUUID });
  }

  return {
    async current() {
      if (kept === undefined || Date.now() - kept.at > keptMs) {
        const before = kept?.detector;
        const next = make();
        kept = { at: Date.now(), detector: next };
        try {
          await next;
        } catch (error) {
          // Rules as they stood are better than none while the database is away.
          if (before === undefined) kept = undefined;
          else kept = { at: Date.now(), detector: before };
          if (before === undefined) throw error;
          log.warn(
            { error: error instanceof Error ? error.message : String(error) },
            'the rules could not be read again',
          );
        }
      }
      return (kept as { readonly detector: Promise<Detector> }).detector;
    },
  };
}
