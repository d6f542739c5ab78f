/** The flows behind the queue and the look at GuardDuty, on a real database: what trouble does to them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UpstreamError } from '../../../src/contracts/errors.ts';
import type { FindingSource, MessageQueue, QueueMessage } from '../../../src/contracts/intake.ts';
import type { Store } from '../../../src/contracts/store.ts';
import { orDeadLetter, replayLetter } from '../../../src/flows/keep-letter.ts';
import { readQueue } from '../../../src/flows/read-queue.ts';
import { lookAtFindings } from '../../../src/flows/watch-findings.ts';
import { queueBodyReader } from '../../../src/webhooks/message-body.ts';
import { silentLog, startTestStore, type TestStore } from '../../support/databases.ts';
import { finding } from '../webhooks/findings.ts';

const readQueueBody = queueBodyReader({});
let opened: TestStore;
let store: Store;
beforeAll(async () => {
  opened = await startTestStore();
  store = opened.store;
});
afterAll(() => opened?.stop());

let made = 0;
function anotherBody(): { body: string; id: string } {
  made += 1;
  const event = finding() as { detail: object };
  const id = `${made}`.padStart(32, 'c');
  return { id, body: JSON.stringify({ ...event, detail: { ...event.detail, id } }) };
}

const added: unknown[] = [];
const queue = { add: async (...job: unknown[]) => void added.push(job) } as never;
/** Counts the pauses instead of making them. */
function clockThat(pauses: number[]) {
  return {
    now: () => new Date(),
    sleep: async (ms: number, signal?: AbortSignal) => {
      signal?.throwIfAborted();
      pauses.push(ms);
    },
  };
}

/** A queue in memory: what is not removed is handed out again in the next round. */
function queueOf(bodies: readonly string[], name: string, rounds: number) {
  const ended = new AbortController();
  let left: QueueMessage[] = bodies.map((body, index) => ({
    id: `${name}-${index}`,
    body,
    receipt: 'r',
    deliveries: 0,
  }));
  let round = 0;
  const source: MessageQueue = {
    name,
    receive: async () => {
      round += 1;
      if (round > rounds) {
        ended.abort(new Error('over'));
        throw ended.signal.reason;
      }
      left = left.map((message) => ({ ...message, deliveries: message.deliveries + 1 }));
      return left.slice(0, 10);
    },
    remove: async (messages) => {
      left = left.filter(({ id }) => !messages.some((message) => message.id === id));
      return [];
    },
    close: () => undefined,
  };
  return { source, signal: ended.signal, left: () => left };
}

/** The store, in which one method of the alerts fails as told. */
function storeWith(receive: (key: string) => Error | undefined): Store {
  return {
    ...store,
    alerts: {
      ...store.alerts,
      receive: async (input) => {
        const error = receive(input.alert.findingId);
        if (error !== undefined) throw error;
        return store.alerts.receive(input);
      },
    },
  };
}

const down = () => new UpstreamError('database', '57P01', 'down', { retryable: true });
const refused = () => new UpstreamError('database', '22021', 'refused', { retryable: false });

