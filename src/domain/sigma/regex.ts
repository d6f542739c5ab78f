/**
 * Matches regular expressions in time linear in the text, whatever the expression: rule files come from outside, and a
 * backtracking engine can be made to hang. A Thompson automaton, made deterministic step by step as texts come.
 */
import { type Expression, type Flags, isNewline, isWordUnit, parseRegex } from './regex-parse.ts';
import { RuleProblem } from './tree.ts';

const maxProgram = 2_000;
/** States remembered at the most; then they are forgotten and found again. */
const maxStates = 2_000;

type Step =
  | { readonly kind: 'chars'; readonly has: (unit: number) => boolean; next: number }
  | { readonly kind: 'fork'; next: number[] }
  | { readonly kind: 'assert'; readonly what: 'start' | 'end' | 'word' | 'not-word'; next: number }
  | { readonly kind: 'match' };

interface State {
  /** Steps before forks and anchors are followed: those depend on the characters on both sides. */
  readonly steps: readonly number[];
  /** The character before, as far as anchors care. */
  readonly before: 'start' | 'newline' | 'word' | 'other';
  readonly next: Map<number, State | 'match'>;
  atEnd: boolean | undefined;
}

/** The test whether the expression is found anywhere in a text. `flags`: letters of i, m, s. Throws RuleProblem. */
export function regexMatcher(source: string, flags: string): (text: string) => boolean {
  const parsed = parseRegex(source, flags);
  const machine = new Machine(programOf(parsed.expression), parsed.flags);
  return (text) => machine.test(text);
}

function programOf(expression: Expression): { readonly steps: readonly Step[]; readonly start: number } {
  const steps: Step[] = [{ kind: 'match' }];
  const add = (step: Step): number => {
    if (steps.length >= maxProgram) throw new RuleProblem('regular expression too large');
    return steps.push(step) - 1;
  };
  // Built from the end: each part is given the step that comes after it.
  const build = (part: Expression, after: number): number => {
    switch (part.kind) {
      case 'chars':
        return add({ kind: 'chars', has: testOf(part.ranges, part.negated), next: after });
      case 'assert':
        return add({ kind: 'assert', what: part.what, next: after });
      case 'sequence':
        return part.of.reduceRight((next, one) => build(one, next), after);
      case 'choice':
        return add({ kind: 'fork', next: part.of.map((one) => build(one, after)) });
      case 'repeat': {
        let next = after;
        if (part.max === Number.POSITIVE_INFINITY) {
          const loop: Step = { kind: 'fork', next: [after] };
          next = add(loop);
          loop.next.push(build(part.of, next));
        } else
          for (let i = part.min; i < part.max; i += 1)
            next = add({ kind: 'fork', next: [after, build(part.of, next)] });
        for (let i = 0; i < part.min; i += 1) next = build(part.of, next);
        return next;
      }
    }
  };
  return { start: build(expression, 0), steps };
}

function testOf(ranges: readonly (readonly [number, number])[], negated: boolean): (unit: number) => boolean {
  return (unit) => {
    for (const [low, high] of ranges) if (low <= unit && unit <= high) return !negated;
    return negated;
  };
}

const end = -1;

class Machine {
  readonly #steps: readonly Step[];
  readonly #start: number;
  readonly #flags: Flags;
  #states = new Map<string, State>();

  constructor({ steps, start }: { steps: readonly Step[]; start: number }, flags: Flags) {
    this.#steps = steps;
    this.#start = start;
    this.#flags = flags;
  }

  test(text: string): boolean {
    let state = this.#state([this.#start], 'start');
    for (let at = 0; at < text.length; at += 1) {
      const unit = text.charCodeAt(at);
      let next = state.next.get(unit);
      if (next === undefined) {
        next = this.#move(state, unit);
        state.next.set(unit, next);
      }
      if (next === 'match') return true;
      state = next;
    }
    state.atEnd ??= this.#follow(state, end) === 'match';
    return state.atEnd;
  }

  #state(steps: readonly number[], before: State['before']): State {
    const key = `${before} ${steps.join(' ')}`;
    const known = this.#states.get(key);
    if (known) return known;
    if (this.#states.size >= maxStates) {
      // Dropping the table alone would leave the states linked to each other.
      for (const old of this.#states.values()) old.next.clear();
      this.#states = new Map();
    }
    const state: State = { steps, before, next: new Map(), atEnd: undefined };
    this.#states.set(key, state);
    return state;
  }

  #move(state: State, unit: number): State | 'match' {
    const reached = this.#follow(state, unit);
    if (reached === 'match') return 'match';
    // A match may begin at every place.
    const next = new Set<number>([this.#start]);
    for (const at of reached) {
      const step = this.#steps[at];
      if (step?.kind === 'chars' && step.has(unit)) next.add(step.next);
    }
    const before = isNewline(unit) ? 'newline' : isWordUnit(unit) ? 'word' : 'other';
    return this.#state(
      [...next].sort((a, b) => a - b),
      before,
    );
  }

  /** Follows forks and the anchors that hold between the character before and `unit`. */
  #follow(state: State, unit: number): ReadonlySet<number> | 'match' {
    const seen = new Set<number>(state.steps);
    for (const at of seen) {
      const step = this.#steps[at];
      if (step?.kind === 'match') return 'match';
      if (step?.kind === 'fork') for (const next of step.next) seen.add(next);
      if (step?.kind === 'assert' && this.#holds(step.what, state.before, unit)) seen.add(step.next);
    }
    return seen;
  }

  #holds(what: (Step & { kind: 'assert' })['what'], before: State['before'], unit: number): boolean {
    const { multiline } = this.#flags;
    if (what === 'start') return before === 'start' || (multiline && before === 'newline');
    if (what === 'end') return unit === end || (multiline && isNewline(unit));
    const isBoundary = (before === 'word') !== (unit !== end && isWordUnit(unit));
    return what === 'word' ? isBoundary : !isBoundary;
  }
}
