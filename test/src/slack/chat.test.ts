import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Chat } from '../../../src/contracts/chat.ts';
import type { Clock } from '../../../src/contracts/clock.ts';
import { UpstreamError } from '../../../src/contracts/errors.ts';
import type { Message } from '../../../src/contracts/message.ts';
import { openChat } from '../../../src/slack/chat.ts';
import { type KeptLog, keptLog } from './kept-log.ts';
import { openWebApiServer, type WebApiServer } from './web-api-server.ts';

const message: Message = {
  text: 'High finding in account prod.',
  parts: [
    { kind: 'header', text: 'High finding' },
    { kind: 'table', columns: ['who'], rows: [['pipeline']] },
    { kind: 'buttons', buttons: [{ action: 'pivot', value: 'v1', label: 'Pivot', describe: 'Pivot on the key' }] },
  ],
};
const home = { json: { ok: true, team_id: 'T0HOME', user_id: 'U0BOT', bot_id: 'B0BOT' } };

/** A clock whose sleeps take no time but are added up. */
function jumpingClock(): Clock & { advance(ms: number): void; stand(): void; readonly slept: number[] } {
  let now = Date.parse('2026-11-20T22:00:00Z');
  const slept: number[] = [];
  let standing = false;
  return {
    slept,
    stand: () => {
      standing = true;
    },
    now: () => new Date(now),
    sleep: async (ms) => {
      slept.push(ms);
      if (!standing) now += ms;
    },
    advance: (ms) => {
      now += ms;
    },
  };
}

async function failureOf(promise: Promise<unknown>): Promise<UpstreamError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UpstreamError);
  return error as UpstreamError;
}

let slack: WebApiServer;
let log: KeptLog;
let clock: ReturnType<typeof jumpingClock>;
let chat: Chat;

beforeEach(async () => {
  slack = await openWebApiServer();
  slack.on('auth.test', home);
  slack.on('chat.postMessage', { json: { ok: true, ts: '1763676000.000100' } });
  log = keptLog();
  clock = jumpingClock();
  chat = await openChat({ token: 'xoxb-test', apiUrl: slack.apiUrl, log, clock, timeoutMs: 900 });
});

afterEach(() => slack.close());

const input = { channel: 'C1', message, deliveryId: 'd-1' };

