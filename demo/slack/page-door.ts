/** The page's own door: its files, the state as one person sees it, live changes, and what a person does on it. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { send } from './api-door.ts';
import { parseJson, readBody } from './body.ts';
import { present } from './chat-methods.ts';
import type { Delivery } from './delivery.ts';
import type { Interactions } from './interactions.ts';
import type { State } from './state.ts';
import { viewObject } from './view-methods.ts';
import { demoIds } from './workspace.ts';

/** An entry of the menu "Make something happen". */
export interface DemoAction {
  readonly id: string;
  readonly label: string;
  /** What it does, one sentence, shown under the label. */
  readonly hint?: string;
  /** Does it; the returned sentence is shown to the person. */
  run(): Promise<string>;
}

export interface CommandHint {
  /** `/ir pivot ` */
  readonly text: string;
  readonly hint: string;
}

export interface PageDoorWorld {
  readonly state: State;
  readonly interactions: Interactions;
  readonly actions: readonly DemoAction[];
  readonly commands: readonly CommandHint[];
  /** The artifact that the page's script proposes to pivot on. */
  readonly exampleArtifact: string;
  readonly isConnected: () => boolean;
}

const folder = fileURLToPath(new URL('../page/', import.meta.url));
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const said = z.object({
  userId: z.string(),
  channel: z.string().default(''),
  text: z.string().max(8000).default(''),
  threadTs: z.string().optional(),
  ts: z.string().default(''),
  actionId: z.string().default(''),
  blockIndex: z.number().int().optional(),
  value: z.string().optional(),
  values: z.record(z.string(), z.string()).default({}),
});
type Said = z.output<typeof said>;

/** Handles everything that is not Slack's API. Other origins may neither read nor act. */
export async function answerPage(
  world: PageDoorWorld,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const { pathname } = url;
  if (!isLocal(request)) return send(response, 403, 'text/plain', 'only for this machine');
  if (request.method === 'POST' && pathname.startsWith('/demo/')) {
    if (!(request.headers['content-type'] ?? '').startsWith('application/json')) {
      return send(response, 415, 'text/plain', 'JSON only');
    }
    const body = said.safeParse(parseJson((await readBody(request, 1_000_000)).toString('utf8')));
    if (!body.success) return sendJson(response, 400, { error: z.prettifyError(body.error) });
    return act(world, pathname.slice('/demo/'.length), body.data, response);
  }
  if (request.method !== 'GET') return send(response, 405, 'text/plain', 'GET only');
  if (pathname === '/demo/state') return sendJson(response, 200, stateFor(world, url.searchParams.get('as') ?? ''));
  if (pathname === '/demo/events') return listen(world, response);
  if (pathname.startsWith('/demo/file/')) return sendFile(world, pathname.slice('/demo/file/'.length), response);
  const permalink = /^\/archives\/(\w+)\/p(\d+)(\d{6})$/.exec(pathname);
  if (permalink) {
    response.writeHead(302, { location: `/#${permalink[1]}/${permalink[2]}.${permalink[3]}` }).end();
    return undefined;
  }
  return sendPage(pathname === '/' ? 'index.html' : pathname.slice(1), response);
}

/** Guards against other sites: a name that resolves here (DNS rebinding), or a form on a foreign page. */
function isLocal(request: IncomingMessage): boolean {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  const { origin } = request.headers;
  const isOwnOrigin = origin === undefined || origin === `http://${request.headers.host}`;
  return ['127.0.0.1', 'localhost', '[::1]'].includes(host) && isOwnOrigin;
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, 'application/json; charset=utf-8', JSON.stringify(value));
}

async function sendPage(name: string, response: ServerResponse): Promise<void> {
  const type = types[extname(name)];
  const found =
    /^[a-z0-9-]+\.[a-z]+$/.test(name) && type ? await stat(join(folder, name)).catch(() => undefined) : undefined;
  if (!found || !type) return send(response, 404, 'text/plain', 'not found');
  response.writeHead(200, {
    'content-type': type,
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-cache',
  });
  createReadStream(join(folder, name)).pipe(response);
}

function sendFile(world: PageDoorWorld, id: string, response: ServerResponse): void {
  const stored = world.state.files.get(id);
  if (!stored?.bytes) {
    send(response, 404, 'text/plain', 'not found');
    return;
  }
  const picture = pictureType(stored.bytes);
  // Only what is a picture by its bytes is shown; everything else is downloaded.
  if (!picture) response.setHeader('content-disposition', 'attachment');
  send(response, 200, picture ?? 'application/octet-stream', stored.bytes);
}

function pictureType(bytes: Buffer): string | undefined {
  const head = bytes.subarray(0, 12).toString('latin1');
  if (head.startsWith('\x89PNG')) return 'image/png';
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (head.startsWith('GIF8')) return 'image/gif';
  return head.startsWith('RIFF') && head.endsWith('WEBP') ? 'image/webp' : undefined;
}

