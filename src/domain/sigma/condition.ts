/** Sigma conditions: `selection and not 1 of filter_*`. */
import { type Node, RuleProblem } from './tree.ts';

const maxLength = 4_000;
const maxDepth = 50;

/** Reads a condition over the named selections of a rule. Throws RuleProblem. */
export function parseCondition(condition: string, selections: ReadonlyMap<string, Node>): Node {
  if (condition.length > maxLength) throw new RuleProblem(`condition longer than ${maxLength} characters`);
  if (condition.includes('|')) {
    throw new RuleProblem('aggregation in the condition (count() and the like) is legacy: write a correlation rule');
  }
  if (/(^|[\s(])near[\s(]/i.test(condition)) throw new RuleProblem('"near" in the condition is legacy');
  const words = condition.match(/[()]|[^\s()]+/g) ?? [];
  const reader = new Reader(words, selections);
  return reader.readAll();
}

class Reader {
  readonly #words: readonly string[];
  readonly #selections: ReadonlyMap<string, Node>;
  #at = 0;

  constructor(words: readonly string[], selections: ReadonlyMap<string, Node>) {
    this.#words = words;
    this.#selections = selections;
  }

  readAll(): Node {
    const node = this.#or(0);
    const rest = this.#words[this.#at];
    if (rest !== undefined) throw new RuleProblem(`"${rest}" in the condition is not understood`);
    return node;
  }

  #take(word: string): boolean {
    if (this.#words[this.#at]?.toLowerCase() !== word) return false;
    this.#at += 1;
    return true;
  }

  #or(depth: number): Node {
    const of = [this.#and(depth)];
    while (this.#take('or')) of.push(this.#and(depth));
    return joined('or', of);
  }

  #and(depth: number): Node {
    const of = [this.#not(depth)];
    while (this.#take('and')) of.push(this.#not(depth));
    return joined('and', of);
  }

  #not(depth: number): Node {
    if (depth > maxDepth) throw new RuleProblem('condition nested too deeply');
    if (this.#take('not')) return { kind: 'not', of: this.#not(depth + 1) };
    if (this.#take('(')) {
      const inner = this.#or(depth + 1);
      if (!this.#take(')')) throw new RuleProblem('condition with an unmatched "("');
      return inner;
    }
    return this.#selection();
  }

  #selection(): Node {
    const word = this.#words[this.#at];
    if (word === undefined) throw new RuleProblem('condition that ends too early');
    this.#at += 1;
    if (this.#take('of')) {
      const quantity = word.toLowerCase();
      if (quantity !== '1' && quantity !== 'any' && quantity !== 'all')
        throw new RuleProblem(`"${word} of" in the condition is not supported`);
      const found = this.#named(this.#words[this.#at]);
      this.#at += 1;
      return joined(quantity === 'all' ? 'and' : 'or', found);
    }
    const node = this.#selections.get(word);
    if (node === undefined) throw new RuleProblem(`condition names "${word}", which is no selection`);
    return node;
  }

  /** `them`, or a name with `*`. Names that begin with `_` are not part of `them` (Sigma specification 2.0). */
  #named(pattern: string | undefined): readonly Node[] {
    if (pattern === undefined) throw new RuleProblem('condition that ends too early');
    const isThem = pattern.toLowerCase() === 'them';
    const parts = pattern.split('*');
    const fits = (name: string): boolean => {
      if (isThem) return !name.startsWith('_');
      let at = 0;
      for (const [i, part] of parts.entries()) {
        if (i === parts.length - 1)
          return (i === 0 ? name === part : name.length - at >= part.length) && name.endsWith(part);
        const place = i === 0 ? (name.startsWith(part) ? 0 : -1) : name.indexOf(part, at);
        if (place < 0) return false;
        at = place + part.length;
      }
      return true;
    };
    const found = [...this.#selections].filter(([name]) => fits(name)).map(([, node]) => node);
    if (found.length === 0) throw new RuleProblem(`condition names "${pattern}", which is no selection`);
    return found;
  }
}

export function joined(kind: 'and' | 'or', of: readonly Node[]): Node {
  const [only] = of;
  return of.length === 1 && only ? only : { kind, of };
}
