import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { App, LogLevel } from '@slack/bolt';
import { WebClient } from '@slack/web-api';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { checkBlocks, checkView } from '../../demo/slack/block-rules.ts';
import { type DemoSlack, type DemoSlackOptions, startDemoSlack } from '../../demo/slack/server.ts';
import { demoIds } from '../../demo/slack/workspace.ts';

const signingSecret = 'a-secret-of-this-test';
const botToken = 'xoxb-of-this-test';
const appToken = 'xapp-of-this-test';
const { alerts, rosa, omar, gil } = demoIds;

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function workspace(options: Partial<DemoSlackOptions> = {}): Promise<{ slack: DemoSlack; web: WebClient }> {
  const slack = await startDemoSlack({ signingSecret, botToken, appToken, ...options });
  closers.push(() => slack.close());
  return { slack, web: client(slack) };
}

function client(slack: DemoSlack, token = botToken): WebClient {
  return new WebClient(token, {
    slackApiUrl: slack.apiUrl,
    logLevel: LogLevel.ERROR,
    logger: silent,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: 1500,
  });
}

const silent = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  getLevel: () => LogLevel.ERROR,
  setName() {},
};

interface Received {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly raw: string;
  readonly form: URLSearchParams;
}

/** An app that checks signatures itself and answers what the test says. */
async function app(answer: (seen: Received) => { status?: number; body?: string; silent?: boolean }) {
  const seen: Received[] = [];
  const server: Server = createServer(async (request, response) => {
    let raw = '';
    for await (const chunk of request) raw += String(chunk);
    const received = { headers: request.headers, raw, form: new URLSearchParams(raw) };
    seen.push(received);
    const { status = 200, body = '', silent: isSilent } = answer(received);
    if (!isSilent) response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}/slack/events`, seen };
}

const plain = (text: string) => ({ type: 'plain_text' as const, text });
const marked = (text: string) => ({ type: 'mrkdwn' as const, text });
const button = (action_id: string, more: object = {}) => ({ type: 'button', action_id, text: plain('Go'), ...more });
const section = { type: 'section', text: marked('hello') };
const actions = {
  type: 'actions',
  block_id: 'asks',
  elements: [button('pivot', { value: 'opaque-1' }), button('contain')],
};
const modal = (blocks: unknown[], more: object = {}) => ({
  type: 'modal',
  title: plain('Why'),
  submit: plain('Send'),
  blocks,
  ...more,
});

async function errorOf(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (typeof error !== 'object' || error === null) throw new Error('the call was expected to fail');
  const { data } = error as { data?: { error?: string } };
  return data?.error ?? String((error as { code?: string }).code);
}

describe('the Web API as @slack/web-api calls it', () => {
  it('posts, updates, threads and reads back with metadata', async () => {
    const { slack, web } = await workspace();
    const metadata = { event_type: 'card', event_payload: { delivery_id: 'd-1' } };

    const posted = await web.chat.postMessage({
      channel: alerts,
      text: 'A finding',
      blocks: [section, actions] as never,
      metadata,
    });
    const ts = String(posted.ts);
    const reply = await web.chat.postMessage({ channel: alerts, text: 'more', thread_ts: ts });
    await web.chat.update({ channel: alerts, ts, text: 'A finding, twice', blocks: [section] as never });

    const history = await web.conversations.history({ channel: alerts, include_all_metadata: true });
    expect(history.messages).toHaveLength(1);
    expect(history.messages?.[0]).toMatchObject({ ts, text: 'A finding, twice', metadata, reply_count: 1 });
    expect(history.messages?.[0]?.blocks).toHaveLength(1);
    const replies = await web.conversations.replies({ channel: alerts, ts });
    expect(replies.messages?.map((each) => each.ts)).toEqual([ts, reply.ts]);
    expect((await web.conversations.history({ channel: alerts })).messages?.[0]).not.toHaveProperty('metadata');
    expect(slack.thread(alerts, ts)).toHaveLength(1);
  });

  it('drops the blocks of a message that is updated with text only', async () => {
    const { slack, web } = await workspace();
    const { ts } = await web.chat.postMessage({ channel: alerts, text: 'x', blocks: [section] as never });

    await web.chat.update({ channel: alerts, ts: String(ts), text: 'only text' });

    expect(slack.messages(alerts)[0]).not.toHaveProperty('blocks');
  });

  it('answers in Slack’s error words', async () => {
    const { slack, web } = await workspace();
    const hers = slack.say(rosa, alerts, 'mine');
    const posted = await web.chat.postMessage({ channel: alerts, text: 'x' });
    const ts = String(posted.ts);

    expect(await errorOf(web.chat.postMessage({ channel: 'C0NOWHERE', text: 'x' }))).toBe('channel_not_found');
    expect(await errorOf(web.chat.postMessage({ channel: alerts, text: '' }))).toBe('no_text');
    expect(await errorOf(web.chat.postMessage({ channel: alerts, text: 'x', thread_ts: '1.000001' }))).toBe(
      'thread_not_found',
    );
    expect(await errorOf(web.chat.update({ channel: alerts, ts: hers, text: 'x' }))).toBe('cant_update_message');
    expect(await errorOf(web.chat.update({ channel: alerts, ts: '1.000001', text: 'x' }))).toBe('message_not_found');
    expect(await errorOf(web.chat.update({ channel: alerts, ts, text: 'x'.repeat(4001) }))).toBe('msg_too_long');
    expect(await errorOf(web.chat.postEphemeral({ channel: alerts, user: 'U0NOBODY', text: 'x' }))).toBe(
      'user_not_in_channel',
    );
    expect(await errorOf(web.users.info({ user: 'U0NOBODY' }))).toBe('user_not_found');
    expect(await errorOf(web.apiCall('chat.nonsense'))).toBe('unknown_method');
    expect(await errorOf(client(slack, 'xoxb-wrong').auth.test())).toBe('invalid_auth');
    slack.setChannel(alerts, { isMember: false });
    expect(await errorOf(web.chat.postMessage({ channel: alerts, text: 'x' }))).toBe('not_in_channel');
  });

  it('says which scope is missing, and hides e-mail addresses without users:read.email', async () => {
    const { web } = await workspace({ scopes: ['users:read'] });

    expect(await errorOf(web.chat.postMessage({ channel: alerts, text: 'x' }))).toBe('missing_scope');
    expect((await web.users.info({ user: rosa })).user?.profile).not.toHaveProperty('email');
  });

  it('knows people, guests, groups and channels as the real one shows them', async () => {
    const { slack, web } = await workspace();
    slack.setPerson(omar, { deleted: true });
    slack.setGroup(demoIds.onCall, [omar, rosa]);
    slack.setChannel(alerts, { isExtShared: true });

    expect((await web.users.info({ user: gil })).user).toMatchObject({ is_restricted: true, deleted: false });
    expect((await web.users.info({ user: omar })).user).toMatchObject({ deleted: true });
    expect((await web.usergroups.users.list({ usergroup: demoIds.onCall })).users).toEqual([omar, rosa]);
    expect((await web.conversations.info({ channel: alerts })).channel).toMatchObject({ is_ext_shared: true });
    expect(await web.auth.test()).toMatchObject({ team_id: demoIds.team, user_id: demoIds.botUser });
  });

  it('takes files in three steps and shares them in the thread a moment later, alt text kept', async () => {
    const { slack, web } = await workspace();
    const posted = await web.chat.postMessage({ channel: alerts, text: 'x' });
    const ts = String(posted.ts);
    const bytes = Buffer.from('89504e470d0a1a0a0000000d4948445200000320000001f40802000000', 'hex');

    await web.filesUploadV2({
      channel_id: alerts,
      thread_ts: ts,
      initial_comment: 'Graph',
      file_uploads: [{ file: bytes, filename: 'graph.png', title: 'The graph', alt_text: 'A user and ten instances' }],
    });

    const [shared] = await slack.waitFor(() => slack.thread(alerts, ts).length === 1 && slack.thread(alerts, ts));
    expect(shared?.files?.[0]).toMatchObject({
      title: 'The graph',
      alt_txt: 'A user and ten instances',
      original_w: 800,
      original_h: 500,
    });
    expect(slack.files()[0]?.bytes).toEqual(bytes);
    const fileId = String(shared?.files?.[0]?.id);
    expect((await web.files.info({ file: fileId })).file).toMatchObject({
      shares: { public: { [alerts]: [{ thread_ts: ts }] } },
    });
    const shown = await fetch(`${slack.url}/demo/file/${fileId}`);
    expect(shown.headers.get('content-type')).toBe('image/png');
  });

  it('refuses to complete an upload whose bytes never came', async () => {
    const { web } = await workspace();
    const { file_id } = await web.files.getUploadURLExternal({ filename: 'a.png', length: 10 });

    const call = web.files.completeUploadExternal({ files: [{ id: String(file_id) }], channel_id: alerts });

    expect(await errorOf(call)).toBe('file_update_failed');
  });

  it('takes JSON bodies as well as forms', async () => {
    const { slack } = await workspace();

    const response = await fetch(`${slack.apiUrl}chat.postMessage`, {
      method: 'POST',
      headers: { authorization: `Bearer ${botToken}`, 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify({ channel: alerts, text: 'x', blocks: [section] }),
    });

    expect(await response.json()).toMatchObject({ ok: true, channel: alerts });
  });
});

describe('the block rules', () => {
  const many = (count: number, each: unknown) => Array.from({ length: count }, () => each);
  const cell = (text: string) => ({ type: 'raw_text', text });
  const rich = (...elements: unknown[]) => ({ type: 'rich_text', elements });
  const richSection = (...elements: unknown[]) => ({ type: 'rich_text_section', elements });
  const option = (value: string) => ({ text: plain('o'), value });
  const select = (count: number) => ({ type: 'static_select', action_id: 's', options: many(count, option('v')) });
  const inAction = (element: unknown) => [{ type: 'actions', elements: [element] }];

  const refused: readonly (readonly [string, unknown])[] = [
    ['51 blocks', many(51, section)],
    ['a header of 151 characters', [{ type: 'header', text: plain('x'.repeat(151)) }]],
    ['a header in mrkdwn', [{ type: 'header', text: marked('x') }]],
    ['a section of 3001 characters', [{ type: 'section', text: marked('x'.repeat(3001)) }]],
    ['a section without text or fields', [{ type: 'section' }]],
    ['an empty section text', [{ type: 'section', text: marked('') }]],
    ['11 fields', [{ type: 'section', fields: many(11, marked('x')) }]],
    ['a field of 2001 characters', [{ type: 'section', fields: [marked('x'.repeat(2001))] }]],
    ['11 context elements', [{ type: 'context', elements: many(11, marked('x')) }]],
    ['26 action elements', [{ type: 'actions', elements: many(26, { type: 'button', text: plain('x') }) }]],
    ['an empty actions block', [{ type: 'actions', elements: [] }]],
    ['a button text of 76 characters', inAction(button('a', { text: plain('x'.repeat(76)) }))],
    ['a button value of 2001 characters', inAction(button('a', { value: 'x'.repeat(2001) }))],
    ['a button label of 76 characters', inAction(button('a', { accessibility_label: 'x'.repeat(76) }))],
    ['an unknown button style', inAction(button('a', { style: 'default' }))],
    [
      'a confirm title of 101 characters',
      inAction(button('a', { confirm: { title: plain('x'.repeat(101)), text: plain('x') } })),
    ],
    ['an action_id of 256 characters', inAction(button('a'.repeat(256)))],
    ['an action_id twice in a block', [{ type: 'actions', elements: [button('a'), button('a')] }]],
    [
      'a block_id twice',
      [
        { ...section, block_id: 'b' },
        { ...section, block_id: 'b' },
      ],
    ],
    ['a block_id of 256 characters', [{ ...section, block_id: 'b'.repeat(256) }]],
    ['101 options', inAction(select(101))],
    ['an option value of 151 characters', inAction({ ...select(1), options: [option('v'.repeat(151))] })],
    ['6 overflow options', inAction({ type: 'overflow', options: many(6, option('v')) })],
    ['11 checkboxes', inAction({ type: 'checkboxes', options: many(11, option('v')) })],
    ['a picture without alt text', [{ type: 'image', image_url: 'https://example.com/a.png' }]],
    ['a picture from nowhere', [{ type: 'image', alt_text: 'x' }]],
    [
      'a picture from two places',
      [{ type: 'image', alt_text: 'x', image_url: 'https://e.com/a', slack_file: { id: 'F1' } }],
    ],
    ['an unknown block type', [{ type: 'marquee' }]],
    ['an unknown field', [{ ...section, colour: 'red' }]],
    ['verbatim on plain text', [{ type: 'header', text: { ...plain('x'), verbatim: true } }]],
    ['101 table rows', [{ type: 'table', rows: many(101, [cell('x')]) }]],
    ['21 table columns', [{ type: 'table', rows: [many(21, cell('x'))] }]],
    ['an empty table cell', [{ type: 'table', rows: [[cell('')]] }]],
    ['two tables', many(2, { type: 'table', rows: [[cell('x')]] })],
    ['10001 characters in table cells', [{ type: 'table', rows: [[cell('x'.repeat(10_001))]] }]],
    ['an empty rich text section', [rich(richSection())]],
    ['an empty rich text', [rich(richSection({ type: 'text', text: '' }))]],
    ['a bad user id in rich text', [rich(richSection({ type: 'user', user_id: 'rosa' }))]],
    ['a date without a token', [rich(richSection({ type: 'date', timestamp: 1, format: 'never' }))]],
    ['a script link in rich text', [rich(richSection({ type: 'link', url: 'javascript:alert(1)' }))]],
    [
      'a mention inside preformatted text',
      [rich({ type: 'rich_text_preformatted', elements: [{ type: 'user', user_id: rosa }] })],
    ],
    ['an alert in a message', [{ type: 'alert', text: plain('x') }]],
    [
      'a number input in a message',
      [{ type: 'input', label: plain('x'), element: { type: 'number_input', is_decimal_allowed: false } }],
    ],
    ['markdown of 12001 characters in all', many(2, { type: 'markdown', text: 'x'.repeat(6001) })],
    ['11 cards', [{ type: 'carousel', elements: many(11, { type: 'card', title: marked('x') }) }]],
    ['a chart title of nothing we know', [{ type: 'data_visualization', title: 'x' }]],
  ];
  it.each(refused)('refuse %s with invalid_blocks', (_what, blocks) => {
    const verdict = checkBlocks(blocks, 'message');
    expect(verdict).toMatchObject({ ok: false, error: 'invalid_blocks' });
    if (!verdict.ok) expect(verdict.messages[0]).toMatch(/^\[ERROR\] .+ \[json-pointer:\/blocks/);
  });

  it('accept everything exactly at its limit', () => {
    const atLimit = [
      { type: 'header', text: plain('x'.repeat(150)) },
      { type: 'section', text: marked('x'.repeat(3000)) },
      { type: 'section', fields: many(10, marked('x')) },
      { type: 'context', elements: many(10, marked('x')) },
      { type: 'actions', elements: many(25, { type: 'button', text: plain('x') }) },
      { type: 'actions', elements: [select(100)] },
      { type: 'table', rows: many(100, [cell('x')]), column_settings: [{ align: 'right', is_wrapped: true }, null] },
    ];
    for (const block of atLimit) expect(checkBlocks([block], 'message')).toEqual({ ok: true });
    expect(checkBlocks(many(50, section), 'message')).toEqual({ ok: true });
  });

  it('call a message too long whose blocks are over 13.2k characters together', async () => {
    const { web } = await workspace();
    const blocks = many(5, { type: 'section', text: marked('x'.repeat(2900)) });

    expect(await errorOf(web.chat.postMessage({ channel: alerts, text: 'x', blocks: blocks as never }))).toBe(
      'msg_blocks_too_long',
    );
  });

  it('point at the wrong place over the wire', async () => {
    const { web } = await workspace();
    const blocks = [section, { type: 'header', text: plain('x'.repeat(151)) }];

    const answer = await web.chat
      .postMessage({ channel: alerts, text: 'x', blocks: blocks as never })
      .catch((error: { data: unknown }) => error.data);

    expect(answer).toMatchObject({
      error: 'invalid_blocks',
      response_metadata: { messages: ['[ERROR] must be less than 151 characters [json-pointer:/blocks/1/text/text]'] },
    });
  });

  it('hold for dialogs: title 24, no tables, submit where there is an input', () => {
    const input = { type: 'input', label: plain('x'), element: { type: 'plain_text_input', action_id: 'a' } };
    expect(checkView(modal([input]), 'modal')).toEqual({ ok: true });
    expect(checkView(modal([input], { submit: undefined }), 'modal')).toMatchObject({ error: 'invalid_arguments' });
    expect(checkView(modal([section], { title: plain('x'.repeat(25)) }), 'modal')).toMatchObject({ ok: false });
    expect(checkView(modal([{ type: 'table', rows: [[cell('x')]] }]), 'modal')).toMatchObject({ ok: false });
    expect(checkView(modal([section], { private_metadata: 'x'.repeat(3001) }), 'modal')).toMatchObject({ ok: false });
  });

  it('give a verdict on anything at all and never throw', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('message', 'modal', 'home'), (value, surface) => {
        expect(typeof checkBlocks(value, surface).ok).toBe('boolean');
        expect(typeof checkBlocks([value], surface).ok).toBe('boolean');
      }),
    );
  });
});

describe('what the app is sent', () => {
  it('is signed over the raw body, a command with all its fields', async () => {
    const receiver = await app(() => ({}));
    const { slack } = await workspace({ appEventsUrl: receiver.url });

    const delivery = await slack.slash(rosa, alerts, 'pivot AKIAIOSFODNN7EXAMPLE');

    const [seen] = receiver.seen;
    if (!seen) throw new Error('nothing was sent');
    const stamp = String(seen.headers['x-slack-request-timestamp']);
    const mac = createHmac('sha256', signingSecret).update(`v0:${stamp}:${seen.raw}`).digest('hex');
    expect(seen.headers['x-slack-signature']).toBe(`v0=${mac}`);
    expect(Math.abs(Date.now() / 1000 - Number(stamp))).toBeLessThan(5);
    expect(Object.fromEntries(seen.form)).toMatchObject({
      command: '/ir',
      text: 'pivot AKIAIOSFODNN7EXAMPLE',
      user_id: rosa,
      channel_id: alerts,
      channel_name: 'ir-alerts',
      team_id: demoIds.team,
      is_enterprise_install: 'false',
    });
    expect(delivery).toMatchObject({ outcome: 'ok', via: 'http' });
    expect(seen.headers.connection).toBe('close');
  });

  it('for a button: the stored message as it is now, the value, a response URL that works five times', async () => {
    const receiver = await app(() => ({}));
    const { slack, web } = await workspace({ appEventsUrl: receiver.url });
    const { ts } = await web.chat.postMessage({ channel: alerts, text: 'x', blocks: [section, actions] as never });

    await slack.click(omar, alerts, String(ts), 'pivot');

    const payload = JSON.parse(receiver.seen[0]?.form.get('payload') ?? '{}');
    expect(payload).toMatchObject({
      type: 'block_actions',
      user: { id: omar, team_id: demoIds.team },
      container: { type: 'message', message_ts: ts, channel_id: alerts, is_ephemeral: false },
      message: { ts },
      actions: [{ type: 'button', action_id: 'pivot', block_id: 'asks', value: 'opaque-1' }],
    });
    const use = () =>
      fetch(payload.response_url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text: 'no', replace_original: false }),
      });
    const statuses = [];
    for (let i = 0; i < 6; i++) statuses.push((await use()).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 404]);
    expect(slack.ephemerals(omar)).toHaveLength(5);
    expect(slack.ephemerals(rosa)).toHaveLength(0);
  });

  it('can be a press on an old copy whose buttons are gone, and the same bytes again', async () => {
    const receiver = await app(() => ({}));
    const { slack, web } = await workspace({ appEventsUrl: receiver.url });
    const { ts } = await web.chat.postMessage({ channel: alerts, text: 'x', blocks: [actions] as never });
    const copy = slack.messages(alerts)[0];
    if (!copy) throw new Error('no message');
    await web.chat.update({ channel: alerts, ts: String(ts), text: 'decided' });

    await expect(slack.click(omar, alerts, String(ts), 'pivot')).rejects.toThrow('no "pivot" to press');
    const delivery = await slack.clickStale(omar, copy, 'pivot');
    await slack.replay(delivery);

    expect(receiver.seen).toHaveLength(2);
    expect(receiver.seen[1]?.raw).toBe(receiver.seen[0]?.raw);
    expect(receiver.seen[1]?.headers['x-slack-signature']).toBe(receiver.seen[0]?.headers['x-slack-signature']);
  });

  it('times out after 3 s, and the person sees Slack’s own words', async () => {
    const receiver = await app(() => ({ silent: true }));
    const { slack } = await workspace({ appEventsUrl: receiver.url });

    const delivery = await slack.slash(rosa, alerts, 'help');

    expect(delivery).toMatchObject({ outcome: 'failed', error: 'operation_timeout' });
    expect(delivery.ms).toBeGreaterThan(2900);
    expect(slack.ephemerals(rosa)[0]?.text).toBe('/ir failed with the error "operation_timeout"');
  });

  it('shows what a command answers, and refuses an answer with bad blocks', async () => {
    const bodies = [
      { text: 'only you' },
      { response_type: 'in_channel', text: 'all' },
      { text: 'x', blocks: [{ type: 'marquee' }] },
    ];
    const receiver = await app(() => ({ body: JSON.stringify(bodies.shift()) }));
    const { slack } = await workspace({ appEventsUrl: receiver.url });

    for (let i = 0; i < 3; i++) await slack.slash(rosa, alerts, 'help');

    expect(slack.ephemerals(rosa).map((each) => each.text)).toEqual([
      'only you',
      '/ir failed with the error "invalid_command_response"',
    ]);
    expect(slack.messages(alerts).map((each) => each.text)).toEqual(['all']);
  });

  it('opens a dialog once per trigger, checks inputs, and shows the app’s errors', async () => {
    const answers: object[] = [{ response_action: 'errors', errors: { why: 'Say more' } }, {}];
    const { slack, web } = await workspace();
    const receiver = await app(({ form }) =>
      String(form.get('payload')).includes('view_submission') ? { body: JSON.stringify(answers.shift()) } : {},
    );
    slack.setAppEventsUrl(receiver.url);
    const { ts } = await web.chat.postMessage({ channel: alerts, text: 'x', blocks: [actions] as never });
    await slack.click(rosa, alerts, String(ts), 'contain');
    const { trigger_id } = JSON.parse(receiver.seen[0]?.form.get('payload') ?? '{}');
    const view = modal([
      { type: 'input', block_id: 'why', label: plain('Why'), element: { type: 'plain_text_input', action_id: 'text' } },
    ]);

    await web.views.open({ trigger_id, view: view as never });
    expect(await errorOf(web.views.open({ trigger_id, view: view as never }))).toBe('exchanged_trigger_id');

    expect(await slack.submitView(rosa, {})).toBeUndefined();
    await slack.submitView(rosa, { why: 'x' });
    const state = await (await fetch(`${slack.url}/demo/state?as=${rosa}`)).json();
    expect(state).toMatchObject({ views: [{ errors: { why: 'Say more' } }] });
    await slack.submitView(rosa, { why: 'a longer reason' });
    const sent = JSON.parse(receiver.seen.at(-1)?.form.get('payload') ?? '{}');
    expect(sent.view.state.values).toEqual({ why: { text: { type: 'plain_text_input', value: 'a longer reason' } } });
    await expect(slack.submitView(rosa, {})).rejects.toThrow('no dialog');
  });

  it('goes over Socket Mode to Bolt while the app is connected there, and back to HTTP words when it is not', async () => {
    const { slack } = await workspace();
    const clientOptions = { slackApiUrl: slack.apiUrl };
    const bolt = new App({
      token: botToken,
      appToken,
      socketMode: true,
      logger: silent,
      clientOptions,
      installerOptions: { clientOptions },
    });
    bolt.command('/ir', async ({ ack, command }) => ack(`from the socket: ${command.text}`));
    await bolt.start();
    closers.push(async () => {
      await bolt.stop();
    });
    await slack.waitFor(() => slack.socketConnections() === 1);

    const delivery = await slack.slash(rosa, alerts, 'help');

    expect(delivery).toMatchObject({ via: 'socket', outcome: 'ok' });
    expect(slack.ephemerals(rosa)[0]?.text).toBe('from the socket: help');
    await bolt.stop();
    await slack.waitFor(() => slack.socketConnections() === 0);
    expect(await slack.slash(rosa, alerts, 'help')).toMatchObject({ via: 'nowhere', error: 'dispatch_failed' });
  });

  it('is accepted by Bolt over HTTP, which can answer by ack, by response URL and by the Web API', async () => {
    const { slack } = await workspace();
    const bolt = new App({
      token: botToken,
      signingSecret,
      logger: silent,
      clientOptions: { slackApiUrl: slack.apiUrl },
    });
    bolt.action('pivot', async ({ ack, respond, client: web, body }) => {
      await ack();
      await respond({ text: 'looking', replace_original: false });
      await web.chat.postMessage({ channel: alerts, text: `asked by ${body.user.id}` });
    });
    const server = await bolt.start(0);
    closers.push(async () => {
      await bolt.stop();
    });
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('no port');
    slack.setAppEventsUrl(`http://127.0.0.1:${address.port}/slack/events`);
    const { ts } = await client(slack).chat.postMessage({ channel: alerts, text: 'x', blocks: [actions] as never });

    expect(await slack.click(omar, alerts, String(ts), 'pivot')).toMatchObject({ outcome: 'ok', status: 200 });

    await slack.waitFor(() => slack.messages(alerts).some((each) => each.text === `asked by ${omar}`));
    expect(slack.ephemerals(omar)[0]?.text).toBe('looking');
  });
});

