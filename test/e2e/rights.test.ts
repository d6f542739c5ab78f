/** Who may do what, through the real doors on the real process: every wrong click is refused, told, written down, and changes nothing. */
import { IAMClient, ListAccessKeysCommand, UpdateAccessKeyCommand } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configFor } from '../../demo/setting.ts';
import { demoIds, demoPeople, type LooseBlock, type Message, type Person } from '../../demo/slack/workspace.ts';
import { run, sql } from '../support/doors.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const key = 'AKIAIOSFODNN7EXAMPLE';
const { alerts, rosa, omar, gil, onCall, team } = demoIds;
const una = 'U07UNA4ONCA';
const ned = 'U07NED5ONCA';
const rosaAgain = 'U07ROSA6ALT';
const bot = 'U07BOT7HELP';
const gone = 'U07GONE8LEFT';
const stranger = 'U07STR9PART';

function person(id: string, more: Partial<Person> = {}): Person {
  return {
    id,
    name: id.toLowerCase(),
    realName: id,
    email: `${id}@acme-cloud.example`,
    teamId: team,
    role: 'approver',
    ...more,
  };
}
const people: readonly Person[] = [
  ...demoPeople,
  person(una),
  person(ned),
  person(rosaAgain, { email: 'Rosa.Reyes@acme-cloud.example' }),
  person(bot, { isBot: true }),
  person(gone, { deleted: true }),
  person(stranger, { isStranger: true, teamId: 'T0PARTNER00' }),
];
// Everybody is on the list and in the group: who is refused is refused for what he is.
const listed = people.map(({ id }) => id);

let scene: Scene;
beforeAll(async () => {
  scene = await openScene({
    aws: { backgroundEvents: 0 },
    slack: { people, groups: [{ id: onCall, handle: 'ir-oncall', name: 'IR on-call', users: listed }] },
    start: false,
  });
  await scene.start({ config: config() });
});
afterAll(() => scene?.close());

function config(more: Record<string, unknown> = {}, approvers: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    ...configFor(scene.aws),
    regions: ['us-east-1'],
    responders: { users: [rosa, omar] },
    approvers: { users: listed, groups: [onCall], required: 1, ...approvers },
    ...more,
  };
}

async function restart(next: Record<string, unknown>): Promise<void> {
  await scene.firebreak.stop();
  await scene.start({ config: next });
  // The first answer of a process takes longest; beside other tests longer than Slack waits, which is not what is tested here.
  await scene.slack.slash(omar, alerts, 'approvals');
}

const cards = () => scene.slack.messages(alerts);
const cardAt = (ts: string): Message => cards().find((message) => message.ts === ts) ?? ({} as Message);
const writes = () => scene.aws.calls.filter((call) => call.operation === 'UpdateAccessKey');
/** Not the looks into the logs at who else has taken the role, which come when they are due. */
const isTaking = ({ operation, input }: { readonly operation: string; readonly input: object }) =>
  operation === 'AssumeRole' && JSON.stringify(input).includes('IrResponder');
const keyOf = (id: string) =>
  [...scene.aws.state.accounts.values()]
    .flatMap((account) => [...account.users.values()])
    .flatMap((user) => user.keys)
    .find((entry) => entry.id === id);
const status = () => keyOf(key)?.history.at(-1)?.status;
const setStatus = (to: 'Active' | 'Inactive') => keyOf(key)?.history.push({ status: to, at: new Date() });

/** Asks for the key to be disabled and waits for the card with its buttons. */
async function propose(who: string = rosa): Promise<Message> {
  // The same plan is not made twice while one waits.
  for (const open of cards().filter((message) => hasButton(message, 'withdraw'))) {
    await scene.slack.click(rosa, alerts, open.ts, 'withdraw');
    await scene.slack.waitFor(() => !hasButton(cardAt(open.ts), 'withdraw'), 15_000);
  }
  const known = new Set(cards().map((message) => message.ts));
  await scene.slack.slash(who, alerts, `contain disable-access-key ${key}`);
  return scene.slack.waitFor(
    () => cards().find((message) => !known.has(message.ts) && hasButton(message, 'approve')),
    20_000,
  );
}

