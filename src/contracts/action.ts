/**
 * A containment action: one file in workflows/containment. It decides; the executor's flow does the only write.
 * `apply` and `undo` return the exact API calls as data, so that what is shown, hashed, approved and run is one value.
 */
import type { z } from 'zod';
import type { Applied, Direction, DoneCall } from './approval.ts';
import type { Artifact } from './artifact.ts';
import type { ApiCall, AwsReader, PolicyDocument } from './aws.ts';
import type { CloudTrailRecord } from './cloudtrail.ts';

export interface ActionContext {
  readonly aws: AwsReader;
  /** Enabled Regions of the account, to look for what names no Region. Throws UpstreamError. */
  regions(): Promise<readonly string[]>;
  /** Aborts on shutdown. */
  readonly signal: AbortSignal;
  /** Where images of memory go and what takes them, as the config of the asking process says; undefined where it says nothing. */
  readonly forensics?: Forensics | undefined;
  /** Set where an approved plan is carried out: its pre-state, for what the plan's own session may not read. */
  readonly planned?: Readonly<Record<string, unknown>> | undefined;
}

/** The config's `forensics` section. */
export interface Forensics {
  readonly bucket: string;
  /** Path of the tool on the instances. */
  readonly memoryTool: string;
}

/** What a plan may be completed from, beside AWS's own state. */
export interface CompletionContext extends ActionContext {
  readonly now: Date;
  /**
   * CloudTrail records of the artifact, of the account, between two times (ISO 8601 UTC), and whether that is all there is:
   * undefined, or what was not looked at, one sentence.
   */
  recordsOf(
    artifact: Artifact,
    window: { readonly from: string; readonly to: string },
  ): Promise<{ readonly records: readonly CloudTrailRecord[]; readonly missing: string | undefined }>;
}

/** `final`: looking again cannot change it (a command that has failed), so nobody waits for it. */
export type Held = { readonly held: true } | { readonly held: false; readonly because: string; readonly final?: true };

/** Why an undo is not like others: refused, or asked of two people. One sentence, for the card. */
export type Caution = { readonly refused: string } | { readonly approvals: 2; readonly because: string } | undefined;

/** What is known of the target when lifting a containment is judged. */
export interface Found<Before> {
  readonly before: Before;
  /** The type of the alert that the case was opened for; undefined where it was opened by hand. */
  readonly alertType: string | undefined;
}

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
  /** `eradication`: final, kept apart from containment, always two approvals. */
  readonly kind?: 'containment' | 'eradication';
  /** Turns the typed words into a target. Throws UserError, with a hint. */
  parse(words: readonly string[]): z.output<Target>;
  /** The account and, where the target names one, the ARN that the target belongs to; undefined when only AWS can tell. */
  accountOf(target: z.output<Target>): string | undefined;
  /** Set where one id is in one account only (instance ids): the first account that has it ends the search. */
  readonly unique?: true;
  /** How long AWS may take until the change shows, ms; half a minute where this is left out. */
  readonly settlesWithinMs?: number;
  /** Whose use in the logs is the blast radius. */
  artifact(target: z.output<Target>, before: z.output<Before>): Artifact;
  /**
   * Reads. Throws NotFoundError where the account does not hold the target, UserError where the target cannot be
   * contained this way. What AWS throws is passed on as it is.
   */
  inspect(target: z.output<Target>, ctx: ActionContext): Promise<z.output<Before>>;
  /** ARNs and names that the protected list is compared with. */
  touches(target: z.output<Target>, before: z.output<Before>, accountId: string, partition: string): readonly string[];
  /**
   * More for the card than the pre-state says: last use, other keys. One sentence each; never decides anything. `records` are
   * those of the artifact, of the last 90 days, as far as the logs could be read.
   */
  background(
    target: z.output<Target>,
    before: z.output<Before>,
    ctx: ActionContext & { readonly records?: readonly CloudTrailRecord[] },
  ): Promise<readonly string[]>;
  /** Fills in what only the logs tell (a keep-list, say) before the plan is hashed. Throws UserError where that cannot be. */
  complete?(target: z.output<Target>, before: z.output<Before>, ctx: CompletionContext): Promise<z.output<Target>>;
  /**
   * The part of the pre-state whose drift voids the approval: the target's id, what the calls say, what undo needs. All of it
   * where this is left out. A live attacker who touches his own state must not void a deny.
   */
  binds?(before: z.output<Before>): Readonly<Record<string, unknown>>;
  apply(target: z.output<Target>, before: z.output<Before>): readonly ApiCall[];
  /**
   * Whether what was just read shows this call (as sent) as carried out, and what AWS would have answered to it. Undefined:
   * not to be seen. Needed where a plan has more than one call; pure.
   */
  seen?(call: ApiCall, now: z.output<Before>): Readonly<Record<string, unknown>> | undefined;
  /** Compares what was just read with what the direction wants. `done` are the calls as sent. Pure. */
  verify(direction: Direction, before: z.output<Before>, now: z.output<Before>, done: readonly DoneCall[]): Held;
  /** `restores` is set in an undo: what was applied, which may name resources that the state of now does not show. */
  sessionPolicy(
    target: z.output<Target>,
    before: z.output<Before>,
    accountId: string,
    partition: string,
    restores?: Applied,
  ): PolicyDocument;
  /**
   * What the responder role itself must be allowed in an account at most, over all targets: the union of what
   * `sessionPolicy` can ask for. The documented role and the CloudFormation of deploy/ are made from it.
   */
  roleStatements(accountId: string, partition: string): PolicyDocument['Statement'];
  /**
   * For how long credentials minted before the change can go on working, ms; the watch lasts until then, and at least half an
   * hour. Left out: an hour.
   */
  mintedLivesMs?(before: z.output<Before>): number;
  /**
   * Whether a call of the artifact after the change says something of the containment: the one session, a session from before the
   * cut-off, a call from outside. Left out: every call does.
   */
  concerns?(record: CloudTrailRecord, target: z.output<Target>, done: readonly DoneCall[]): boolean;
  /** Set where the artifact may go on with other work, or with all of it: then neither a refusal nor silence shows it contained. */
  readonly isPartial?: true;
  /** Set where AWS refuses the artifact no call because of the change: then a refusal has another cause, and only time shows it contained. */
  readonly refusesNothing?: true;
  /** Why a plan asks for two people beside the rules: it takes the place of what holds already, say. */
  caution?(target: z.output<Target>, before: z.output<Before>): Caution;
  /**
   * One sentence on the effect of the change, asked with the audit role at the first look after it: of IAM's policy simulator, say.
   * It must call itself what it is. It decides nothing. What AWS throws is passed on as it is.
   */
  effect?(target: z.output<Target>, before: z.output<Before>, ctx: ActionContext): Promise<string>;
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
    | {
        /** `now` is what was just read, `applied` what is undone. Calls that restore the stored pre-state. */
        undo(target: z.output<Target>, now: z.output<Before>, applied: Applied): readonly ApiCall[];
        /** Where lifting it is dangerous: before the last minted session has ended, say. `found` is the state when the undo was planned. */
        undoCaution?(target: z.output<Target>, applied: Applied, now: Date, found: Found<z.output<Before>>): Caution;
        readonly reversal: string;
      }
    | { readonly irreversible: string }
  );

/** Returns its argument; gives the methods their types. */
export function defineAction<Target extends z.ZodType, Before extends z.ZodType>(
  action: ContainmentAction<Target, Before>,
): ContainmentAction<Target, Before> {
  return action;
}
