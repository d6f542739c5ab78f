/** A whole scene for tests that enter by the doors: real servers of Slack's and AWS's protocols, and the real process. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storyFindings } from '../../demo/aws/findings.ts';
import { type DemoAws, type DemoAwsOptions, startDemoAws } from '../../demo/aws/server.ts';
import { type Firebreak, type FirebreakOptions, startFirebreak } from '../../demo/firebreak.ts';
import { botToken, configFor, environmentFor, signingSecret, webhookToken } from '../../demo/setting.ts';
import { type DemoSlack, type DemoSlackOptions, startDemoSlack } from '../../demo/slack/server.ts';
import type { Message } from '../../demo/slack/workspace.ts';
import { discardServer } from './databases.ts';

export interface Scene {
  readonly aws: DemoAws;
  readonly slack: DemoSlack;
  readonly dataDir: string;
  readonly findings: ReturnType<typeof storyFindings>;
  /** The running process; `start` replaces it. */
  firebreak: Firebreak;
  /** Starts Firebreak (again) on the same data folder and waits until it is ready. */
  start(options?: Partial<FirebreakOptions>): Promise<Firebreak>;
  /** Posts to the EventBridge webhook. */
  send(body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  close(): Promise<void>;
}

export interface SceneOptions {
  readonly aws?: Partial<DemoAwsOptions>;
  readonly slack?: Partial<DemoSlackOptions>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly start?: boolean;
}

export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const began = new Date();
  const aws = await startDemoAws({ story: 's3', backgroundEvents: 40, lookupRatePerSecond: 50, ...options.aws });
  const slack = await startDemoSlack({ signingSecret, botToken, ...options.slack });
  const dataDir = mkdtempSync(join(tmpdir(), 'firebreak-scene-'));
  let firebreak: Firebreak | undefined;
  const scene: Scene = {
    aws,
    slack,
    dataDir,
    findings: storyFindings(began),
    get firebreak(): Firebreak {
      if (firebreak === undefined) throw new Error('Firebreak is not started');
      return firebreak;
    },
    set firebreak(next: Firebreak) {
      firebreak = next;
    },
    async start(more = {}) {
      const started = await startFirebreak({
        config: { ...configFor(aws), ...options.config },
        dataDir,
        ...more,
        env: { ...environmentFor(aws, slack), ...options.env, ...more.env },
      });
      firebreak = started;
      slack.setAppEventsUrl(`${started.url}/slack/events`);
      await started.ready();
      return started;
    },
    send(body, headers = { authorization: `Bearer ${webhookToken}` }) {
      return fetch(`${scene.firebreak.url}/webhooks/eventbridge`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
    },
    async close() {
      if (firebreak !== undefined && firebreak.process.exitCode === null && firebreak.process.signalCode === null) {
        await firebreak.stop();
      }
      await slack.close();
      await aws.close();
      // After a kill -9 the server of the data folder may still be there.
      discardServer(dataDir);
    },
  };
  if (options.start !== false) await scene.start();
  return scene;
}

/** All the words of a message: its text, its blocks and its buttons. */
export function wordsOf(message: Message | undefined): string {
  return message === undefined ? '' : `${message.text}\n${JSON.stringify(message.blocks ?? [])}`;
}

export function hasButton(message: Message, action: string): boolean {
  return wordsOf(message).includes(`"action_id":"${action}"`);
}
