/**
 * kill -9 of the real process at every point between a click and the final message, then a restart: what was approved is
 * done exactly once, the audit is whole, and the card tells the truth.
 */
import { IAMClient, UpdateAccessKeyCommand } from '@aws-sdk/client-iam';
import { describe, expect, it } from 'vitest';
import { demoIds, type Message } from '../../demo/slack/workspace.ts';
import { run, sql } from '../support/doors.ts';
import {
  dropWatches,
  eventually,
  idle,
  isIdle,
  type Killer,
  killAtCall,
  killAtTransition,
  killLater,
} from '../support/killing.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const key = 'AKIAIOSFODNN7EXAMPLE';
const { alerts, rosa, omar } = demoIds;

interface Theatre {
  readonly scene: Scene;
  /** Every time that a message said something was done which AWS did not show. */
  readonly lies: string[];
  setKey(status: 'Active' | 'Inactive'): Promise<void>;
  close(): Promise<void>;
}

/** One installation with one finding in it, used for many approvals one after the other. */
async function openTheatre(): Promise<Theatre> {
  const scene = await openScene({
    aws: { backgroundEvents: 0, iamDelayMs: 300 },
    config: { regions: ['us-east-1', 'eu-central-1'] },
  });
  // What the key was used for is not asked here: it takes a second of pacing for each approval card.
  scene.aws.fail({ operation: 'LookupEvents', how: 'accessDenied' });
  const { accessKeyId, secretAccessKey } = scene.aws.credentials.breakGlass;
  const credentials = { accessKeyId, secretAccessKey };
  const admin = new IAMClient({ region: 'us-east-1', endpoint: scene.aws.url, credentials });
  const lies: string[] = [];
  scene.slack.onCall((call, phase) => {
    const said = JSON.stringify(call.args);
    const wanted = said.includes('undo disable access key') ? 'Active' : 'Inactive';
    if (said.includes('asked to undo it')) return undefined;
    if (phase === 'before' && /Done and (?:verified|read back)/.test(said) && statusOf(scene) !== wanted) {
      lies.push(`${call.method} says done while AWS reads ${statusOf(scene)}: ${said.slice(0, 200)}`);
    }
    return undefined;
  });
  await scene.send(scene.findings.accessKey);
  await scene.slack.waitFor(() => findingCard(scene), 15_000);
  return {
    scene,
    lies,
    async setKey(status) {
      if (statusOf(scene) === status) return;
      await admin.send(new UpdateAccessKeyCommand({ UserName: 'pipeline', AccessKeyId: key, Status: status }));
    },
    async close() {
      admin.destroy();
      await scene.close();
    },
  };
}

/** As AWS itself has it. */
function statusOf(scene: Scene): string | undefined {
  return [...scene.aws.state.accounts.values()]
    .flatMap((account) => [...account.users.values()])
    .flatMap((user) => [...user.keys])
    .find((entry) => entry.id === key)
    ?.history.at(-1)?.status;
}

/** AWS's own log of what Firebreak's role changed. */
function writesOf(scene: Scene) {
  return scene.aws.calls.filter(
    ({ operation, principalArn, error }) =>
      operation === 'UpdateAccessKey' && principalArn?.includes('/IrResponder/') && error === undefined,
  );
}

function findingCard(scene: Scene): Message | undefined {
  return scene.slack.messages(alerts).find((message) => hasButton(message, 'contain'));
}

function approvalCards(scene: Scene): readonly Message[] {
  return scene.slack.messages(alerts).filter((message) => message.text.includes('disable access key'));
}

function cardAt(scene: Scene, ts: string): Message {
  const card = scene.slack.messages(alerts).find((message) => message.ts === ts);
  if (card === undefined) throw new Error(`the card ${ts} is gone`);
  return card;
}

function notesOf(scene: Scene, ts: string): readonly Message[] {
  return scene.slack.thread(alerts, ts).filter((message) => message.text.startsWith('Done and read back'));
}

/** True where Firebreak took the click; else the person sees Slack's warning sign. */
async function press(scene: Scene, person: string, ts: string, button: string): Promise<boolean> {
  return (await scene.slack.click(person, alerts, ts, button)).outcome === 'ok';
}

/**
 * What a person does who sees Slack's warning sign, as a machine that is busy with all these starts may make it show after 3 s: he looks
 * whether it was taken all the same, and presses again where it was not.
 */
