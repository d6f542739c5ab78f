/**
 * A local Slack workspace on one port of 127.0.0.1: the Web API as @slack/web-api calls it, signed requests and Socket
 * Mode towards the app, a page for people, and a programmatic door for tests.
 */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type ApiCallRecord, answerApi, type CallHook, send } from './api-door.ts';
import { type Delivery, deliverByHttp, type EnvelopeType, replayByHttp } from './delivery.ts';
import { createFaults, createRates, type Fault } from './faults.ts';
import { createInteractions, type Interactions } from './interactions.ts';
import { answerPage, type CommandHint, type DemoAction } from './page-door.ts';
import { createResponseUrls } from './response-urls.ts';
import { createSocketMode } from './socket-mode.ts';
import { createState, newId, type StoredFile } from './state.ts';
import { defaultScopes } from './web-api.ts';
import {
  type Channel,
  demoChannels,
  demoGroups,
  demoIds,
  demoPeople,
  type Ephemeral,
  type Group,
  type Message,
  type Person,
  type View,
} from './workspace.ts';

export interface DemoSlackOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** `http://127.0.0.1:PORT/slack/events`; may be set later. */
  readonly appEventsUrl?: string;
  readonly signingSecret: string;
  readonly botToken: string;
  /** `xapp-...`; lets the app open Socket Mode connections. */
  readonly appToken?: string;
  /** What the bot token may do; default as deploy-time asks for. */
  readonly scopes?: readonly string[];
  readonly people?: readonly Person[];
  readonly channels?: readonly Channel[];
  readonly groups?: readonly Group[];
  /** Answers 429 beyond Slack's rates. Default false. */
  readonly enforceRates?: boolean;
  /** The page's menu "Make something happen". */
  readonly actions?: readonly DemoAction[];
  readonly commands?: readonly CommandHint[];
  readonly exampleArtifact?: string;
}

export interface DemoSlack extends Omit<Interactions, 'takeTrigger'> {
  /** `http://127.0.0.1:PORT`: the page. */
  readonly url: string;
  /** Ends in `/api/`: what SLACK_API_URL wants. */
  readonly apiUrl: string;
  /** Every Web API call, upload and use of a response URL, oldest first. */
  readonly calls: readonly ApiCallRecord[];
  /** Everything sent to the app, oldest first. */
  readonly deliveries: readonly Delivery[];
  /** Messages of the channel itself, oldest first, without thread replies. */
  messages(channelId: string): readonly Message[];
  /** The replies of a thread, oldest first, without its parent. */
  thread(channelId: string, ts: string): readonly Message[];
  /** What only this person sees, oldest first. */
  ephemerals(userId: string): readonly Ephemeral[];
  /** Dialogs that the person has open, bottom first. */
  views(userId: string): readonly View[];
  files(): readonly StoredFile[];
  /** Plans a fault; returns the way to call it off. */
  fail(fault: Fault): () => void;
  /** Awaited around every call; returns the way to stop. */
  onCall(hook: CallHook): () => void;
  setPerson(userId: string, patch: Partial<Person>): void;
  setGroup(groupId: string, users: readonly string[]): void;
  setChannel(channelId: string, patch: Partial<Channel>): void;
  setAppEventsUrl(url: string): void;
  /** A person writes into a channel or thread. Returns the message's ts. */
  say(userId: string, channelId: string, text: string, threadTs?: string): string;
  /** Sends an Events API event in its envelope. */
  sendEvent(event: Readonly<Record<string, unknown>>): Promise<Delivery>;
  /** Sends the same signed bytes again. */
  replay(delivery: Delivery): Promise<Delivery>;
  /** Cuts the Socket Mode connections as Slack does; how many there are. */
  disconnectSockets(reason?: 'refresh_requested' | 'link_disabled'): void;
  socketConnections(): number;
  /** Looks at once and after every change; throws after `ms` with what is in the channels. */
  waitFor<T>(look: () => T | undefined | false | null, ms?: number): Promise<T>;
  close(): Promise<void>;
}

const defaultCommands: readonly CommandHint[] = [
  { text: '/ir pivot ', hint: 'ARN, access key, IP or resource: the whole story' },
  { text: '/ir contain disable-access-key ', hint: 'ask on-call to disable a key' },
  { text: '/ir list', hint: 'open approvals' },
  { text: '/ir freeze', hint: 'stop all writes to AWS at once' },
  { text: '/ir help', hint: 'everything that can be typed' },
];

