/** What comes in is neither lost nor said twice, whatever dies or stays away meanwhile: Firebreak, Slack, the database. */
import { readdirSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Firebreak, startFirebreak } from '../../demo/firebreak.ts';
import { configFor, environmentFor } from '../../demo/setting.ts';
import { demoIds, type Message } from '../../demo/slack/workspace.ts';
import { redisMissing, startTestRedis, temporaryFolder } from '../support/databases.ts';
import { run, sql } from '../support/doors.ts';
import {
  eventually,
  idle,
  isIdle,
  type Killer,
  killAtCall,
  killAtTransition,
  killLater,
  serverOf,
} from '../support/killing.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const key = 'AKIAIOSFODNN7EXAMPLE';
const { alerts, rosa, omar } = demoIds;
const longMs = 180_000;

interface Finding {
  readonly id: string;
  readonly detail: Readonly<Record<string, unknown>> & { readonly service: Readonly<Record<string, unknown>> };
}

let made = 0;
/** A finding of its own, which no other test sends. */
function another(scene: Scene): Finding {
  made += 1;
  const event = structuredClone(scene.findings.accessKey) as unknown as Finding;
  const id = `${made}`.padStart(32, 'f');
  return { ...event, id: `finding-${made}`, detail: { ...event.detail, id } };
}

/** The same finding, seen so many times. */
function again(finding: Finding, count: number): Finding {
  const updatedAt = new Date(Date.now() + count * 1_000).toISOString();
  return {
    ...finding,
    id: `${finding.id}-${count}`,
    detail: { ...finding.detail, updatedAt, service: { ...finding.detail.service, count } },
  };
}

function findingCards(scene: Scene): readonly Message[] {
  return scene.slack.messages(alerts).filter(isFindingCard);
}

/** Answers have buttons to pivot further, too. */
function isFindingCard(message: Message): boolean {
  return hasButton(message, 'pivot') && !message.text.includes('Looked at');
}

/** Sends as EventBridge does: again and again until it is taken. Returns the statuses; 0 where nobody answered. */
async function sendUntilTaken(scene: Scene, finding: Finding, withinMs = 30_000): Promise<number[]> {
  const statuses: number[] = [];
  await eventually(
    'the finding is taken',
    async () => {
      statuses.push(
        await scene.send(finding).then(
          ({ status }) => status,
          () => 0,
        ),
      );
      return statuses.at(-1) === 202;
    },
    withinMs,
  );
  return statuses;
}

describe('kill -9 of a process that was started for the first time', () => {
  it('leaves its compiled code behind, so that the next start is faster', { timeout: longMs }, async () => {
    const compiled = temporaryFolder('compiled');
    const scene = await openScene({ env: { NODE_COMPILE_CACHE: compiled } });
    try {
      await scene.firebreak.kill();
      const files = readdirSync(compiled, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      // Of its own modules alone there are hundreds.
      expect(files.length).toBeGreaterThan(500);
    } finally {
      await scene.close();
      rmSync(compiled, { recursive: true, force: true });
    }
  });
});

describe('kill -9 between 202 and the card', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene();
  });
  afterAll(() => scene?.close());

  const points: readonly (readonly [string, (scene: Scene) => Promise<Killer>])[] = [
    ['at once', (on) => killLater(on, 0)],
    ['after 15 ms', (on) => killLater(on, 15)],
    ['after 40 ms', (on) => killLater(on, 40)],
    ['while the case is opened', (on) => killAtTransition(on, 'within', 1)],
    ['when the case has been opened', (on) => killAtTransition(on, 'past', 1)],
    ['before the card is posted', (on) => killAtCall(on, (event) => event === 'slack chat.postMessage before 1')],
    ['after the card was posted', (on) => killAtCall(on, (event) => event === 'slack chat.postMessage after 1')],
  ];

  it.each(points)('%s: exactly one card', { timeout: longMs }, async (_where, arm) => {
    const before = findingCards(scene).length;
    const finding = another(scene);
    const killer = await arm(scene);
    const status = await scene.send(finding).then(
      (answer) => answer.status,
      () => 0,
    );
    await eventually('it is killed', () => killer.at() !== undefined);
    await killer.stop();
    await scene.start();
    // What was taken is never sent again; what was not is.
    if (status !== 202) await sendUntilTaken(scene, finding);

    await eventually('the card is there', () => findingCards(scene).length > before, 30_000);
    await idle(scene);

    expect(findingCards(scene)).toHaveLength(before + 1);
  });

  it('leaves the buttons of messages from before all the restarts working', async () => {
    const [first] = findingCards(scene);
    expect((await scene.slack.click(rosa, alerts, first?.ts ?? '', 'acknowledge')).outcome).toBe('ok');
    await eventually('the card shows who', () => wordsOf(findingCards(scene)[0]).includes(rosa));
    expect((await scene.slack.click(rosa, alerts, first?.ts ?? '', 'contain')).outcome).toBe('ok');
    await eventually('the approval card comes', () =>
      scene.slack.messages(alerts).some((one) => hasButton(one, 'approve')),
    );
  });
});

