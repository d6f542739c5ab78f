/** What the rules are worth: what they cover, what is wrong with them, and how often they would have fired. */
import type { Match } from './hunt.ts';
import type { RuleBook } from './parse.ts';
import { type Level, levels, mostCounted, type SigmaRule } from './tree.ts';

export interface RuleLine {
  readonly rule: string;
  readonly id: string;
  readonly title: string;
  readonly level: Level;
  readonly technique: readonly string[];
  readonly tactic: readonly string[];
  readonly file: string;
  readonly matches: number;
  readonly principals: number;
  /** ISO 8601 UTC; absent where it never matched. */
  readonly last?: string;
}

/** The picked rules, those that matched first, the noisiest on top. */
export function ruleLines(
  rules: ReadonlySet<SigmaRule>,
  matches: readonly Match[],
  notListed: readonly { readonly rule: string; readonly matches: number }[],
): readonly RuleLine[] {
  const more = new Map(notListed.map((one) => [one.rule, one.matches]));
  const byRule = Map.groupBy(matches, (match) => match.rule);
  return [...rules]
    .map((rule): RuleLine => {
      const own = byRule.get(rule) ?? [];
      const last =
        own
          .map((match) => match.eventTime)
          .sort()
          .at(-1) ?? '';
      return {
        rule: rule.name,
        id: rule.id,
        title: rule.title,
        level: rule.level,
        technique: rule.technique,
        tactic: rule.tactic,
        file: rule.file,
        matches: own.length + (more.get(rule.name) ?? 0),
        principals: new Set(own.map((match) => match.group)).size,
        ...(last === '' ? {} : { last }),
      };
    })
    .sort((a, b) => b.matches - a.matches || (a.rule < b.rule ? -1 : 1));
}

/** What would make a rule hard to use, though it can be evaluated. */
export function ruleWarnings(book: RuleBook): readonly { readonly rule: string; readonly warning: string }[] {
  return book.rules.flatMap((rule) => {
    const warnings = [
      ...(rule.id === '' ? ['has no id'] : []),
      ...(rule.tactic.length + rule.technique.length === 0 ? ['names no ATT&CK tactic or technique'] : []),
      ...(rule.kind === 'correlation' && rule.atLeast > mostCounted
        ? [`asks for more than the ${mostCounted.toLocaleString('en-US')} that the stream counts: only hunts find it`]
        : []),
      ...(rule.falsepositives.length === 0 ? ['says nothing about false positives'] : []),
    ];
    return warnings.map((warning) => ({ rule: rule.name, warning }));
  });
}

/** Rules per tactic, the most first. */
export function tacticCounts(
  rules: Iterable<SigmaRule>,
): readonly { readonly tactic: string; readonly rules: number }[] {
  const counts = new Map<string, number>();
  for (const rule of rules)
    for (const tactic of new Set(rule.tactic)) counts.set(tactic, (counts.get(tactic) ?? 0) + 1);
  return [...counts].map(([tactic, count]) => ({ tactic, rules: count })).sort((a, b) => b.rules - a.rules);
}

/** The coverage as a Markdown text: tactic by tactic, each technique with its rules, the gravest first. */
export function coverageText(rules: readonly SigmaRule[]): string {
  const tactics = [...new Set(rules.flatMap((rule) => rule.tactic))].sort();
  const techniques = new Set(rules.flatMap((rule) => rule.technique));
  const gravest = (a: SigmaRule, b: SigmaRule): number =>
    levels.indexOf(b.level) - levels.indexOf(a.level) || (a.name < b.name ? -1 : 1);
  const sections = tactics.map((tactic) => {
    const own = rules.filter((rule) => rule.tactic.includes(tactic));
    const rows = [...new Set(own.flatMap((rule) => rule.technique))].sort().map((id) => {
      const named = own.filter((rule) => rule.technique.includes(id)).sort(gravest);
      return `| ${id} | ${named.map((rule) => `\`${rule.name}\` (${rule.level})`).join(', ')} |`;
    });
    const bare = own.filter((rule) => rule.technique.length === 0).map((rule) => `\`${rule.name}\``);
    return [
      `## ${tactic}`,
      '',
      `${own.length} rules.${bare.length > 0 ? ` Without a technique: ${bare.join(', ')}.` : ''}`,
      '',
      '| technique | rules |',
      '| --- | --- |',
      ...rows,
    ].join('\n');
  });
  const head = `${rules.length} rules cover ${techniques.size} techniques and sub-techniques in ${tactics.length} tactics. A rule may serve several.`;
  return `${[head, ...sections].join('\n\n')}\n`;
}

/** A layer for the ATT&CK Navigator: a technique's score is its gravest rule, 1 informational to 5 critical. */
export function navigatorLayer(rules: Iterable<SigmaRule>) {
  const byTechnique = new Map<string, SigmaRule[]>();
  for (const rule of rules)
    for (const id of new Set(rule.technique)) byTechnique.set(id, [...(byTechnique.get(id) ?? []), rule]);
  return {
    name: 'Firebreak detections',
    versions: { layer: '4.5', navigator: '5.1.0', attack: '18' },
    domain: 'enterprise-attack',
    filters: { platforms: ['IaaS'] },
    gradient: { colors: ['#fff3c4', '#d94a3d'], minValue: 1, maxValue: levels.length },
    techniques: [...byTechnique]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([techniqueID, own]) => ({
        techniqueID,
        score: Math.max(...own.map((rule) => levels.indexOf(rule.level) + 1)),
        comment: own.map((rule) => rule.name).join(', '),
      })),
  };
}
