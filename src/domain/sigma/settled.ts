/** A hunt as the operator settled it: rules that are switched off report nothing, and what is excepted is counted. */
import type { Part } from '../../contracts/message.ts';
import type { RuleSettings } from '../../contracts/rules.ts';
import { type ExceptionBook, exceptionBook, exceptionWords, isRuleNamed } from '../exceptions.ts';
import { bold, code, count, line } from '../phrases.ts';
import {
  type Excepted,
  type HuntContext,
  type HuntRecords,
  type HuntResult,
  type Picked,
  pickRules,
  rulesCalled,
  runHunt,
} from './hunt.ts';
import { isCalled, type RuleBook } from './parse.ts';
import { levels, type SigmaRule } from './tree.ts';

export const nothingSettled: RuleSettings = { disabled: [], exceptions: [], problems: [] };

export interface SettledPick {
  readonly picked: Picked;
  /** Rules that were picked and report nothing, since they are switched off; the rules that rest on them still work. */
  readonly off: readonly { readonly rule: string; readonly reason: string; readonly by: string }[];
  /** Rules that were picked and report nothing, since a correlation counts them: see `silencedRules`. */
  readonly silenced: readonly { readonly rule: string; readonly reason: string }[];
  readonly exceptions: ExceptionBook;
}

/** `pickRules`, with what is settled. A rule that is picked by itself runs although it is switched off. Throws as it does. */
export function pickSettled(word: string, book: RuleBook, settings: RuleSettings, now: Date): SettledPick {
  const picked = pickRules(word, book);
  const exceptions = exceptionBook(settings.exceptions, now);
  const off = new Map<SigmaRule, SettledPick['off'][number]>();
  for (const rule of picked.reporting) {
    const entry = settings.disabled.find((one) => isRuleNamed(rule, one.rule));
    if (entry) off.set(rule, { rule: rule.name, reason: entry.reason, by: entry.by });
  }
  if (picked.reporting.size === 1) return { picked, off: [...off.values()], silenced: [], exceptions };
  const called = new Set(rulesCalled(word, book.rules).map(({ name }) => name));
  const silenced = silencedRules(book).filter(({ rule }) => called.has(rule));
  const reporting = new Set([...picked.reporting].filter((rule) => !off.has(rule)));
  return { picked: { ...picked, reporting }, off: [...off.values()], silenced, exceptions };
}

/** Runs what was picked; without records nothing is run. */
export async function runSettled(
  records: HuntRecords | undefined,
  { picked, exceptions }: SettledPick,
  ctx: HuntContext,
): Promise<HuntResult> {
  if (records === undefined) return { matches: [], notListed: [], recordsRead: 0, excepted: [] };
  return runHunt(records, picked, ctx, exceptions);
}

/** What was settled, for the JSON answer: fields that would be empty are left out. */
export function settledJson({ off, silenced, exceptions }: SettledPick, excepted: readonly Excepted[]) {
  return {
    ...(excepted.length > 0 ? { excepted: excepted.map((one) => ({ ...one.exception, matches: one.matches })) } : {}),
    ...(off.length > 0 ? { disabledRules: off } : {}),
    ...(silenced.length > 0 ? { silencedRules: silenced } : {}),
    ...(exceptions.expired.length > 0 ? { expiredExceptions: exceptions.expired } : {}),
  };
}

const shown = 5;

/** What was held back, what is switched off, and which exceptions have ended. No parts where there is nothing of it. */
export function settledParts(
  { off, silenced, exceptions }: SettledPick,
  excepted: readonly Excepted[],
): readonly Part[] {
  const sum = excepted.reduce((all, one) => all + one.matches, 0);
  const lines = [
    ...(sum === 0 ? [] : [line(bold('Excepted: '), `${count(sum, 'match', 'matches')} held back.`)]),
    ...excepted
      .slice(0, shown)
      .map((one) => line(`${one.matches.toLocaleString('en-US')} by `, code(exceptionWords(one.exception)))),
    ...(excepted.length > shown ? [line(`and ${count(excepted.length - shown, 'more exception')}`)] : []),
    ...(off.length === 0
      ? []
      : [
          line(
            bold('Switched off: '),
            `${off
              .slice(0, shown)
              .map((one) => one.rule)
              .join(', ')}${off.length > shown ? ` and ${off.length - shown} more` : ''}.`,
          ),
        ]),
    ...silenced.slice(0, shown).map(({ rule, reason }) => line(bold('Silent: '), `${rule} ${reason}.`)),
    ...(silenced.length > shown ? [line(`and ${count(silenced.length - shown, 'more silent rule')}`)] : []),
    ...(exceptions.expired.length === 0
      ? []
      : [
          line(bold(`${count(exceptions.expired.length, 'exception')} ended and hold back nothing: `)),
          ...exceptions.expired.slice(0, shown).map((one) => line(code(exceptionWords(one)))),
        ]),
  ];
  return lines.length === 0 ? [] : [{ kind: 'lines', lines }];
}

/**
 * Rules that would open a case by themselves, and are silent since a correlation of another folder counts them: whoever wrote that one may
 * not have known.
 */
export function silencedRules(book: RuleBook): readonly { readonly rule: string; readonly reason: string }[] {
  const folderOf = ({ file }: SigmaRule): string => file.slice(0, file.lastIndexOf('/') + 1);
  return book.rules.flatMap((rule) => {
    if (rule.kind !== 'event' || levels.indexOf(rule.level) < levels.indexOf('medium')) return [];
    const by = book.rules.find(
      (one) =>
        one.kind === 'correlation' &&
        !one.generate &&
        folderOf(one) !== folderOf(rule) &&
        one.rules.some((name) => isCalled(rule, name)),
    );
    const reason = `reports nothing by itself, since ${by?.name} counts it: "generate: true" there lets it speak`;
    return by === undefined ? [] : [{ rule: rule.name, reason }];
  });
}

/** Rules that share an id: two rules of one id are told apart by their files only. */
export function idCollisions(book: RuleBook): readonly { readonly rule: string; readonly reason: string }[] {
  const byId = Map.groupBy(
    book.rules.filter((rule) => rule.id !== ''),
    (rule) => rule.id.toLowerCase(),
  );
  return [...byId.values()]
    .filter((rules) => rules.length > 1)
    .map((rules) => ({
      rule: rules.map((rule) => rule.name).join(', '),
      reason: `share the id ${rules[0]?.id}: ${rules.map((rule) => rule.file).join(', ')}`,
    }));
}