/** Server-sent events: one line per change, at most one every 30 ms; the page then reads the state again. */
function listen(world: PageDoorWorld, response: ServerResponse): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  response.write('data: hello\n\n');
  let isDue = false;
  const stop = world.state.listen(() => {
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      if (!response.writableEnded) response.write('data: changed\n\n');
    }, 30).unref();
  });
  const alive = setInterval(() => response.write(': alive\n\n'), 15_000);
  alive.unref();
  response.on('close', () => {
    clearInterval(alive);
    stop();
  });
}

/** Everything that one person sees. */
function stateFor(world: PageDoorWorld, asked: string): Record<string, unknown> {
  const { state } = world;
  const everybody = [...state.people.values()].filter((each) => !each.isBot);
  const me = state.people.get(asked) ?? everybody[0];
  if (!me) return { people: [] };
  const channels = [...state.channels.values()].filter((each) => state.isIn(each, me.id));
  const people = everybody.map(({ id, name, realName, role, isRestricted, deleted }) => ({
    id,
    name,
    realName,
    role,
    isGuest: isRestricted === true,
    isGone: deleted === true,
  }));
  return {
    startedAt: state.startedAt,
    team: demoIds.teamName,
    me: me.id,
    people,
    bot: { id: demoIds.botUser, name: 'Firebreak' },
    groups: [...state.groups.values()].map(({ id, handle }) => ({ id, handle })),
    channels: channels.map((each) => ({
      id: each.id,
      name: each.directWith ? 'Firebreak' : each.name,
      topic: each.topic,
      isDirect: each.directWith !== undefined,
      messages: state.in(each.id).map((message) => present(state, message, false)),
    })),
    ephemerals: state.ephemerals.filter((each) => each.to === me.id),
    views: (state.stacks.get(me.id) ?? []).flatMap((id) => {
      const view = state.views.get(id);
      return view ? [{ ...viewObject(view), errors: view.errors ?? {} }] : [];
    }),
    deeds: state.deeds,
    actions: world.actions.map(({ id, label, hint }) => ({ id, label, hint })),
    commands: world.commands,
    exampleArtifact: world.exampleArtifact,
    isConnected: world.isConnected(),
  };
}

/** Carries out what was done on the page, and answers when Slack would take the spinner away. */
async function act(world: PageDoorWorld, what: string, does: Said, response: ServerResponse): Promise<void> {
  const { interactions, state } = world;
  const options = {
    ...(does.blockIndex === undefined ? {} : { blockIndex: does.blockIndex }),
    ...(does.value === undefined ? {} : { value: does.value }),
  };
  const action = world.actions.find((each) => `actions/${each.id}` === what);
  const outcome = async (): Promise<unknown> => {
    if (action) return { outcome: 'ok', says: await action.run() };
    if (what === 'slash') return ended(await slash(world, does));
    if (what === 'click')
      return ended(await interactions.click(does.userId, does.channel, does.ts, does.actionId, options));
    if (what === 'view-submit') return ended(await interactions.submitView(does.userId, does.values));
    if (what === 'view-action') return ended(await interactions.viewAction(does.userId, does.actionId, options));
    if (what === 'view-close') await interactions.closeView(does.userId);
    else if (what === 'message') say(world, does);
    else if (what === 'dismiss') {
      const at = state.ephemerals.findIndex((each) => each.ts === does.ts && each.to === does.userId);
      if (at >= 0) state.ephemerals.splice(at, 1);
      state.changed();
    } else return undefined;
    return { outcome: 'ok' };
  };
  const result = await outcome().catch((error: unknown) => ({
    outcome: 'failed',
    error: error instanceof Error ? error.message : String(error),
  }));
  return result === undefined ? send(response, 404, 'text/plain', 'not found') : sendJson(response, 200, result);
}

function ended(delivery: Delivery | undefined) {
  return { outcome: delivery?.outcome ?? 'refused', error: delivery?.error };
}

async function slash(world: PageDoorWorld, does: Said): Promise<Delivery> {
  const [command = '', ...rest] = does.text.trim().split(' ');
  if (command !== '/ir') {
    world.state.slackbot(
      does.channel,
      does.userId,
      `${command} is not a valid command. In Slack, all messages that start with the "/" character are interpreted as commands.`,
    );
    throw new Error(`${command} is not a valid command`);
  }
  return world.interactions.slash(does.userId, does.channel, rest.join(' ').trim(), command);
}

function say(world: PageDoorWorld, does: Said): void {
  const channel = world.state.channels.get(does.channel);
  if (!channel || does.text.trim() === '') throw new Error('nothing to say, or nowhere');
  world.state.add({
    type: 'message',
    ts: world.state.nextTs(),
    channel: channel.id,
    user: does.userId,
    team: demoIds.team,
    text: does.text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    ...(does.threadTs === undefined ? {} : { thread_ts: does.threadTs }),
  });
}
