/** Socket Mode: one-time addresses, hello, envelopes and their acknowledgements (DOMAIN.md 1.6). */
import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { isRecord, parseJson } from './body.ts';
import { answerWithinMs, type Delivery, type EnvelopeType } from './delivery.ts';
import { acceptWebSocket, type WebSocketPeer } from './web-socket.ts';
import { demoIds } from './workspace.ts';

const maxConnections = 10;
/** The client gives up when it sees no ping for 30 s. */
const pingEveryMs = 10_000;

/** `changed` is called whenever a connection comes or goes. */
export function createSocketMode(changed: () => void) {
  const tickets = new Set<string>();
  const peers: WebSocketPeer[] = [];
  const waiting = new Map<string, (payload: unknown) => void>();
  let turn = 0;
  const pings = setInterval(() => {
    for (const peer of peers) peer.ping();
  }, pingEveryMs);
  pings.unref();

  return {
    /** For apps.connections.open: an address that works once. */
    address(url: string): string {
      const ticket = randomBytes(16).toString('hex');
      tickets.add(ticket);
      return `${url.replace(/^http/, 'ws')}/link/?ticket=${ticket}&app_id=${demoIds.app}`;
    },
    connections: () => peers.length,
    /** Takes over an HTTP upgrade. A used or unknown ticket is refused. */
    upgrade(request: IncomingMessage, stream: Duplex): void {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const ticket = url.searchParams.get('ticket') ?? '';
      if (url.pathname !== '/link/' || !tickets.delete(ticket) || peers.length >= maxConnections) {
        stream.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
        return;
      }
      const accepted: { peer?: WebSocketPeer | undefined } = {};
      accepted.peer = acceptWebSocket(request, stream, {
        text(text) {
          const frame = parseJson(text);
          if (!isRecord(frame) || typeof frame.envelope_id !== 'string') return;
          waiting.get(frame.envelope_id)?.(frame.payload);
        },
        closed() {
          const at = accepted.peer ? peers.indexOf(accepted.peer) : -1;
          if (at >= 0) peers.splice(at, 1);
          changed();
        },
      });
      const { peer } = accepted;
      if (!peer) return;
      peers.push(peer);
      changed();
      peer.sendText(
        JSON.stringify({
          type: 'hello',
          num_connections: peers.length,
          connection_info: { app_id: demoIds.app },
          debug_info: { host: 'demo', approximate_connection_time: 18_060 },
        }),
      );
    },
    /** Sends one envelope to exactly one of the connections, in turn. */
    async deliver(type: EnvelopeType, payload: Readonly<Record<string, unknown>>): Promise<Delivery> {
      const at = new Date();
      const base = { at: at.toISOString(), type, payload, via: 'socket' } as const;
      turn += 1;
      const peer = peers[turn % Math.max(peers.length, 1)];
      if (!peer) return { ...base, ms: 0, outcome: 'failed', error: 'dispatch_failed', body: 'no connection' };
      const envelopeId = randomUUID();
      const { promise, resolve } = Promise.withResolvers<{ payload: unknown } | undefined>();
      waiting.set(envelopeId, (answer) => resolve({ payload: answer }));
      const timer = setTimeout(() => resolve(undefined), answerWithinMs);
      const takesAnswer = type === 'slash_commands' || payload.type === 'view_submission';
      peer.sendText(JSON.stringify({ envelope_id: envelopeId, type, payload, accepts_response_payload: takesAnswer }));
      const answer = await promise;
      clearTimeout(timer);
      waiting.delete(envelopeId);
      const ms = Date.now() - at.getTime();
      if (!answer) return { ...base, ms, outcome: 'failed', error: 'operation_timeout', body: '' };
      const body = answer.payload === undefined || !takesAnswer ? '' : JSON.stringify(answer.payload);
      return { ...base, ms, outcome: 'ok', body };
    },
    /** Cuts every connection, as Slack does when it refreshes them. */
    disconnect(reason: 'refresh_requested' | 'link_disabled'): void {
      for (const peer of [...peers]) {
        peer.sendText(JSON.stringify({ type: 'disconnect', reason, debug_info: { host: 'demo' } }));
        peer.close();
      }
    },
    close(): void {
      clearInterval(pings);
      for (const peer of [...peers]) peer.close();
    },
  };
}