describe('post', () => {
  it('sends text, blocks and the delivery id, and turns off unfurling and parsing', async () => {
    const { ts } = await chat.post({ ...input, threadTs: '1.2' });

    const args = slack.of('chat.postMessage')[0]?.args ?? {};
    expect(ts).toBe('1763676000.000100');
    expect(args).toMatchObject({
      channel: 'C1',
      thread_ts: '1.2',
      text: 'High finding in account prod.',
      unfurl_links: 'false',
      unfurl_media: 'false',
      parse: 'none',
      link_names: 'false',
    });
    expect(JSON.parse(args.metadata ?? '')).toEqual({
      event_type: 'firebreak_message',
      event_payload: { delivery_id: 'd-1' },
    });
    expect(JSON.parse(args.blocks ?? '')).toHaveLength(3);
    expect(slack.of('chat.postMessage')[0]?.authorization).toBe('Bearer xoxb-test');
  });

  it('hands over how long Slack asked to wait, and does not ask again before', async () => {
    slack.on('chat.postMessage', { status: 429, headers: { 'retry-after': '7' }, json: { ok: false } });

    const first = await failureOf(chat.post(input));
    const second = await failureOf(chat.post(input));

    expect(first).toMatchObject({ service: 'slack', code: 'ratelimited', retryable: true, retryAfterMs: 7_000 });
    expect(second).toMatchObject({ code: 'ratelimited', retryAfterMs: 7_000 });
    expect(slack.of('chat.postMessage')).toHaveLength(1);
  });

  it('takes a 429 without Retry-After for a rate limit too', async () => {
    slack.on('chat.postMessage', { status: 429, text: 'slow down' });

    expect(await failureOf(chat.post(input))).toMatchObject({ code: 'ratelimited', retryAfterMs: 30_000 });
  });

  it.each([
    ['says 500', { status: 500, text: 'oops' }],
    ['says nothing', { hang: true }],
    ['cuts the connection', { cut: true }],
    ['answers an HTML page', { text: '<html>maintenance</html>', headers: { 'content-type': 'text/html' } }],
    ['reports a fatal error of its own', { json: { ok: false, error: 'fatal_error' } }],
    ['answers without ts', { json: { ok: true } }],
  ])('is ambiguous, and sent once only, when Slack %s', async (_, answer) => {
    slack.on('chat.postMessage', answer);

    const error = await failureOf(chat.post(input));

    expect(error).toMatchObject({ code: 'ambiguous', retryable: true });
    expect(error.message).not.toContain('<html>');
    expect(slack.of('chat.postMessage')).toHaveLength(1);
  });

  it('is not ambiguous when nothing was sent', async () => {
    await slack.close();

    expect(await failureOf(chat.post(input))).toMatchObject({ code: 'unreachable', retryable: true });
  });

  it.each(['not_in_channel', 'channel_not_found', 'is_archived', 'invalid_auth', 'account_inactive'])(
    'says plainly what %s means, and does not ask for another try',
    async (word) => {
      slack.on('chat.postMessage', { json: { ok: false, error: word } });

      const error = await failureOf(chat.post(input));

      expect(error).toMatchObject({ code: word, retryable: false });
      expect(error.message).toMatch(/\(.{20,}\)/u);
    },
  );

  it('sends a plain form when Slack refuses the blocks, and the sentence alone when it refuses that too', async () => {
    const refused = { json: { ok: false, error: 'invalid_blocks' } };
    slack.on('chat.postMessage', refused, refused, { json: { ok: true, ts: '5.5' } });

    expect(await chat.post(input)).toEqual({ ts: '5.5', channel: 'C1' });

    const forms = slack.of('chat.postMessage').map(({ args }) => JSON.parse(args.blocks ?? '[]') as { type: string }[]);
    expect(forms.map((blocks) => blocks.map((block) => block.type))).toEqual([
      ['header', 'table', 'actions'],
      ['section', 'section', 'actions'],
      [],
    ]);
  });

  it('posts a burst of three to a channel, then one a second, then asks the queue to wait', async () => {
    for (let count = 0; count < 4; count += 1) await chat.post(input);

    expect(clock.slept).toEqual([1_000]);

    clock.stand();
    const many = await Promise.allSettled(Array.from({ length: 12 }, () => chat.post(input)));
    const refused = many.filter((one) => one.status === 'rejected').map((one) => one.reason as UpstreamError);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every((error) => error.code === 'ratelimited' && (error.retryAfterMs ?? 0) > 5_000)).toBe(true);
    await chat.post({ ...input, channel: 'C2' });
  });
});

describe('update', () => {
  it('sends text and blocks, and tries a 500 once more because an update may be sent twice', async () => {
    slack.on('chat.update', { status: 500, text: 'oops' }, { json: { ok: true } });

    await chat.update({ channel: 'C1', ts: '1.1', message });

    expect(slack.of('chat.update')).toHaveLength(2);
    expect(slack.of('chat.update')[1]?.args).toMatchObject({ ts: '1.1', text: message.text });
  });

  it('sends only the newest state of a message that waits for its turn, and tells all who asked how it went', async () => {
    for (let n = 0; n < 4; n += 1) await chat.update({ channel: 'C1', ts: `0.${n}`, message });
    const states = ['Approved.', 'Applying.', 'Done.'].map((text) => ({ text, parts: [] }));

    await Promise.all(states.map((state) => chat.update({ channel: 'C1', ts: '1.1', message: state })));
    slack.on('chat.update', { json: { ok: false, error: 'message_not_found' } });
    const failed = states.map((state) => failureOf(chat.update({ channel: 'C1', ts: '2.2', message: state })));

    const sent = slack.of('chat.update').slice(4);
    expect((await Promise.all(failed)).map(({ code }) => code)).toEqual(Array(3).fill('message_not_found'));
    expect(sent.map(({ args }) => [args.ts, args.text])).toEqual([['1.1', 'Done.']]);
    expect(slack.of('chat.update').slice(5)).toHaveLength(1);
  });

  it('sends at most 45 updates in a minute, over all messages', async () => {
    const start = clock.now().getTime();
    const at: number[] = [];
    while (clock.now().getTime() - start < 60_000) {
      await chat.update({ channel: 'C1', ts: `${at.length}`, message });
      at.push(clock.now().getTime() - start);
    }

    expect(at.filter((ms) => ms < 60_000).length).toBeLessThanOrEqual(45);
    expect(at.length).toBeGreaterThan(40);
  });
});

