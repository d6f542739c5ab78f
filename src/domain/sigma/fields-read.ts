/** Which fields of the top level of a record a condition reads. */
import type { Node } from './tree.ts';

/** What fields of ours are made of, where that is not what every reader gets. */
const madeOf: ReadonlyMap<string, string> = new Map([
  ['firebreak.instance', 'requestParameters'],
  ['firebreak.productionInstance', 'responseElements'],
]);

/** Adds the fields that the condition reads; true where it may read any. */
export function addFieldsOf(node: Node, fields: Set<string>): boolean {
  switch (node.kind) {
    case 'and':
    case 'or':
      return node.of.map((part) => addFieldsOf(part, fields)).includes(true);
    case 'not':
      return addFieldsOf(node.of, fields);
    case 'keyword':
      return true;
    default:
      fields.add(topOf(node.field));
      if (node.kind === 'field' && node.test.kind === 'field') fields.add(topOf(node.test.field));
      return false;
  }
}

export function topOf(field: string): string {
  return madeOf.get(field) ?? field.split('.')[0] ?? field;
}
