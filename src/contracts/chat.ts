/** Slack as the flows see it. The adapter throws UpstreamError (service `slack`, code = Slack's own error word). */
import type { Attachment, Message } from './message.ts';

export interface PersonProfile {
  readonly userId: string;
  readonly teamId: string | undefined;
  readonly enterpriseId: string | undefined;
  /** Lower case; undefined where the app may not read it. */
  readonly email: string | undefined;
  readonly displayName: string;
  readonly deleted: boolean;
  readonly bot: boolean;
  /** is_restricted or is_ultra_restricted. */
  readonly guest: boolean;
  /** is_stranger, or a team that is not ours. */
  readonly stranger: boolean;
}

export interface ChannelFacts {
  readonly id: string;
  readonly externallyShared: boolean;
}

/** The dialog of the button Snooze. */
export interface SnoozeAsked {
  /** The opaque id that the answer carries back. */
  readonly button: string;
  readonly channelId: string;
  /** What would be muted, shown as plain text. */
  readonly what: string;
  readonly spans: readonly { readonly hours: number; readonly label: string }[];
  /** Hours of the span that is chosen at first. */
  readonly usual: number;
}

export interface Chat {
  /** Posts. `channel` may be an id or a name; the id that Slack answers with comes back. `deliveryId` goes into the message's metadata so that `findPosted` can tell after an ambiguous failure. */
  post(input: {
    channel: string;
    threadTs?: string | undefined;
    message: Message;
    deliveryId: string;
  }): Promise<{ ts: string; channel: string }>;
  /** Looks in the newest messages of the channel or thread for our own message with this deliveryId; tells the channel by its id. */
  findPosted(input: {
    channel: string;
    threadTs?: string | undefined;
    deliveryId: string;
  }): Promise<{ ts: string; channel: string } | undefined>;
  update(input: { channel: string; ts: string; message: Message }): Promise<void>;
  /** To one person only: errors and refusals. */
  tell(input: { channel: string; userId: string; threadTs?: string | undefined; message: Message }): Promise<void>;
  upload(input: {
    channel: string;
    threadTs?: string | undefined;
    attachments: readonly Attachment[];
    comment: string;
  }): Promise<void>;
  /** Shows the dialog of `/ir report` to whoever made Slack give out this trigger, which lives 3 s. */
  openReport(triggerId: string): Promise<void>;
  /** Asks for a one-time code. `button` is the opaque id that the answer carries back; `what` is shown as plain text. */
  openCode(
    triggerId: string,
    asked: {
      readonly button: string;
      readonly channelId: string;
      readonly threadTs?: string | undefined;
      readonly what: string;
    },
  ): Promise<void>;
  /** Asks why and until when. */
  openSnooze(triggerId: string, asked: SnoozeAsked): Promise<void>;
  /** Cached at most 30 s. `since`: only what Slack was asked for at that time or later will do, as for every vote. */
  person(userId: string, options?: { readonly since?: Date }): Promise<PersonProfile>;
  /** Members of a user group (S...). Cached at most 60 s, and no longer than `since`. Throws, so that callers fail closed. */
  groupMembers(groupId: string, options?: { readonly since?: Date }): Promise<readonly string[]>;
  channel(channelId: string): Promise<ChannelFacts>;
  /** Answers whether Slack accepts our token now; never throws. */
  reachable(): Promise<{ ok: true } | { ok: false; because: string }>;
}
