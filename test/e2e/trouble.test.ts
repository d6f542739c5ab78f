/** Trouble on the other side of every door, on the real process: Slack, AWS, the disk, the port, the folder, the config. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { configFor, environmentFor } from '../../demo/setting.ts';
import { demoIds, demoPeople, type Message } from '../../demo/slack/workspace.ts';
import { run, sql } from '../support/doors.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const key = 'AKIAIOSFODNN7EXAMPLE';
const { alerts, critical, rosa, omar, onCall } = demoIds;

let numbers = 0;
/** A finding of its own, told by its name, which the card shows as the call. */
function findingOf(scene: Scene, name: string, severity = 5): Record<string, unknown> {
  numbers += 1;
  const base = scene.findings.accessKey;
  const service = base.detail.service as Record<string, unknown>;
  const action = { actionType: 'AWS_API_CALL', awsApiCallAction: { api: name, serviceName: 'ec2.amazonaws.com' } };
  return {
    ...base,
    detail: { ...base.detail, id: `own-${numbers}`, arn: undefined, severity, service: { ...service, action } },
  };
}

function cardsOf(scene: Scene, name: string, channel: string = alerts): readonly Message[] {
  return scene.slack.messages(channel).filter((message) => wordsOf(message).includes(name));
}

describe('Slack and AWS in trouble', () => {
  const newcomer = 'U07NEW3COMER';
  let scene: Scene;
  let troubledPivot: Promise<unknown>;

  beforeAll(async () => {
    const people = [...demoPeople, { ...demoPeople[0], id: newcomer, email: 'new@acme-cloud.example' } as never];
    scene = await openScene({ aws: { backgroundEvents: 0 }, slack: { people }, start: false });
    scene.aws.fail({ operation: 'LookupEvents', region: 'eu-west-1', how: 'accessDenied' });
    scene.aws.fail({ operation: 'LookupEvents', region: 'eu-west-2', how: 'html' });
    scene.aws.fail({ operation: 'LookupEvents', region: 'eu-west-3', how: 'html', status: 200 });
    scene.aws.fail({ operation: 'LookupEvents', region: 'eu-north-1', how: '500' });
    scene.aws.fail({ operation: 'LookupEvents', region: 'eu-central-1', how: 'hang' });
    scene.aws.fail({ operation: 'LookupEvents', region: 'ca-central-1', how: 'throttle', times: 2 });
    await scene.start({
      config: {
        ...configFor(scene.aws),
        channels: { default: alerts, critical },
        responders: { users: [rosa, omar, newcomer] },
        approvers: { users: [omar], groups: [onCall] },
        regions: ['us-east-1'],
      },
    });
    // Takes its half minute beside everything else; looked at below.
    troubledPivot = scene.slack.slash(
      omar,
      alerts,
      `pivot ${key} --regions us-east-1,ca-central-1,eu-west-1,eu-west-2,eu-west-3,eu-north-1,eu-central-1`,
    );
    await scene.slack.waitFor(() => scene.slack.messages(alerts).some((message) => message.text.includes('running')));
    // The app is not in this channel. What was answered 202 does not wait until somebody invites it.
    scene.slack.setChannel(critical, { isMember: false });
    expect((await scene.send(findingOf(scene, 'WhileNotInvited', 9.5))).status).toBe(202);
    await scene.slack.waitFor(() => scene.slack.calls.some((call) => call.reply?.error === 'not_in_channel'), 15_000);
  });
  afterAll(() => scene?.close());

  it('posts each card once, whatever Slack answers in between', async () => {
    const ways = ['429', '500', 'html', 'close', 'hang', 'afterThenClose'] as const;
    for (const how of ways) scene.slack.fail({ method: 'chat.postMessage', how, retryAfter: 3 });
    const names = ways.map((_, index) => `TroubledCall${index}x`);

    for (const name of names) expect((await scene.send(findingOf(scene, name))).status).toBe(202);

    for (const name of names) await scene.slack.waitFor(() => cardsOf(scene, name).length > 0, 40_000);
    for (const name of names) expect([name, cardsOf(scene, name).length]).toEqual([name, 1]);
    // A card is seen a moment before it is noted down.
    const handled = "select id from alerts where handled_at is not null and raw::text like '%TroubledCall%'";
    await vi.waitFor(async () => expect(await sql(scene, handled)).toHaveLength(ways.length), {
      timeout: 30_000,
      interval: 200,
    });
    const hit = scene.slack.calls.filter((call) => call.fault !== undefined).map((call) => call.fault);
    expect(hit).toEqual(expect.arrayContaining([...ways]));
  });

  it('waits as long as Slack asked for after a 429', async () => {
    const posts = () => scene.slack.calls.filter((call) => call.method === 'chat.postMessage');
    const index = posts().findIndex((call) => call.fault === '429');
    const refused = posts()[index];
    // Whatever was refused may be put off by its job as well; it is posted to the same channel later in any case.
    const again = await scene.slack.waitFor(
      () =>
        posts()
          .slice(index + 1)
          .find((call) => call.args.channel === refused?.args.channel),
      60_000,
    );

    expect(Date.parse(again.at) - Date.parse(refused?.at ?? '')).toBeGreaterThanOrEqual(2_900);
  });

  it('sends a plainer form where Slack refuses the blocks, and the bare sentence where it refuses that too', async () => {
    scene.slack.fail({ method: 'chat.postMessage', how: 'error', error: 'invalid_blocks', holding: 'PlainerCall' });
    expect((await scene.send(findingOf(scene, 'PlainerCall'))).status).toBe(202);
    const plainer = await scene.slack.waitFor(() => cardsOf(scene, 'PlainerCall')[0], 15_000);
    expect(new Set((plainer.blocks ?? []).map((block) => block.type))).toEqual(new Set(['section', 'actions']));
    for (const action of ['pivot', 'contain', 'acknowledge']) expect(hasButton(plainer, action)).toBe(true);

    scene.slack.fail({
      method: 'chat.postMessage',
      how: 'error',
      error: 'invalid_blocks',
      times: 2,
      holding: 'BareCall',
    });
    expect((await scene.send(findingOf(scene, 'BareCall'))).status).toBe(202);
    const count = scene.slack.messages(alerts).length;
    const bare = await scene.slack.waitFor(
      () => scene.slack.messages(alerts).find((message, index) => index >= count - 1 && message.blocks === undefined),
      15_000,
    );
    expect(bare.text).toMatch(/^Medium 5\.0 severity finding in workshop-prod/);
  });

  it('takes findings while Slack is silent, and says so where it is asked how it is', async () => {
    const stop = scene.slack.fail({ method: '*', how: 'hang', times: 1_000 });
    const began = Date.now();

    expect((await scene.send(findingOf(scene, 'SilentCall'))).status).toBe(202);
    expect(Date.now() - began).toBeLessThan(1_000);
    const unknown = await scene.slack.slash(newcomer, alerts, `contain disable-access-key ${key}`);
    expect([unknown.status, unknown.ms < 3_000]).toEqual([200, true]);
    expect(unknown.body).toMatch(/Slack does not tell who you are|not certain that it was started/);
    const ready = await fetch(`${scene.firebreak.url}/readyz`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ parts: { slack: { required: false }, database: { ok: true } } });
    stop();

    await scene.slack.waitFor(() => cardsOf(scene, 'SilentCall').length > 0, 40_000);
    expect(cardsOf(scene, 'SilentCall')).toHaveLength(1);
    expect(await sql(scene, 'select id from containment_requests')).toEqual([]);
  });

  it('answers a pivot although Regions fail in every way, names each, and calls the answer not complete', async () => {
    await troubledPivot;

    const headline = await scene.slack.waitFor(
      () => scene.slack.messages(alerts).find((message) => message.text.includes('Looked at')),
      75_000,
    );

    expect(headline.text).toContain('NOT COMPLETE');
    const thread = await scene.slack.waitFor(() => {
      const words = scene.slack.thread(alerts, headline.ts).map(wordsOf).join('\n');
      return words.includes('What was looked at') ? words : undefined;
    }, 15_000);
    for (const region of ['eu-west-1', 'eu-west-2', 'eu-west-3', 'eu-north-1', 'eu-central-1']) {
      expect([region, thread.includes(`LookupEvents ${region}`)]).toEqual([region, true]);
    }
    expect(thread).not.toContain('LookupEvents ca-central-1');
    for (const word of ['pipeline', 'RunInstances', 'AccessDenied', "not AWS's"]) expect(thread).toContain(word);
  });

  it('never says that nothing is there when no Region answered', async () => {
    const stop = scene.aws.fail({ operation: 'LookupEvents', how: 'accessDenied' });
    const known = scene.slack.messages(alerts).length;

    await scene.slack.slash(rosa, alerts, 'pivot 203.0.113.99');

    const headline = await scene.slack.waitFor(
      () =>
        scene.slack
          .messages(alerts)
          .slice(known)
          .find((message) => message.text.includes('Looked at')),
      30_000,
    );
    stop();
    expect(headline.text).toContain('NOT COMPLETE');
    expect(headline.text).toMatch(/not everything could be looked at|could not be looked at/i);
    expect(wordsOf(headline)).toContain('NOT COMPLETE');
  });

  it('says why there is no plan where AWS denies the look, and makes it where AWS only stumbles', async () => {
    const stop = scene.aws.fail({ operation: 'GetAccessKeyLastUsed', how: 'accessDenied' });
    await scene.slack.slash(rosa, alerts, `contain disable-access-key ${key}`);
    const told = await scene.slack.waitFor(
      () => scene.slack.ephemerals(rosa).find((message) => message.text.includes('AccessDenied')),
      15_000,
    );
    expect(told.text).toContain('not every account could be looked at');
    stop();

    scene.aws.fail({ operation: 'GetAccessKeyLastUsed', how: 'throttle', times: 2 });
    scene.aws.fail({ operation: 'ListAccessKeys', how: 'html', times: 1 });
    await scene.slack.slash(rosa, alerts, `contain disable-access-key ${key}`);
    await scene.slack.waitFor(
      () => scene.slack.messages(alerts).some((message) => hasButton(message, 'approve')),
      30_000,
    );
  });

  it('tells the one who asked when AWS goes on not answering', async () => {
    const asking = () => scene.slack.messages(alerts).filter((message) => hasButton(message, 'approve')).length;
    const before = asking();
    const stop = scene.aws.fail({ service: 'iam', how: 'html' });
    await scene.slack.slash(omar, alerts, `contain disable-access-key ${key}`);

    const told = await scene.slack.waitFor(
      () => scene.slack.ephemerals(omar).find((message) => message.text.includes('No plan yet')),
      15_000,
    );

    stop();
    expect(told.text).toContain('NotAws');
    // Then it goes on: to a card, or to the word that the very same plan waits already.
    await scene.slack.waitFor(
      () =>
        asking() > before ||
        scene.slack.ephemerals(omar).some((message) => message.text.includes('The same plan waits')),
      30_000,
    );
  });

  it('takes an acknowledgement although Slack does not say at once whose it is', async () => {
    const [card] = cardsOf(scene, 'SilentCall');
    const told = scene.slack.ephemerals(newcomer).length;
    scene.slack.fail({ method: 'users.info', how: 'hang', holding: newcomer });

    expect(await scene.slack.click(newcomer, alerts, card?.ts ?? '', 'acknowledge')).toMatchObject({ outcome: 'ok' });

    await scene.slack.waitFor(
      () => cardsOf(scene, 'SilentCall').some((message) => /Acknowledged by.*U07NEW3COMER/.test(wordsOf(message))),
      15_000,
    );
    expect(scene.slack.ephemerals(newcomer)).toHaveLength(told);
  });

  it('counts a vote though Slack does not say at once whose it is, finds its own write where the answer to it was lost, and sends it once', async () => {
    const card = scene.slack.messages(alerts).find((message) => hasButton(message, 'approve'));
    scene.slack.fail({ method: 'users.info', how: 'hang', holding: omar });
    scene.aws.fail({ operation: 'UpdateAccessKey', how: 'applyThenClose', times: 1 });

    await scene.slack.click(omar, alerts, card?.ts ?? '', 'approve');

    const own = await scene.slack.waitFor(
      () => scene.slack.messages(alerts).find((message) => message.ts === card?.ts && !hasButton(message, 'approve')),
      15_000,
    );
    if (!hasButton(own, 'undo')) {
      await scene.slack.waitFor(
        () => scene.slack.messages(alerts).some((message) => message.ts === card?.ts && hasButton(message, 'undo')),
        30_000,
      );
    }
    expect(scene.aws.calls.filter((call) => call.operation === 'UpdateAccessKey')).toHaveLength(1);
  });

  it('brings the card of a channel that it is not in to the default channel, and says so', async () => {
    expect(cardsOf(scene, 'WhileNotInvited', critical)).toEqual([]);
    expect(scene.firebreak.log()).toContain('Firebreak is not a member of the channel; invite it there');

    await scene.slack.waitFor(() => cardsOf(scene, 'WhileNotInvited').length > 0, 40_000);
    expect(cardsOf(scene, 'WhileNotInvited')).toHaveLength(1);
  });
});