describe('reading a queue', () => {
  it('leaves a message in the queue while the database does not take it, waits ever longer, and stores it then', async () => {
    const one = anotherBody();
    let failures = 3;
    const { source, signal, left } = queueOf([one.body], 'patient', 6);
    const pauses: number[] = [];
    const failing = storeWith(() => {
      failures -= 1;
      return failures >= 0 ? down() : undefined;
    });

    await readQueue(
      source,
      { store: failing, queue, clock: clockThat(pauses), log: silentLog, readBody: readQueueBody },
      signal,
    );

    expect(left()).toEqual([]);
    expect(pauses).toEqual([1_000, 2_000, 4_000]);
    const [state] = (await store.intake.sources()).filter(({ name }) => name === 'queue patient');
    expect(state).toMatchObject({ ok: true, taken: 1 });
  });

  it('keeps a message that the database will never take as a dead letter, and takes the others of its batch', async () => {
    const [good, bad] = [anotherBody(), anotherBody()];
    const { source, signal, left } = queueOf([bad.body, good.body], 'poisoned', 2);
    const failing = storeWith((id) => (id === bad.id ? refused() : undefined));

    await readQueue(
      source,
      { store: failing, queue, clock: clockThat([]), log: silentLog, readBody: readQueueBody },
      signal,
    );

    expect(left()).toEqual([]);
    const letters = (await store.deadLetters.open(100)).filter(({ from }) => from === 'poisoned');
    expect(letters.map(({ reason, body }) => [reason, body])).toEqual([
      ['it could not be stored (database: 22021)', bad.body],
    ]);
    const [state] = (await store.intake.sources()).filter(({ name }) => name === 'queue poisoned');
    expect(state).toMatchObject({ ok: true, taken: 1 });
  });

  it('does not go round and round with one message that always fails', async () => {
    const bad = anotherBody();
    const { source, signal, left } = queueOf([bad.body], 'stubborn', 8);
    const failing = storeWith((id) => (id === bad.id ? down() : undefined));

    await readQueue(
      source,
      { store: failing, queue, clock: clockThat([]), log: silentLog, readBody: readQueueBody },
      signal,
    );

    expect(left()).toEqual([]);
    const letters = (await store.deadLetters.open(100)).filter(({ from }) => from === 'stubborn');
    expect(letters).toHaveLength(1);
  });

  it('deletes nothing where even the dead letter cannot be stored', async () => {
    const bad = anotherBody();
    const { source, signal, left } = queueOf([bad.body], 'deaf', 8);
    const deaf: Store = {
      ...storeWith(() => down()),
      deadLetters: { ...store.deadLetters, keep: () => Promise.reject(down()) },
    };
    await readQueue(
      source,
      { store: deaf, queue, clock: clockThat([]), log: silentLog, readBody: readQueueBody },
      signal,
    );
    expect(left()).toHaveLength(1);
  });

  it('keeps a list of which it could read a part, also when it is taken once more', async () => {
    const good = anotherBody();
    const broken = { source: 'aws.guardduty', 'detail-type': 'GuardDuty Finding', detail: { id: 'x' } };
    const body = JSON.stringify([JSON.parse(good.body), broken]);
    const { source, signal, left } = queueOf([body], 'list', 2);
    const deps = { store, queue, clock: clockThat([]), log: silentLog, readBody: readQueueBody };

    await readQueue(source, deps, signal);
    expect(left()).toEqual([]);
    const [state] = (await store.intake.sources()).filter(({ name }) => name === 'queue list');
    expect(state).toMatchObject({ ok: true, taken: 1 });
    const kept = async () => (await store.deadLetters.open(100)).filter(({ from }) => from === 'list');
    const [letter, ...more] = await kept();
    expect(more).toEqual([]);
    expect(letter?.reason).toMatch(/^1 of 2 entries: /);

    if (letter) expect(await replayLetter(letter, deps)).toMatchObject({ taken: false });
    expect(await kept()).toHaveLength(1);
  });

  it('keeps no secrets in a dead letter', async () => {
    const body = `{"source":"aws.guardduty","detail-type":"GuardDuty Finding","key":"-----BEGIN RSA PRIVATE KEY-----\\nabc"}`;
    const { source, signal } = queueOf([body], 'secret', 1);
    await readQueue(source, { store, queue, clock: clockThat([]), log: silentLog, readBody: readQueueBody }, signal);
    const [letter] = (await store.deadLetters.open(100)).filter(({ from }) => from === 'secret');
    expect(letter?.body).toContain('[private key]');
    expect(letter?.body).not.toContain('BEGIN');
  });

  it('keeps none that only its key tells, also not of a record in a message of SNS', async () => {
    const record = {
      eventName: 'CreateDBInstance',
      requestParameters: { masterUserPassword: 'hunter2hunter2', dBInstanceIdentifier: 'orders' },
      commandLine: 'mysql --password hunter2hunter2',
    };
    const message = JSON.stringify([{ ...record, eventVersion: 1 }, 42]);
    const topicArn = 'arn:aws:sns:eu-west-1:111122223333:findings';
    const envelope = { Type: 'Notification', MessageId: 'm-1', TopicArn: topicArn, Message: message };
    const event = { source: 'aws.guardduty', 'detail-type': 'GuardDuty Finding', more: record };
    const { source, signal } = queueOf([JSON.stringify(envelope), JSON.stringify(event)], 'keyed', 1);

    await readQueue(source, { store, queue, clock: clockThat([]), log: silentLog, readBody: readQueueBody }, signal);

    const letters = (await store.deadLetters.open(100)).filter(({ from }) => from === 'keyed');
    expect(letters).toHaveLength(2);
    for (const { body = '' } of letters) {
      expect(body).toContain('orders');
      expect(body).not.toContain('hunter2');
      expect(() => JSON.parse(body)).not.toThrow();
    }
  });
});