describe('tell', () => {
  it('is ephemeral, and direct when the person is not in the channel', async () => {
    await chat.tell({ channel: 'C1', userId: 'U1', message });
    expect(slack.of('chat.postEphemeral')[0]?.args).toMatchObject({ channel: 'C1', user: 'U1' });

    slack.on('chat.postEphemeral', { json: { ok: false, error: 'user_not_in_channel' } });
    await chat.tell({ channel: 'C1', userId: 'U1', message });

    expect(slack.of('chat.postMessage').map(({ args }) => args.channel)).toEqual(['U1']);
  });

  it.each([
    ['is in the thread where somebody replied there', [{ ts: '1.1' }, { ts: '1.2' }], '1.1'],
    ['is in the channel where nobody did: Slack shows none in a thread that is not there', [{ ts: '1.1' }], undefined],
  ])('%s', async (_, messages, seen) => {
    slack.on('conversations.replies', { json: { ok: true, messages } });

    await chat.tell({ channel: 'C1', userId: 'U1', threadTs: '1.1', message });

    expect(slack.of('chat.postEphemeral')[0]?.args.thread_ts).toBe(seen);
  });

  it('is in the channel where Slack does not say whether there is a thread', async () => {
    slack.on('conversations.replies', { json: { ok: false, error: 'missing_scope' } });

    await chat.tell({ channel: 'C1', userId: 'U1', threadTs: '1.1', message });

    expect(slack.of('chat.postEphemeral')[0]?.args.thread_ts).toBeUndefined();
  });
});

describe('the arguments', () => {
  it('are those that the method has: only a new message can unfurl', async () => {
    await chat.update({ channel: 'C1', ts: '1.1', message });
    await chat.tell({ channel: 'C1', userId: 'U1', message });

    for (const method of ['chat.update', 'chat.postEphemeral']) {
      const names = Object.keys(slack.of(method)[0]?.args ?? {}).filter((name) => name !== 'token');
      expect(['blocks', 'channel', 'link_names', 'parse', 'text', 'ts', 'user']).toEqual(expect.arrayContaining(names));
    }
  });
});

describe('findPosted', () => {
  const ours = { event_type: 'firebreak_message', event_payload: { delivery_id: 'd-1' } };

  it('finds our own message by its delivery id and nobody else', async () => {
    slack.on('conversations.history', {
      json: {
        ok: true,
        messages: [
          { ts: '3.3', bot_id: 'B0OTHER', metadata: ours },
          { ts: '2.2', bot_id: 'B0BOT', metadata: ours },
          { ts: '1.1', bot_id: 'B0BOT' },
        ],
      },
    });

    expect(await chat.findPosted({ channel: 'C1', deliveryId: 'd-1' })).toEqual({ ts: '2.2', channel: 'C1' });
    expect(await chat.findPosted({ channel: 'C1', deliveryId: 'd-2' })).toBeUndefined();
    expect(slack.of('conversations.history')[0]?.args.include_all_metadata).toBe('true');
  });

  it('follows the pages of a thread, which begins with its oldest message', async () => {
    slack.on(
      'conversations.replies',
      { json: { ok: true, messages: [{ ts: '1.1' }], response_metadata: { next_cursor: 'next' } } },
      { json: { ok: true, messages: [{ ts: '2.2', metadata: ours }] } },
    );

    expect(await chat.findPosted({ channel: 'C1', threadTs: '1.1', deliveryId: 'd-1' })).toEqual({
      ts: '2.2',
      channel: 'C1',
    });
    expect(slack.of('conversations.replies')[1]?.args).toMatchObject({ cursor: 'next', ts: '1.1' });
  });

  it('finds the channel that the config gives by name', async () => {
    slack.on('conversations.list', {
      json: {
        ok: true,
        channels: [
          { id: 'C0OTHER', name: 'x' },
          { id: 'C0REAL', name: 'incidents' },
        ],
      },
    });
    slack.on('conversations.history', { json: { ok: true, messages: [{ ts: '2.2', metadata: ours }] } });

    // Only the id takes updates.
    expect(await chat.findPosted({ channel: '#incidents', deliveryId: 'd-1' })).toEqual({
      ts: '2.2',
      channel: 'C0REAL',
    });
    expect(await chat.findPosted({ channel: '#unknown', deliveryId: 'd-1' })).toBeUndefined();
    expect(slack.of('conversations.history').map(({ args }) => args.channel)).toEqual(['C0REAL']);

    // A person's direct messages are in no list that the app may read, so Slack is not asked for all its pages.
    const asked = slack.of('conversations.list').length;
    expect(await chat.findPosted({ channel: 'U0PERSON', deliveryId: 'd-1' })).toBeUndefined();
    expect(slack.of('conversations.list')).toHaveLength(asked);
  });

  it('answers that it does not know when the scope is missing, and says so once', async () => {
    slack.on('conversations.history', { json: { ok: false, error: 'missing_scope' } });

    await chat.findPosted({ channel: 'C1', deliveryId: 'd-1' });
    expect(await chat.findPosted({ channel: 'C1', deliveryId: 'd-1' })).toBeUndefined();

    expect(log.lines.filter((line) => line.message.includes('history'))).toHaveLength(1);
  });
});

