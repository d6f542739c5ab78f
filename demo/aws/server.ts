/** The demo's AWS: one HTTP port on 127.0.0.1 that speaks the real wire protocols, enforces IAM and keeps its own CloudTrail. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createFailRules, createRateLimit, type FailRule } from './failures.ts';
import { detectorId } from './findings.ts';
import { type Hook, handle, type LoggedCall, type World } from './handle.ts';
import { seededRandom } from './ids.ts';
import { type GuardDutyDetail, type IntakeState, newIntakeState, putFinding } from './intake-state.ts';
import { type ConsoleSession, opensDoor, type SignIn, signIn } from './sign-in.ts';
import { sendTo } from './sqs.ts';
import type { State } from './state.ts';
import { s3Story } from './stories/s3.ts';
import type { Story } from './stories/story.ts';
import { createTrail, type TrailRecord } from './trail.ts';
import { buildCast, type Cast } from './world.ts';

export interface DemoAwsOptions {
  readonly port?: number;
  /** The story's clock. Signatures are checked against the machine's. */
  readonly now?: () => Date;
  readonly story?: Story | 's3' | 'empty';
  /** Calls of the DevOps role behind the shared address, over 7 days. 1,257 where absent. */
  readonly backgroundEvents?: number;
  /** 2 where absent, as AWS has it, per account and Region. */
  readonly lookupRatePerSecond?: number;
  /** How long authorisation lags behind a change of a key; reads show it at once. 0 where absent. */
  readonly iamDelayMs?: number;
  /** How long a record takes to appear in LookupEvents. 0 where absent. */
  readonly trailDelayMs?: number;
  /** Of the story's randomness. */
  readonly seed?: number;
}

export interface DemoAws {
  readonly url: string;
  close(): Promise<void>;
  readonly state: State;
  /** Every call, oldest first, the last 20,000. */
  readonly calls: readonly LoggedCall[];
  /** Every CloudTrail record, in the order written. */
  readonly trail: readonly TrailRecord[];
  readonly credentials: Cast['credentials'];
  readonly accounts: Cast['accounts'];
  /**
   * Awaited before a call is handled and again before it is answered. Returns what removes it. A call whose client dies
   * meanwhile is still handled, unless the hook answers `drop` in phase `before`.
   */
  onRequest(hook: Hook): () => void;
  /** The console's sign-in page: the session's credentials, or undefined where it refuses. */
  signIn(asked: SignIn): ConsoleSession | undefined;
  /** Whether a service lets in who presents this SSH key, service password or certificate. */
  opensDoor(credentialId: string): boolean;
  /** GuardDuty holds this finding from now on: an event as EventBridge delivers it. */
  addFinding(event: { readonly detail: Readonly<Record<string, unknown>> }): void;
  /** GuardDuty is delegated to the hub: it is on there too, and holds what all accounts have. */
  delegateGuardDuty(): void;
  /** Makes a queue in the hub account. `send` puts a message into it. */
  addQueue(name: string, options?: { readonly visibilityMs?: number }): DemoQueue;
  /** A subscription waits for its confirmation. */
  addConfirmation(token: string, topicArn: string): void;
  /** Makes calls fail. Returns what ends it. */
  fail(rule: FailRule): () => void;
}

export interface DemoQueue {
  /** In the form of AWS, whatever the server's own address is. */
  readonly url: string;
  send(body: unknown): string;
  /** How many messages are in it, handed out or not. */
  size(): number;
}

const bodyLimit = 1_048_576;
const intakeRegion = 'us-east-1';

/** GuardDuty is on in every enabled Region of the workshop, and holds nothing yet. */
function intakeOf({ workshop }: Cast): IntakeState {
  const state = newIntakeState();
  for (const [region, status] of workshop.regions) {
    if (status !== 'DISABLED') state.detectors.set(`${workshop.id}/${region}`, detectorId);
  }
  return state;
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function answer(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) {
    response.writeHead(413).end();
    return;
  }
  const { method = 'GET', url = '/', headers } = request;
  const wire = await handle(world, { method, url, headers, body }, () => request.socket.destroyed);
  if (wire === 'hang') return;
  if (wire === 'close') {
    request.socket.destroy();
    return;
  }
  response.writeHead(wire.status, { ...wire.headers, date: new Date().toUTCString() });
  response.end(wire.body);
}

function loadStory(world: World, cast: Cast, options: DemoAwsOptions): void {
  const wanted = options.story ?? 's3';
  const story = wanted === 's3' ? s3Story : wanted;
  if (story === 'empty') return;
  const records: TrailRecord[] = [];
  story.load({
    cast,
    now: world.now(),
    random: seededRandom(options.seed ?? 3),
    backgroundEvents: options.backgroundEvents ?? 1257,
    record: (record) => records.push(record),
  });
  records.sort((a, b) => Date.parse(a.eventTime) - Date.parse(b.eventTime));
  for (const record of records) world.trail.add(record, Date.parse(record.eventTime));
}

/** Starts the world. Port 0 where absent; `url` has the one taken. */
export async function startDemoAws(options: DemoAwsOptions = {}): Promise<DemoAws> {
  const now = options.now ?? (() => new Date());
  const cast = buildCast(now());
  const world: World = {
    state: {
      accounts: new Map([cast.hub, cast.workshop].map((account) => [account.id, account])),
      sessions: new Map(),
      intake: intakeOf(cast),
      iamDelayMs: options.iamDelayMs ?? 0,
    },
    trail: createTrail(),
    calls: [],
    random: seededRandom(now().getTime()),
    rules: createFailRules(),
    hooks: new Set(),
    trailDelayMs: options.trailDelayMs ?? 0,
    now,
    lookupAllowed: createRateLimit(options.lookupRatePerSecond ?? 2),
  };
  loadStory(world, cast, options);
  const server = createServer((request, response) => {
    answer(world, request, response).catch((error: unknown) => {
      // The client is gone, or this server has a fault: say it, and cut this connection only.
      if (!request.destroyed || !response.destroyed) console.error('demo AWS could not answer', error);
      request.socket.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
    state: world.state,
    calls: world.calls,
    trail: world.trail.records,
    credentials: cast.credentials,
    accounts: cast.accounts,
    addFinding: ({ detail }) => putFinding(world.state.intake, detail as GuardDutyDetail),
    delegateGuardDuty() {
      const { intake } = world.state;
      intake.administrator = cast.hub.id;
      for (const place of [...intake.detectors.keys()]) {
        const region = place.split('/')[1] ?? '';
        intake.detectors.set(`${cast.hub.id}/${region}`, `administrator-${region}`);
      }
    },
    addQueue(name, { visibilityMs = 30_000 } = {}) {
      const url = `https://sqs.${intakeRegion}.amazonaws.com/${cast.hub.id}/${name}`;
      const queue = {
        ...{ url, name, visibilityMs, region: intakeRegion, accountId: cast.hub.id },
        messages: [],
      };
      world.state.intake.queues.set(name, queue);
      return {
        url,
        send: (body) => sendTo(queue, typeof body === 'string' ? body : JSON.stringify(body)),
        size: () => queue.messages.length,
      };
    },
    addConfirmation(token, topicArn) {
      world.state.intake.confirmations.set(token, { topicArn, confirmed: undefined });
    },
    onRequest(hook) {
      world.hooks.add(hook);
      return () => world.hooks.delete(hook);
    },
    signIn: (asked) => signIn(world.state, world.trail, asked, now()),
    opensDoor: (credentialId) => opensDoor(world.state, credentialId),
    fail: (rule) => world.rules.add(rule),
  };
}
