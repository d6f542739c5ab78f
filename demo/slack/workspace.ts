/** What a workspace is made of, in Slack's own names, and the three people and channels that the demo starts with. */

export interface Person {
  /** U... or W... */
  readonly id: string;
  /** The handle. */
  readonly name: string;
  readonly realName: string;
  readonly email?: string | undefined;
  readonly teamId: string;
  /** What the page says beside the name: `responder`, `on-call approver`, ... */
  readonly role: string;
  readonly isBot?: boolean;
  readonly deleted?: boolean;
  /** Multi-channel guest. */
  readonly isRestricted?: boolean;
  /** Single-channel guest. */
  readonly isUltraRestricted?: boolean;
  /** From another company, seen through a shared channel. */
  readonly isStranger?: boolean;
}

export interface Channel {
  /** C... */
  readonly id: string;
  readonly name: string;
  readonly topic: string;
  /** Whether the app's bot is in it. */
  readonly isMember: boolean;
  readonly isPrivate?: boolean;
  readonly isExtShared?: boolean;
  readonly isArchived?: boolean;
  /** Undefined: everybody. */
  readonly members?: readonly string[];
  /** Set for a direct message between the bot and this person. */
  readonly directWith?: string;
}

export interface Group {
  /** S... */
  readonly id: string;
  readonly handle: string;
  readonly name: string;
  readonly users: readonly string[];
}

export interface Metadata {
  readonly event_type: string;
  readonly event_payload: Readonly<Record<string, unknown>>;
}

/** A block after the rules: its own fields are read where they are needed. */
export type LooseBlock = Readonly<Record<string, unknown>> & { readonly type: string; readonly block_id: string };

export interface SlackFile {
  readonly id: string;
  readonly created: number;
  readonly name: string;
  readonly title: string;
  readonly mimetype: string;
  readonly filetype: string;
  readonly size: number;
  readonly user: string;
  readonly alt_txt: string;
  readonly url_private: string;
  readonly permalink: string;
  readonly original_w?: number;
  readonly original_h?: number;
}

/** A message as Slack's history gives it. */
export interface Message {
  readonly type: 'message';
  readonly ts: string;
  readonly channel: string;
  readonly user: string;
  readonly team: string;
  readonly text: string;
  readonly thread_ts?: string;
  readonly subtype?: 'bot_message' | 'thread_broadcast' | 'channel_join';
  readonly bot_id?: string;
  readonly app_id?: string;
  readonly blocks?: readonly LooseBlock[];
  readonly metadata?: Metadata;
  readonly files?: readonly SlackFile[];
  readonly reactions?: readonly { name: string; users: readonly string[]; count: number }[];
  readonly pinned?: boolean;
}

/** Seen by one person only, kept outside the history, as in Slack. */
export interface Ephemeral extends Message {
  readonly is_ephemeral: true;
  /** Who sees it. */
  readonly to: string;
  /** Firebreak's own, or Slackbot's (errors of Slack itself). */
  readonly from: 'app' | 'slackbot';
}

export interface View {
  readonly id: string;
  readonly type: 'modal' | 'home';
  readonly userId: string;
  readonly hash: string;
  readonly external_id: string;
  readonly root_view_id: string;
  readonly previous_view_id: string | null;
  readonly callback_id: string;
  readonly private_metadata: string;
  readonly notify_on_close: boolean;
  readonly clear_on_close: boolean;
  readonly title?: unknown;
  readonly submit?: unknown;
  readonly close?: unknown;
  readonly blocks: readonly LooseBlock[];
  /** Errors that the app answered to the last submit, by block_id. */
  readonly errors?: Readonly<Record<string, string>>;
}

/** Fixed ids of the demo's workspace and app. */
export const demoIds = {
  team: 'T07FBDEMO01',
  teamDomain: 'firebreak-demo',
  teamName: 'Acme Cloud',
  app: 'A07FBRK0APP',
  bot: 'B07FBRK0BOT',
  botUser: 'U07FBRK0BOT',
  rosa: 'U07ROSA1REY',
  omar: 'U07OMAR2OKA',
  gil: 'U07GIL3GUES',
  onCall: 'S07ONCALL01',
  alerts: 'C07IRALERTS',
  critical: 'C07IRCRITIC',
  general: 'C07GENERAL1',
} as const;

export const demoPeople: readonly Person[] = [
  {
    id: demoIds.rosa,
    name: 'rosa.reyes',
    realName: 'Rosa Reyes',
    email: 'rosa.reyes@acme-cloud.example',
    teamId: demoIds.team,
    role: 'responder',
  },
  {
    id: demoIds.omar,
    name: 'omar.okafor',
    realName: 'Omar Okafor',
    email: 'omar.okafor@acme-cloud.example',
    teamId: demoIds.team,
    role: 'on-call approver',
  },
  {
    id: demoIds.gil,
    name: 'gil.guest',
    realName: 'Gil Guest',
    email: 'gil@contractor.example',
    teamId: demoIds.team,
    role: 'guest',
    isRestricted: true,
  },
];

export const demoChannels: readonly Channel[] = [
  { id: demoIds.alerts, name: 'ir-alerts', topic: 'Findings from every AWS account', isMember: true },
  { id: demoIds.critical, name: 'ir-critical', topic: 'Severity 9 and above: wake somebody', isMember: true },
  { id: demoIds.general, name: 'general', topic: 'Company-wide', isMember: true },
];

export const demoGroups: readonly Group[] = [
  { id: demoIds.onCall, handle: 'ir-oncall', name: 'IR on-call', users: [demoIds.omar] },
];
