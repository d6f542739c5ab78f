/** The server side of RFC 6455, as much as Socket Mode needs: text frames, ping, pong, close. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

const opcodes = { continuation: 0, text: 1, close: 8, ping: 9, pong: 10 } as const;
const maxFrameBytes = 16 * 1024 * 1024;

export interface WebSocketPeer {
  sendText(text: string): void;
  ping(): void;
  close(): void;
}

/** Answers the handshake. Returns undefined, with the stream ended, where the request is no WebSocket handshake. */
export function acceptWebSocket(
  request: IncomingMessage,
  stream: Duplex,
  on: { text(text: string): void; closed(): void },
): WebSocketPeer | undefined {
  const key = request.headers['sec-websocket-key'];
  if (typeof key !== 'string' || request.headers.upgrade?.toLowerCase() !== 'websocket') {
    stream.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    return undefined;
  }
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  stream.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let waiting: Buffer = Buffer.alloc(0);
  let parts: Buffer[] = [];
  const send = (opcode: number, data: Buffer) => {
    if (stream.writable) stream.write(frame(opcode, data));
  };

  stream.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    for (let next = readFrame(waiting); next !== undefined; next = readFrame(waiting)) {
      if (next === 'too large') {
        stream.destroy();
        return;
      }
      waiting = waiting.subarray(next.length);
      if (next.opcode === opcodes.ping) send(opcodes.pong, next.data);
      if (next.opcode === opcodes.close) {
        send(opcodes.close, next.data);
        stream.end();
      }
      if (next.opcode !== opcodes.text && next.opcode !== opcodes.continuation) continue;
      parts.push(next.data);
      if (!next.isLast) continue;
      const text = Buffer.concat(parts).toString('utf8');
      parts = [];
      on.text(text);
    }
  });
  // A reset connection is a closed one; 'close' follows every 'error'.
  stream.on('error', () => stream.destroy());
  stream.once('close', () => on.closed());

  return {
    sendText: (text) => send(opcodes.text, Buffer.from(text)),
    ping: () => send(opcodes.ping, Buffer.from('Ping from the demo workspace')),
    close() {
      send(opcodes.close, Buffer.from([0x03, 0xe8]));
      stream.end();
    },
  };
}

function frame(opcode: number, data: Buffer): Buffer {
  if (data.length < 126) return Buffer.concat([Buffer.from([0x80 | opcode, data.length]), data]);
  const isShort = data.length < 65_536;
  const head = Buffer.alloc(isShort ? 4 : 10);
  head[0] = 0x80 | opcode;
  head[1] = isShort ? 126 : 127;
  if (isShort) head.writeUInt16BE(data.length, 2);
  else head.writeBigUInt64BE(BigInt(data.length), 2);
  return Buffer.concat([head, data]);
}

interface Frame {
  readonly opcode: number;
  readonly isLast: boolean;
  readonly data: Buffer;
  /** Of the whole frame. */
  readonly length: number;
}

/** The first frame of the bytes; undefined while it is not whole yet. */
function readFrame(bytes: Buffer): Frame | 'too large' | undefined {
  if (bytes.length < 2) return undefined;
  const first = bytes.readUInt8(0);
  const second = bytes.readUInt8(1);
  let size = second & 0x7f;
  let at = 2;
  if (size === 126) {
    if (bytes.length < 4) return undefined;
    size = bytes.readUInt16BE(2);
    at = 4;
  } else if (size === 127) {
    if (bytes.length < 10) return undefined;
    size = Number(bytes.readBigUInt64BE(2));
    at = 10;
  }
  if (size > maxFrameBytes) return 'too large';
  const isMasked = (second & 0x80) !== 0;
  const start = at + (isMasked ? 4 : 0);
  if (bytes.length < start + size) return undefined;
  const data = Buffer.from(bytes.subarray(start, start + size));
  if (isMasked) {
    const mask = bytes.subarray(at, at + 4);
    for (let i = 0; i < data.length; i++) data[i] = (data[i] ?? 0) ^ (mask[i % 4] ?? 0);
  }
  return { opcode: first & 0x0f, isLast: (first & 0x80) !== 0, data, length: start + size };
}