describe('person', () => {
  const user = {
    id: 'U0PERSON',
    team_id: 'T0HOME',
    name: 'ana',
    profile: { email: ' Ana@Example.ORG ', display_name: 'Ana' },
  };

  it('reads a full member', async () => {
    slack.on('users.info', { json: { ok: true, user } });

    expect(await chat.person('U0PERSON')).toEqual({
      userId: 'U0PERSON',
      teamId: 'T0HOME',
      enterpriseId: undefined,
      email: 'ana@example.org',
      displayName: 'Ana',
      deleted: false,
      bot: false,
      guest: false,
      stranger: false,
    });
  });

  it.each([
    ['a multi-channel guest', { is_restricted: true }, { guest: true }],
    ['a single-channel guest', { is_ultra_restricted: true }, { guest: true }],
    ['a deactivated user', { deleted: true }, { deleted: true }],
    ['a bot', { is_bot: true }, { bot: true }],
    ['a workflow bot', { is_workflow_bot: true }, { bot: true }],
    ['a Slack Connect stranger', { is_stranger: true }, { stranger: true }],
    ['somebody of another team', { team_id: 'T0OTHER' }, { stranger: true }],
    ['somebody without a team', { team_id: undefined }, { stranger: true }],
  ])('tells %s', async (_, fields, expected) => {
    slack.on('users.info', { json: { ok: true, user: { ...user, ...fields } } });

    expect(await chat.person('U0PERSON')).toMatchObject(expected);
  });

  it('takes another workspace of our own enterprise for ours', async () => {
    slack.on('auth.test', { json: { ok: true, team_id: 'T0HOME', enterprise_id: 'E1' } });
    const grid = await openChat({ token: 'x', apiUrl: slack.apiUrl, log, clock });
    slack.on('users.info', {
      json: { ok: true, user: { ...user, team_id: 'T2', enterprise_user: { enterprise_id: 'E1' } } },
    });

    expect(await grid.person('U0PERSON')).toMatchObject({ stranger: false, enterpriseId: 'E1' });
  });

  it('keeps an answer for 30 s and a failure not at all', async () => {
    slack.on('users.info', { status: 500, text: '' }, { status: 500, text: '' }, { json: { ok: true, user } });

    await failureOf(chat.person('U0PERSON'));
    await chat.person('U0PERSON');
    await chat.person('U0PERSON');
    expect(slack.of('users.info')).toHaveLength(3);

    clock.advance(30_001);
    await chat.person('U0PERSON');
    expect(slack.of('users.info')).toHaveLength(4);
  });

  it('throws while our own team is not known, and learns it later', async () => {
    slack.on('users.info', { json: { ok: true, user } });
    slack.on('auth.test', { status: 503, text: '' });
    const late = await openChat({ token: 'x', apiUrl: slack.apiUrl, log, clock });

    await failureOf(late.person('U0PERSON'));
    slack.on('auth.test', home);

    expect(await late.person('U0PERSON')).toMatchObject({ stranger: false });
  });

  it('refuses an answer about somebody else', async () => {
    slack.on('users.info', { json: { ok: true, user: { ...user, id: 'U0OTHER' } } });

    expect(await failureOf(chat.person('U0PERSON'))).toMatchObject({ code: 'unexpected_answer' });
  });
});

