/** Signature Version 4, the checking side (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface SignedRequest {
  readonly method: string;
  /** Path and query as they came. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Scope {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/** Fifteen minutes, as AWS allows. */
const allowedSkewMs = 15 * 60_000;

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

/** Reads the Authorization header. `missing`: there is none; `incomplete`: it is not a whole SigV4 header. */
export function readScope(headers: IncomingHttpHeaders): Scope | 'missing' | 'incomplete' {
  const text = headers.authorization;
  if (text === undefined) return 'missing';
  const match =
    /^AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request\s*,\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=([0-9a-f]{64})\s*$/.exec(
      text,
    );
  if (match === null) return 'incomplete';
  const [, accessKeyId = '', date = '', region = '', service = '', signed = '', signature = ''] = match;
  return { accessKeyId, date, region, service, signedHeaders: signed.split(';'), signature };
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function canonicalQuery(query: string): string {
  return [...new URLSearchParams(query)]
    .map(([key, value]) => `${encode(key)}=${encode(value)}`)
    .sort()
    .join('&');
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}

function sha256(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex');
}

/** True when the signature is the one that this secret gives for this request, and the body is the one signed for. */
export function signatureMatches(request: SignedRequest, scope: Scope, secret: string): boolean {
  const { headers } = request;
  const declared = header(headers, 'x-amz-content-sha256');
  const actual = sha256(request.body);
  if (declared !== undefined && declared !== 'UNSIGNED-PAYLOAD' && declared !== actual) return false;
  const date = header(headers, 'x-amz-date') ?? '';
  if (!scope.signedHeaders.includes('host') || !date.startsWith(scope.date)) return false;
  const [path = '/', query = ''] = request.url.split('?', 2);
  const canonical = [
    request.method,
    path.split('/').map(encode).join('/'),
    canonicalQuery(query),
    ...scope.signedHeaders.map((name) => `${name}:${(header(headers, name) ?? '').trim().replace(/\s+/g, ' ')}`),
    '',
    scope.signedHeaders.join(';'),
    declared ?? actual,
  ].join('\n');
  const credentialScope = `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, credentialScope, sha256(canonical)].join('\n');
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, scope.date), scope.region), scope.service), 'aws4_request');
  const expected = hmac(key, toSign);
  return timingSafeEqual(expected, Buffer.from(scope.signature, 'hex'));
}

/** True when `x-amz-date` is within 15 minutes of `nowMs`. */
export function isTimely(headers: IncomingHttpHeaders, nowMs: number): boolean {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(header(headers, 'x-amz-date') ?? '');
  if (match === null) return false;
  const [, y, mo, d, h, mi, s] = match;
  return Math.abs(Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`) - nowMs) <= allowedSkewMs;
}