async function pressUntilTaken(
  scene: Scene,
  button: { readonly person: string; readonly ts: string; readonly button: string },
  isSeen: () => boolean,
): Promise<void> {
  for (let presses = 0; presses < 3; presses += 1) {
    if (isSeen() || (await press(scene, button.person, button.ts, button.button))) return;
    await idle(scene);
  }
  throw new Error(`Slack showed its warning sign again and again: ${JSON.stringify(button)}`);
}

/** Presses a button from which an approval card comes, and waits for the card. */
async function askFor(scene: Scene, ts: string, button: 'contain' | 'undo'): Promise<Message> {
  const before = new Set(approvalCards(scene).map((message) => message.ts));
  const isNew = (message: Message) => !before.has(message.ts) && hasButton(message, 'approve');
  const news = () => approvalCards(scene).find(isNew);
  await pressUntilTaken(scene, { person: rosa, ts, button }, () => news() !== undefined);
  const card = await scene.slack.waitFor(news, 30_000);
  await idle(scene);
  return card;
}

type Arm = (scene: Scene) => Promise<Killer>;

interface Act {
  readonly person: string;
  readonly ts: string;
  readonly button: string;
  /** What can be seen when it is over. */
  over(): boolean;
}

/**
 * Clicks, lets the killers kill one process after the other, and starts a last one that is left alone. Returns where they
 * killed; a killer that found nothing to kill any more gives undefined.
 */
async function perform(scene: Scene, act: Act, arms: readonly Arm[]): Promise<(string | undefined)[]> {
  const killedAt: (string | undefined)[] = [];
  await dropWatches(scene);
  let taken = false;
  for (const [index, arm] of arms.entries()) {
    // The killer of a transition needs the database, which outlives the process.
    const killer = await arm(scene);
    try {
      if (index === 0) taken = await press(scene, act.person, act.ts, act.button);
      else await startAndMaybeDie(scene, killer);
      const isDone = async () => act.over() && (await isIdle(scene));
      await eventually('it is killed or done', async () => killer.at() !== undefined || (await isDone()));
    } finally {
      await killer.stop();
    }
    killedAt.push(killer.at());
    if (killer.at() === undefined) return killedAt;
  }
  await scene.start();
  await idle(scene);
  // A click that Firebreak did not acknowledge may be lost, and the person knows.
  if (!taken) await pressUntilTaken(scene, act, () => act.over());
  const killed = `killed at ${killedAt.join(', ')}, the click ${taken ? 'taken' : 'not taken'}`;
  await eventually('it is done after the restart', () => act.over()).catch(async (error: unknown) => {
    throw new Error(`${killed}: ${await stateOf(scene, act.person)}`, { cause: error });
  });
  await idle(scene);
  return killedAt;
}

/** What a failure must tell: the newest approval, its audit, what is queued, and what the channel and the person were shown. */
async function stateOf(scene: Scene, person: string): Promise<string> {
  const approvals = await sql(scene, 'select * from approvals order by number desc limit 1');
  const events = await sql(scene, 'select seq, at, event, approval_id from audit order by seq desc limit 12');
  const jobs = await sql(scene, `select * from bullmq.job where state <> 'completed' or name like '%approv%'`);
  const shown = approvalCards(scene)
    .slice(-2)
    .map((card) => [wordsOf(card), notesOf(scene, card.ts).map(wordsOf)]);
  const told = scene.slack.ephemerals(person).slice(-2).map(wordsOf);
  const log = scene.firebreak.log().split('\n').slice(-40);
  return JSON.stringify({ approvals, events, jobs, shown, told, log }, undefined, 1);
}

/** A killer may strike before the process is ready. */
async function startAndMaybeDie(scene: Scene, killer: Killer): Promise<void> {
  try {
    await scene.start();
  } catch (error) {
    if (killer.at() === undefined) throw error;
  }
}

/** At the first call of that name, or at the one of that number: `aws ListAccessKeys after 2`. */
const atCall =
  (name: string): Arm =>
  (scene) =>
    killAtCall(scene, (event) => event === name || event.replace(/ \d+$/, '') === name);
const firstCall: Arm = (scene) => killAtCall(scene, () => true);
const never: Arm = (scene) => killAtCall(scene, () => false);
const atTransition =
  (where: 'within' | 'past', number: number): Arm =>
  (scene) =>
    killAtTransition(scene, where, number);
const afterMs =
  (ms: number): Arm =>
  (scene) =>
    killLater(scene, ms);

