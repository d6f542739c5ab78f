/** What a hunt needs of the records that it looks at, so that a source can leave out the rest. */
import type { Narrowing } from '../../contracts/condition.ts';
import type { Picked } from './hunt.ts';
import { specialised } from './matcher.ts';
import { isCalled } from './parse.ts';
import { nameFields } from './rule-set.ts';
import type { EventRule, Node } from './tree.ts';

/** What fields of ours are made of, where that is not what every reader gets. */
const madeOf: ReadonlyMap<string, string> = new Map([
  ['firebreak.instance', 'requestParameters'],
  ['firebreak.productionInstance', 'responseElements'],
]);

/** The narrowing for a hunt with these rules. `every`: records that no rule heeds are wanted too, for who counts them. */
export function narrowingOf({ reporting, running }: Picked, every = false): Narrowing {
  const rules = running.map((rule) => ({ rule, counted: countedBy(rule, reporting) }));
  const past = [...reporting].some(({ kind }) => kind === 'baseline');
  return (eventSource, eventName) => {
    const fields = new Set<string>(eventName === 'ConsoleLogin' ? ['responseElements'] : []);
    const left: Node[] = [];
    if (past) for (const field of ['userAgent', 'sessionCredentialFromConsole']) fields.add(field);
    if (past && eventName === 'CreateAccessKey') fields.add('responseElements');
    let isWhole = every || past;
    let isAll = false;
    for (const { rule, counted } of rules) {
      const rest = specialised(rule.tree, nameFields, { eventSource, eventName });
      if (rest === false) continue;
      for (const field of counted) fields.add(topOf(field));
      if (rest === true) isWhole = true;
      else {
        left.push(rest);
        isAll = collect(rest, fields) || isAll;
      }
    }
    if (left.length === 0 && !isWhole) return undefined;
    return {
      fields: isAll ? 'all' : [...fields].sort(),
      where: isWhole ? undefined : { kind: 'or', of: left },
    };
  };
}

/** Fields that correlations of the rule group by or count. */
function countedBy(rule: EventRule, reporting: Picked['reporting']): readonly string[] {
  return [...reporting].flatMap((one) => {
    if (one.kind !== 'correlation' || !one.rules.some((name) => isCalled(rule, name))) return [];
    const aliased = Object.values(one.aliases).flatMap((byRule) => Object.values(byRule));
    return [...one.groupBy, ...(one.field === undefined ? [] : [one.field]), ...aliased];
  });
}

/** Adds the fields that the condition reads; true where it may read any. */
function collect(node: Node, fields: Set<string>): boolean {
  switch (node.kind) {
    case 'and':
    case 'or':
      return node.of.map((part) => collect(part, fields)).includes(true);
    case 'not':
      return collect(node.of, fields);
    case 'keyword':
      return true;
    default:
      fields.add(topOf(node.field));
      if (node.kind === 'field' && node.test.kind === 'field') fields.add(topOf(node.test.field));
      return false;
  }
}

function topOf(field: string): string {
  return madeOf.get(field) ?? field.split('.')[0] ?? field;
}
