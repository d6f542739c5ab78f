/** What an alert must not vanish into: a snooze that is over or means another kind, a storm of samples, a page of a round that is past. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Alert } from '../../../src/contracts/alert.ts';
import { UpstreamError } from '../../../src/contracts/errors.ts';
import type { Message } from '../../../src/contracts/message.ts';
import type { SnoozeRule } from '../../../src/contracts/noise.ts';
import type { Store } from '../../../src/contracts/store.ts';
import { linksOf } from '../../../src/domain/activity.ts';
import { NoiseConfig, noJewels, ruleOf } from '../../../src/domain/noise.ts';
import { admitAlert } from '../../../src/flows/admit-alert.ts';
import { deliverCase } from '../../../src/flows/handle-alert.ts';
import { receiveAlert } from '../../../src/flows/receive-alert.ts';
import { silentLog, startTestStore, type TestStore } from '../../support/databases.ts';

const [minuteMs, hourMs] = [60_000, 3_600_000];
const channels = { default: 'C-ALERTS', critical: 'C-CRITICAL' };
let opened: TestStore;
let store: Store;
beforeAll(async () => {
  opened = await startTestStore();
  store = opened.store;
});
afterAll(() => opened?.stop());

let time = Date.parse('2026-11-20T10:00:00.000Z');
let accountNumber = 100_000_000_000;
let made = 0;
/** Every test has an account of its own, a day later, so that none hears the other's noise. */
function another(): { accountId: string; alertOf: (change: Partial<Alert>) => Alert } {
  accountNumber += 1;
  time += 24 * hourMs;
  const accountId = `${accountNumber}`;
  return {
    accountId,
    alertOf: (change) => ({
      source: 'guardduty',
      dedupeKey: `${accountId} ${change.findingId}`,
      updatedAt: new Date(time).toISOString(),
      lastSeen: new Date(time).toISOString(),
      count: 1,
      findingId: 'f1',
      type: 'Recon:IAMUser/MaliciousIPCaller',
      severity: 5,
      title: 'title',
      description: 'description',
      partition: 'aws',
      accountId,
      region: 'eu-west-1',
      resource: { type: 'AccessKey' },
      resourceIds: [],
      actor: { userName: 'sam' },
      remote: [],
      sample: false,
      archived: false,
      notes: [],
      ...change,
    }),
  };
}

/** Through the door of the job, as a worker does. */
async function admit(alert: Alert, from: Store = store) {
  made += 1;
  const at = new Date(time).toISOString();
  const { alertId } = await store.alerts.receive({ deliveryKey: `delivery-${made}`, alert, raw: {}, at });
  const deps = {
    store: from,
    queue: { add: () => Promise.resolve() },
    clock: { now: () => new Date(time), sleep: () => new Promise(() => undefined) },
    accounts: { known: () => [], find: () => Promise.resolve({}) },
    settings: {
      accounts: [],
      channels,
      crownJewels: noJewels,
      noise: NoiseConfig.parse({}),
      escalation: { levels: [{ afterMinutes: 10, users: ['U1'], groups: [], pagers: [] }], pagers: [] },
    },
  } as unknown as Parameters<typeof admitAlert>[2];
  const { case: found, admission } = await admitAlert(alertId, alert, deps);
  return { caseId: found.id, admission };
}

function mute(rule: SnoozeRule, hours: number, maxRank = 2) {
  const [at, until] = [time, time + hours * hourMs].map((ms) => new Date(ms).toISOString()) as [string, string];
  return store.noise.addSnooze({ rule, reason: 'known', by: 'U1', at, until, maxRank });
}

async function isDue(caseId: string): Promise<boolean> {
  const due = await store.escalations.due(new Date(time).toISOString(), 1_000);
  return due.some((one) => one.caseId === caseId);
}

