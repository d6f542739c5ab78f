/** The sweep of a triage by the doors that people use: a thread that reads on a phone, and the shell's JSON. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { fargateTasks } from '../../demo/aws/services-state.ts';
import { configFor, environmentFor } from '../../demo/setting.ts';
import { demoIds } from '../../demo/slack/workspace.ts';
import { run } from '../support/doors.ts';
import { openScene, type Scene, wordsOf } from '../support/scene.ts';

const { alerts, rosa } = demoIds;
const strange = ['us-west-2', 'eu-central-1', 'ap-south-1', 'sa-east-1', 'ca-central-1', 'eu-north-1'];
const folder = mkdtempSync(join(tmpdir(), 'firebreak-services-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the sweep of a triage', { timeout: 120_000 }, () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene();
    const { id } = scene.aws.accounts.workshop;
    const services = scene.aws.state.accounts.get(id)?.services;
    for (const region of strange) {
      const where = { accountId: id, region, cluster: 'default' };
      const what = { family: 'worker', cpu: 16_384, memory: 32_768, image: 'docker.io/someone/worker' };
      const tasks = fargateTasks(where, what, new Date(), 9);
      services?.clusters.set(`arn:aws:ecs:${region}:${id}:cluster/default`, { region, tasks, services: [] });
    }
  }, 120_000);
  afterAll(() => scene?.close());

  it('tells the worst first in the thread, what is the same in many Regions once, and the rest in a file', async () => {
    await scene.slack.slash(rosa, alerts, 'triage');
    const thread = await scene.slack.waitFor(() => {
      const [root] = scene.slack.messages(alerts);
      const all = root === undefined ? [] : [root, ...scene.slack.thread(alerts, root.ts)];
      return all.some(({ files }) => files?.some(({ name }) => name === 'sweep.csv')) ? all : undefined;
    }, 90_000);

    const told = thread.find((message) => wordsOf(message).includes('What exists now'));
    const words = wordsOf(told);

    expect(words.match(/Fargate tasks of worker/g)).toHaveLength(1);
    expect(words).toMatch(/\$42\.66 per hour in 6 Regions/);
    expect(words).toContain('the same in 6 Regions');
    expect(words.indexOf('Fargate tasks of worker')).toBeGreaterThan(words.indexOf('What exists now'));
    expect(words.indexOf('Fargate tasks of worker')).toBeLessThan(words.indexOf('forecast-dev'));
    expect(words.indexOf('forecast-dev')).toBeLessThan(words.indexOf('t2[.]nano'));
    expect(words).toContain('a free mailbox');
    expect(words).toContain('Now: ECS tasks and services in 7 Regions, 6 of them new in the window');
    expect(words).toContain('No full answer from');
    // Slack's own limit for a message is 13,200 characters of blocks and more; a phone's reader has less patience.
    expect(JSON.stringify(told?.blocks).length).toBeLessThan(13_000);
    expect(wordsOf(thread[0])).toContain('things in other services stand out');
  });

  it('is in the JSON of the shell, thing by thing, with what it costs', async () => {
    const config = join(folder, 'firebreak.yml');
    writeFileSync(config, stringify(configFor(scene.aws)));
    const env = { ...environmentFor(scene.aws, scene.slack), FIREBREAK_CONFIG: config, HOME: folder };
    const { stdout, code } = await run(['ir', 'triage', '--json'], { cwd: folder, env });

    const { sweep, steps, coverage, verdict } = JSON.parse(stdout);
    const tasks = sweep.things.filter(
      ({ read, count }: { read: string; count: number }) => read.startsWith('ECS') && count === 9,
    );
    expect(code).toBe(coverage.complete ? 0 : 3);
    expect(tasks.map(({ region }: { region: string }) => region).sort()).toEqual([...strange].sort());
    expect(tasks[0].hourly).toBeCloseTo(9 * (16 * 0.04048 + 32 * 0.004445), 3);
    expect(steps.find(({ id }: { id: string }) => id === 'containers')).toMatchObject({ state: 'hits', evidence: [] });
    expect(sweep.services.find(({ read }: { read: string }) => read === 'support cases').state).toBe('not-looked-at');
    expect(verdict).toContain('in other services stand out');
    expect(stdout).not.toMatch(/"clean"/);
  });
});