describe('groups, channels and reach', () => {
  it('keeps the members of a group for 60 s and throws when Slack does not tell', async () => {
    slack.on(
      'usergroups.users.list',
      { json: { ok: true, users: ['U1', 'U2'] } },
      { json: { ok: false, error: 'no_such_subteam' } },
    );

    expect(await chat.groupMembers('S1')).toEqual(['U1', 'U2']);
    expect(await chat.groupMembers('S1')).toEqual(['U1', 'U2']);
    clock.advance(60_001);

    expect(await failureOf(chat.groupMembers('S1'))).toMatchObject({ code: 'no_such_subteam', retryable: false });
  });

  it('asks again where what it remembers was asked for before the given time, and shares what was asked for after it', async () => {
    const members = (...users: readonly string[]) => ({ json: { ok: true, users } });
    slack.on('usergroups.users.list', members('U1'), members('U2'), members('U3'));
    const early = clock.now();
    expect(await chat.groupMembers('S1', { since: early })).toEqual(['U1']);
    expect(await chat.groupMembers('S1', { since: early })).toEqual(['U1']);
    clock.advance(1);
    const late = clock.now();

    expect(await chat.groupMembers('S1', { since: late })).toEqual(['U2']);
    clock.advance(1_000);
    expect(await chat.groupMembers('S1', { since: late })).toEqual(['U2']);
    expect(await chat.groupMembers('S1')).toEqual(['U2']);
    expect(await chat.groupMembers('S1', { since: clock.now() })).toEqual(['U3']);
  });

  it('tells a channel that is shared with another company', async () => {
    slack.on(
      'conversations.info',
      { json: { ok: true, channel: { id: 'C1', is_shared: true, is_org_shared: true } } },
      { json: { ok: true, channel: { id: 'C1', is_ext_shared: true } } },
      { json: { ok: true, channel: { id: 'C1', is_pending_ext_shared: true } } },
    );

    expect(await chat.channel('C1')).toEqual({ id: 'C1', externallyShared: false });
    expect(await chat.channel('C1')).toEqual({ id: 'C1', externallyShared: true });
    expect(await chat.channel('C1')).toEqual({ id: 'C1', externallyShared: true });
  });

  it('says whether Slack is reachable and never throws, within the time for a look-up', async () => {
    expect(await chat.reachable()).toEqual({ ok: true });

    clock.advance(15_001);
    slack.on('auth.test', { hang: true });
    expect(await chat.reachable()).toMatchObject({ ok: false });
  });
});

describe('upload', () => {
  const attachments = ['graph.png', '../../etc/passwd'].map((filename, index) => ({
    filename,
    title: `Picture ${index}`,
    altText: 'Three users share one address',
    bytes: new Uint8Array([137, 80, 78, index]),
  }));
  const upload = { channel: 'C1', threadTs: '1.1', attachments, comment: 'The graph <!channel>' };

  it('shares several pictures as one message, with alt text, and sends the token to the API only', async () => {
    slack.on(
      'files.getUploadURLExternal',
      { json: { ok: true, upload_url: `${slack.origin}/upload/1`, file_id: 'F1' } },
      { json: { ok: true, upload_url: `${slack.origin}/upload/2`, file_id: 'F2' } },
    );

    await chat.upload(upload);

    expect(slack.of('upload/1')[0]?.body).toEqual(Buffer.from([137, 80, 78, 0]));
    expect(slack.of('upload/1')[0]?.authorization).toBeUndefined();
    expect(slack.of('files.getUploadURLExternal').map(({ args }) => args)).toMatchObject([
      { filename: 'graph.png', length: '4', alt_txt: 'Three users share one address' },
      { filename: '-..-etc-passwd' },
    ]);
    const done = slack.of('files.completeUploadExternal');
    expect(done).toHaveLength(1);
    expect(JSON.parse(done[0]?.args.files ?? '')).toEqual([
      { id: 'F1', title: 'Picture 0' },
      { id: 'F2', title: 'Picture 1' },
    ]);
    expect(done[0]?.args).toMatchObject({ channel_id: 'C1', thread_ts: '1.1' });
    expect(done[0]?.args.initial_comment).toContain('&lt;');
  });

  it.each([
    'http://169.254.169.254/latest',
    'https://slack.com.evil.example/u',
    'https://files.slack.com:8443/u',
    'file:///etc/passwd',
  ])('sends nothing to %s', async (address) => {
    slack.on('files.getUploadURLExternal', { json: { ok: true, upload_url: address, file_id: 'F1' } });

    expect(await failureOf(chat.upload(upload))).toMatchObject({ code: 'upload_host_refused', retryable: false });
    expect(slack.of('files.completeUploadExternal')).toHaveLength(0);
  });
});

describe('secrets', () => {
  it('writes the token into no log line and no error', async () => {
    slack.on('chat.postMessage', { status: 500, text: 'xoxb-test' });
    const error = await failureOf(chat.post(input));

    expect(JSON.stringify(log.lines)).not.toContain('xoxb-test');
    expect(`${error.message}${JSON.stringify(error)}`).not.toContain('xoxb-test');
  });
});