describe('a snooze', () => {
  it('does not mute another kind of alert by the case that it joins', async () => {
    const { accountId, alertOf } = another();
    await mute({ type: 'Recon:IAMUser/MaliciousIPCaller', accountId }, 8);
    const first = await admit(alertOf({ findingId: 'f1' }));
    time += minuteMs;

    const other = await admit(alertOf({ findingId: 'f2', type: 'Recon:IAMUser/TorIPCaller' }));

    expect(first.admission).toBe('snoozed');
    expect(other).toEqual({ caseId: first.caseId, admission: 'card' });
  });

  it('does not mute another kind of alert that comes at the same moment', async () => {
    const { accountId, alertOf } = another();
    const { id: snoozeId } = await mute({ type: 'Recon:IAMUser/MaliciousIPCaller', accountId }, 8);
    const links = linksOf(alertOf({}));
    const at = new Date(time).toISOString();
    const join = { links, since: at };
    await store.cases.openOrMerge({ alert: alertOf({ findingId: 'f1' }), channel: 'C-ALERTS', at, join });
    // The other one is decided while this one is between its case and its place.
    const admitAfter: Store['noise']['admit'] = async (input) => {
      await store.noise.admit({ ...input, snoozeId });
      return store.noise.admit(input);
    };
    const other = alertOf({ findingId: 'f2', type: 'Recon:IAMUser/TorIPCaller' });

    const { admission } = await admit(other, { ...store, noise: { ...store.noise, admit: admitAfter } });

    expect(admission).toBe('card');
  });

  it('is over when it ends: a finding that it muted, and that goes on, is heard at its next version', async () => {
    const { accountId, alertOf } = another();
    const { id } = await mute({ accountId, type: 'Recon:*' }, 8);
    expect((await admit(alertOf({ findingId: 'f1' }))).admission).toBe('snoozed');
    time += hourMs;
    expect((await admit(alertOf({ findingId: 'f1', count: 2 }))).admission).toBe('snoozed');
    await store.noise.endSnooze(id, 'U1', new Date(time).toISOString());
    time += hourMs;

    expect((await admit(alertOf({ findingId: 'f1', count: 3 }))).admission).toBe('card');
  });
});

describe('a snooze by the button', () => {
  it('mutes its resource, and no finding about another one that names it besides', async () => {
    const { alertOf } = another();
    const [type, one, two] = ['Discovery:S3/MaliciousIPCaller', 'bucket-one', 'bucket-two'];
    const about = (findingId: string, id: string) =>
      alertOf({ findingId, type, resource: { type: 'S3Bucket', id }, resourceIds: [...new Set([id, one])] });
    await mute(ruleOf(about('f1', one)), 8);

    expect((await admit(about('f2', one))).admission).toBe('snoozed');
    expect((await admit(about('f3', two))).admission).toBe('card');
  });
});

describe('a snooze of an object in S3', () => {
  it('mutes no object of the same name in another bucket', async () => {
    const { alertOf } = another();
    const about = (findingId: string, id: string) =>
      alertOf({ findingId, type: 'Object:S3/MaliciousFile', resource: { type: 'S3Object', id }, resourceIds: [id] });
    await mute(ruleOf(about('f1', 'arn:aws:s3:::bucket-one/in/invoice.pdf')), 8);

    expect((await admit(about('f2', 'arn:aws:s3:::bucket-one/in/invoice.pdf'))).admission).toBe('snoozed');
    expect((await admit(about('f3', 'arn:aws:s3:::bucket-two/in/invoice.pdf'))).admission).toBe('card');
  });
});

describe('what gets a card later', () => {
  it('gets it when another finding joins the line of a digest after the storm', async () => {
    const { alertOf } = another();
    for (let n = 0; n < 40; n += 1) await admit(alertOf({ findingId: `s${n}`, actor: { userName: `user-${n}` } }));
    const line = await admit(alertOf({ findingId: 'f1' }));
    expect(line.admission).toBe('digest');
    const later = (n: number) => alertOf({ findingId: `f${n}`, type: `Recon:IAMUser/Other${n}` });
    expect((await admit(later(2))).admission).toBe('digest');
    time += 10 * minuteMs;

    expect(await admit(later(3))).toEqual({ caseId: line.caseId, admission: 'card' });
  });

  it('gets it in the channel of what brought it up', async () => {
    const { accountId, alertOf } = another();
    await mute({ accountId, type: 'Recon:*' }, 8);
    const { caseId, admission } = await admit(alertOf({ findingId: 'f1' }));
    expect(admission).toBe('snoozed');
    time += minuteMs;

    expect((await admit(alertOf({ findingId: 'f1', severity: 9.5 }))).admission).toBe('card');

    expect((await store.cases.get(caseId))?.channel).toBe('C-CRITICAL');
  });

  it('gets it when a critical that was put away is so no more', async () => {
    const { accountId, alertOf } = another();
    await mute({ accountId, type: 'Recon:*' }, 8, 3);
    const away = await admit(alertOf({ findingId: 'f1', severity: 9.5, archived: true }));
    expect(away.admission).toBe('snoozed');
    time += minuteMs;

    expect((await admit(alertOf({ findingId: 'f1', severity: 9.5 }))).admission).toBe('card');
  });
});

