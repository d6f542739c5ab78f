/**
 * What Firebreak says, before Slack's markup. Units and wording build Messages; only src/slack turns them into blocks.
 * Text here is plain text. The renderer makes every string inert (DOMAIN.md 9.6), so attacker-chosen names may be put
 * into `text` and `code` as they are. Markup, mentions and links exist only as their own kinds.
 */

export type Inline =
  | { readonly kind: 'text'; readonly text: string; readonly bold?: boolean }
  /** An exact identifier: rendered in monospace, not defanged, so that copying works. */
  | { readonly kind: 'code'; readonly text: string }
  /** A Slack user id (U... or W...), rendered as a mention. */
  | { readonly kind: 'person'; readonly userId: string }
  /** A Slack user group id (S...), rendered as a mention. Only of the operator's own inventory, never from a finding or a log. */
  | { readonly kind: 'group'; readonly groupId: string }
  /** An instant, ISO 8601 UTC. Rendered as UTC, with the viewer's own zone where Slack can. */
  | { readonly kind: 'date'; readonly at: string }
  /** A link that Firebreak made itself. Never built from a finding's or a log's text. */
  | { readonly kind: 'link'; readonly url: string; readonly label: string };

export type Line = readonly Inline[];

/** `action_id`s of the external contract (DESIGN.md 5, Slack). */
export const buttonActions = [
  'pivot',
  'contain',
  'acknowledge',
  'approve',
  'reject',
  'withdraw',
  'undo',
  'widen',
  'expand',
  'snooze',
  'false-positive',
] as const;
export type ButtonAction = (typeof buttonActions)[number];

export interface Button {
  readonly action: ButtonAction;
  /** The opaque id that the click carries. Everything else is read from the store (safety rule 6). */
  readonly value: string;
  /** At most 30 characters are visible; fixed words and validated ids only, never a name from outside. */
  readonly label: string;
  /** What the button does, for a screen reader (at most 75 characters). */
  readonly describe: string;
  readonly style?: 'primary' | 'danger';
}

export type Part =
  | { readonly kind: 'header'; readonly text: string }
  | { readonly kind: 'lines'; readonly lines: readonly Line[] }
  /** `label: value`, one per line: the form that reads best on a phone. */
  | { readonly kind: 'facts'; readonly facts: readonly Fact[] }
  | { readonly kind: 'list'; readonly items: readonly Line[]; readonly ordered?: boolean }
  | { readonly kind: 'table'; readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: 'preformatted'; readonly text: string }
  | { readonly kind: 'context'; readonly lines: readonly Line[] }
  | { readonly kind: 'buttons'; readonly buttons: readonly Button[] }
  | { readonly kind: 'divider' };

export interface Fact {
  readonly label: string;
  readonly value: Line;
}

export interface Message {
  /** A full sentence: the notification, and all that screen readers get. */
  readonly text: string;
  readonly parts: readonly Part[];
}

/** A picture or file for a thread. */
export interface Attachment {
  readonly filename: string;
  readonly title: string;
  /** What the picture shows, in words (at most 1,000 characters). */
  readonly altText: string;
  readonly bytes: Uint8Array;
}