describe('while Slack is away', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene();
  });
  afterAll(() => scene?.close());

  it.each(['close', '500', '429', 'hang'] as const)(
    'findings are taken all the same, and each gets exactly one card later: %s',
    { timeout: longMs },
    async (how) => {
      const before = findingCards(scene).length;
      const asked = scene.slack.calls.length;
      const back = scene.slack.fail({ method: '*', how, times: Number.POSITIVE_INFINITY, retryAfter: 1 });
      const finding = another(scene);
      const sent = [finding, another(scene), again(finding, 2), again(finding, 3), another(scene)];
      const statuses = await Promise.all(sent.map(async (each) => (await scene.send(each)).status));
      expect(statuses).toEqual([202, 202, 202, 202, 202]);
      await eventually('Slack was asked', () =>
        scene.slack.calls.slice(asked).some((call) => call.method === 'chat.postMessage'),
      );
      await eventually(
        'readyz says so',
        async () => {
          const answer = await fetch(`${scene.firebreak.url}/readyz`);
          const { parts } = (await answer.json()) as { parts: { slack: { ok: boolean } } };
          expect(answer.status).toBe(200);
          return !parts.slack.ok;
        },
        20_000,
      );
      back();

      await eventually('every card is there', () => findingCards(scene).length >= before + 3, 60_000);
      await idle(scene, 60_000);

      expect(findingCards(scene)).toHaveLength(before + 3);
      const [mine] = findingCards(scene)
        .slice(before)
        .filter((card) => wordsOf(card).includes('3 times'));
      expect(wordsOf(mine ?? findingCards(scene)[before])).toMatch(/\b3\b/);
    },
  );

  it('a card whose post was done but not answered is not posted again', { timeout: longMs }, async () => {
    const before = findingCards(scene).length;
    scene.slack.fail({ method: 'chat.postMessage', how: 'afterThenClose', times: 2 });
    await Promise.all([sendUntilTaken(scene, another(scene)), sendUntilTaken(scene, another(scene))]);

    await eventually('both cards are there', () => findingCards(scene).length >= before + 2);
    await idle(scene);

    expect(findingCards(scene)).toHaveLength(before + 2);
  });

  it('many versions of one finding at the same moment share one card, which shows the newest', async () => {
    const before = findingCards(scene).length;
    const finding = another(scene);
    const versions = [finding, ...[2, 3, 4, 5, 6].map((count) => again(finding, count))];
    await Promise.all(versions.map((version) => sendUntilTaken(scene, version)));

    await eventually('a card is there', () => findingCards(scene).length > before);
    await idle(scene);

    expect(findingCards(scene)).toHaveLength(before + 1);
    expect(wordsOf(findingCards(scene).at(-1))).toMatch(/\b6\b/);
  });
});

describe('when the database is killed under the running process', () => {
  it('webhooks answer 503 until it is back, by itself, and nothing that was taken is lost', {
    timeout: longMs,
  }, async () => {
    const scene = await openScene();
    try {
      const { process: running } = scene.firebreak;
      for (const round of [1, 2]) {
        const before = findingCards(scene).length;
        const findings = Array.from({ length: 8 }, () => another(scene));
        const first = findings.slice(0, 3).map((finding) => sendUntilTaken(scene, finding));
        if (round > 1) await Promise.all(first);
        const server = serverOf(scene);
        process.kill(server.pid, 'SIGKILL');
        const statuses = (
          await Promise.all([...first, ...findings.slice(3).map((finding) => sendUntilTaken(scene, finding))])
        ).flat();

        expect(new Set(statuses)).toEqual(new Set(statuses.includes(503) ? [503, 202] : [202]));
        await eventually('it is ready', async () => (await fetch(`${scene.firebreak.url}/readyz`)).status === 200);
        await eventually('every card is there', () => findingCards(scene).length >= before + 8, 60_000);
        await idle(scene);
        expect(findingCards(scene)).toHaveLength(before + 8);
        expect(serverOf(scene).pid).not.toBe(server.pid);
        expect(running.exitCode).toBeNull();
      }
    } finally {
      await scene.close();
    }
  });
});