describe('a storm', () => {
  it('of samples takes no novelty from what is real', async () => {
    const { alertOf } = another();
    for (let n = 0; n < 60; n += 1) {
      const type = n % 2 === 0 ? 'Discovery:S3/MaliciousIPCaller' : 'Recon:EC2/Portscan';
      const resource = { type: 'S3Bucket', id: `bucket-${n}` };
      await admit(alertOf({ findingId: `s${n}`, sample: true, type, resource, severity: 8 }));
    }

    const real = { findingId: 'f1', type: 'Discovery:S3/TorIPCaller', severity: 8 };
    expect((await admit(alertOf(real))).admission).toBe('card');
  });

  it('that a wrong clock puts into the future quietens nothing now', async () => {
    const { alertOf } = another();
    time += 2 * hourMs;
    for (let n = 0; n < 40; n += 1) await admit(alertOf({ findingId: `s${n}`, actor: { userName: `user-${n}` } }));
    time -= 2 * hourMs;

    expect((await admit(alertOf({ findingId: 'f1' }))).admission).toBe('card');
  });
});

describe('a version that is dated in the future', () => {
  it('does not make the later ones old', async () => {
    const { alertOf } = another();
    const queue = { add: () => Promise.resolve() } as never;
    const deps = { store, queue, log: silentLog, clock: { now: () => new Date(time), sleep: () => Promise.resolve() } };
    const alert = alertOf({ findingId: 'f1', updatedAt: '2099-01-01T00:00:00.000Z' });
    await receiveAlert({ deliveryKey: 'from the future', alert, raw: {} }, deps);
    const [first = ''] = await store.alerts
      .unhandled(new Date(time + 1).toISOString(), 1_000)
      .then((ids) => ids.slice(-1));
    const stored = (await store.alerts.get(first))?.alert ?? alert;
    const { caseId } = await admit(stored);
    time += minuteMs;

    await admit(alertOf({ findingId: 'f1', severity: 9.5 }));

    expect(stored.notes.join()).toContain('dated 2099-01-01');
    expect((await store.cases.get(caseId))?.alert.severity).toBe(9.5);
  });
});

describe('a page', () => {
  it('still comes when another finding of the case returns after a time of quiet', async () => {
    const { alertOf } = another();
    const resource = { type: 'Instance', id: 'i-1' };
    const findingArn = 'arn:aws:guardduty:eu-west-1:1:detector/d/finding/f1';
    const lastSeen = new Date(time - 30 * hourMs).toISOString();
    await admit(alertOf({ findingId: 'f1', resource, findingArn, lastSeen }));
    time += minuteMs;
    const signals = [{ type: 'FINDING', id: findingArn, name: 'one' }] as unknown as Alert['signals'];
    const type = 'AttackSequence:IAM/CompromisedCredentials';
    const sequence = await admit(alertOf({ findingId: 'f2', type, severity: 9.5, signals: signals ?? [] }));
    time += minuteMs;
    const again = await admit(alertOf({ findingId: 'f1', resource, findingArn, count: 2 }));
    expect(again.caseId).toBe(sequence.caseId);
    time += 15 * minuteMs;

    expect(await isDue(sequence.caseId)).toBe(true);
  });

  it('comes for what turns critical after somebody acknowledged it, and after it was called a false positive', async () => {
    for (const mark of ['acknowledge', 'falsePositive'] as const) {
      const { alertOf } = another();
      const { caseId } = await admit(alertOf({ findingId: 'f1' }));
      const at = new Date(time).toISOString();
      if (mark === 'acknowledge') await store.cases.acknowledge(caseId, 'U1', at);
      else await store.noise.falsePositive(caseId, 'U1', at);
      time += hourMs;
      await admit(alertOf({ findingId: 'f1', severity: 9.5 }));
      time += 15 * minuteMs;

      expect.soft(await isDue(caseId), mark).toBe(true);
    }
  });

  it('comes for a critical whose case an attack sequence takes in that is put away itself', async () => {
    const { alertOf } = another();
    const findingArn = 'arn:aws:guardduty:eu-west-1:1:detector/d/finding/f9';
    const part = await admit(alertOf({ findingId: 'f1', severity: 9.5, findingArn }));
    const signals = [{ type: 'FINDING', id: findingArn, name: 'one' }] as unknown as Alert['signals'];
    const type = 'AttackSequence:IAM/CompromisedCredentials';
    await admit(alertOf({ findingId: 'f2', type, severity: 9.5, archived: true, signals: signals ?? [] }));
    time += 15 * minuteMs;

    expect(await isDue(part.caseId)).toBe(true);
  });
});

function closedDeps(chat: object): object {
  const settings = { channels, accounts: [] };
  return { store, chat, log: silentLog, settings, accounts: { known: () => [] }, clock: { now: () => new Date(time) } };
}

