/** The workspace's memory: people, channels, messages, files, views. One listener list; every change is told to it. */
import { randomBytes } from 'node:crypto';
import {
  type Channel,
  demoIds,
  type Ephemeral,
  type Group,
  type LooseBlock,
  type Message,
  type Person,
  type SlackFile,
  type View,
} from './workspace.ts';

/** A file between getUploadURLExternal and completeUploadExternal, and after. */
export interface StoredFile {
  readonly file: SlackFile;
  readonly announcedBytes: number;
  readonly uploadPath: string;
  readonly bytes?: Buffer | undefined;
  readonly shares: readonly { readonly channel: string; readonly ts: string; readonly threadTs?: string | undefined }[];
}

/** Something a person did on the page or through the programmatic door; the page ticks its list with it. */
export interface Deed {
  readonly at: string;
  readonly userId: string;
  readonly kind: 'slash' | 'click' | 'submit';
  /** `/ir pivot` words, or an action_id, or a callback_id. */
  readonly what: string;
  readonly channel?: string | undefined;
  readonly ts?: string | undefined;
}

export type State = ReturnType<typeof createState>;

export function createState(input: {
  people: readonly Person[];
  channels: readonly Channel[];
  groups: readonly Group[];
}) {
  const people = new Map(input.people.map((person) => [person.id, person]));
  const channels = new Map(input.channels.map((channel) => [channel.id, channel]));
  const groups = new Map(input.groups.map((group) => [group.id, group]));
  const messages = new Map<string, Message[]>();
  const ephemerals: Ephemeral[] = [];
  const files = new Map<string, StoredFile>();
  const views = new Map<string, View>();
  const stacks = new Map<string, string[]>();
  const deeds: Deed[] = [];
  const bookmarks: Readonly<Record<string, unknown>>[] = [];
  const listeners = new Set<() => void>();
  let lastTs = 0;

  function changed(): void {
    for (const listener of [...listeners]) listener();
  }

  return {
    startedAt: new Date().toISOString(),
    people,
    channels,
    groups,
    ephemerals,
    files,
    views,
    /** Open modals per person, bottom first. */
    stacks,
    deeds,
    bookmarks,
    changed,
    /** Returns the way to stop listening. */
    listen(listener: () => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    /** A new message id: seconds and microseconds, never the same twice, always growing. */
    nextTs(): string {
      lastTs = Math.max(lastTs + 1, Date.now() * 1000);
      return `${Math.floor(lastTs / 1e6)}.${String(lastTs % 1e6).padStart(6, '0')}`;
    },
    /** Oldest first, thread replies included. */
    in(channel: string): Message[] {
      const list = messages.get(channel) ?? [];
      messages.set(channel, list);
      return list;
    },
    find(channel: string, ts: string): Message | undefined {
      return (messages.get(channel) ?? []).find((message) => message.ts === ts);
    },
    add(message: Message): Message {
      const list = messages.get(message.channel) ?? [];
      list.push(message);
      messages.set(message.channel, list);
      changed();
      return message;
    },
    replace(message: Message): void {
      const list = messages.get(message.channel) ?? [];
      const at = list.findIndex((each) => each.ts === message.ts);
      if (at >= 0) list[at] = message;
      changed();
    },
    remove(channel: string, ts: string): void {
      const list = messages.get(channel) ?? [];
      messages.set(
        channel,
        list.filter((each) => each.ts !== ts),
      );
      changed();
    },
    addEphemeral(ephemeral: Ephemeral): void {
      ephemerals.push(ephemeral);
      changed();
    },
    /** An answer of Slack itself, seen by one person. */
    slackbot(channel: string, to: string, text: string, threadTs?: string): void {
      ephemerals.push({
        type: 'message',
        is_ephemeral: true,
        ts: this.nextTs(),
        channel,
        to,
        from: 'slackbot',
        user: 'USLACKBOT',
        team: demoIds.team,
        text,
        ...(threadTs === undefined ? {} : { thread_ts: threadTs }),
      });
      changed();
    },
    deed(deed: Deed): void {
      deeds.push(deed);
      changed();
    },
    isIn(channel: Channel, userId: string): boolean {
      if (userId === demoIds.botUser) return channel.isMember;
      if (channel.directWith !== undefined) return channel.directWith === userId;
      return channel.members === undefined || channel.members.includes(userId);
    },
    /** The direct message between the bot and a person, made when it is first used. */
    directMessage(userId: string): Channel {
      const found = [...channels.values()].find((channel) => channel.directWith === userId);
      if (found) return found;
      const channel = { id: newId('D'), name: 'directmessage', topic: '', isMember: true, directWith: userId };
      channels.set(channel.id, channel);
      return channel;
    },
  };
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** An id in Slack's form: the letter, `07`, eight letters or digits. */
export function newId(letter: string): string {
  return `${letter}07${[...randomBytes(8)].map((byte) => alphabet[byte % alphabet.length]).join('')}`;
}

/** Gives every block and interactive element the ids that Slack would make up. */
export function withIds(blocks: readonly unknown[]): LooseBlock[] {
  const short = () => randomBytes(4).toString('base64url').slice(0, 5);
  return blocks.map((each) => {
    const block = structuredClone(each) as Record<string, unknown> & { type: string };
    const elements = [block.elements, [block.accessory], [block.element]].flat();
    for (const element of elements) {
      if (typeof element !== 'object' || element === null || !('type' in element)) continue;
      const isInteractive = block.type !== 'rich_text' && block.type !== 'context' && element.type !== 'image';
      if (isInteractive && !('action_id' in element)) Object.assign(element, { action_id: short() });
    }
    return { ...block, block_id: typeof block.block_id === 'string' ? block.block_id : short() };
  });
}