describe('faults on demand', () => {
  it('come as asked, once, and then all is well again', async () => {
    const { slack, web } = await workspace();
    const post = () => web.chat.postMessage({ channel: alerts, text: 'x' });

    slack.fail({ method: 'chat.postMessage', how: '429', retryAfter: 7 });
    expect(await errorOf(post())).toBe('slack_webapi_rate_limited_error');
    slack.fail({ method: 'chat.postMessage', how: '500' });
    expect(await errorOf(post())).toBe('slack_webapi_http_error');
    slack.fail({ method: 'chat.postMessage', how: 'html' });
    expect(await errorOf(post())).toBe('slack_webapi_http_error');
    slack.fail({ method: 'chat.postMessage', how: 'close' });
    expect(await errorOf(post())).toBe('slack_webapi_request_error');
    slack.fail({ method: 'chat.postMessage', how: 'error', error: 'internal_error' });
    expect(await errorOf(post())).toBe('internal_error');
    expect(slack.messages(alerts)).toHaveLength(0);
    slack.fail({ method: 'chat.postMessage', how: 'afterThenClose' });
    expect(await errorOf(post())).toBe('slack_webapi_request_error');
    expect(slack.messages(alerts)).toHaveLength(1);
    await post();
    expect(slack.messages(alerts)).toHaveLength(2);
    expect(slack.calls.map((call) => call.fault)).toEqual([
      '429',
      '500',
      'html',
      'close',
      'error',
      'afterThenClose',
      undefined,
    ]);
  });

  it('never answers when told to hang, and still closes', async () => {
    const { slack, web } = await workspace();
    slack.fail({ method: '*', how: 'hang' });

    expect(await errorOf(web.auth.test())).toBe('slack_webapi_request_error');
  });

  it('keeps Slack’s rates when asked to', async () => {
    const { slack, web } = await workspace({ enforceRates: true });
    const { ts } = await web.chat.postMessage({ channel: alerts, text: 'x' });

    const updates = await Promise.allSettled(
      Array.from({ length: 60 }, () => web.chat.update({ channel: alerts, ts: String(ts), text: 'y' })),
    );

    expect(updates.filter((each) => each.status === 'rejected').length).toBeGreaterThanOrEqual(8);
    expect(slack.calls.filter((call) => call.status === 429).length).toBeGreaterThanOrEqual(8);
  });

  it('lets a test stand before and after each call, and cut it there', async () => {
    const { slack, web } = await workspace();
    const phases: string[] = [];
    const stop = slack.onCall(async (call, phase) => {
      phases.push(`${call.method} ${phase} ${slack.messages(alerts).length}`);
      return phase === 'after' ? 'drop' : undefined;
    });

    expect(await errorOf(web.chat.postMessage({ channel: alerts, text: 'x' }))).toBe('slack_webapi_request_error');
    stop();
    await web.chat.postMessage({ channel: alerts, text: 'y' });

    expect(phases).toEqual(['chat.postMessage before 0', 'chat.postMessage after 1']);
  });

  it('says what is there when a wait ends without success', async () => {
    const { slack } = await workspace();
    slack.say(rosa, alerts, 'something else');

    await expect(slack.waitFor(() => false, 30)).rejects.toThrow(/ir-alerts.*something else/s);
  });
});