describe('the start', () => {
  let scene: Scene;
  let folder: string;
  const serve = (env: Record<string, string>, config: unknown = configFor(scene.aws)) => {
    const file = join(folder, `firebreak-${readdirSync(folder).length}.yml`);
    writeFileSync(file, typeof config === 'string' ? config : stringify(config));
    const all = { ...environmentFor(scene.aws, scene.slack), FIREBREAK_CONFIG: file, PORT: '0', ...env };
    return run(['serve'], { env: all, withinMs: 60_000 });
  };
  beforeAll(async () => {
    scene = await openScene({ start: false, aws: { story: 'empty' } });
    folder = mkdtempSync(join(tmpdir(), 'firebreak-start-'));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await scene?.close();
  });

  it('refuses a data folder of a newer version, says so, and touches nothing', async () => {
    for (const [name, marker, version] of [
      ['newer-data', '{"dataVersion":2,"postgresMajor":18}', undefined],
      ['newer-server', '{"dataVersion":1,"postgresMajor":18}', '19'],
    ] as const) {
      const dataDir = join(folder, name);
      mkdirSync(join(dataDir, 'postgres'), { recursive: true });
      writeFileSync(join(dataDir, 'firebreak.json'), marker);
      if (version !== undefined) writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), version);
      const before = listing(dataDir);

      const ended = await serve({ FIREBREAK_DATA_DIR: dataDir });

      expect(ended.code).toBe(2);
      expect(ended.stderr).toContain('was made by a newer version of Firebreak');
      expect(ended.stderr).toContain('Nothing was changed');
      expect(ended.stderr).not.toMatch(/\.ts:\d/);
      expect(listing(dataDir)).toEqual(before);
    }
  });

  it('refuses a database that a newer version has migrated', async () => {
    const dataDir = join(folder, 'newer-schema');
    await scene.start({ dataDir });
    await sql({ dataDir }, "insert into firebreak_migration values ('9999-from-the-future', now()::text)");
    expect(await scene.firebreak.stop()).toBe(0);

    const ended = await serve({ FIREBREAK_DATA_DIR: dataDir });

    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('9999-from-the-future')]);
    expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
  });

  it('lists every problem of environment and config at once', async () => {
    const ended = await serve(
      {
        FIREBREAK_DATA_DIR: join(folder, 'never'),
        PORT: '99999',
        LOG_LEVEL: 'loud',
        DATABASE_URL: 'mysql://localhost/x',
        SLACK_BOT_TOKEN: '',
        SLACK_SIGNING_SECRET: '',
      },
      {
        mode: 'yolo',
        channels: { default: 'not a channel!' },
        approvers: { users: ['omar'], required: 0 },
        accounts: [{ id: '12' }],
        colour: 'red',
      },
    );

    expect(ended.code).toBe(2);
    for (const word of [
      'PORT',
      'LOG_LEVEL',
      'DATABASE_URL',
      'SLACK_BOT_TOKEN is not set',
      'SLACK_SIGNING_SECRET',
      'mode',
      'channels.default',
      'approvers.users.0',
      'approvers.required',
      'accounts.0.id',
      'colour',
    ]) {
      expect(ended.stderr).toContain(word);
    }
    expect(ended.stderr).not.toMatch(/\.ts:\d/);
    expect(existsSync(join(folder, 'never'))).toBe(false);
    const broken = await serve({ FIREBREAK_DATA_DIR: join(folder, 'never') }, 'mode: [execute\n  x: : y');
    expect([broken.code, broken.stderr]).toEqual([2, expect.stringContaining('cannot be read')]);
  });

  it('says that the port is taken, and leaves no database running', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const dataDir = join(folder, 'port-taken');

    const ended = await serve({ FIREBREAK_DATA_DIR: dataDir, PORT: String(port) });

    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(new RegExp(`firebreak: cannot listen on .*PORT ${port}: the port is taken`));
    expect(existsSync(join(dataDir, 'postgres', 'PG_VERSION'))).toBe(true);
    expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
    taken.close();
  });
});

