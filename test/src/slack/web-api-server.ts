/** A small Slack Web API over HTTP that answers what a test tells it to and keeps what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly args: Readonly<Record<string, string>>;
  readonly authorization: string | undefined;
  readonly body: Buffer;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
  /** Keeps the connection open and says nothing. */
  readonly hang?: boolean;
  /** Cuts the connection after the request was read. */
  readonly cut?: boolean;
}

export interface WebApiServer {
  readonly apiUrl: string;
  readonly origin: string;
  readonly asked: Asked[];
  /** The answers of a method, in order; the last one repeats. */
  on(method: string, ...answers: readonly Answer[]): void;
  of(method: string): readonly Asked[];
  close(): Promise<void>;
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function reply(response: ServerResponse, answer: Answer): void {
  if (answer.hang === true) return;
  if (answer.cut === true) {
    response.destroy();
    return;
  }
  const body = answer.text ?? JSON.stringify(answer.json ?? { ok: true });
  response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers }).end(body);
}

export async function openWebApiServer(): Promise<WebApiServer> {
  const answers = new Map<string, Answer[]>();
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const method = (request.url ?? '').replace(/^\/(?:api\/)?/u, '');
    const body = await read(request);
    const form = Object.fromEntries(new URLSearchParams(body.toString()));
    asked.push({ method, args: form, authorization: request.headers.authorization, body });
    const known = answers.get(method) ?? [];
    reply(response, (known.length > 1 ? known.shift() : known[0]) ?? { json: { ok: true } });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    apiUrl: `${origin}/api/`,
    origin,
    asked,
    on: (method, ...list) => {
      answers.set(method, [...list]);
    },
    of: (method) => asked.filter((one) => one.method === method),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