describe('the page’s door', () => {
  it('serves the page under a policy that allows nothing from elsewhere', async () => {
    const { slack } = await workspace();

    const response = await fetch(slack.url);

    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await response.text()).toContain('/app.js');
    expect((await fetch(`${slack.url}/..%2fslack%2fserver.ts`)).status).toBe(404);
  });

  it('acts for its own origin only', async () => {
    const { slack } = await workspace();
    const say = (headers: Record<string, string>) =>
      fetch(`${slack.url}/demo/message`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ userId: rosa, channel: alerts, text: 'x' }),
      });

    expect((await say({ 'content-type': 'application/json', origin: 'https://evil.example' })).status).toBe(403);
    expect((await say({ 'content-type': 'text/plain' })).status).toBe(415);
    expect((await say({ 'content-type': 'application/json', origin: slack.url })).status).toBe(200);
    expect(slack.messages(alerts)).toHaveLength(1);
  });

  it('runs the actions of its menu and says what they said', async () => {
    const { slack } = await workspace({ actions: [{ id: 'finding', label: 'New finding', run: async () => 'sent' }] });

    const response = await fetch(`${slack.url}/demo/actions/finding`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ userId: rosa }),
    });

    expect(await response.json()).toEqual({ outcome: 'ok', says: 'sent' });
  });

  it('shows an ephemeral message to its person only', async () => {
    const { slack, web } = await workspace();
    await web.chat.postEphemeral({ channel: alerts, user: gil, text: 'guests may not' });
    const seenBy = async (id: string) =>
      (await (await fetch(`${slack.url}/demo/state?as=${id}`)).json()) as { ephemerals: unknown[] };

    expect((await seenBy(gil)).ephemerals).toHaveLength(1);
    expect((await seenBy(rosa)).ephemerals).toHaveLength(0);
  });
});
