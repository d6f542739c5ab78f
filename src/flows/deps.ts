/** What the flows are given. Each flow names the part that it needs. */
import type { ContainmentAction, Forensics } from '../contracts/action.ts';
import type { AddressBook } from '../contracts/address.ts';
import type { AwsReach } from '../contracts/aws.ts';
import type { Chat } from '../contracts/chat.ts';
import type { Clock } from '../contracts/clock.ts';
import type { Command } from '../contracts/command.ts';
import type { Evidence, EvidenceProgress, Window } from '../contracts/evidence.ts';
import type { FindingSource, SubscriptionConfirmer } from '../contracts/intake.ts';
import type { Investigation, InvestigationContext, Pictures } from '../contracts/investigation.ts';
import type { Queue } from '../contracts/job.ts';
import type { Log } from '../contracts/log.ts';
import type { OtherSources } from '../contracts/other-sources.ts';
import type { Pager } from '../contracts/pager.ts';
import type { RuleView } from '../contracts/rules.ts';
import type { Store } from '../contracts/store.ts';
import type { AccountBook } from '../contracts/surroundings.ts';
import type { AccessRule } from '../domain/access.ts';
import type { PolicyRule } from '../domain/approval-policy.ts';
import type { Detector } from '../domain/detection/detector.ts';
import type { Production } from '../domain/detection/production.ts';
import type { EscalationConfig } from '../domain/escalation.ts';
import type { Account } from '../domain/inventory.ts';
import type { CrownJewels, NoiseConfig } from '../domain/noise.ts';
import type { PeopleRules } from '../domain/people.ts';
import type { Channels } from '../domain/routing.ts';

/** The part of the config that decisions need. Plain data; no secrets. */
export interface Settings {
  readonly mode: 'observe' | 'propose' | 'execute';
  readonly channels: Channels;
  readonly accounts: readonly Account[];
  readonly managementAccount: string | undefined;
  readonly rules: PeopleRules;
  readonly approvals: {
    readonly required: number;
    readonly expiryMinutes: number;
    /** Actions that ask for a one-time code. */
    readonly stepUp: readonly string[];
  };
  readonly policies: readonly PolicyRule[];
  readonly access: readonly AccessRule[];
  readonly protectedPatterns: readonly string[];
  readonly forensics: Forensics | undefined;
  readonly production: Production;
  readonly detections: { readonly maxAgeHours: number };
  /** Whether findings are read again from AWS. */
  readonly verifyFindings: boolean;
  readonly guardDutyAdministrator: string | undefined;
  readonly pivot: { readonly window: string; readonly maxRequests: number; readonly maxEvents: number };
  readonly hubs: {
    readonly maxPrincipalsPerIp: number;
    readonly egress: readonly string[];
    readonly principals: readonly string[];
  };
  readonly noise: NoiseConfig;
  readonly crownJewels: CrownJewels;
  readonly escalation: EscalationConfig;
}

export interface EvidenceRequest {
  readonly accounts: readonly string[] | undefined;
  readonly regions: readonly string[] | undefined;
  readonly window: Window & { readonly from: string };
  readonly maxRequests: number;
  readonly maxEvents: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: EvidenceProgress) => void;
  /** What it is asked for, so that its cost is counted there. */
  readonly caseId?: string | undefined;
}

export type OpenOther = (request: EvidenceRequest) => Promise<OtherSources>;

export type OpenEvidence = (request: EvidenceRequest) => Promise<Evidence>;

export interface Deps {
  readonly settings: Settings;
  readonly store: Store;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly log: Log;
}

/** The rules of ours and of the config's folders, with what is settled about them. */
export interface RuleShelf {
  forInvestigation(): Promise<Pick<InvestigationContext, 'rules' | 'ruleSettings' | 'inventory'>>;
  view(): Promise<RuleView>;
}

/** The rules of the stream, as they stand now: people switch them off and except from them while it runs. */
export interface Detectors {
  current(): Promise<Detector>;
}

/** The processes that speak in Slack. */
export interface ChatDeps extends Deps {
  readonly chat: Chat;
}

export interface WebDeps extends ChatDeps {
  readonly ruleShelf?: RuleShelf;
  readonly detectors?: Detectors;
  readonly commands: readonly Command[];
  readonly actions: readonly ContainmentAction[];
}

export interface WorkerDeps extends ChatDeps {
  readonly ruleShelf?: RuleShelf;
  readonly detectors?: Detectors;
  readonly actions: readonly ContainmentAction[];
  readonly investigations: readonly Investigation[];
  readonly reach: AwsReach;
  readonly openEvidence: OpenEvidence;
  readonly openOther: OpenOther;
  readonly pictures: Pictures;
  readonly addresses: AddressBook;
  readonly pager: Pager;
  readonly accounts: AccountBook;
  readonly findings: FindingSource;
  readonly confirmer: SubscriptionConfirmer;
}

/** No chat here: the executor cannot speak in Slack. */
export interface ExecutorDeps extends Deps {
  readonly actions: readonly ContainmentAction[];
  readonly reach: AwsReach;
}