describe.skipIf(redisMissing() !== undefined)(`while the queue is away (${redisMissing() ?? 'Redis is here'})`, () => {
  it('what people ask for and approve is taken, and runs once when it is back; SIGTERM ends the process', {
    timeout: longMs,
  }, async () => {
    const redis = await startTestRedis();
    const scene = await openScene({ env: { REDIS_URL: redis.url } });
    try {
      await sendUntilTaken(scene, another(scene));
      const card = await scene.slack.waitFor(() => findingCards(scene)[0], 30_000);
      expect((await scene.slack.click(rosa, alerts, card.ts, 'contain')).outcome).toBe('ok');
      const approvals = () =>
        scene.slack.messages(alerts).filter((message) => wordsOf(message).includes('disable access key'));
      const approval = await scene.slack.waitFor(
        () => approvals().find((message) => hasButton(message, 'approve')),
        30_000,
      );
      await redis.kill();

      const asked = await scene.slack.slash(rosa, alerts, `pivot ${key} --depth 1`);
      const voted = await scene.slack.click(omar, alerts, approval.ts, 'approve');

      // To say that nothing was started would be untrue: both run as soon as the queue is back.
      expect(asked.body).toContain('The answer comes in a thread');
      expect(voted.outcome).toBe('ok');
      expect((await fetch(`${scene.firebreak.url}/readyz`)).status).toBe(503);
      await redis.restart();
      await eventually('the key is disabled', () => wordsOf(approvals().at(-1)).includes('Done and verified'));
      await eventually('the pivot is told', () =>
        scene.slack.messages(alerts).some((message) => message.text.includes('Looked at')),
      );
      expect(approvals()).toHaveLength(1);

      await redis.kill();
      const [{ id: caseId = '' } = {}] = await sql<{ id: string }>(scene, 'select id from cases');
      const closed = await scene.slack.slash(omar, alerts, `restrict ${caseId} <@${rosa}>`);
      expect(closed.body).toContain(`${caseId} is closed, but its cards could not be taken out of the channels yet`);
      const began = Date.now();
      expect(await scene.firebreak.stop()).toBe(0);
      expect(Date.now() - began).toBeLessThan(30_000);
    } finally {
      await scene.close();
      await redis.stop();
    }
  });
});

describe('an investigation that is killed', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene({ config: { regions: ['us-east-1'] }, aws: { lookupRatePerSecond: 100 } });
  });
  afterAll(() => scene?.close());

  const picturesIn = (ts: string) => scene.slack.thread(alerts, ts).flatMap((message) => message.files ?? []).length;
  const headlines = () => scene.slack.messages(alerts).filter((message) => message.text.includes('Looked at'));

  it.each([
    'aws LookupEvents after 2',
    'slack chat.postMessage after 1',
    'slack chat.postMessage after 2',
    'slack files.completeUploadExternal before 1',
  ])('at "%s" ends in one headline, one report and its pictures', { timeout: longMs }, async (point) => {
    const before = new Set(scene.slack.messages(alerts).map((message) => message.ts));
    const killer = await killAtCall(scene, (event) => event === point);
    expect((await scene.slack.slash(rosa, alerts, `pivot ${key} --depth 1`)).outcome).toBe('ok');
    await eventually('it is killed', () => killer.at() !== undefined, 60_000);
    await killer.stop();
    await scene.start();

    await eventually('it is told', () => headlines().some((message) => !before.has(message.ts)), 60_000);
    await idle(scene);

    const news = scene.slack.messages(alerts).filter((message) => !before.has(message.ts));
    expect(news).toHaveLength(1);
    const thread = scene.slack.thread(alerts, news[0]?.ts ?? '');
    expect(thread.filter((message) => wordsOf(message).includes('What was looked at'))).toHaveLength(1);
    await eventually('its pictures are there', () => picturesIn(news[0]?.ts ?? '') >= 2);
  });

  it('SIGTERM in the middle of it ends the process in time, and the next one goes on', {
    timeout: longMs,
  }, async () => {
    const before = new Set(scene.slack.messages(alerts).map((message) => message.ts));
    let asked = false;
    const stopWatching = scene.aws.onRequest((call) => {
      asked ||= call.operation === 'LookupEvents';
    });
    expect((await scene.slack.slash(rosa, alerts, `pivot ${key} --depth 1`)).outcome).toBe('ok');
    await sendUntilTaken(scene, another(scene));
    await eventually('it is under way', () => asked, 30_000);
    stopWatching();
    const began = Date.now();
    expect(await scene.firebreak.stop()).toBe(0);
    expect(Date.now() - began).toBeLessThan(30_000);
    await scene.start();

    await eventually('it is told', () => headlines().some((message) => !before.has(message.ts)), 60_000);
    await eventually('the card is there', () => findingCards(scene).some((message) => !before.has(message.ts)));
    await idle(scene);

    const news = scene.slack.messages(alerts).filter((message) => !before.has(message.ts));
    expect(news.filter((message) => message.text.includes('Looked at'))).toHaveLength(1);
    expect(news.filter(isFindingCard)).toHaveLength(1);
  });
});

