/** What a button of ours means: Slack carries an opaque id, the store what it stands for. */
import type { InvestigationRequest } from './command.ts';
import type { StrikeButton } from './strike.ts';

/** What an opaque button id stands for. */
export type ButtonMeaning =
  /** Of a dialog alone: the words of one person. */
  | { readonly kind: 'break-glass'; readonly approvalId: string; readonly userId: string; readonly reason: string }
  | { readonly kind: 'case'; readonly caseId: string }
  | {
      readonly kind: 'pivot';
      readonly caseId?: string | undefined;
      readonly artifact: string;
      /** Further artifacts to start from. */
      readonly also?: readonly string[] | undefined;
    }
  | {
      readonly kind: 'contain';
      readonly caseId?: string | undefined;
      readonly action: string;
      readonly words: readonly string[];
    }
  | { readonly kind: 'approval'; readonly approvalId: string }
  | StrikeButton
  | { readonly kind: 'investigation'; readonly investigationId: string; readonly request: InvestigationRequest };

export interface ButtonsStore {
  /** The same `key` gives the same id, so that a card rendered again keeps its buttons. */
  mint(key: string, meaning: ButtonMeaning): Promise<string>;
  meaning(id: string): Promise<ButtonMeaning | undefined>;
}
