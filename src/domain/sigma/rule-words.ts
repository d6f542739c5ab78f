/** Rules and what is settled about them, in words. */
import type { Message, Part } from '../../contracts/message.ts';
import type { RuleChange, RuleSummary, RuleView } from '../../contracts/rules.ts';
import { exceptionBook, exceptionWords } from '../exceptions.ts';
import { globMatch } from '../glob.ts';
import { bold, code, count, line } from '../phrases.ts';

/** `The rule x is switched off (noisy)`, without its full stop. */
export function changeWords(change: RuleChange, id: string | undefined): string {
  switch (change.kind) {
    case 'disable':
      return `The rule ${change.rule} is switched off (${change.reason})`;
    case 'enable':
      return `The rule ${change.rule} is switched on`;
    case 'except':
      return `Excepted${id === undefined ? '' : ` (${id})`}: ${exceptionWords(change.exception)}`;
    case 'end-exception':
      return `The exception ${change.id} is ended`;
  }
}

const shown = 40;

/** Name, level and title of each, those that are switched off marked. */
export function rulesMessage(what: string, rules: readonly RuleSummary[], view: RuleView): Message {
  const text = `${count(rules.length, 'rule')}${what === 'all' ? '' : ` for ${what}`}.`;
  const parts: Part[] = [
    { kind: 'lines', lines: [line(text)] },
    {
      kind: 'table',
      columns: ['Rule', 'Level', 'Title', ''],
      rows: rules
        .slice(0, shown)
        .map((rule) => [rule.name, rule.level, rule.title, disabledBecause(rule, view) === undefined ? '' : 'off']),
    },
  ];
  if (rules.length > shown) {
    const rest = `and ${count(rules.length - shown, 'more rule')}: name a technique, a tactic or a level.`;
    parts.push({ kind: 'lines', lines: [line(rest)] });
  }
  if (view.faults.length > 0) {
    parts.push({ kind: 'lines', lines: [line(bold(`${count(view.faults.length, 'fault')} in rules`))] });
    const items = view.faults.slice(0, 10).map(({ rule, reason }) => line(code(rule), `: ${reason}`));
    parts.push({ kind: 'list', items });
  }
  return { text, parts };
}

/** Why it is switched off; undefined where it is on. */
function disabledBecause(rule: RuleSummary, { settings }: RuleView): string | undefined {
  const entry = settings.disabled.find(
    (one) => globMatch(one.rule, rule.name) || (rule.id !== '' && rule.id.toLowerCase() === one.rule.toLowerCase()),
  );
  return entry === undefined ? undefined : `${entry.reason}, by ${entry.by}`;
}

/** One rule with what it means, what else it may be, and what is settled about it. */
export function ruleMessage(rule: RuleSummary, view: RuleView, now: Date): Message {
  const off = disabledBecause(rule, view);
  const own = view.settings.exceptions.filter((one) => one.rule?.some((name) => globMatch(name, rule.name)) ?? false);
  const { expired } = exceptionBook(own, now);
  const label = (name: string, value: string) => ({ label: name, value: line(value) });
  return {
    text: `${rule.name}: ${rule.title}.`,
    parts: [
      { kind: 'header', text: rule.title },
      { kind: 'lines', lines: [line(rule.description)] },
      {
        kind: 'facts',
        facts: [
          { label: 'Rule', value: line(code(rule.name)) },
          label('Id', rule.id || 'none'),
          label('Level', rule.level),
          label('ATT&CK', [...rule.tactic, ...rule.technique].join(', ') || 'none'),
          label('May also be', rule.falsepositives.join('; ') || 'not said'),
          label('File', rule.file),
          label('State', off === undefined ? 'on' : `switched off: ${off}`),
          label('Exceptions', own.length === 0 ? 'none of its own' : ''),
        ],
      },
      ...(own.length === 0
        ? []
        : [
            {
              kind: 'list',
              items: own.map((one) =>
                line(code(one.id ?? 'config'), ` ${exceptionWords(one)}${expired.includes(one) ? ', ended' : ''}`),
              ),
            } satisfies Part,
          ]),
    ],
  };
}

/** Every exception, with its id where it can be ended from here. */
export function exceptionsMessage({ settings }: RuleView, now: Date): Message {
  const { expired } = exceptionBook(settings.exceptions, now);
  const text = `${count(settings.exceptions.length, 'exception')}, ${expired.length} of them ended; ${count(settings.disabled.length, 'rule')} switched off.`;
  const items = [
    ...settings.exceptions.map((one) =>
      line(code(one.id ?? 'config'), ` ${exceptionWords(one)}, by ${one.by}${expired.includes(one) ? ', ENDED' : ''}`),
    ),
    ...settings.disabled.map((one) => line(bold('off: '), code(one.rule), ` (${one.reason}), by ${one.by}`)),
  ];
  return {
    text,
    parts: [
      { kind: 'lines', lines: [line(text)] },
      ...(items.length === 0 ? [] : [{ kind: 'list', items } satisfies Part]),
    ],
  };
}