describe('news of a case that is closed to a few', () => {
  it('stays with them when an attack sequence takes the case in', async () => {
    const { alertOf } = another();
    const findingArn = 'arn:aws:guardduty:eu-west-1:1:detector/d/finding/f8';
    const part = await admit(alertOf({ findingId: 'f1', findingArn, title: 'What the few know' }));
    await store.cases.restrict(part.caseId, ['U0ROSA1'], 'U0OMAR1', new Date(time).toISOString());
    time += minuteMs;
    const signals = [{ type: 'FINDING', id: findingArn, name: 'one' }] as unknown as Alert['signals'];
    const type = 'AttackSequence:IAM/CompromisedCredentials';
    const sequence = await admit(alertOf({ findingId: 'f2', type, severity: 9.5, signals: signals ?? [] }));
    const posted: { channel: string; text: string }[] = [];
    const chat = {
      post: ({ channel, message }: { channel: string; message: Message }) => {
        posted.push({ channel, text: JSON.stringify(message) });
        return Promise.resolve({ channel, ts: `${posted.length}` });
      },
      update: () => Promise.resolve(),
    };
    const deps = closedDeps(chat);

    expect(sequence.caseId).not.toBe(part.caseId);
    expect((await store.cases.get(sequence.caseId))?.restrictedTo).toEqual(['U0OMAR1', 'U0ROSA1']);
    await deliverCase(sequence.caseId, deps as unknown as Parameters<typeof deliverCase>[1]);
    expect(posted.map(({ channel }) => channel)).toEqual(['C-CRITICAL', 'U0OMAR1', 'U0ROSA1']);
    expect(posted[0]?.text).toContain(`Case ${sequence.caseId} is closed to 2 people`);
    expect(posted[0]?.text).not.toContain('AttackSequence');
    for (const { text } of posted.slice(1)) {
      expect(text).toContain(`A new case took in `);
      expect(text).toContain(part.caseId);
      expect(text).toContain('"action":"acknowledge"');
      expect(text).toContain('is closed to a named few');
    }
    expect((await store.cases.get(sequence.caseId))?.messageTs).toBe('1');
    await deliverCase(part.caseId, deps as unknown as Parameters<typeof deliverCase>[1]);
    expect(posted.at(-1)?.text).toContain(`It goes on in case `);

    // Closed again to somebody else, by its own name: the whole goes with it.
    const ids = [part.caseId, sequence.caseId];
    expect(await store.cases.restrict(part.caseId, ['U0ADA01'], 'U0OMAR1', new Date(time).toISOString())).toEqual(ids);
    expect((await store.cases.get(sequence.caseId))?.restrictedTo).toEqual(['U0ADA01', 'U0OMAR1']);
  });

  it('goes to somebody whom Slack knows, also where two cases were closed from a shell to different people', async () => {
    const { alertOf } = another();
    const arnOf = (name: string) => `arn:aws:guardduty:eu-west-1:1:detector/d/finding/${name}`;
    for (const [index, person] of ['U0ROSA1', 'U0ADA01'].entries()) {
      const own = another().alertOf({ findingId: `f${index}`, findingArn: arnOf(`both${index}`) });
      const { caseId } = await admit(own);
      await store.cases.restrict(caseId, [person], 'host user 0', new Date(time).toISOString());
    }
    const signals = [0, 1].map((index) => ({ type: 'FINDING', id: arnOf(`both${index}`), name: 'one' }));
    const type = 'AttackSequence:IAM/CompromisedCredentials';
    const { caseId } = await admit(
      alertOf({ findingId: 'f9', type, severity: 9.5, signals: signals as unknown as NonNullable<Alert['signals']> }),
    );
    expect((await store.cases.get(caseId))?.restrictedTo).toEqual(['U0ADA01', 'U0ROSA1', 'host user 0']);
  });

  it('reaches the others where Slack does not know one of them any more, or one is somebody on the host', async () => {
    const { alertOf } = another();
    const { caseId } = await admit(alertOf({ findingId: 'f1' }));
    await store.cases.restrict(caseId, ['U0LEFT1', 'U0STAYS'], 'ada@host', new Date(time).toISOString());
    time += minuteMs;
    await admit(alertOf({ findingId: 'f1', count: 10 }));
    const told: string[] = [];
    const post = ({ channel }: { channel: string }) => {
      if (channel === 'U0LEFT1' || channel === 'ada@host')
        throw new UpstreamError('slack', 'channel_not_found', 'gone', { retryable: false });
      told.push(channel);
      return Promise.resolve({ channel, ts: `${told.length}` });
    };
    const chat = { post, update: () => Promise.resolve() };
    const deps = closedDeps(chat);

    await deliverCase(caseId, deps as unknown as Parameters<typeof deliverCase>[1]);

    expect(told).toEqual(['C-ALERTS', 'U0STAYS']);
    expect((await store.noise.undelivered(caseId)).entries).toEqual([]);
  });
});
