/** A subcommand of /ir: decides what shall happen; the router acts. No AWS here, so the 3-second answer is kept by type. */
import type { ParseArgsConfig } from 'node:util';
import type { z } from 'zod';
import type { Message } from './message.ts';
import type { NoiseRow, Snooze, SnoozeRule } from './noise.ts';
import type { RuleChange, RuleView } from './rules.ts';

export type CommandOutcome =
  | { readonly kind: 'reply'; readonly message: Message; readonly json?: unknown }
  /** Starts an investigation: the worker answers in a thread of the channel. */
  | {
      readonly kind: 'investigate';
      readonly investigation: string;
      readonly request: InvestigationRequest;
      readonly notice: string;
    }
  /** Asks for a containment plan: the worker plans and posts the approval card. */
  | { readonly kind: 'contain'; readonly action: string; readonly words: readonly string[] }
  /** Asks for a plan for a whole case; without `caseId` the one whose thread it is typed in. */
  | { readonly kind: 'strike'; readonly caseId?: string }
  /** Switches a rule on or off, or excepts from one; stored and audited. */
  | { readonly kind: 'rules'; readonly change: RuleChange }
  /** Closes a case to a named few. */
  | { readonly kind: 'restrict'; readonly caseId: string; readonly userIds: readonly string[] }
  /** Gives a case that has none its card, in its channel. */
  | { readonly kind: 'open'; readonly caseId: string }
  | { readonly kind: 'snooze'; readonly rule: SnoozeRule; readonly reason: string; readonly until: string }
  | { readonly kind: 'end-snooze'; readonly id: string }
  /** Opens a case from a person's words; without words Slack shows a dialog, and the shell shows what is found in them. */
  | { readonly kind: 'report'; readonly text: string }
  /** Asks for the one-time code with which one person approves alone. */
  | { readonly kind: 'break-glass'; readonly id: string; readonly reason: string }
  | { readonly kind: 'freeze'; readonly frozen: boolean; readonly reason: string };

export interface InvestigationRequest {
  readonly target: Readonly<Record<string, unknown>>;
  /** ISO 8601 UTC; undefined: the source's default. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly accounts?: readonly string[] | undefined;
  readonly regions?: readonly string[] | undefined;
  readonly maxRequests?: number | undefined;
  readonly maxEvents?: number | undefined;
}

export interface ApprovalLine {
  readonly id: string;
  readonly state: string;
  readonly what: string;
  readonly requester: string;
  readonly expiresAt: string;
}

export interface CommandContext {
  readonly now: Date;
  readonly commands: readonly Command[];
  /** Names, usage and titles of the containment actions, for help. */
  readonly actions: readonly { readonly name: string; readonly usage: string; readonly title: string }[];
  /** Undefined on the command line without a store. */
  openApprovals?(): Promise<readonly ApprovalLine[]>;
  frozen?(): Promise<boolean>;
  /** Undefined where no rules can be read. */
  rules?(): Promise<RuleView>;
  snoozes?(): Promise<readonly Snooze[]>;
  /** What made the noise between two instants, ISO 8601 UTC. */
  noise?(since: string, until: string): Promise<readonly NoiseRow[]>;
}

export interface Command<Args extends z.ZodType = z.ZodType> {
  /** = file name = the word people type. */
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  /** member: any full member of the workspace; responder and approver as the config says. */
  readonly role: 'member' | 'responder' | 'approver';
  /** Flags, in the form of node:util parseArgs. `--json`, `--logs`, `--since` and `--until` are the router's. */
  readonly options?: NonNullable<ParseArgsConfig['options']>;
  /** The words are somebody's own text, however long and full of dashes: nothing in it is a flag. */
  readonly freeText?: true;
  /** Parses `{ words: string[], flags: {...} }`. */
  readonly args: Args;
  /** The words after the name; each is parsed and decided by a contract test. */
  readonly examples: readonly string[];
  decide(args: z.output<Args>, ctx: CommandContext): Promise<CommandOutcome>;
}

export function defineCommand<Args extends z.ZodType>(command: Command<Args>): Command<Args> {
  return command;
}
