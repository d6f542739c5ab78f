/** What the tests of the doors share: signed requests made by hand, the database behind a scene, the command line. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { signingSecret } from '../../demo/setting.ts';
import { signatureHeaders } from '../../demo/slack/delivery.ts';
import type { Message } from '../../demo/slack/workspace.ts';
import type { Scene } from './scene.ts';

const repository = new URL('../..', import.meta.url).pathname;
export const launcher = join(repository, 'bin', 'firebreak.js');

export interface SlackRequest {
  readonly body: string;
  /** Epoch seconds; now where absent. */
  readonly timestamp?: number;
  readonly secret?: string;
  readonly contentType?: string;
  /** Instead of those that the secret gives. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Posts to Slack's door as Slack does, or as somebody does who only looks like it. */
export function postToSlackDoor(scene: Scene, request: SlackRequest): Promise<Response> {
  const timestamp = request.timestamp ?? Math.floor(Date.now() / 1_000);
  return fetch(`${scene.firebreak.url}/slack/events`, {
    method: 'POST',
    headers: {
      'content-type': request.contentType ?? 'application/x-www-form-urlencoded',
      ...(request.headers ?? signatureHeaders(request.secret ?? signingSecret, request.body, timestamp)),
    },
    body: request.body,
  });
}

/** The form of a slash command. */
export function slashBody(userId: string, channelId: string, text: string): string {
  return new URLSearchParams({
    command: '/ir',
    text,
    user_id: userId,
    channel_id: channelId,
    team_id: 'T1',
  }).toString();
}

/** Runs SQL on the scene's embedded database, as nobody but a test may. */
export async function sql<Row extends object>(
  scene: Pick<Scene, 'dataDir'>,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const port = Number(readFileSync(join(scene.dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[3]);
  const password = readFileSync(join(scene.dataDir, 'postgres.password'), 'utf8').trim();
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'firebreak', password, database: 'firebreak' });
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

/** Runs `bin/firebreak.js` with only the environment given; a hanging one is killed after `withinMs`. */
export function run(
  words: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly node?: string;
    readonly withinMs?: number;
  } = {},
): Promise<Ran> {
  const began = Date.now();
  const { PATH = '', HOME = '' } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(options.node ?? process.execPath, [launcher, ...words], {
      cwd: options.cwd ?? repository,
      env: { PATH, HOME, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.withinMs ?? 60_000,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr, ms: Date.now() - began }));
  });
}

/**
 * Everything in a message that Slack or a reader's client could bring to life, each with why. Empty for a message that
 * is only words, buttons and what Firebreak itself put there (mentions of `people`, dates).
 */
export function liveThings(message: Message, people: readonly string[] = []): string[] {
  const found: string[] = [];
  const markup = /<(?:[@!#]|https?:|mailto:|tel:)[^>]*>/giu;
  const broadcast = /@(?:here|channel|everyone)/iu;
  const unseen = /(?![\n\u2060])[\p{Cc}\p{Cf}]/u;
  const say = (why: string, text: string) => found.push(`${why}: ${text.slice(0, 120)}`);
  const judge = (text: string, where: string): void => {
    if (broadcast.test(text)) say(`${where} broadcasts`, text);
    if (unseen.test(text)) say(`${where} holds what cannot be seen`, text);
  };
  const walk = (value: unknown, where: string): void => {
    if (Array.isArray(value)) {
      for (const item of value) walk(item, where);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    const thing = value as Record<string, unknown>;
    const text = typeof thing.text === 'string' ? thing.text : undefined;
    if (thing.type === 'mrkdwn' && text !== undefined) {
      const own = people.some((id) => text === `<@${id}>`);
      if (!own) say('text that Slack parses', text);
    }
    if (thing.type === 'plain_text' && text !== undefined) {
      judge(text, 'plain text');
      if (thing.emoji !== false) say('emoji names would be parsed', text);
    }
    if (thing.type === 'text' && text !== undefined) judge(text, 'rich text');
    if (thing.type === 'link') say('a link', String(thing.url));
    if (thing.type === 'emoji') say('an emoji', String(thing.name));
    if (['broadcast', 'usergroup', 'channel'].includes(String(thing.type))) say('a mention', JSON.stringify(thing));
    if (thing.type === 'user' && !people.includes(String(thing.user_id))) say('a mention', String(thing.user_id));
    if (typeof thing.image_url === 'string' || typeof thing.url === 'string') say('an address', JSON.stringify(thing));
    for (const item of Object.values(thing)) walk(item, where);
  };
  walk(message.blocks ?? [], 'blocks');
  judge(message.text, 'text');
  for (const live of message.text.match(markup) ?? []) say('text has live markup', live);
  return found;
}