/** Starts the workspace. Rejects where the port is taken. */
export async function startDemoSlack(options: DemoSlackOptions): Promise<DemoSlack> {
  const state = createState({
    people: options.people ?? demoPeople,
    channels: options.channels ?? demoChannels,
    groups: options.groups ?? demoGroups,
  });
  const faults = createFaults();
  const sockets = createSocketMode(state.changed);
  const responseUrls = createResponseUrls(state);
  const calls: ApiCallRecord[] = [];
  const deliveries: Delivery[] = [];
  const hooks = new Set<CallHook>();
  let eventsUrl = options.appEventsUrl;
  let url = '';

  async function deliver(type: EnvelopeType, payload: Readonly<Record<string, unknown>>): Promise<Delivery> {
    const send = async (): Promise<Delivery> => {
      if (sockets.connections() > 0) return sockets.deliver(type, payload);
      if (eventsUrl !== undefined) return deliverByHttp(eventsUrl, options.signingSecret, type, payload);
      const at = new Date().toISOString();
      return { at, type, payload, via: 'nowhere', ms: 0, outcome: 'failed', error: 'dispatch_failed', body: '' };
    };
    const delivery = await send();
    deliveries.push(delivery);
    state.changed();
    return delivery;
  }

  const { takeTrigger, ...interactions } = createInteractions({ state, url: () => url, responseUrls, deliver });
  const apiWorld = {
    state,
    faults,
    rates: options.enforceRates ? createRates() : undefined,
    calls,
    hooks,
    botToken: options.botToken,
    appToken: options.appToken,
    scopes: options.scopes ?? defaultScopes,
    url: () => url,
    takeTrigger,
    socketAddress: () => sockets.address(url),
    answerResponseUrl: responseUrls.answer,
  };
  const pageWorld = {
    state,
    interactions: { ...interactions, takeTrigger },
    actions: options.actions ?? [],
    commands: options.commands ?? defaultCommands,
    exampleArtifact: options.exampleArtifact ?? 'AKIAIOSFODNN7EXAMPLE',
    isConnected: () => sockets.connections() > 0 || eventsUrl !== undefined,
  };

  const server = createServer((request, response) => {
    answerApi(apiWorld, request, response)
      .then((isDone) => (isDone ? undefined : answerPage(pageWorld, request, response)))
      .catch((error: unknown) => failed(response, error));
  });
  server.on('upgrade', (request, stream) => sockets.upgrade(request, stream));
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the demo workspace has no port');
  url = `http://127.0.0.1:${address.port}`;

  function patch<T>(map: Map<string, T>, id: string, change: Partial<T>): void {
    const old = map.get(id);
    if (!old) throw new Error(`nothing here is ${id}`);
    map.set(id, { ...old, ...change });
    state.changed();
  }

  return {
    ...interactions,
    url,
    apiUrl: `${url}/api/`,
    calls,
    deliveries,
    messages: (channelId) => state.in(channelId).filter((each) => (each.thread_ts ?? each.ts) === each.ts),
    thread: (channelId, ts) => state.in(channelId).filter((each) => each.thread_ts === ts && each.ts !== ts),
    ephemerals: (userId) => state.ephemerals.filter((each) => each.to === userId),
    views: (userId) => (state.stacks.get(userId) ?? []).flatMap((id) => state.views.get(id) ?? []),
    files: () => [...state.files.values()],
    fail: (fault) => faults.plan(fault),
    onCall(hook) {
      hooks.add(hook);
      return () => hooks.delete(hook);
    },
    setPerson: (userId, change) => patch(state.people, userId, change),
    setGroup: (groupId, users) => patch(state.groups, groupId, { users }),
    setChannel: (channelId, change) => patch(state.channels, channelId, change),
    setAppEventsUrl(changed) {
      eventsUrl = changed;
      state.changed();
    },
    say(userId, channel, text, threadTs) {
      const ts = state.nextTs();
      const thread = threadTs === undefined ? {} : { thread_ts: threadTs };
      state.add({ type: 'message', ts, channel, user: userId, team: demoIds.team, text, ...thread });
      return ts;
    },
    sendEvent: (event) =>
      deliver('events_api', {
        token: 'deprecated-verification-token',
        team_id: demoIds.team,
        api_app_id: demoIds.app,
        event,
        type: 'event_callback',
        event_id: newId('Ev'),
        event_time: Math.floor(Date.now() / 1000),
        authorizations: [
          { team_id: demoIds.team, user_id: demoIds.botUser, is_bot: true, is_enterprise_install: false },
        ],
        is_ext_shared_channel: false,
      }),
    async replay(delivery) {
      if (eventsUrl === undefined) throw new Error('the app has no address to replay to');
      return replayByHttp(eventsUrl, delivery);
    },
    disconnectSockets: (reason = 'refresh_requested') => sockets.disconnect(reason),
    socketConnections: sockets.connections,
    waitFor: <T>(look: () => T | undefined | false | null, ms = 10_000) =>
      new Promise<T>((resolve, reject) => {
        const finish = (settle: () => void) => {
          clearTimeout(timer);
          stop();
          settle();
        };
        const check = () => {
          try {
            const found = look();
            if (found !== undefined && found !== false && found !== null) finish(() => resolve(found));
          } catch (error) {
            finish(() => reject(error));
          }
        };
        const stop = state.listen(check);
        const timer = setTimeout(() => finish(() => reject(new Error(timedOut(ms)))), ms);
        check();
      }),
    async close() {
      sockets.close();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };

  function timedOut(ms: number): string {
    const said = [...state.channels.values()].flatMap((channel) =>
      state.in(channel.id).map((each) => `#${channel.name} ${each.thread_ts ? '  ' : ''}${each.text.slice(0, 160)}`),
    );
    const whispered = state.ephemerals.map((each) => `to ${each.to}: ${each.text.slice(0, 160)}`);
    const last = calls.slice(-8).map((call) => `${call.method} ${call.status ?? ''} ${call.reply?.error ?? ''}`);
    return [`not seen within ${ms} ms; the workspace holds:`, ...said, ...whispered, ...last].join('\n');
  }
}

/** A client that went away is no failure; anything else is said, and answered with 500. */
function failed(response: ServerResponse, error: unknown): void {
  if (response.destroyed) return;
  console.error('the demo workspace failed on a request', error);
  if (!response.headersSent) send(response, 500, 'application/json', '{"ok":false,"error":"fatal_error"}');
  else response.destroy();
}
