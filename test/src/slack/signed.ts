/** Requests as Slack signs them (DOMAIN.md 1.4). */
import { createHmac } from 'node:crypto';

export const secret = '8f742231b10e8888abcd99yyyzzz85a5';

export interface SignedOptions {
  readonly secret?: string;
  readonly timestamp?: number | string;
  readonly type?: string;
}

function sign(body: string | Buffer, timestamp: number | string, key = secret): string {
  return `v0=${createHmac('sha256', key).update(`v0:${timestamp}:`).update(body).digest('hex')}`;
}

export function signed(body: string | Buffer, options: SignedOptions = {}): RequestInit {
  const timestamp = options.timestamp ?? Math.floor(Date.now() / 1_000);
  return {
    method: 'POST',
    body: typeof body === 'string' ? body : new Uint8Array(body),
    headers: {
      'content-type': options.type ?? 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': String(timestamp),
      'x-slack-signature': sign(body, timestamp, options.secret),
    },
  };
}

export function slash(text: string, fields: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    token: 'ignored',
    command: '/ir',
    text,
    user_id: 'U0RESPONDER',
    user_name: 'ana',
    team_id: 'T0HOME',
    channel_id: 'C0INCIDENTS',
    is_enterprise_install: 'false',
    response_url: 'http://127.0.0.1:1/never-used',
    trigger_id: 't',
    ...fields,
  };
}

export function form(fields: Readonly<Record<string, string>>): string {
  return new URLSearchParams(fields).toString();
}

export function click(...actions: readonly Readonly<Record<string, unknown>>[]): Record<string, unknown> {
  return {
    type: 'block_actions',
    team: null,
    user: { id: 'U0APPROVER', username: 'ben', team_id: 'T0HOME' },
    channel: { id: 'C0INCIDENTS', name: 'incidents' },
    container: { type: 'message', message_ts: '1763676000.000200', channel_id: 'C0INCIDENTS', is_ephemeral: false },
    message: { ts: '1763676000.000200', thread_ts: '1763676000.000100' },
    response_url: 'http://127.0.0.1:1/never-used',
    trigger_id: 't',
    is_enterprise_install: false,
    actions: actions.map((action) => ({ type: 'button', block_id: 'b', action_ts: '1763676001.5', ...action })),
  };
}

export function payload(body: unknown): string {
  return form({ payload: JSON.stringify(body) });
}
