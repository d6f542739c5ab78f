import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Chat } from '../../../src/contracts/chat.ts';
import { UpstreamError, UserError } from '../../../src/contracts/errors.ts';
import type { Message } from '../../../src/contracts/message.ts';
import { type SlackApp, type SlackOptions, startSlack } from '../../../src/slack/app.ts';
import type { ActionRequest, CommandRequest } from '../../../src/slack/requests.ts';
import { problemsOf } from './block-rules.ts';
import { type KeptLog, keptLog } from './kept-log.ts';
import { click, form, payload, type SignedOptions, secret, signed, slash } from './signed.ts';

const reply: Message = { text: 'Looking.', parts: [{ kind: 'lines', lines: [[{ kind: 'text', text: 'Looking.' }]] }] };
const approve = { action_id: 'approve', value: 'a1' };

let server: FastifyInstance;
let slack: SlackApp;
let url: string;
let log: KeptLog;
let commands: CommandRequest[];
let actions: ActionRequest[];
let told: Parameters<Chat['tell']>[0][];
let seen: Set<string>;
let onCommand: () => Promise<Message>;
let onAction: () => Promise<void>;
let firstTime: SlackOptions['firstTime'];

beforeEach(async () => {
  [commands, actions, told, seen, log] = [[], [], [], new Set(), keptLog()];
  onCommand = async () => reply;
  onAction = async () => undefined;
  firstTime = async (key) => {
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  };
  server = fastify();
  slack = await startSlack({
    botToken: 'xoxb-test',
    // Nothing listens there: receiving must not need Slack.
    apiUrl: 'http://127.0.0.1:1/api/',
    log,
    firstTime: (key) => firstTime(key),
    answerWithinMs: 150,
    chat: {
      tell: async (input) => {
        told.push(input);
      },
    },
    handlers: {
      report: async () => undefined,
      code: async () => undefined,
      snooze: async () => undefined,
      command: (request) => {
        commands.push(request);
        return onCommand();
      },
      action: (request) => {
        actions.push(request);
        return onAction();
      },
    },
    http: { fastify: server, signingSecrets: [secret, 'the-next-secret'], now: () => new Date() },
  });
  server.post('/webhooks/alert', async (request) => request.body);
  await server.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}/slack/events`;
});

afterEach(async () => {
  await slack.stop();
  await server.close();
});

const post = (body: string | Buffer, options?: SignedOptions) => fetch(url, signed(body, options));
const nowSeconds = () => Math.floor(Date.now() / 1_000);

describe('a slash command', () => {
  it('reaches the handler with what it needs, and its answer goes to the typist alone', async () => {
    const response = await post(
      form(slash('pivot 198.51.100.7', { enterprise_id: 'E1', is_enterprise_install: 'true' })),
    );

    expect(response.status).toBe(200);
    const body = (await response.json()) as { response_type: string; text: string; blocks: unknown[] };
    expect(body).toMatchObject({ response_type: 'ephemeral', text: 'Looking.' });
    expect(problemsOf(body)).toEqual([]);
    expect(commands).toEqual([
      {
        key: expect.stringMatching(/^[0-9a-f]{64}$/u),
        triggerId: 't',
        userId: 'U0RESPONDER',
        userName: 'ana',
        teamId: 'T0HOME',
        enterpriseId: 'E1',
        channelId: 'C0INCIDENTS',
        text: 'pivot 198.51.100.7',
      },
    ]);
  });

  it('is known under any name that the app gave it', async () => {
    await post(form(slash('help', { command: '/firebreak-dev' })));

    expect(commands).toHaveLength(1);
  });

  it('arrives with 4,000 characters', async () => {
    await post(form(slash(`pivot ${'x'.repeat(3_994)}`)));

    expect(commands[0]?.text).toHaveLength(4_000);
  });

  it('arrives with pasted links as they were typed, and with mentions as mentions', async () => {
    await post(
      form(
        slash(
          'pivot <http://ec2.amazonaws.com|ec2.amazonaws.com> <https://example.org> <mailto:a@b.example|a@b.example> <@U1|ana> &lt;x&gt; &amp;',
        ),
      ),
    );

    expect(commands[0]?.text).toBe('pivot ec2.amazonaws.com https://example.org a@b.example <@U1|ana> <x> &');
  });

  it('without words reaches the handler too', async () => {
    await post(form(slash('')));

    expect(commands[0]?.text).toBe('');
  });

  it('shows what the person can put right, with the hint', async () => {
    onCommand = async () => {
      throw new UserError('There is no command "pivto".', 'Did you mean pivot?');
    };

    const text = await (await post(form(slash('pivto')))).text();

    expect(text).toContain('There is no command');
    expect(text).toContain('Did you mean pivot?');
  });

  it.each([
    ['the database does not answer', new UpstreamError('database', 'down', 'password=hunter2', { retryable: true })],
    ['there is a bug', new TypeError('x is undefined')],
  ])('says that nothing was started when %s', async (_, error) => {
    onCommand = async () => {
      throw error;
    };

    const response = await post(form(slash('pivot x')));
    const text = await response.text();

    expect(response.status).toBe(200);
    expect(text).toContain('nothing was started');
    expect(text).not.toContain(error.message);
    expect(log.lines.map((line) => line.message)).toContain('a Slack request failed');
  });

  it('says that it is not certain when the handler needs too long', async () => {
    onCommand = () => new Promise((resolve) => setTimeout(resolve, 400, reply));

    const text = await (await post(form(slash('pivot x')))).text();

    expect(text).toContain('not certain');
  });
});

describe('a repeat', () => {
  it('of a command is answered with nothing, and nothing is done', async () => {
    const request = signed(form(slash('pivot x')));

    await fetch(url, request);
    const again = await fetch(url, request);

    expect([again.status, await again.text()]).toEqual([200, '']);
    expect(commands).toHaveLength(1);
  });

  it('of a click is answered with nothing, and nothing is done', async () => {
    const request = signed(payload(click(approve)));

    await fetch(url, request);
    const again = await fetch(url, request);

    expect([again.status, await again.text()]).toEqual([200, '']);
    expect(actions).toHaveLength(1);
  });

  it('cannot be told while the store is down, so the command is refused in words and the click is not acknowledged', async () => {
    firstTime = async () => {
      throw new UpstreamError('database', 'down', 'connection refused', { retryable: true });
    };

    const command = await post(form(slash('contain disable-access-key AKIAIOSFODNN7EXAMPLE')));
    const button = await post(payload(click(approve)));

    expect(command.status).toBe(200);
    expect(await command.text()).toContain('Firebreak cannot store this now, nothing was started');
    expect(button.status).toBe(503);
    expect(told).toHaveLength(1);
    expect([commands, actions]).toEqual([[], []]);
  });
});

describe('a dialog with a code', () => {
  it('is answered in time although the store does not say whether it came before', async () => {
    firstTime = () => new Promise(() => undefined);
    const place = JSON.stringify({ button: 'b1', channelId: 'C1' });
    const values = { 'code-text': { code: { type: 'plain_text_input', value: '123456' } } };
    const view = { id: 'V1', type: 'modal', callback_id: 'code', private_metadata: place, state: { values } };

    const answer = await post(
      payload({ type: 'view_submission', user: { id: 'U1', team_id: 'T0HOME' }, team: null, view }),
    );

    expect(await answer.text()).toContain('not certain that it was started');
  });
});

describe('a click', () => {
  it('reaches the handler once for each of its actions', async () => {
    const response = await post(payload(click(approve, { action_id: 'widen', value: 'w1' })));

    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(actions).toEqual([
      {
        key: expect.stringMatching(/^[0-9a-f]{64}:0$/u),
        action: 'approve',
        value: 'a1',
        userId: 'U0APPROVER',
        teamId: 'T0HOME',
        channelId: 'C0INCIDENTS',
        messageTs: '1763676000.000200',
        threadTs: '1763676000.000100',
        ephemeral: false,
        pressedAt: '2025-11-20T22:00:01.500Z',
        triggerId: 't',
      },
      expect.objectContaining({ action: 'widen', value: 'w1' }),
    ]);
  });

  it('of a button that is not ours is acknowledged and ignored, as are dialogs, shortcuts and events', async () => {
    const user = { id: 'U1', team_id: 'T0HOME' };
    const event = {
      type: 'event_callback',
      event_id: 'Ev1',
      team_id: 'T1',
      event: { type: 'app_home_opened', user: 'U1' },
    };
    const answers = await Promise.all([
      post(payload(click({ action_id: 'other', value: 'x' }))),
      post(payload(click({ action_id: 'approve', type: 'static_select' }))),
      post(
        payload({
          type: 'view_submission',
          user,
          team: null,
          view: { id: 'V1', type: 'modal', callback_id: 'c', state: {} },
        }),
      ),
      post(payload({ type: 'view_closed', user, team: null, view: { id: 'V1', type: 'modal', callback_id: 'c' } })),
      post(payload({ type: 'shortcut', user, team: { id: 'T1' }, callback_id: 'c', action_ts: '1' })),
      post(
        payload({
          type: 'message_action',
          user,
          team: { id: 'T1' },
          channel: { id: 'C1' },
          callback_id: 'c',
          message: {},
        }),
      ),
      post(JSON.stringify(event), { type: 'application/json' }),
    ]);

    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200, 200, 200, 200]);
    expect(actions).toEqual([]);
  });

  it('that the person can put right is acknowledged, and he is told', async () => {
    onAction = async () => {
      throw new UserError('You asked for this plan yourself.', 'Somebody else has to approve it.');
    };

    const response = await post(payload(click(approve)));

    expect(response.status).toBe(200);
    await expect
      .poll(() => told)
      .toMatchObject([
        {
          channel: 'C0INCIDENTS',
          userId: 'U0APPROVER',
          threadTs: '1763676000.000100',
          message: { text: expect.stringContaining('yourself') },
        },
      ]);
  });

  it.each([
    ['cannot be stored', async () => Promise.reject(new UpstreamError('queue', 'down', 'x', { retryable: true }))],
    ['takes too long', () => new Promise<void>((resolve) => setTimeout(resolve, 400))],
  ])('that %s is not acknowledged, so that Slack warns, and the person is told', async (_, handler) => {
    onAction = handler;

    const response = await post(payload(click(approve)));

    expect(response.status).toBe(503);
    await expect.poll(() => told).toHaveLength(1);
  });
});

describe('a request that is not from Slack', () => {
  const body = form(slash('pivot x'));

  it.each([
    [
      'is not signed',
      () => fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    ],
    ['is signed with another secret', () => post(body, { secret: 'wrong' })],
    ['is stale', () => post(body, { timestamp: nowSeconds() - 301 })],
    ['is from the future', () => post(body, { timestamp: nowSeconds() + 302 })],
    ['has a stamp that is no number', () => post(body, { timestamp: 'soon' })],
    ['has an empty stamp', () => post(body, { timestamp: '' })],
    [
      'has a signature of odd form',
      () => fetch(url, { ...signed(body), headers: { ...signed(body).headers, 'x-slack-signature': 'v0=12' } }),
    ],
    ['was changed after signing', () => fetch(url, { ...signed(body), body: `${body}&text=other` })],
    [
      'verifies a URL without a signature',
      () =>
        fetch(url, {
          method: 'POST',
          body: '{"type":"url_verification","challenge":"c"}',
          headers: { 'content-type': 'application/json' },
        }),
    ],
    ['is empty', () => fetch(url, { method: 'POST' })],
  ])('gets 401 when it %s', async (_, request) => {
    const response = await request();

    expect(response.status).toBe(401);
    expect([commands, actions]).toEqual([[], []]);
  });

  it('gets 413 above 1 MB', async () => {
    expect((await post('x'.repeat(1_100_000))).status).toBe(413);
  });

  it('does not fill the log', async () => {
    for (let count = 0; count < 30; count += 1) await fetch(url, { method: 'POST', body });

    expect(log.lines.filter((line) => line.level === 'warn')).toHaveLength(1);
    expect(slack.status()).toEqual({ mode: 'http', refused: 30 });
  });
});

describe('a signed request', () => {
  it('is taken with either of two secrets, at the edges of the window too', async () => {
    await post(form(slash('one')), { secret: 'the-next-secret' });
    await post(form(slash('two')), { timestamp: nowSeconds() - 298 });
    await post(form(slash('three')), { timestamp: nowSeconds() + 298 });

    expect(commands.map((command) => command.text)).toEqual(['one', 'two', 'three']);
  });

  it('that verifies the URL gets its challenge back', async () => {
    const response = await post('{"type":"url_verification","challenge":"c0ffee"}', { type: 'application/json' });

    expect(await response.json()).toEqual({ challenge: 'c0ffee' });
  });

  it.each([
    ['an empty body', ''],
    ['garbage', Buffer.from([0xff, 0x00, 0xfe, 0x80])],
    ['a payload that is not JSON', form({ payload: '{' })],
    ['a payload that is a list', form({ payload: '[]' })],
    ['a payload that is null', form({ payload: 'null' })],
    ['a payload without type', form({ payload: '{}' })],
    ['a payload without user', payload({ type: 'block_actions', actions: [approve] })],
    ['actions that are no list', payload({ ...click(approve), actions: 'approve' })],
    ['actions that are empty', payload({ ...click(), actions: [] })],
    ['a view that is none', payload({ type: 'view_submission', user: { id: 'U1' }, view: 'x' })],
    ['a command without a person', form({ command: '/ir', text: 'x', channel_id: 'C1' })],
    ['a deeply nested payload', form({ payload: '['.repeat(200_000) })],
  ])('with %s gets 400 and does no harm', async (_, body) => {
    expect((await post(body)).status).toBe(400);
    expect((await post(form(slash('help')))).status).toBe(200);
  });

  it.each([
    ['no JSON', 'nonsense'],
    ['a null event', '{"type":"event_callback","event":null}'],
    ['an event that is text', '{"type":"event_callback","event":"x"}'],
    ['an unknown type', '{"type":"other"}'],
  ])('with %s as JSON gets 400', async (_, body) => {
    expect((await post(body, { type: 'application/json' })).status).toBe(400);
  });
});

describe('the shared server', () => {
  it("answers Slack's certificate check without a signature", async () => {
    expect(
      (await fetch(url, { method: 'POST', body: new URLSearchParams({ ssl_check: '1', token: 'x' }) })).status,
    ).toBe(200);
    expect((await fetch(`${url}?ssl_check=1`)).status).toBe(200);
    expect((await fetch(url)).status).toBe(405);
  });

  it('parses the bodies of other routes as before', async () => {
    const response = await fetch(url.replace('/slack/events', '/webhooks/alert'), {
      method: 'POST',
      body: '{"a":1}',
      headers: { 'content-type': 'application/json' },
    });

    expect(await response.json()).toEqual({ a: 1 });
  });

  it('answers 503 while it stops', async () => {
    await slack.stop();

    expect((await post(form(slash('help')))).status).toBe(503);
  });
});
