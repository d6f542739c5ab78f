/** Makes the smallest event that a rule's tree asks for, from the tree itself. */
import { matcherOf } from '../../src/domain/sigma/matcher.ts';
import type { Node, Pattern } from '../../src/domain/sigma/tree.ts';

export type Event = Record<string, unknown>;

/** Texts that the expressions of our rules find, tried one after another. */
const texts = [
  '0.0.0.0/0',
  '::/0',
  '{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}',
  '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*"}]}',
  '{"Statement":[{"Principal":"*","Effect":"Allow","Action":"*"}]}',
  '{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
  '{"BlockPublicAcls":"false"}',
  '{"Expiration":{"Days":1}}',
  'arn:aws:sts::111122223333:assumed-role/web/i-0123456789abcdef0',
  'p5.48xlarge',
  'm7i.metal-24xl',
  'ml.p3.2xlarge',
  '{"Principal":{"Service":"ec2.amazonaws.com"}}',
  '{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"}}]}',
  '{"Effect":"Deny","Action":"*"}',
];

/** An event that matches, or undefined where none could be made. `wanted` must hold in it too. */
export function eventFor(tree: Node, wanted: Event = {}): Event | undefined {
  const matches = matcherOf(tree);
  return candidates(tree, wanted).find(matches);
}

function candidates(node: Node, from: Event): readonly Event[] {
  switch (node.kind) {
    case 'and':
      return node.of.reduce<readonly Event[]>(
        (events, part) => events.flatMap((event) => candidates(part, event)).slice(0, 200),
        [from],
      );
    case 'or':
      return node.of.flatMap((part) => candidates(part, from)).slice(0, 200);
    case 'not':
    case 'null':
      return [from];
    case 'exists':
      return node.expected ? [put(from, node.field, 'x')] : [from];
    case 'keyword':
      return [from];
    case 'field': {
      const { test } = node;
      if (test.kind === 'text') return [put(from, node.field, textOf(test.pattern))];
      if (test.kind === 'compare') return [put(from, node.field, test.number)];
      if (test.kind === 'field') return [put(put(from, node.field, 'bob'), test.field, 'bob')];
      if (test.kind === 'regex') {
        // The field may be an object whose text the expression reads.
        return texts.flatMap((text) => [put(from, node.field, text), put(from, node.field, parsed(text) ?? text)]);
      }
      return [from];
    }
  }
}

function parsed(text: string): unknown {
  return text.startsWith('{') ? JSON.parse(text) : undefined;
}

function textOf(pattern: Pattern): string {
  return pattern.map((piece) => (piece.kind === 'text' ? piece.text : piece.kind === 'one' ? 'x' : '')).join('');
}

/** A copy with the field set; lists are not needed, since any element counts. */
function put(event: Event, field: string, value: unknown): Event {
  const [first = '', ...rest] = field.split('.');
  if (rest.length === 0) return { ...event, [first]: value };
  const inner = event[first];
  const own = typeof inner === 'object' && inner !== null ? (inner as Event) : {};
  return { ...event, [first]: put(own, rest.join('.'), value) };
}
