/** What the store must do on every PostgreSQL: the embedded one and the operator's own. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Alert } from '../../src/contracts/alert.ts';
import type { Plan, PlanContext, Vote } from '../../src/contracts/approval.ts';
import { SetupError, UpstreamError, UserError } from '../../src/contracts/errors.ts';
import type { AuditRow, Store, Transition } from '../../src/contracts/store.ts';
import { genesisHash, verifyAuditRows } from '../../src/domain/audit-chain.ts';
import { openStore } from '../../src/store/store.ts';
import {
  externalPostgresMissing,
  runSql,
  silentLog,
  startExternalDatabase,
  startTestDatabase,
  type TestDatabase,
} from '../support/databases.ts';

const at = '2026-11-20T10:00:00.000Z';
const later = '2026-11-20T11:00:00.000Z';
let names = 0;
const unique = (name: string): string => {
  names += 1;
  return `${name}-${names}`;
};

function alertOf(dedupeKey: string, change: Partial<Alert> = {}): Alert {
  return {
    source: 'guardduty',
    dedupeKey,
    updatedAt: at,
    count: 1,
    findingId: 'f1',
    type: 'CryptoCurrency:EC2/BitcoinTool.B!DNS',
    severity: 8,
    title: 'title',
    description: 'description',
    partition: 'aws',
    accountId: '123456789012',
    region: 'eu-west-1',
    resource: { type: 'Instance', id: 'i-0123456789abcdef0' },
    resourceIds: ['i-0123456789abcdef0'],
    actor: {},
    remote: [],
    sample: false,
    archived: false,
    notes: [],
    ...change,
  };
}

const plan: Plan = {
  action: 'disable-access-key',
  direction: 'apply',
  accountId: '123456789012',
  partition: 'aws',
  target: { userName: 'pipeline', accessKeyId: 'AKIAIOSFODNN7EXAMPLE' },
  before: { status: 'Active' },
  calls: [
    {
      service: 'iam',
      operation: 'UpdateAccessKey',
      region: 'us-east-1',
      input: { AccessKeyId: 'AKIAIOSFODNN7EXAMPLE', Status: 'Inactive' },
    },
  ],
  sessionPolicy: { Version: '2012-10-17', Statement: [] },
  responderRole: 'arn:aws:iam::123456789012:role/responder',
};
const context: PlanContext = {
  blastRadius: [],
  blastCoverage: '',
  willNotStop: [],
  reversal: '',
  cli: [],
  approvalsBecause: '',
};

const servers = [
  { name: 'the embedded PostgreSQL', missing: undefined, start: startTestDatabase },
  { name: 'an external PostgreSQL', missing: externalPostgresMissing(), start: startExternalDatabase },
] as const;

describe.each(servers)('the store on $name', ({ missing, start }) => {
  if (missing !== undefined) {
    it.skip(`cannot be tested here: ${missing}`, () => undefined);
    return;
  }

  let database: TestDatabase;
  let store: Store;
  let second: Store;

  beforeAll(async () => {
    database = await start();
    // Both at once: each finds an empty database.
    [store, second] = await Promise.all([open('one'), open('two')]);
  });
  afterAll(async () => {
    await Promise.all([store?.close(), second?.close()]);
    await database?.stop();
  });

  function open(applicationName: string): Promise<Store> {
    return openStore({ connectionString: database.connectionString, log: silentLog, applicationName });
  }

  async function auditOf(reader: Store = store): Promise<AuditRow[]> {
    const rows: AuditRow[] = [];
    for (;;) {
      const page = await reader.audit.read(rows.at(-1)?.seq ?? 0, 100);
      if (page.length === 0) return rows;
      rows.push(...page);
    }
  }

  async function propose(change: { caseId?: string; undoOf?: string; requestId?: string } = {}) {
    return store.approvals.propose({
      requestId: unique('request'),
      caseId: 'IR-1',
      plan,
      planHash: 'a'.repeat(64),
      context,
      requester: { userId: 'U1', person: 'ana@example.com' },
      required: 1,
      createdAt: at,
      expiresAt: later,
      channel: 'C1',
      ...change,
    });
  }

  const voteBy = (userId: string): Vote => ({
    userId,
    person: `${userId}@example.com`,
    vote: 'approve',
    at,
    planHash: 'hash',
    mode: 'execute',
  });
  const approve = (userId: string): Transition => ({
    state: 'approved',
    addVote: voteBy(userId),
    audit: { event: 'vote', actor: userId, at, payload: { vote: 'approve' } },
  });

  describe('alerts', () => {
    it('are stored once per delivery, with whatever text they bring', async () => {
      const deliveryKey = unique('delivery');
      const alert = alertOf(unique('key'), { title: 'nul \u0000, half a pair \ud800, <!channel>', description: '"\\' });

      const first = await store.alerts.receive({ deliveryKey, alert, raw: { odd: '\u0000\ud800' }, at });
      const repeat = await second.alerts.receive({ deliveryKey, alert, raw: {}, at: later });

      expect(first.repeat).toBe(false);
      expect(repeat).toEqual({ alertId: first.alertId, repeat: true });
      const kept = { ...alert, title: 'nul \ufffd, half a pair \ufffd, <!channel>' };
      expect(await store.alerts.get(first.alertId)).toEqual({ alert: kept, receivedAt: at, handledAt: undefined });
      expect(await store.alerts.get('nobody')).toBeUndefined();
    });

    it('are stored once when the same delivery arrives twice at the same moment', async () => {
      const input = { deliveryKey: unique('delivery'), alert: alertOf(unique('key')), raw: {}, at };

      const answers = await Promise.all([...Array(10)].map((_, n) => (n % 2 ? store : second).alerts.receive(input)));

      expect(answers.filter(({ repeat }) => !repeat)).toHaveLength(1);
      expect(new Set(answers.map(({ alertId }) => alertId)).size).toBe(1);
    });

    it('are found by the sweep until they are handled', async () => {
      const receive = (when: string) =>
        store.alerts.receive({ deliveryKey: unique('delivery'), alert: alertOf(unique('key')), raw: {}, at: when });
      const [old, older] = [await receive('2020-01-02T00:00:00Z'), await receive('2020-01-01T00:00:00Z')];

      expect(await store.alerts.unhandled('2020-02-01T00:00:00Z', 10)).toEqual([older.alertId, old.alertId]);
      expect(await store.alerts.unhandled('2020-02-01T00:00:00Z', 1)).toEqual([older.alertId]);
      await store.alerts.markHandled(older.alertId, later);

      expect(await store.alerts.unhandled('2020-02-01T00:00:00Z', 10)).toEqual([old.alertId]);
      expect((await store.alerts.get(older.alertId))?.handledAt).toBe(later);
    });
  });

  describe('cases', () => {
    it('are found by what they name, whatever text stands in others', async () => {
      const accountId = '210987654321';
      const open = (id: string, description: string) => {
        const alert = alertOf(unique('key'), { accountId, description, resource: { type: 'Instance', id } });
        return store.cases.openOrMerge({ alert: { ...alert, resourceIds: [id] }, channel: 'C1', at });
      };
      await open('i-1', 'cut in the middle: \ud83d');
      await open('i-2', 'nul \u0000, \\u0000, \\\u0000, \udc00\ud83d, whole: \ud83d\ude00');
      const { case: wanted } = await open('i-3', 'plain');

      expect(await store.cases.naming('i-3', accountId, at)).toBe(wanted.id);
      const second = await store.cases.naming('i-2', accountId, at);
      const { description } = (await store.cases.get(second ?? ''))?.alert ?? {};
      expect(description).toBe('nul \ufffd, \\u0000, \\\ufffd, \ufffd\ufffd, whole: \ud83d\ude00');
    });

    it('that an earlier version has written with such text are mended', async () => {
      const accountId = '321098765432';
      const key = unique('key');
      const { case: old } = await store.cases.openOrMerge({ alert: alertOf(key, { accountId }), channel: 'C1', at });
      const written = JSON.stringify(
        alertOf(key, { accountId, title: 'a \ud83d', description: '\\ud83d \\\ud83d\u0000' }),
      );
      await runSql(database.connectionString, `update cases set alert = '${written}' where id = '${old.id}'`);
      await expect(store.cases.naming('i-1', accountId, at)).rejects.toThrow('invalid input syntax');

      await runSql(database.connectionString, `delete from firebreak_migration where name = '0015-well-formed-json'`);
      await (await open('again')).close();

      expect(await store.cases.naming('i-0123456789abcdef0', accountId, at)).toBe(old.id);
      const { title, description } = (await store.cases.get(old.id))?.alert ?? {};
      expect([title, description]).toEqual(['a \ufffd', '\\ud83d \\\ufffd\ufffd']);
    });

    it('open once per finding, even when two findings race', async () => {
      const key = unique('finding');

      const answers = await Promise.all(
        [...Array(20)].map((_, n) =>
          (n % 2 ? store : second).cases.openOrMerge({ alert: alertOf(key, { count: n + 1 }), channel: 'C1', at }),
        ),
      );

      expect(new Set(answers.map((answer) => answer.case.id)).size).toBe(1);
      expect(answers.filter(({ previous }) => previous === undefined)).toHaveLength(1);
      const id = answers[0]?.case.id ?? '';
      expect(id).toMatch(/^IR-\d+$/);
      expect((await store.cases.get(id))?.alert.count).toBe(20);
      const opened = (await auditOf()).filter(({ event, caseId }) => event === 'case.opened' && caseId === id);
      expect(opened).toHaveLength(1);
    });

    it('take a newer version of the finding and keep the newer one against an older', async () => {
      const key = unique('finding');
      const openOrMerge = (change: Partial<Alert>) =>
        store.cases.openOrMerge({ alert: alertOf(key, change), channel: 'C1', at });
      await openOrMerge({ count: 1 });

      const newer = await openOrMerge({ updatedAt: later, count: 5 });
      const stale = await openOrMerge({ updatedAt: at, count: 9 });
      const same = await openOrMerge({ updatedAt: later, count: 5 });

      expect(newer.previous?.count).toBe(1);
      expect(newer.case.alert.count).toBe(5);
      expect(stale.previous?.count).toBe(5);
      expect(stale.case.alert.count).toBe(5);
      expect(same.previous).toEqual(same.case.alert);
    });

    it('remember their card and who acknowledged first', async () => {
      const { case: opened } = await store.cases.openOrMerge({ alert: alertOf(unique('finding')), channel: 'C1', at });
      await store.cases.setMessage(opened.id, 'C2', '1700000000.000100');

      const answers = await Promise.all([
        store.cases.acknowledge(opened.id, 'U1', at),
        second.cases.acknowledge(opened.id, 'U2', at),
      ]);

      expect([...answers].sort()).toEqual([false, true]);
      expect(await store.cases.get(opened.id)).toMatchObject({
        channel: 'C2',
        messageTs: '1700000000.000100',
        acknowledgedBy: answers[0] ? 'U1' : 'U2',
        acknowledgedAt: at,
      });
      expect(await store.cases.acknowledge('IR-0', 'U1', at)).toBe(false);
    });

    it('open by hand without a finding', async () => {
      const input = { title: 'contain \u0000', channel: 'C1', accountId: '123456789012', at };

      const [one, two] = [await store.cases.openByHand(input), await store.cases.openByHand(input)];

      expect(one).not.toBe(two);
      expect(await store.cases.get(one)).toMatchObject({ alert: { accountId: '123456789012' }, openedAt: at });
      expect(await store.cases.get('IR-99999')).toBeUndefined();
    });
  });

  it('a post is new once, unsure until its ts is known, and posted after that', async () => {
    const key = unique('post');

    const claims = await Promise.all([store.posts.claim(key, 'C1', at), second.posts.claim(key, 'C1', at)]);
    expect(claims.map(({ state }) => state).sort()).toEqual(['new', 'unsure']);
    expect(claims[0].deliveryId).toBe(claims[1].deliveryId);
    expect(await store.posts.get(key)).toBeUndefined();
    await store.posts.posted(key, '1.2');

    expect(await store.posts.claim(key, 'C1', at)).toMatchObject({ state: 'posted', ts: '1.2' });
    expect(await store.posts.get(key)).toEqual({ channel: 'C1', ts: '1.2' });
  });

  it('a button keeps its id and its first meaning, and its id cannot be guessed', async () => {
    const key = unique('button');

    const ids = await Promise.all([
      store.buttons.mint(key, { kind: 'case', caseId: 'IR-1' }),
      second.buttons.mint(key, { kind: 'case', caseId: 'IR-1' }),
    ]);

    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).toMatch(/^[0-9a-z]{26}$/);
    expect(await store.buttons.mint(key, { kind: 'case', caseId: 'IR-2' })).toBe(ids[0]);
    expect(await store.buttons.meaning(ids[0])).toEqual({ kind: 'case', caseId: 'IR-1' });
    expect(await store.buttons.meaning(`${ids[0]}'--\u0000`)).toBeUndefined();
  });

  it('an investigation is unfinished until its answer is stored', async () => {
    const request = { target: { id: 'arn:aws:iam::123456789012:user/pipeline' }, maxEvents: 10 };
    const input = { name: 'pivot', request, channel: 'C1', requestedBy: 'U1', createdAt: '2020-01-01T00:00:00.000Z' };

    const id = await store.investigations.create({ ...input, caseId: 'IR-1' });

    expect(await store.investigations.get(id)).toMatchObject({ ...input, id, caseId: 'IR-1', threadTs: undefined });
    expect(await store.investigations.unfinished(at, 10)).toContain(id);
    await store.investigations.finish(id, { nodes: [] }, later);
    expect(await store.investigations.unfinished(at, 10)).not.toContain(id);
    expect((await store.investigations.get(id))?.finishedAt).toBe(later);
    expect(await store.investigations.get('nobody')).toBeUndefined();
  });

  describe('approvals', () => {
    it('keep what was asked and voted', async () => {
      const request = {
        action: 'disable-access-key',
        words: ['AKIAIOSFODNN7EXAMPLE'],
        userId: 'U1',
        channel: 'C1',
        at,
      };
      const vote = { approvalId: 'a', userId: 'U2', vote: 'approve', channel: 'C1', at } as const;

      const [requestId, voteId] = [await store.approvals.saveRequest(request), await store.approvals.saveVote(vote)];

      expect(await second.approvals.request(requestId)).toEqual(request);
      expect(await second.approvals.vote(voteId)).toEqual(vote);
      expect(await second.approvals.request('nobody')).toBeUndefined();
      expect(await second.approvals.vote('nobody')).toBeUndefined();
    });

    it('are proposed once per request, with one entry in the audit', async () => {
      const requestId = unique('request');

      const proposed = await Promise.all([...Array(8)].map(() => propose({ requestId })));

      const ids = new Set(proposed.map(({ id }) => id));
      expect(ids.size).toBe(1);
      const [id = ''] = ids;
      expect(await second.approvals.get(id)).toMatchObject({ state: 'proposed', plan, votes: [], expiresAt: later });
      const plans = (await auditOf()).filter(({ event, approvalId }) => event === 'plan' && approvalId === id);
      expect(plans).toHaveLength(1);
      expect(plans[0]).toMatchObject({ actor: 'U1', caseId: 'IR-1', payload: { planHash: 'a'.repeat(64) } });
    });

    it('move once when fifty people approve at the same moment', async () => {
      const { id } = await propose();

      const answers = await Promise.all(
        [...Array(50)].map((_, n) =>
          (n % 2 ? store : second).approvals.move(id, (approval) =>
            approval.state === 'proposed' ? approve(`U${n}`) : undefined,
          ),
        ),
      );

      expect(answers.filter(({ moved }) => moved)).toHaveLength(1);
      const approval = await store.approvals.get(id);
      expect(approval?.state).toBe('approved');
      expect(approval?.votes).toHaveLength(1);
      const votes = (await auditOf()).filter(({ event, approvalId }) => event === 'vote' && approvalId === id);
      expect(votes).toHaveLength(1);
      expect(votes[0]?.actor).toBe(approval?.votes[0]?.userId);
    });

    it('stay as they are when the decision fails or is to do nothing', async () => {
      const { id } = await propose();
      const before = (await auditOf()).length;

      const failing = store.approvals.move(id, () => {
        throw new RangeError('bug');
      });
      await expect(failing).rejects.toThrow(RangeError);
      const refusing = store.approvals.move(id, () => {
        throw new UserError('not you');
      });
      await expect(refusing).rejects.toThrow(UserError);
      expect(await store.approvals.move(id, () => undefined)).toMatchObject({ moved: false });
      await expect(store.approvals.move('nobody', () => undefined)).rejects.toThrow(UserError);

      expect(await store.approvals.get(id)).toMatchObject({ state: 'proposed', votes: [] });
      expect(await auditOf()).toHaveLength(before);
    });

    it('store what was read back and how it ended', async () => {
      const { id } = await propose();
      await store.approvals.move(id, () => ({
        addVote: voteBy('U7'),
        audit: { event: 'vote', actor: 'U7', at, payload: {} },
      }));

      const { approval } = await store.approvals.move(id, () => ({
        state: 'verified',
        after: { status: 'Inactive' },
        outcome: 'The key is Inactive.',
        audit: { event: 'verify', actor: 'firebreak', at, payload: { held: true } },
      }));

      expect(approval).toMatchObject({ state: 'verified', after: { status: 'Inactive' }, votes: [voteBy('U7')] });
      expect(await second.approvals.get(id)).toEqual(approval);
    });

    it('are listed while they are open and by state, oldest first', async () => {
      const [one, two, three] = [await propose(), await propose(), await propose()];
      await store.approvals.move(two.id, () => ({ ...approve('U2'), state: 'rejected' }));

      const open = (await store.approvals.open()).map(({ id }) => id);
      const rejected = (await store.approvals.inState(['rejected'], 100)).map(({ id }) => id);

      expect(open.filter((id) => [one.id, two.id, three.id].includes(id))).toEqual([one.id, three.id]);
      expect(rejected).toContain(two.id);
      expect(await store.approvals.inState(['proposed'], 1)).toHaveLength(1);
      expect(await store.approvals.inState([], 1)).toEqual([]);
    });

    it('know their undo: the open one before the newest', async () => {
      const { id } = await propose();
      expect(await store.approvals.undoFor(id)).toBeUndefined();
      const first = await propose({ undoOf: id });
      const newer = await propose({ undoOf: id });

      await store.approvals.move(newer.id, () => ({ ...approve('U2'), state: 'rejected' }));
      expect((await store.approvals.undoFor(id))?.id).toBe(first.id);
      await store.approvals.move(first.id, () => ({ ...approve('U2'), state: 'expired' }));
      expect((await store.approvals.undoFor(id))?.id).toBe(newer.id);
    });

    it('keep the newest standing of each voter', async () => {
      const { id } = await propose();
      const standing = { userId: 'U1', person: 'ana@example.com', checkedAt: at };
      await store.approvals.setStanding(id, [standing, { ...standing, userId: 'U2' }]);
      await store.approvals.setStanding(id, [{ ...standing, refused: 'deactivated', checkedAt: later }]);
      await store.approvals.setStanding(id, []);

      expect(await store.approvals.standings(id)).toEqual([
        { ...standing, refused: 'deactivated', checkedAt: later },
        { ...standing, userId: 'U2' },
      ]);
    });
  });

  describe('the audit', () => {
    it('is one unbroken chain, also when many processes append', async () => {
      const before = (await auditOf()).length;
      const odd = {
        text: '\u0000 \ud800 \u2028 é',
        number: 1e21,
        nothing: undefined,
        list: [null, Number.NaN],
        when: new Date(0),
      };

      await Promise.all(
        [...Array(40)].map((_, n) =>
          (n % 2 ? store : second).audit.append({
            event: 'ask',
            actor: `U${n}\u0000`,
            at: '2026-11-20',
            payload: { odd, n },
          }),
        ),
      );

      const rows = await auditOf();
      expect(rows).toHaveLength(before + 40);
      expect(rows[0]).toMatchObject({ seq: 1, prevHash: genesisHash });
      expect(verifyAuditRows(rows)).toEqual({ ok: true, rows: rows.length, head: rows.at(-1)?.hash });
      // What an export would hold.
      expect(verifyAuditRows(JSON.parse(JSON.stringify(rows)))).toMatchObject({ ok: true });
      expect(await second.audit.read(rows.length - 2, 1)).toEqual([rows.at(-2)]);
    });

    it.each(['update audit set actor = actor', 'delete from audit where seq < 0', 'truncate audit'])(
      'refuses: %s',
      async (statement) => {
        await expect(runSql(database.connectionString, statement)).rejects.toThrow('append-only');
        const unhooked = runSql(database.connectionString, `set session_replication_role = replica; ${statement}`);
        await expect(unhooked).rejects.toThrow('append-only');
      },
    );

    it('refuses a second entry after the same one', async () => {
      const forged = `insert into audit select seq + 1000, event, actor, case_id, approval_id, at, payload, prev_hash, 'x' from audit limit 1`;

      await expect(runSql(database.connectionString, forged)).rejects.toThrow('audit_prev_hash_key');
    });
  });

  it('an enrollment replaces only the one that was known to whoever made it', async () => {
    const userId = unique('U').replace('-', '').toUpperCase();
    const one = { userId, secret: 'ONE', enrolledAt: at, activeAt: at, enrolledBy: 'host user one' };
    const two = { ...one, secret: 'TWO' };

    const first = await Promise.all([store.stepUp.enroll(one, undefined), store.stepUp.enroll(two, undefined)]);
    const kept = await store.stepUp.enrollment(userId);

    expect(first.filter(Boolean)).toHaveLength(1);
    expect(await store.stepUp.enroll({ ...one, secret: 'THREE' }, { secret: 'OTHER' })).toBe(false);
    expect((await store.stepUp.enrollment(userId))?.secret).toBe(kept?.secret);
    expect(await store.stepUp.enroll({ ...one, secret: 'THREE' }, { secret: kept?.secret ?? '' })).toBe(true);
    expect((await store.stepUp.enrollment(userId))?.secret).toBe('THREE');
  });

  it('a freeze is remembered with who and why, and is in the audit', async () => {
    expect(await store.settings.frozen()).toEqual({ frozen: false });

    await store.settings.setFrozen(true, 'U1', 'exercise \u0000', at);
    expect(await second.settings.frozen()).toMatchObject({ frozen: true, by: 'U1', at });
    await store.settings.setFrozen(false, 'U2', 'over', later);

    expect(await second.settings.frozen()).toEqual({ frozen: false, by: 'U2', reason: 'over', at: later });
    const freezes = (await auditOf()).filter(({ event }) => event === 'freeze');
    expect(freezes.map(({ payload }) => payload.frozen)).toEqual([true, false]);
  });

  it('a move that must not happen under a freeze does not, and writes no audit', async () => {
    const id = (await propose()).id;
    const audit = { event: 'intent', actor: 'executor', at, payload: {} };
    const begin = () => store.approvals.move(id, () => ({ outcome: 'begun', unlessFrozen: true, audit }));

    await store.settings.setFrozen(true, 'U1', 'exercise', at);
    expect(await begin()).toMatchObject({ moved: false });
    expect((await auditOf()).filter(({ approvalId, event }) => approvalId === id && event === 'intent')).toEqual([]);
    await store.settings.setFrozen(false, 'U1', 'over', at);
    expect(await begin()).toMatchObject({ moved: true, approval: { outcome: 'begun' } });
  });

  it('a key is seen for the first time once', async () => {
    const key = unique('trigger');

    const answers = await Promise.all([...Array(10)].map((_, n) => (n % 2 ? store : second).firstTime(key, at)));

    expect(answers.filter(Boolean)).toHaveLength(1);
    expect(await store.firstTime(`${key}\u0000`, at)).toBe(true);
  });

  it('slots of a lane are spaced over all processes, and an idle lane does not wait', async () => {
    const lane = unique('lookup:123456789012:eu-west-1');
    const everyMs = 500;

    const from = performance.now();
    const waits = await Promise.all([...Array(12)].map((_, n) => (n % 2 ? store : second).reserveSlot(lane, everyMs)));
    const tookMs = performance.now() - from;

    const sorted = [...waits].sort((left, right) => left - right);
    expect(sorted[0]).toBeLessThanOrEqual(1);
    for (const [n, wait] of sorted.entries()) {
      expect(wait).toBeLessThanOrEqual(n * everyMs + 1);
      expect(wait).toBeGreaterThanOrEqual(n * everyMs - tookMs);
    }
    expect(await store.reserveSlot(unique('lane'), everyMs)).toBeLessThanOrEqual(1);
  });

  it('checks by writing', async () => {
    await store.check();
    const [{ dbname = '' } = {}] = await runSql(database.connectionString, 'select current_database() as dbname');
    await runSql(database.connectionString, `alter database ${dbname} set default_transaction_read_only = on`);
    const readOnly = new pg.Client({ connectionString: database.connectionString });
    await readOnly.connect();
    try {
      const blind = await open('read-only');
      await expect(blind.check()).rejects.toMatchObject({ service: 'database', code: '25006', retryable: true });
      await blind.close();
    } finally {
      await readOnly.query('set default_transaction_read_only = off');
      await readOnly.query(`alter database ${dbname} set default_transaction_read_only = off`);
      await readOnly.end();
    }
  });

  it('goes on after its connections were cut', async () => {
    const cut =
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()';
    await runSql(database.connectionString, cut);

    await expect
      .poll(() =>
        store.check().then(
          () => 'stored',
          (thrown: unknown) => (thrown as UpstreamError).retryable,
        ),
      )
      .toBe('stored');
  });

  it('does not touch a database of a newer version', async () => {
    await runSql(database.connectionString, `insert into firebreak_migration values ('9999-later', 'now')`);

    const opening = open('older');

    await expect(opening).rejects.toThrow(SetupError);
    await expect(opening).rejects.toThrow('newer version of Firebreak');
    await runSql(database.connectionString, `delete from firebreak_migration where name = '9999-later'`);
  });
});

describe('the store', () => {
  it('says so when the server cannot be reached', async () => {
    const connectionString = 'postgresql://nobody@127.0.0.1:1/none';

    const opening = openStore({ connectionString, log: silentLog, applicationName: 'nowhere' });

    await expect(opening).rejects.toBeInstanceOf(UpstreamError);
    await expect(opening).rejects.toMatchObject({ service: 'database', code: 'ECONNREFUSED', retryable: true });
  });
});