describe('an alert whose handling is given up', () => {
  const deps = { clock: clockThat([]), log: silentLog };
  const ctx = { attempt: 1, last: false, signal: new AbortController().signal };

  it('is a dead letter until it was handled after all', async () => {
    const read = readQueueBody(anotherBody().body);
    if (!read.ok) throw new Error(read.reason);
    const [first] = read.alerts;
    if (first === undefined) throw new Error('no alert');
    const { alertId } = await store.alerts.receive({ ...first, raw: {}, at: new Date().toISOString() });
    const fail = (error: Error) => async () => {
      throw error;
    };
    const slow = new UpstreamError('slack', 'ratelimited', 'later', { retryable: true });
    const gone = new UpstreamError('slack', 'channel_not_found', 'gone', { retryable: false });

    await expect(orDeadLetter(alertId, ctx, fail(slow), { ...deps, store })).rejects.toBe(slow);
    expect((await store.deadLetters.open(100)).filter((letter) => letter.alertId === alertId)).toEqual([]);

    await expect(orDeadLetter(alertId, ctx, fail(gone), { ...deps, store })).rejects.toBe(gone);
    await expect(orDeadLetter(alertId, ctx, fail(gone), { ...deps, store })).rejects.toBe(gone);
    const [letter] = (await store.deadLetters.open(100)).filter((one) => one.alertId === alertId);
    expect(letter).toMatchObject({ door: 'alert', times: 2 });
    expect(letter?.reason).toContain('slack: channel_not_found');
    expect((await store.deadLetters.counts()).alert).toBe(1);

    if (letter === undefined) throw new Error('no letter');
    const before = added.length;
    expect((await replayLetter(letter, { ...deps, store, queue, readBody: readQueueBody })).taken).toBe(true);
    expect(added[before]).toEqual(['alert.received', { alertId }, { id: `alert-${alertId}` }]);

    await store.alerts.markHandled(alertId, new Date().toISOString());
    expect((await store.deadLetters.open(100)).filter((one) => one.alertId === alertId)).toEqual([]);
    expect((await store.deadLetters.counts()).alert).toBeUndefined();
  });
});

describe('asking GuardDuty', () => {
  const place = { accountId: '111122223333', type: 'Trojan:EC2/DropPoint', severity: 5 };

  /** GuardDuty in memory: 120 findings in one Region, a second Region that refuses, a third without a detector. */
  function sourceOf(asked: { region: string; since: string }[], pages: (readonly string[])[]): FindingSource {
    return {
      members: async () => [],
      detectors: async (_account, region) => (region === 'eu-west-3' ? [] : ['detector']),
      async *changed({ region, since }) {
        asked.push({ region, since });
        if (region === 'eu-west-2')
          throw new UpstreamError('guardduty', 'AccessDeniedException', 'no', { retryable: false });
        yield* pages;
      },
      read: async ({ ids, region }) =>
        ids.map((id) => {
          const updatedAt = '2026-11-20T10:00:00.000Z';
          const raw = { ...(finding() as { detail: object }).detail, id, region, ...place, updatedAt };
          return { id, region, ...place, updatedAt, raw };
        }),
    };
  }

  it('stores each new finding once, shows what it could not ask, and begins at its cursor the next time', async () => {
    const asked: { region: string; since: string }[] = [];
    const ids = Array.from({ length: 120 }, (_, index) => `${index}`.padStart(32, 'a'));
    const pages = [ids.slice(0, 50), ids.slice(50, 100), ids.slice(100)];
    const deps = {
      ...{ store, queue, clock: clockThat([]), log: silentLog, readBody: readQueueBody },
      reach: { accounts: async () => [place.accountId], regions: async () => ['eu-west-1', 'eu-west-2', 'eu-west-3'] },
      findings: sourceOf(asked, pages),
      watch: { pollMinutes: 15, firstLookHours: 24, verify: true },
    };
    const { signal } = new AbortController();
    const began = Date.now();
    const jobs = added.length;

    await lookAtFindings(deps, signal);

    expect(added.length - jobs).toBe(120);
    const sources = new Map((await store.intake.sources()).map((source) => [source.name, source]));
    expect(sources.get('guardduty 111122223333/eu-west-1')).toMatchObject({ ok: true, taken: 120 });
    expect(sources.get('guardduty 111122223333/eu-west-2')).toMatchObject({
      ok: false,
      because: 'guardduty: AccessDeniedException',
    });
    expect(sources.get('guardduty 111122223333/eu-west-3')).toMatchObject({ ok: true, because: 'GuardDuty is not on' });
    const [first] = asked;
    expect(began - Date.parse(first?.since ?? '')).toBeGreaterThan(23 * 3_600_000);

    await lookAtFindings(deps, signal);
    expect(asked, 'no place is due').toHaveLength(2);

    const quarter = { ...deps, clock: { ...deps.clock, now: () => new Date(began + 16 * 60_000) } };
    await lookAtFindings(quarter, signal);
    expect(added.length - jobs, 'what is known is not stored again').toBe(120);
    const again = asked.slice(2).find(({ region }) => region === 'eu-west-1');
    expect(Math.abs(Date.parse(again?.since ?? '') - (began - 15 * 60_000))).toBeLessThan(60_000);
  });
});