describe('a full disk', () => {
  const dir = mkdtempSync(join(tmpdir(), 'firebreak-small-disk-'));
  const mounted = mountSmallDisk(dir);
  afterAll(() => {
    if (mounted.yes) execFileSync('umount', ['-l', dir]);
    rmSync(dir, { recursive: true, force: true });
  });

  it.skipIf(!mounted.yes)(
    `answers 503, loses nothing that it took, and goes on when there is room again${mounted.because}`,
    async () => {
      const scene = await openScene({ aws: { story: 'empty' }, start: false });
      try {
        await scene.start({ dataDir: join(dir, 'data') });
        expect((await scene.send(findingOf(scene, 'BeforeTheFlood'))).status).toBe(202);
        await scene.slack.waitFor(() => cardsOf(scene, 'BeforeTheFlood').length > 0, 15_000);

        // All space but none for the database to grow into: the filler takes what is left until the webhook cannot store.
        const taken: string[] = ['BeforeTheFlood'];
        const refused: string[] = [];
        const padding = 'x'.repeat(300_000);
        for (let index = 0; refused.length < 3 && index < 60; index += 1) {
          fill(dir, index);
          const name = `Flood${index}x`;
          const answer = await scene.send({ ...findingOf(scene, name), padding: `${padding}${Math.random()}` });
          if (answer.status === 202) taken.push(name);
          else {
            expect(answer.status).toBe(503);
            expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
            refused.push(name);
          }
        }
        expect(refused).toHaveLength(3);
        expect((await fetch(`${scene.firebreak.url}/healthz`)).status).toBe(200);
        expect((await fetch(`${scene.firebreak.url}/readyz`)).status).toBe(503);

        for (const file of readdirSync(dir)) if (file.startsWith('filler')) rmSync(join(dir, file));

        for (const until = Date.now() + 40_000; ; ) {
          if ((await fetch(`${scene.firebreak.url}/readyz`)).status === 200) break;
          if (Date.now() > until) throw new Error(`not ready again:\n${scene.firebreak.log().slice(-3_000)}`);
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
        expect((await scene.send(findingOf(scene, 'AfterTheFlood'))).status).toBe(202);
        taken.push('AfterTheFlood');
        for (const name of taken) await scene.slack.waitFor(() => cardsOf(scene, name).length > 0, 60_000);
        for (const name of taken) expect([name, cardsOf(scene, name).length]).toEqual([name, 1]);
      } finally {
        await scene.close();
      }
    },
  );
});

function listing(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.name} ${readFileSync(join(entry.parentPath, entry.name), 'utf8')}`)
    .sort();
}

/** Only root may mount, and not in every container. */
function mountSmallDisk(dir: string): { yes: boolean; because: string } {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m', 'tmpfs', dir], { stdio: 'pipe' });
    return { yes: true, because: '' };
  } catch (error) {
    return {
      yes: false,
      because: ` (no small disk could be mounted: ${String((error as Error).message).split('\n')[0]})`,
    };
  }
}

/** Takes all space that is left. */
function fill(dir: string, index: number): void {
  const { bavail, bsize } = statfsSync(dir);
  const room = Number(bavail) * Number(bsize);
  try {
    if (room > 0) writeFileSync(join(dir, `filler-${index}`), Buffer.alloc(room));
  } catch (error) {
    // The database took some of it first; now it is full as well.
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