describe('three processes on one data folder', () => {
  let scene: Scene;
  let worker: Firebreak;
  let executor: Firebreak;

  function start(role: 'worker' | 'executor'): Promise<Firebreak> {
    const all = environmentFor(scene.aws, scene.slack);
    const own = Object.fromEntries(
      Object.entries(all).filter(([name]) => role === 'worker' || name.startsWith('AWS_')),
    );
    return startFirebreak({ role, config: configFor(scene.aws), dataDir: scene.dataDir, env: own });
  }
  const keyStatus = () =>
    [...scene.aws.state.accounts.values()]
      .flatMap((account) => [...account.users.values()])
      .flatMap((user) => [...user.keys])
      .find((entry) => entry.id === key)
      ?.history.at(-1)?.status;
  const approvalCards = () =>
    scene.slack.messages(alerts).filter((message) => wordsOf(message).includes('disable access key'));

  async function decide(from: string, button: 'contain' | 'undo'): Promise<Message> {
    const before = new Set(approvalCards().map((message) => message.ts));
    expect((await scene.slack.click(rosa, alerts, from, button)).outcome).toBe('ok');
    const isNew = (message: Message) => !before.has(message.ts) && hasButton(message, 'approve');
    const card = await scene.slack.waitFor(() => approvalCards().find(isNew), 30_000);
    expect((await scene.slack.click(omar, alerts, card.ts, 'approve')).outcome).toBe('ok');
    return scene.slack.waitFor(
      () => approvalCards().find((message) => message.ts === card.ts && wordsOf(message).includes('Done and verified')),
      30_000,
    );
  }

  beforeAll(async () => {
    scene = await openScene({ start: false });
    await scene.start({ role: 'web' });
    worker = await start('worker');
    executor = await start('executor');
    await Promise.all([worker.ready(), executor.ready()]);
  });
  afterAll(async () => {
    await Promise.all([worker, executor].map((each) => each?.stop()));
    await scene?.close();
  });

  it('carry the main job together, the executor without a word of Slack', { timeout: longMs }, async () => {
    await sendUntilTaken(scene, another(scene));
    const finding = await scene.slack.waitFor(() => findingCards(scene)[0], 15_000);

    await decide(finding.ts, 'contain');

    expect(keyStatus()).toBe('Inactive');
    const own = await fetch(`http://127.0.0.1:${executor.port}/healthz`).then(
      () => 'a port',
      () => 'no port',
    );
    expect(own).toBe('no port');
  });

  it('refuse a second worker on the same folder, by name', async () => {
    const second = await start('worker');
    await eventually('it has ended', () => second.process.exitCode !== null);

    expect(second.process.exitCode).toBe(2);
    expect(second.log()).toContain('already runs as worker');
    expect(second.log()).toContain(String(worker.pid));
    expect(await second.stop()).toBe(2);
  });

  it('go on when the one that started the database is killed, and take it back in', { timeout: longMs }, async () => {
    const server = serverOf(scene).pid;
    await scene.firebreak.kill();
    expect((await run(['audit', 'verify'], { env: { FIREBREAK_DATA_DIR: scene.dataDir } })).code).toBe(0);
    await scene.start({ role: 'web' });

    await sendUntilTaken(scene, another(scene));
    await eventually('the card is there', () => findingCards(scene).length === 2);
    const done = approvalCards().find((message) => hasButton(message, 'undo'));
    await decide(done?.ts ?? '', 'undo');

    expect(keyStatus()).toBe('Active');
    expect(serverOf(scene).pid).toBe(server);
  });

  it('go on when worker and executor are killed in the middle of the write', { timeout: longMs }, async () => {
    const writes = () => scene.aws.calls.filter((call) => call.operation === 'UpdateAccessKey').length;
    const before = writes();
    const stop = scene.aws.onRequest(async (call) => {
      if (call.operation !== 'UpdateAccessKey' || call.phase !== 'after') return;
      stop();
      await Promise.all([worker.kill(), executor.kill()]);
      worker = await start('worker');
      executor = await start('executor');
    });
    await decide(findingCards(scene)[0]?.ts ?? '', 'contain');
    await eventually('all is quiet', () => isIdle(scene));

    expect(writes()).toBe(before + 1);
    expect(keyStatus()).toBe('Inactive');
    const [last] = await sql<{ state: string; verified: number }>(
      scene,
      `select state, (select count(*)::int from audit where approval_id = a.id and event = 'verify') as verified
      from approvals a order by number desc limit 1`,
    );
    expect(last).toEqual({ state: 'verified', verified: 1 });
  });
});