async function approvalOf(
  card: Message,
): Promise<{ id: string; state: string; outcome: string | null; expires_at: Date }> {
  const [row] = await sql<{ id: string; state: string; outcome: string | null; expires_at: Date }>(
    scene,
    'select a.id, a.state, a.outcome, a.expires_at from approvals a join posts p on p.key = $2 || a.id where p.ts = $1',
    [card.ts, 'approval:'],
  );
  if (row === undefined) throw new Error(`no approval is shown at ${card.ts}`);
  return row;
}

/** Waits until the audit holds a vote of this person on this approval that was refused for this reason. */
async function refusedVote(card: Message, who: string, why: RegExp): Promise<void> {
  const { id } = await approvalOf(card);
  let last: readonly unknown[] = [];
  for (const until = Date.now() + 40_000; Date.now() < until; ) {
    const rows = await sql<{ payload: { because: string } }>(
      scene,
      "select payload from audit where event = 'vote.refused' and approval_id = $1 and actor = $2",
      [id, who],
    );
    if (rows.some(({ payload }) => why.test(payload.because))) return;
    last = rows;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no vote of ${who} was refused for ${why} within 40 s: ${JSON.stringify(last)}`);
}

function told(who: string, says: RegExp): Promise<Message> {
  return scene.slack.waitFor(() => scene.slack.ephemerals(who).find((message) => says.test(message.text)), 15_000);
}

/** The message with its buttons' action or value changed, as somebody could send who forges a click. */
function forged(card: Message, change: (button: Record<string, unknown>) => Record<string, unknown>): Message {
  const blocks = (card.blocks ?? []).map((block) =>
    block.type === 'actions'
      ? ({ ...block, elements: (block.elements as Record<string, unknown>[]).map(change) } as unknown as LooseBlock)
      : block,
  );
  return { ...card, blocks };
}

function buttonValue(card: Message, action: string): string {
  for (const block of card.blocks ?? []) {
    const elements = Array.isArray(block.elements) ? (block.elements as Record<string, unknown>[]) : [];
    const button = elements.find((element) => element.action_id === action);
    if (button !== undefined) return String(button.value);
  }
  throw new Error(`the message has no button ${action}`);
}

describe('an approval', () => {
  let card: Message;

  it('is refused to the requester, also under a second account, to guests, strangers, bots and the deactivated', async () => {
    card = await propose();
    const clicks = [
      [rosa, /person who asked cannot approve/],
      [rosaAgain, /same person as the one who asked/],
      [gil, /guests may read/],
      [bot, /bots decide nothing/],
      [gone, /deactivated/],
      [stranger, /not a member of our workspace/],
    ] as const;

    await Promise.all(clicks.map(([who]) => scene.slack.click(who, alerts, card.ts, 'approve')));

    for (const [who, why] of clicks) await refusedVote(card, who, why);
    for (const who of [rosa, rosaAgain, gil]) expect((await told(who, /cannot approve/)).text).toMatch(/\.$/);
    expect((await approvalOf(card)).state).toBe('proposed');
    // A refusal is nobody else's business.
    expect(cards().filter((message) => message.text.includes('cannot approve'))).toEqual([]);
  });

  it('cannot be rejected by those who may not approve, nor withdrawn by anybody but the requester', async () => {
    await scene.slack.click(gil, alerts, card.ts, 'reject');
    await told(gil, /cannot reject/);
    await scene.slack.click(omar, alerts, card.ts, 'withdraw');
    await told(omar, /only the person who asked can withdraw/);

    expect((await approvalOf(card)).state).toBe('proposed');
  });

  it('is not reached by buttons with made-up values, values of another kind or another action', async () => {
    await scene.send(scene.findings.accessKey);
    const finding = await scene.slack.waitFor(
      () => cards().find((message) => hasButton(message, 'acknowledge')),
      15_000,
    );
    const before = await sql(scene, 'select id from vote_requests');
    const copies = [
      forged(card, (button) => ({ ...button, value: 'made-up' })),
      forged(card, (button) => ({ ...button, value: `${String(button.value)}x` })),
      forged(card, (button) => ({ ...button, value: "' or 1=1 --" })),
      forged(card, (button) => ({ ...button, value: '\u0000' })),
      forged(card, (button) => ({ ...button, value: buttonValue(finding, 'pivot') })),
      forged(card, (button) => ({ ...button, value: buttonValue(finding, 'contain') })),
    ];

    for (const copy of copies) await scene.slack.clickStale(omar, copy, 'approve');
    const wrongWord = forged(finding, (button) => ({ ...button, value: buttonValue(card, 'approve') }));
    for (const action of ['pivot', 'contain', 'acknowledge']) await scene.slack.clickStale(omar, wrongWord, action);

    await scene.slack.waitFor(
      () =>
        scene.slack.ephemerals(omar).filter((message) => message.text.includes('stands for nothing')).length ===
        copies.length + 3,
      15_000,
    );
    expect(await sql(scene, 'select id from vote_requests')).toEqual(before);
    // Undo of what was never applied.
    const undo = forged(card, (button) => ({ ...button, action_id: 'undo' }));
    await scene.slack.clickStale(omar, { ...undo, blocks: (undo.blocks ?? []).map(firstButtonOnly) }, 'undo');
    await told(omar, /Only what was applied can be undone/);
    expect((await approvalOf(card)).state).toBe('proposed');
  });

  it('is refused to who left the group between card and click, however fresh the removal', async () => {
    scene.slack.setGroup(
      onCall,
      listed.filter((id) => id !== omar),
    );

    await scene.slack.click(omar, alerts, card.ts, 'approve');

    await refusedVote(card, omar, /user group/);
    scene.slack.setGroup(onCall, listed);
  });

  it('is refused to everybody while Slack does not tell who is in the group', async () => {
    const stop = scene.slack.fail({ method: 'usergroups.users.list', how: '500', times: 1_000 });

    await scene.slack.click(una, alerts, card.ts, 'approve');

    await refusedVote(card, una, /Slack does not tell/);
    stop();
  });

  it('is refused in a channel that became shared with another organisation, where none can be asked for either', async () => {
    scene.slack.setChannel(alerts, { isExtShared: true });

    await scene.slack.click(ned, alerts, card.ts, 'approve');
    await scene.slack.slash(rosa, alerts, `contain disable-access-key ${key}`);

    await refusedVote(card, ned, /shared with another organisation/);
    await told(rosa, /shared with another organisation/);
    scene.slack.setChannel(alerts, { isExtShared: false });
    expect((await approvalOf(card)).state).toBe('proposed');
  });

  it('has no effect after it expired, and its card says so', async () => {
    const { id } = await approvalOf(card);
    await sql(scene, "update approvals set expires_at = now() - interval '1 second' where id = $1", [id]);

    await scene.slack.click(omar, alerts, card.ts, 'approve');

    await scene.slack.waitFor(() => wordsOf(cardAt(card.ts)).includes('Expired'), 15_000);
    expect(hasButton(cardAt(card.ts), 'approve')).toBe(false);
    await scene.slack.clickStale(omar, card, 'approve');
    await told(omar, /it is already expired|it expired at/);
    expect((await approvalOf(card)).state).toBe('expired');
    expect(writes()).toEqual([]);
  });
});

describe('the execution', () => {
  it('writes nothing while frozen; the freeze is lifted on the host', async () => {
    const card = await propose();
    expect((await scene.slack.slash(rosa, alerts, 'freeze somebody may hold a session')).body).toContain(
      'frozen from now on',
    );

    await scene.slack.click(omar, alerts, card.ts, 'approve');

    await scene.slack.waitFor(() => wordsOf(cardAt(card.ts)).includes('all writes are frozen'), 15_000);
    expect((await approvalOf(card)).state).toBe('stale');
    const frozenCard = await propose();
    expect(wordsOf(frozenCard)).toContain('All writes are frozen');
    const open = await run(['ir', 'approvals', '--json'], { env: { FIREBREAK_DATA_DIR: scene.dataDir } });
    expect([open.code, JSON.parse(open.stdout)]).toEqual([
      0,
      { frozen: true, approvals: [expect.objectContaining({ state: 'proposed', requester: rosa })] },
    ]);
    const lifted = await run(['ir', 'freeze', '--lift', 'it was a drill'], {
      env: { FIREBREAK_DATA_DIR: scene.dataDir },
      withinMs: 20_000,
    });
    expect([lifted.code, lifted.stdout.trim()]).toEqual([0, 'The freeze is lifted.']);
    await scene.slack.click(rosa, alerts, frozenCard.ts, 'withdraw');
    await scene.slack.waitFor(() => wordsOf(cardAt(frozenCard.ts)).includes('Withdrawn'), 15_000);
    expect(writes()).toEqual([]);
  });

  it('writes nothing when the key changed behind its back', async () => {
    const card = await propose();
    setStatus('Inactive');

    await scene.slack.click(omar, alerts, card.ts, 'approve');

    await scene.slack.waitFor(() => wordsOf(cardAt(card.ts)).includes('changed after the plan was made'), 15_000);
    expect((await approvalOf(card)).state).toBe('stale');
    expect(wordsOf(cardAt(card.ts))).toContain('status was');
    expect(writes()).toEqual([]);
    setStatus('Active');
  });

  it('says that nothing was written where the responder role is missing', async () => {
    const card = await propose();
    const workshop = scene.aws.state.accounts.get(scene.aws.accounts.workshop.id);
    const role = workshop?.roles.get('IrResponder');
    workshop?.roles.delete('IrResponder');

    await scene.slack.click(omar, alerts, card.ts, 'approve');

    await scene.slack.waitFor(
      () => wordsOf(cardAt(card.ts)).includes('Nothing was written: AWS answered AccessDenied'),
      15_000,
    );
    expect((await approvalOf(card)).state).toBe('failed');
    if (role !== undefined) workshop?.roles.set('IrResponder', role);
    expect(writes()).toEqual([]);
  });

  it('says that nothing was written where AWS refuses the write itself', async () => {
    const card = await propose();
    const stop = scene.aws.fail({ operation: 'UpdateAccessKey', how: 'accessDenied' });

    await scene.slack.click(omar, alerts, card.ts, 'approve');

    await scene.slack.waitFor(
      () => /AWS refused UpdateAccessKey with AccessDenied/.test(wordsOf(cardAt(card.ts))),
      15_000,
    );
    stop();
    expect((await approvalOf(card)).state).toBe('failed');
    expect(writes()).toHaveLength(1);
    expect(status()).toBe('Active');
  });

  it('happens once when two people approve at the same moment', async () => {
    const card = await propose();
    const before = writes().length;

    await Promise.all([omar, una].map((who) => scene.slack.click(who, alerts, card.ts, 'approve')));

    await scene.slack.waitFor(() => hasButton(cardAt(card.ts), 'undo'), 20_000);
    expect(writes()).toHaveLength(before + 1);
    expect(status()).toBe('Inactive');
    const { id } = await approvalOf(card);
    expect(await sql(scene, 'select number from approval_votes where approval_id = $1', [id])).toHaveLength(1);
  });

  it('had a session for 15 minutes and for nothing but this key of this user', async () => {
    const { id, externalId } = scene.aws.accounts.workshop;
    const user = `arn:aws:iam::${id}:user/pipeline`;
    const assumed = scene.aws.calls.findLast(isTaking);

    expect(assumed?.input).toMatchObject({ DurationSeconds: '900', ExternalId: externalId });
    expect(JSON.parse(String(assumed?.input.Policy))).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['iam:UpdateAccessKey', 'iam:ListAccessKeys', 'iam:ListAttachedUserPolicies'],
          Resource: user,
        },
      ],
    });

    const session = [...scene.aws.state.sessions.values()].findLast(
      ({ of }) => 'role' in of && of.role.name === 'IrResponder',
    );
    const client = new IAMClient({
      region: 'us-east-1',
      endpoint: scene.aws.url,
      maxAttempts: 1,
      credentials: {
        accessKeyId: session?.accessKeyId ?? '',
        secretAccessKey: session?.secret ?? '',
        sessionToken: session?.token ?? '',
      },
    });
    const other = { UserName: 'reporting', AccessKeyId: scene.aws.credentials.bystander.accessKeyId };
    await expect(client.send(new ListAccessKeysCommand({ UserName: 'pipeline' }))).resolves.toBeDefined();
    await expect(client.send(new ListAccessKeysCommand({ UserName: 'reporting' }))).rejects.toThrow(/not authorized/);
    await expect(client.send(new UpdateAccessKeyCommand({ ...other, Status: 'Inactive' }))).rejects.toThrow(
      /not authorized/,
    );
    client.destroy();
    expect(keyOf(other.AccessKeyId)?.history.at(-1)?.status).toBe('Active');
    setStatus('Active');
  });
});

describe('the modes and the restarts between', () => {
  let approvedInPropose: Message;
  let openBefore: Message;

  it('in propose, Approve answers with the exact AWS CLI command and writes nothing', async () => {
    await restart(config({ mode: 'propose' }));
    const calls = scene.aws.calls.length;
    approvedInPropose = await propose();
    expect(wordsOf(approvedInPropose)).toContain('runs nothing');

    await scene.slack.click(una, alerts, approvedInPropose.ts, 'approve');

    const card = await scene.slack.waitFor(() => {
      const now = cardAt(approvedInPropose.ts);
      return wordsOf(now).includes('aws iam update-access-key') ? now : undefined;
    }, 15_000);
    expect(wordsOf(card)).toContain(
      `aws iam update-access-key --user-name pipeline --access-key-id ${key} --status Inactive --region us-east-1`,
    );
    const since = scene.aws.calls.slice(calls);
    expect(since.filter(isTaking)).toEqual([]);
    expect(status()).toBe('Active');
    openBefore = await propose();
  });

  it('carries nothing out that was approved while Firebreak ran nothing', async () => {
    const before = writes().length;

    await restart(config({}, { users: listed.filter((id) => id !== ned), required: 2 }));

    await scene.slack.waitFor(() => wordsOf(cardAt(approvedInPropose.ts)).includes('Void'), 20_000);
    const { state, outcome } = await approvalOf(approvedInPropose);
    expect([state, outcome]).toEqual(['stale', expect.stringMatching(/approved while Firebreak ran nothing/)]);
    expect(writes()).toHaveLength(before);
  });

  it('takes clicks on a message from before the restart under the rules of now', async () => {
    await scene.slack.click(ned, alerts, openBefore.ts, 'approve');
    await refusedVote(openBefore, ned, /only approvers/);

    await scene.slack.clickStale(omar, openBefore, 'approve');

    // It asked for one approver when it was made; the executor's own config asks for two by now.
    await scene.slack.waitFor(() => wordsOf(cardAt(openBefore.ts)).includes('lacks approvals'), 20_000);
    expect(status()).toBe('Active');
  });

  it('waits for two people where two are asked for, and one with two accounts is not two', async () => {
    scene.slack.setPerson(gil, {
      isRestricted: false,
      isUltraRestricted: false,
      email: 'omar.okafor@acme-cloud.example',
    });
    const before = writes().length;
    const card = await propose();
    expect(wordsOf(card)).toContain('0 of 2');

    await scene.slack.click(omar, alerts, card.ts, 'approve');
    await scene.slack.waitFor(() => wordsOf(cardAt(card.ts)).includes('1 of 2'), 15_000);
    await scene.slack.click(gil, alerts, card.ts, 'approve');
    await refusedVote(card, gil, /another account of the same person/);
    expect(writes()).toHaveLength(before);

    await scene.slack.click(una, alerts, card.ts, 'approve');
    await scene.slack.waitFor(() => hasButton(cardAt(card.ts), 'undo'), 20_000);
    expect(writes()).toHaveLength(before + 1);
    setStatus('Active');
  });

  it('in observe, nothing is proposed, by command or by button', async () => {
    const card = await propose();
    const finding = cards().find((message) => hasButton(message, 'contain'));
    const before = writes().length;
    await restart(config({ mode: 'observe' }));

    expect((await scene.slack.slash(rosa, alerts, `contain disable-access-key ${key}`)).body).toContain('mode observe');
    await scene.slack.click(rosa, alerts, finding?.ts ?? '', 'contain');
    await scene.slack.waitFor(
      () => scene.slack.ephemerals(rosa).filter((message) => message.text.includes('mode observe')).length >= 2,
      15_000,
    );
    await Promise.all([omar, una].map((who) => scene.slack.click(who, alerts, card.ts, 'approve')));
    await scene.slack.waitFor(() => wordsOf(cardAt(card.ts)).includes('the mode is observe'), 15_000);
    expect(writes()).toHaveLength(before);
    expect(status()).toBe('Active');
  });

  it('leaves an audit that is whole', async () => {
    const checked = await run(['audit', 'verify'], { env: { FIREBREAK_DATA_DIR: scene.dataDir } });

    expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining('is whole')]);
    for (const { secret, token } of scene.aws.state.sessions.values()) {
      expect(scene.firebreak.log()).not.toContain(secret);
      expect(scene.firebreak.log()).not.toContain(token);
    }
  });
});

function firstButtonOnly(block: LooseBlock): LooseBlock {
  if (block.type !== 'actions' || !Array.isArray(block.elements)) return block;
  return { ...block, elements: block.elements.slice(0, 1) };
}
