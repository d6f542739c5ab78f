/**
 * A containment action: one file in workflows/containment. It decides; the executor's flow does the only write.
 * `apply` and `undo` return the exact API calls as data, so that what is shown, hashed, approved and run is one value.
 */
import type { z } from 'zod';
import type { Direction } from './approval.ts';
import type { Artifact } from './artifact.ts';
import type { ApiCall, AwsReader, PolicyDocument } from './aws.ts';

export interface ActionContext {
  readonly aws: AwsReader;
  /** Aborts on shutdown. */
  readonly signal: AbortSignal;
  /** Set where an approved plan is carried out: its pre-state, for what the plan's own session may not read. */
  readonly planned?: Readonly<Record<string, unknown>> | undefined;
}

export type Held = { readonly held: true } | { readonly held: false; readonly because: string };

interface ActionBase<Target extends z.ZodType, Before extends z.ZodType> {
  /** = file name = what people type after `/ir contain`. Verb first. */
  readonly name: string;
  /** What it does, one sentence for the approval card. */
  readonly title: string;
  /** What breaks, one sentence for the approval card. */
  readonly impact: string;
  readonly usage: string;
  /** The words after the action's name; each is planned by a contract test. */
  readonly examples: readonly string[];
  readonly target: Target;
  /** The pre-state: the small set whose drift voids the approval, with what undo needs. */
  readonly before: Before;
  /** IAM actions; a contract test compares them with the calls made. */
  readonly permissions: { readonly read: readonly string[]; readonly write: readonly string[] };
  /** Approvers asked for where the config asks for fewer. */
  readonly approvals: 1 | 2;
  /** Turns the typed words into a target. Throws UserError, with a hint. */
  parse(words: readonly string[]): z.output<Target>;
  /** The account and, where the target names one, the ARN that the target belongs to; undefined when only AWS can tell. */
  accountOf(target: z.output<Target>): string | undefined;
  /** Whose use in the logs is the blast radius. */
  artifact(target: z.output<Target>, before: z.output<Before>): Artifact;
  /**
   * Reads. Throws NotFoundError where the account does not hold the target, UserError where the target cannot be
   * contained this way. What AWS throws is passed on as it is.
   */
  inspect(target: z.output<Target>, ctx: ActionContext): Promise<z.output<Before>>;
  /** ARNs and names that the protected list is compared with. */
  touches(target: z.output<Target>, before: z.output<Before>, accountId: string, partition: string): readonly string[];
  /** More for the card than the pre-state says: last use, other keys. One sentence each; never decides anything. */
  background(target: z.output<Target>, before: z.output<Before>, ctx: ActionContext): Promise<readonly string[]>;
  apply(target: z.output<Target>, before: z.output<Before>): readonly ApiCall[];
  /** Compares what was just read with what the direction wants. Pure. */
  verify(direction: Direction, before: z.output<Before>, now: z.output<Before>): Held;
  sessionPolicy(
    target: z.output<Target>,
    before: z.output<Before>,
    accountId: string,
    partition: string,
  ): PolicyDocument;
  /** What goes on working for whoever holds the target, one sentence each (DOMAIN.md 5.2). */
  willNotStop(before: z.output<Before>): readonly string[];
  /** One line on the state, for cards: `AKIA... is Inactive`. */
  describe(target: z.output<Target>, state: z.output<Before>): string;
}

export type ContainmentAction<Target extends z.ZodType = z.ZodType, Before extends z.ZodType = z.ZodType> = ActionBase<
  Target,
  Before
> &
  (
    | { undo(target: z.output<Target>, before: z.output<Before>): readonly ApiCall[]; readonly reversal: string }
    | { readonly irreversible: string }
  );

/** Returns its argument; gives the methods their types. */
export function defineAction<Target extends z.ZodType, Before extends z.ZodType>(
  action: ContainmentAction<Target, Before>,
): ContainmentAction<Target, Before> {
  return action;
}