/** Approves the card under the killers and checks everything that must hold, whatever was killed on the way. */
async function approve(theatre: Theatre, card: Message, arms: readonly Arm[]): Promise<(string | undefined)[]> {
  const { scene } = theatre;
  const { ts } = card;
  const isUndo = wordsOf(card).includes('undo disable access key');
  const status = isUndo ? 'Active' : 'Inactive';
  const writesBefore = writesOf(scene).length;
  const cardsBefore = approvalCards(scene).length;
  const over = () => wordsOf(cardAt(scene, ts)).includes('Done and verified') && notesOf(scene, ts).length > 0;
  const killedAt = await perform(scene, { person: omar, ts, button: 'approve', over }, arms);
  await judged(`killed at ${killedAt.join(', ')}`, async () => {
    expect(statusOf(scene)).toBe(status);
    expect(writesOf(scene)).toHaveLength(writesBefore + 1);
    expect(writesOf(scene).at(-1)?.input).toMatchObject({ AccessKeyId: key, Status: status });
    expect(approvalCards(scene)).toHaveLength(cardsBefore);
    expect(notesOf(scene, ts)).toHaveLength(1);
    const end = cardAt(scene, ts);
    expect(wordsOf(end)).toContain('Done and verified');
    expect(wordsOf(end)).toContain(`${key} of user pipeline is ${status}`);
    expect(hasButton(end, 'approve')).toBe(false);
    expect(hasButton(end, 'undo')).toBe(!isUndo);
    expect(theatre.lies).toEqual([]);
    expect(await storyOf(scene)).toEqual(['plan', 'vote', 'intent', isUndo ? 'undo' : 'verify']);
  });
  return killedAt;
}

/** Asks for an approval card under the killers: there is exactly one, of exactly one approval. Returns the card too. */
async function ask(
  theatre: Theatre,
  from: string,
  button: 'contain' | 'undo',
  arms: readonly Arm[],
): Promise<{ killedAt: (string | undefined)[]; card: Message }> {
  const { scene } = theatre;
  const writesBefore = writesOf(scene).length;
  const before = new Set(approvalCards(scene).map((message) => message.ts));
  const news = () => approvalCards(scene).filter((message) => !before.has(message.ts));
  const over = () => news().some((message) => hasButton(message, 'approve'));
  const killedAt = await perform(scene, { person: rosa, ts: from, button, over }, arms);
  await judged(`killed at ${killedAt.join(', ')}`, async () => {
    expect(news()).toHaveLength(1);
    expect(writesOf(scene)).toHaveLength(writesBefore);
    const open = await sql(scene, `select id from approvals where state = 'proposed'`);
    expect(open).toHaveLength(1);
    expect(await storyOf(scene)).toEqual(['plan']);
  });
  return { killedAt, card: news()[0] as Message };
}

async function withdraw(scene: Scene, ts: string): Promise<void> {
  const isWithdrawn = () => wordsOf(cardAt(scene, ts)).includes('Withdrawn');
  await pressUntilTaken(scene, { person: rosa, ts, button: 'withdraw' }, isWithdrawn);
  await eventually('it is withdrawn', isWithdrawn);
  await idle(scene);
}

/**
 * The milestones of the newest approval in the audit. The calls between intent and result may be there twice, where one was
 * lost; AWS's own log says how often they arrived.
 */
async function storyOf(scene: Scene): Promise<string[]> {
  const rows = await sql<{ event: string }>(
    scene,
    `select event from audit where approval_id = (select approval_id from audit where event = 'plan' order by seq desc limit 1)
      order by seq`,
  );
  const events = rows.map(({ event }) => event);
  expect(events.filter((event) => event === 'execute').length).toBeLessThanOrEqual(1);
  return events.filter((event) => !['call', 'call.answered', 'call.failed', 'call.found', 'execute'].includes(event));
}

