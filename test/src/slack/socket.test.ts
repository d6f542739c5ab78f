import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../../src/contracts/errors.ts';
import type { Message } from '../../../src/contracts/message.ts';
import { type SlackApp, startSlack } from '../../../src/slack/app.ts';
import type { ActionRequest, CommandRequest } from '../../../src/slack/requests.ts';
import { type KeptLog, keptLog } from './kept-log.ts';
import { click, slash } from './signed.ts';
import { openSocketServer, type Peer, type SocketServer } from './socket-server.ts';

const reply: Message = { text: 'Looking.', parts: [] };

let server: SocketServer;
let slack: SlackApp;
let log: KeptLog;
let commands: CommandRequest[];
let actions: ActionRequest[];
let onCommand: () => Promise<Message>;

beforeEach(async () => {
  server = await openSocketServer();
  [commands, actions, log] = [[], [], keptLog()];
  onCommand = async () => reply;
});

afterEach(async () => {
  await slack.stop();
  await server.close();
});

async function start(): Promise<void> {
  const seen = new Set<string>();
  slack = await startSlack({
    botToken: 'xoxb-test',
    apiUrl: server.apiUrl,
    log,
    firstTime: async (key) => !seen.has(key) && seen.add(key).size > 0,
    handlers: {
      report: async () => undefined,
      code: async () => undefined,
      snooze: async () => undefined,
      command: (request) => {
        commands.push(request);
        return onCommand();
      },
      action: async (request) => {
        actions.push(request);
      },
    },
    socket: { appToken: 'xapp-test', backoffMs: 20, drainMs: 50 },
  });
}

async function peerNumber(count: number): Promise<Peer> {
  await expect.poll(() => server.peers.length, { timeout: 5_000 }).toBeGreaterThanOrEqual(count);
  await expect.poll(() => slack.status()).toMatchObject({ connected: true });
  return server.peers[count - 1] as Peer;
}

const envelope = (id: string, type: string, payload: unknown) => ({
  envelope_id: id,
  type,
  accepts_response_payload: true,
  payload,
});

describe('Socket Mode', () => {
  it('answers commands as HTTP mode does: for the typist alone, in the acknowledgement', async () => {
    await start();
    const peer = await peerNumber(1);
    peer.send(envelope('e1', 'slash_commands', slash('pivot <http://a.example|a.example>')));

    await expect
      .poll(() => peer.received)
      .toEqual([{ envelope_id: 'e1', payload: { response_type: 'ephemeral', text: 'Looking.' } }]);
    expect(commands[0]).toMatchObject({ text: 'pivot a.example', userId: 'U0RESPONDER', channelId: 'C0INCIDENTS' });
  });

  it('shows what the person can put right', async () => {
    onCommand = async () => {
      throw new UserError('There is no such command.');
    };
    await start();
    const peer = await peerNumber(1);
    peer.send(envelope('e1', 'slash_commands', slash('pivto')));

    await expect.poll(() => JSON.stringify(peer.received)).toContain('There is no such command.');
  });

  it('hands over clicks, and does a repeated envelope once', async () => {
    await start();
    const peer = await peerNumber(1);
    const frame = envelope('e2', 'interactive', click({ action_id: 'approve', value: 'a1' }));
    peer.send(frame);
    peer.send(frame);

    await expect.poll(() => peer.received.length).toBe(2);
    expect(actions).toHaveLength(1);
    expect(actions[0]).toMatchObject({ action: 'approve', value: 'a1', threadTs: '1763676000.000100' });
  });

  it.each(['warning', 'refresh_requested'])('has a successor before it leaves a connection at %s', async (reason) => {
    await start();
    const first = await peerNumber(1);
    first.send({ type: 'disconnect', reason });
    const second = await peerNumber(2);

    first.send(envelope('late', 'slash_commands', slash('one')));
    second.send(envelope('new', 'slash_commands', slash('two')));

    await expect.poll(() => second.received.length).toBe(1);
    await expect.poll(() => first.received.length).toBe(1);
    await expect.poll(() => first.closed).toBe(true);
    expect(second.closed).toBe(false);
    expect(commands.map((command) => command.text).toSorted()).toEqual(['one', 'two']);
  });

  it('comes back after the connection was cut, again and again', async () => {
    await start();
    for (let count = 1; count <= 4; count += 1) (await peerNumber(count)).cut();
    const last = await peerNumber(5);
    last.send(envelope('e', 'slash_commands', slash('help')));

    await expect.poll(() => last.received.length).toBe(1);
  });

  it('starts while Slack is down, keeps trying with growing pauses, and says why it is not connected', async () => {
    server.answer = () => ({ status: 503, json: {} });
    await start();
    await expect.poll(() => server.opens()).toBeGreaterThan(2);
    expect(slack.status()).toMatchObject({ mode: 'socket', connected: false, because: expect.any(String) });

    server.answer = undefined;

    await peerNumber(1);
    expect(slack.status()).toEqual({ mode: 'socket', connected: true, because: undefined });
  });

  it('survives a token that is refused for a while', async () => {
    server.answer = () => ({ json: { ok: false, error: 'invalid_auth' } });
    await start();
    await expect.poll(() => server.opens()).toBeGreaterThan(1);

    server.answer = undefined;

    await peerNumber(1);
    expect(JSON.stringify(log.lines)).not.toContain('xapp-test');
  });

  it('ignores frames that it cannot understand', async () => {
    await start();
    const peer = await peerNumber(1);
    const odd = [
      'not json',
      'null',
      '[]',
      '{}',
      { type: 'events_api', envelope_id: 'x', payload: {} },
      { type: 'events_api', envelope_id: 'x', payload: { event: null } },
      { type: 'events_api', envelope_id: 'x' },
      { type: 'interactive', envelope_id: 'x', payload: null },
      { type: 'interactive', payload: click() },
      { type: 'slash_commands', envelope_id: 'x', payload: 'x' },
      { type: 'close', envelope_id: 'x', payload: {} },
    ];
    for (const frame of odd) peer.send(frame);
    peer.send(envelope('good', 'slash_commands', slash('help')));

    await expect.poll(() => peer.received.map((frame) => frame.envelope_id)).toEqual(['good']);
    expect(peer.closed).toBe(false);
  });

  it('connects to no address that is not of Slack', async () => {
    server.answer = () => ({ json: { ok: true, url: 'wss://slack.com.evil.example/link' } });
    await start();
    await expect.poll(() => server.opens()).toBeGreaterThan(1);

    expect(slack.status()).toMatchObject({ connected: false, because: expect.stringContaining('not one of Slack') });
    expect(server.peers).toHaveLength(0);
  });

  it('stops while it waits for a hello', async () => {
    server.greet = () => undefined;
    await start();
    await expect.poll(() => server.peers.length).toBe(1);

    await slack.stop();

    expect(slack.status()).toMatchObject({ connected: false });
  });
});
