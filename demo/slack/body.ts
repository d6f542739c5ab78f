/** Reads what @slack/web-api and other clients send: form, JSON and multipart bodies, with a size limit. */
import type { IncomingMessage } from 'node:http';

/** Reads the whole body. Rejects when it is larger than `limit` bytes or the client goes away. */
export async function readBody(request: IncomingMessage, limit = 64 * 1024 * 1024): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const piece: Buffer = chunk;
    size += piece.length;
    if (size > limit) throw new Error(`body is larger than ${limit} bytes`);
    chunks.push(piece);
  }
  return Buffer.concat(chunks);
}

/** Arguments of a Web API call. Undefined when the body is not in the form that its content type promises. */
export function readArguments(
  contentType: string,
  body: Buffer,
  query: URLSearchParams,
): Record<string, unknown> | undefined {
  const args: Record<string, unknown> = Object.fromEntries(query);
  if (contentType.startsWith('application/json')) {
    const json = parseJson(body.toString('utf8') || '{}');
    return isRecord(json) ? { ...args, ...json } : undefined;
  }
  return { ...args, ...Object.fromEntries(new URLSearchParams(body.toString('utf8'))) };
}

/** The bytes of an upload: raw, or the first file of a multipart form, which is how the SDK sends a Buffer. */
export async function readUpload(contentType: string, body: Buffer): Promise<Buffer> {
  if (!contentType.startsWith('multipart/form-data')) return body;
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData();
  for (const value of form.values()) {
    if (typeof value !== 'string') return Buffer.from(await value.arrayBuffer());
  }
  return Buffer.alloc(0);
}

/** Undefined where the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A list or object may arrive as JSON (JSON body) or as JSON inside a string (form body). */
export function structured(value: unknown): unknown {
  return typeof value === 'string' ? parseJson(value) : value;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A form has only strings, so `true`, `1` and `"true"` are one. */
export function isTrue(value: unknown): boolean {
  return value === true || value === 'true' || value === 1 || value === '1';
}

export function textArgument(args: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = args[name];
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