async function judged(what: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Through the command line, while the process runs: the chain of everything that happened in this theatre. */
async function expectWholeAudit({ scene }: Theatre, atLeast: number): Promise<void> {
  const env = { FIREBREAK_DATA_DIR: scene.dataDir };
  const verified = await run(['audit', 'verify'], { env });
  expect(verified.stdout).toMatch(/The chain of \d+ entries is whole/);
  expect(Number(/chain of (\d+)/.exec(verified.stdout)?.[1])).toBeGreaterThanOrEqual(atLeast);
  expect(verified.code).toBe(0);
}

/** FIREBREAK_KILLS=all: at each call, which takes twice as long. Else at every second one, and at all around a write or a new message. */
const killsAll = process.env.FIREBREAK_KILLS === 'all';
const isTelling = /UpdateAccessKey|AssumeRole|chat\.postMessage/;

/**
 * Plays once without a kill, and then again and again, each time killed at another of the calls that were seen in any of
 * the plays, until every one of them has been tried. Returns where it was killed.
 */
async function atEveryCall(scene: Scene, play: (arm: Arm) => Promise<void>): Promise<string[]> {
  const calls = new Set<string>();
  const killedAt: string[] = [];
  const playTo = async (call: string | undefined) => {
    let killer: Killer | undefined;
    await play(async () => {
      killer = await killAtCall(scene, (event) => {
        calls.add(event);
        return event === call;
      });
      return killer;
    });
    const at = killer?.at();
    // What this process remembers of people and groups would spare the next play some calls.
    if (at === undefined) {
      await scene.firebreak.kill();
      await scene.start();
    }
    return at;
  };
  await playTo(undefined);
  let number = 0;
  for (const call of calls) {
    number += 1;
    if (!killsAll && number % 2 === 0 && !isTelling.test(call)) continue;
    const at = await playTo(call);
    if (at !== undefined) killedAt.push(at);
  }
  return killedAt;
}

/** Runs the scenes of one theatre one after the other; each theatre is a world of its own. */
async function inTheatre(play: (theatre: Theatre) => Promise<void>): Promise<void> {
  const theatre = await openTheatre();
  try {
    await play(theatre);
  } finally {
    await theatre.close();
  }
}

/** Some 4 minutes each where all five run at once on two cores; a busy host takes three times as long. */
const longMs = 1_800_000;
const report = (...words: unknown[]) =>
  process.env.KILL_LOG ? process.stderr.write(`${words.join(' ')}\n`) : undefined;

describe.concurrent('kill -9 and restart', () => {
  it('between the click on Approve and the final message, at every call to Slack and AWS', { timeout: longMs }, () =>
    inTheatre(async (theatre) => {
      const { scene } = theatre;
      const points = await atEveryCall(scene, async (arm) => {
        await theatre.setKey('Active');
        const card = await askFor(scene, findingCard(scene)?.ts ?? '', 'contain');
        report('approve', await approve(theatre, card, [arm]));
      });
      expect(points.length).toBeGreaterThan(killsAll ? 25 : 14);
      for (const phase of ['before', 'after']) {
        expect(points).toContain(`aws UpdateAccessKey ${phase} 1`);
        expect(points).toContain(`slack chat.postMessage ${phase} 1`);
      }
      await expectWholeAudit(theatre, points.length * 4);
    }),
  );

  it(
    'inside the database: at each transition of an approval, at points in time, and several times in a row',
    { timeout: longMs },
    () =>
      inTheatre(async (theatre) => {
        const { scene } = theatre;
        const plays: Record<string, readonly Arm[]> = {};
        // vote, intent, call, execute, verify
        for (const number of [1, 2, 3, 4, 5]) {
          plays[`within transition ${number}`] = [atTransition('within', number)];
          plays[`past transition ${number}`] = [atTransition('past', number)];
        }
        for (const ms of [0, 40, 80, 120, 160, 240]) plays[`${ms} ms`] = [afterMs(ms)];
        plays['write lost, then again at once'] = [atCall('aws UpdateAccessKey before'), firstCall];
        plays['write lost twice'] = [atCall('aws UpdateAccessKey before'), atCall('aws UpdateAccessKey before')];
        plays['write done, then while it is looked for'] = [
          atCall('aws UpdateAccessKey after'),
          atCall('aws ListAccessKeys after'),
        ];
        plays['intent stored, then before the result is'] = [atTransition('past', 2), atTransition('within', 2)];
        plays['three times'] = [firstCall, firstCall, atCall('aws UpdateAccessKey after')];
        for (const [name, arms] of Object.entries(plays)) {
          await theatre.setKey('Active');
          const card = await askFor(scene, findingCard(scene)?.ts ?? '', 'contain');
          const began = Date.now();
          const killedAt = await approve(theatre, card, arms);
          report('inside', name, killedAt, Date.now() - began, 'ms');
          if (!name.endsWith(' ms')) await judged(name, async () => expect(killedAt).not.toContain(undefined));
        }
        await expectWholeAudit(theatre, 50);
      }),
  );

  it('while AWS is in trouble: the answer to the write is lost, the write is throttled', { timeout: longMs }, () =>
    inTheatre(async (theatre) => {
      const { scene } = theatre;
      const plays: readonly (readonly ['applyThenClose' | 'throttle' | '500' | 'close', readonly Arm[]])[] = [
        ['applyThenClose', []],
        ['applyThenClose', [atCall('aws ListAccessKeys after')]],
        ['throttle', []],
        ['close', [atCall('aws UpdateAccessKey before')]],
        ['500', []],
      ];
      for (const [how, arms] of plays) {
        await theatre.setKey('Active');
        const card = await askFor(scene, findingCard(scene)?.ts ?? '', 'contain');
        const began = Date.now();
        const stop = scene.aws.fail({ operation: 'UpdateAccessKey', how, times: 1 });
        const killedAt = await approve(theatre, card, arms.length === 0 ? [never] : arms);
        stop();
        report('trouble', how, killedAt, Date.now() - began, 'ms');
      }
      await expectWholeAudit(theatre, 20);
    }),
  );

  it(
    'between the click on Contain and the approval card, and between the click on Undo and its end',
    { timeout: longMs },
    () =>
      inTheatre(async (theatre) => {
        const { scene } = theatre;
        const calls = [
          'slack conversations.info before',
          'aws GetAccessKeyLastUsed after 1',
          'aws ListAccessKeys before 1',
          'aws ListAccessKeys after 1',
          'aws LookupEvents before 1',
          'aws LookupEvents after 2',
          'aws ListAccessKeys after 2',
          'slack chat.postMessage before',
          'slack chat.postMessage after',
        ].map(atCall);
        let card: Message | undefined;
        for (const arm of [firstCall, ...calls, atTransition('within', 1), atTransition('past', 1), afterMs(30)]) {
          if (card !== undefined) await withdraw(scene, card.ts);
          const asked = await ask(theatre, findingCard(scene)?.ts ?? '', 'contain', [arm]);
          card = asked.card;
          report('contain', asked.killedAt);
          expect(asked.killedAt).not.toContain(undefined);
        }
        if (card === undefined) throw new Error('no card came');
        const done = card.ts;
        await approve(theatre, card, [never]);

        let undo = card;
        const arms = [
          firstCall,
          atCall('aws ListAccessKeys after 1'),
          atCall('slack chat.postMessage before'),
          atCall('slack chat.postMessage after'),
          atCall('slack chat.update before'),
          atCall('slack chat.update after'),
          atTransition('within', 1),
          atTransition('past', 1),
        ];
        for (const arm of arms) {
          if (undo !== card) await withdraw(scene, undo.ts);
          const began = Date.now();
          const asked = await ask(theatre, done, 'undo', [arm]);
          undo = asked.card;
          report('undo', asked.killedAt, Date.now() - began, 'ms');
          expect(asked.killedAt).not.toContain(undefined);
          expect(hasButton(cardAt(scene, done), 'undo')).toBe(false);
        }
        await approve(theatre, undo, [atCall('aws UpdateAccessKey after')]);
        expect(wordsOf(cardAt(scene, done))).toContain('Undone');
        await expectWholeAudit(theatre, 20);
      }),
  );

  it('between the click on Approve of an undo and its final message', { timeout: longMs }, () =>
    inTheatre(async (theatre) => {
      const { scene } = theatre;
      const plays: readonly (readonly Arm[])[] = [
        [firstCall],
        [atCall('slack usergroups.users.list after 2')],
        [atCall('aws AssumeRole after')],
        [atCall('aws UpdateAccessKey before')],
        [atCall('aws UpdateAccessKey after')],
        [atCall('slack chat.postMessage after')],
        [atTransition('within', 2)],
        [atTransition('past', 2)],
        [atTransition('within', 5)],
        [atTransition('past', 5)],
      ];
      for (const arms of plays) {
        const card = await askFor(scene, findingCard(scene)?.ts ?? '', 'contain');
        await approve(theatre, card, [never]);
        const undo = await askFor(scene, card.ts, 'undo');
        const began = Date.now();
        const killedAt = await approve(theatre, undo, arms);
        report('approve undo', killedAt, Date.now() - began, 'ms');
        expect(killedAt).not.toContain(undefined);
        expect(wordsOf(cardAt(scene, card.ts))).toContain('Undone');
        expect(hasButton(cardAt(scene, card.ts), 'undo')).toBe(false);
      }
      await expectWholeAudit(theatre, 80);
    }),
  );
});
