/** A small Socket Mode side of Slack: apps.connections.open and RFC 6455 by hand, without a library. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Peer {
  /** Sends a frame as JSON, or a text as it is. */
  send(frame: unknown): void;
  readonly received: Record<string, unknown>[];
  readonly closed: boolean;
  /** Cuts the connection without a close frame. */
  cut(): void;
}

export interface SocketServer {
  readonly apiUrl: string;
  readonly origin: string;
  readonly peers: Peer[];
  readonly opens: () => number;
  /** What apps.connections.open answers; undefined: the address of this server. */
  answer: (() => { status?: number; json: unknown }) | undefined;
  /** Called for each new connection; says hello unless replaced. */
  greet: (peer: Peer) => void;
  close(): Promise<void>;
}

function encode(opcode: number, data: Buffer): Buffer {
  const head =
    data.length < 126
      ? Buffer.from([0x80 | opcode, data.length])
      : Buffer.from([0x80 | opcode, 126, data.length >> 8, data.length & 0xff]);
  return Buffer.concat([head, data]);
}

/** Takes whole frames off the front of what arrived. */
function decode(input: Buffer): { frames: { opcode: number; data: Buffer }[]; rest: Buffer } {
  const frames: { opcode: number; data: Buffer }[] = [];
  let rest = input;
  for (;;) {
    if (rest.length < 6) return { frames, rest };
    const short = (rest[1] ?? 0) & 0x7f;
    const at = short === 126 ? 4 : 2;
    const length = short === 126 ? rest.readUInt16BE(2) : short;
    if (rest.length < at + 4 + length) return { frames, rest };
    const mask = rest.subarray(at, at + 4);
    const data = Buffer.from(rest.subarray(at + 4, at + 4 + length));
    for (let index = 0; index < data.length; index += 1) data[index] = (data[index] ?? 0) ^ (mask[index % 4] ?? 0);
    frames.push({ opcode: (rest[0] ?? 0) & 0x0f, data });
    rest = rest.subarray(at + 4 + length);
  }
}

function accept(socket: Socket, key: string): Peer {
  const hash = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${hash}\r\n\r\n`,
  );
  const state = { closed: false };
  const received: Record<string, unknown>[] = [];
  let buffer: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    const { frames, rest } = decode(Buffer.concat([buffer, chunk]));
    buffer = rest;
    for (const { opcode, data } of frames) {
      if (opcode === 1) received.push(JSON.parse(data.toString()) as Record<string, unknown>);
      if (opcode === 9) socket.write(encode(10, data));
      if (opcode === 8) socket.end(encode(8, data));
    }
  });
  socket.on('close', () => {
    state.closed = true;
  });
  socket.on('error', () => {
    state.closed = true;
  });
  return {
    received,
    get closed() {
      return state.closed;
    },
    send: (frame) => {
      socket.write(encode(1, Buffer.from(typeof frame === 'string' ? frame : JSON.stringify(frame))));
    },
    cut: () => {
      socket.destroy();
    },
  };
}

export async function openSocketServer(): Promise<SocketServer> {
  const peers: Peer[] = [];
  const sockets = new Set<Socket>();
  let opens = 0;
  const server = createServer((request, response) => {
    request.resume();
    opens += request.url === '/api/apps.connections.open' ? 1 : 0;
    const { status = 200, json } = self.answer?.() ?? {
      json: { ok: true, url: `${self.origin.replace('http', 'ws')}/link/?ticket=${opens}` },
    };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request, socket) => {
    const peer = accept(socket as Socket, request.headers['sec-websocket-key'] ?? '');
    peers.push(peer);
    self.greet(peer);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const self: SocketServer = {
    apiUrl: `${origin}/api/`,
    origin,
    peers,
    opens: () => opens,
    answer: undefined,
    greet: (peer) => peer.send({ type: 'hello', num_connections: 1, connection_info: { app_id: 'A1' } }),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  return self;
}
