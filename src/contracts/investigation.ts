/** An investigation: looks and reports, changes nothing. One file per question in workflows/investigation. */
import type { z } from 'zod';
import type { AwsReach } from './aws.ts';
import type { Coverage, Evidence } from './evidence.ts';
import type { Attachment, Fact, Part } from './message.ts';
import type { OtherSources } from './other-sources.ts';
import type { RuleSettings } from './rules.ts';
import type { Surroundings } from './surroundings.ts';

export interface InvestigationContext {
  readonly evidence: Evidence;
  /** Undefined where no AWS can be asked (`--logs`): then live state is "unknown", with the reason. */
  readonly aws: AwsReach | undefined;
  /** Logs beside CloudTrail. Undefined where none can be asked: then nothing is known of them, and the answer says so. */
  readonly other?: OtherSources | undefined;
  /** Sigma files that the operator points at, beside our own; `path` is relative to their folder. */
  readonly rules?: readonly { readonly path: string; readonly text: string }[] | undefined;
  /** The inventory and the lists of addresses; undefined where there are none. */
  readonly surroundings?: Surroundings | undefined;
  /** Which rules are switched off and what is excepted; absent: nothing. */
  readonly ruleSettings?: RuleSettings | undefined;
  /** What the config says of the accounts; absent: nothing. */
  readonly inventory?: readonly InventoryEntry[] | undefined;
  /** Whether there is a containment action of this name that takes these words; absent: none is offered. */
  readonly offers?: ((action: string, words: readonly string[]) => boolean) | undefined;
  readonly signal: AbortSignal;
  /** Called often; the flow coalesces. One short sentence of what is being done. */
  progress(step: string): void;
  now(): Date;
}

/** The part of an account's entry in the config that questions about it need. */
export interface InventoryEntry {
  readonly id: string;
  readonly name?: string | undefined;
  readonly auditRole?: string | undefined;
  readonly responderRole?: string | undefined;
  /** Where work is expected; absent: the config does not say. */
  readonly expectedRegions?: readonly string[] | undefined;
  /** Whom to ask about it: words, mail addresses among them. */
  readonly contacts?: readonly string[] | undefined;
}

export interface Report<Answer = unknown> {
  /** One sentence. */
  readonly headline: string;
  /** Body of the thread's first answer, top of the story first. Without headline and coverage: the flow adds them. */
  readonly parts: readonly Part[];
  readonly coverage: Coverage;
  /** The external JSON document. */
  readonly answer: Answer;
  readonly pictures: readonly PictureRequest[];
  /** What to type next. */
  readonly next: readonly string[];
  /** Containment that the answer suggests: action name and its words. */
  readonly proposals: readonly { readonly action: string; readonly words: readonly string[]; readonly why: string }[];
  /** How many of the proposals become buttons; absent: 3. */
  readonly shownProposals?: number;
  /** The answer in other forms: for `--format`, and for the thread where it is too long to read there. */
  readonly files?: readonly ReportFile[];
  /** For the card of an alert. */
  readonly brief?: Brief;
  /** Ids that a rule held back, the most telling first: each may be followed by asking the same with `expand: [id]`. */
  readonly expansions?: readonly { readonly id: string; readonly label: string }[];
}

/** The answer in a few lines, for the card of an alert, with what the severity of its case rests on. */
export interface Brief {
  readonly facts: readonly Fact[];
  /** What was not learned and why, one sentence each. */
  readonly missing: readonly string[];
  /** True where asking again soon may bring what is missing (throttled, timed out). */
  readonly mayComeLater: boolean;
  /** What the identity can do: `admin`, `escalation`, `data`, `compute`, `read`, `none`; undefined where it is not known. */
  readonly privilege?: Privilege | undefined;
  /** The weightiest call that it made, where the records were read. */
  readonly did?: Deed | undefined;
}

export const privileges = ['admin', 'escalation', 'data', 'compute', 'read', 'none'] as const;
export type Privilege = (typeof privileges)[number];

export interface Deed {
  /** In plain words, after the name of who did it; "" where nothing telling was found. */
  readonly says: string;
  /** 1 is background noise by itself, 5 is hardly ever innocent; 0 where nothing telling was found. */
  readonly weight: 0 | 1 | 2 | 3 | 4 | 5;
  readonly eventIds: readonly string[];
  /** False where only a part of the logs was read. */
  readonly complete: boolean;
}

export const exportFormats = ['json', 'dot', 'mermaid', 'csv', 'timesketch'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export interface ReportFile {
  readonly format: ExportFormat;
  /** `pivot.json`. */
  readonly filename: string;
  /** What is in it, in a sentence: title and text for screen readers. */
  readonly describes: string;
  /** True: it goes into the thread as well. */
  readonly attach: boolean;
  /** Made only when wanted. UTF-8. */
  text(): string;
}

/** A picture to draw, as data. The pictures adapter turns it into PNG. */
export type PictureRequest =
  | { readonly kind: 'graph'; readonly title: string; readonly graph: GraphPicture }
  | { readonly kind: 'timeline'; readonly title: string; readonly timeline: TimelinePicture };

export interface GraphPicture {
  readonly nodes: readonly {
    readonly id: string;
    readonly kind: string;
    /** Short, for the box. May be attacker-chosen: the adapter escapes it. */
    readonly label: string;
    readonly detail?: string;
    readonly mark?: 'seed' | 'alive' | 'not-followed';
  }[];
  readonly edges: readonly { readonly from: string; readonly to: string; readonly label: string }[];
  readonly footnote: string;
}

export interface TimelinePicture {
  readonly lanes: readonly { readonly id: string; readonly label: string }[];
  readonly events: readonly {
    readonly at: string;
    readonly lane: string;
    readonly label: string;
    readonly tactic?: string;
    readonly failed: boolean;
  }[];
  readonly from: string;
  readonly to: string;
  readonly footnote: string;
}

/** Draws. Never throws for odd names; throws Error when the picture cannot be made at all. */
export interface Pictures {
  draw(request: PictureRequest): Promise<Attachment>;
  close(): Promise<void>;
}

export interface Investigation<Target extends z.ZodType = z.ZodType, Answer = unknown> {
  /** = file name. */
  readonly name: string;
  readonly title: string;
  readonly target: Target;
  /** Read-only IAM actions that it calls. */
  readonly permissions: readonly string[];
  /** Whether it uses `ctx.rules`; elsewhere `--rules` is refused rather than ignored. */
  readonly takesRules?: boolean;
  /** True where it asks what is there now: a window means nothing to it. */
  readonly ofNow?: boolean;
  run(target: z.output<Target>, ctx: InvestigationContext): Promise<Report<Answer>>;
}

export function defineInvestigation<Target extends z.ZodType, Answer>(
  investigation: Investigation<Target, Answer>,
): Investigation<Target, Answer> {
  return investigation;
}
