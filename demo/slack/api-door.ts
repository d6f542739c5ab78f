/** The Web API over HTTP: token, hooks, faults, rates, scopes, method, answer. Every call is logged. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readArguments, readBody, readUpload } from './body.ts';
import { chatMethods } from './chat-methods.ts';
import type { createFaults, createRates, Fault } from './faults.ts';
import { rateLimited } from './faults.ts';
import { fileMethods, receiveUpload } from './file-methods.ts';
import { peopleMethods } from './people-methods.ts';
import type { State } from './state.ts';
import { viewMethods } from './view-methods.ts';
import { type ApiCall, type Method, type Reply, refusal, scopeRefusal } from './web-api.ts';

/** One call that an app made. `status` and `reply` are there once it is answered. */
export interface ApiCallRecord {
  readonly at: string;
  /** `chat.postMessage`, ..., or `upload`, `response_url`. */
  readonly method: string;
  readonly args: Readonly<Record<string, unknown>>;
  status?: number;
  reply?: Reply;
  /** The fault that hit it. */
  fault?: Fault['how'];
}

/** `before`: read, but nothing happened yet. `after`: done, not answered yet. Returning `drop` cuts the connection there. */
export type CallHook = (
  call: ApiCallRecord,
  phase: 'before' | 'after',
) => Promise<'drop' | undefined> | 'drop' | undefined;

export interface ApiDoorWorld {
  readonly state: State;
  readonly faults: ReturnType<typeof createFaults>;
  readonly rates: ReturnType<typeof createRates> | undefined;
  readonly calls: ApiCallRecord[];
  readonly hooks: Set<CallHook>;
  readonly botToken: string;
  readonly appToken: string | undefined;
  readonly scopes: readonly string[];
  readonly url: () => string;
  takeTrigger: ApiCall['takeTrigger'];
  socketAddress(): string;
  answerResponseUrl(path: string, body: unknown): { status: number; text: string } | undefined;
}

const methods: Readonly<Record<string, Method>> = { ...chatMethods, ...peopleMethods, ...fileMethods, ...viewMethods };

/** Handles /api/<method>, uploads and response URLs. Returns false where the path is for somebody else. */
export async function answerApi(
  world: ApiDoorWorld,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const isApi = url.pathname.startsWith('/api/');
  const isUpload = url.pathname.startsWith('/upload/v1/');
  const isAnswer = /^\/(?:commands|actions)\//.test(url.pathname);
  if (!isApi && !isUpload && !isAnswer) return false;

  const body = await readBody(request);
  const type = request.headers['content-type'] ?? '';
  const args = isUpload ? { bytes: body.length } : readArguments(type, body, url.searchParams);
  const token = tokenOf(request, args);
  const { token: _token, ...shown } = args ?? {};
  const method = isUpload ? 'upload' : isAnswer ? 'response_url' : url.pathname.slice('/api/'.length);
  const record: ApiCallRecord = { at: new Date().toISOString(), method, args: shown };
  world.calls.push(record);
  world.state.changed();
  if (await runHooks(world, record, 'before', response)) return true;

  const fault = world.faults.next(method, args);
  if (fault) record.fault = fault.how;
  if (fault && fault.how !== 'afterThenClose') {
    misbehave(fault, record, response);
    world.state.changed();
    return true;
  }
  if (isApi) {
    const wait = world.rates?.refuse(method, args ?? {});
    record.reply = wait === undefined ? callMethod(world, method, args, token) : rateLimited;
    record.status = wait === undefined ? 200 : 429;
    if (wait !== undefined) response.setHeader('retry-after', String(wait));
  } else {
    const answer = isUpload
      ? receiveUpload(world.state, url.pathname, await readUpload(type, body))
      : world.answerResponseUrl(url.pathname, args);
    record.status = answer?.status ?? 404;
    record.reply = { ok: record.status === 200, text: answer?.text };
  }
  world.state.changed();
  if (await runHooks(world, record, 'after', response)) return true;
  if (fault) {
    response.socket?.destroy();
    return true;
  }
  response.setHeader('x-oauth-scopes', world.scopes.join(','));
  if (isApi) send(response, record.status, 'application/json; charset=utf-8', JSON.stringify(record.reply));
  else send(response, record.status, 'text/html; charset=utf-8', String(record.reply.text ?? ''));
  return true;
}

function tokenOf(request: IncomingMessage, args: Readonly<Record<string, unknown>> | undefined): string {
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  return bearer ?? String(args?.token ?? '');
}

function callMethod(
  world: ApiDoorWorld,
  method: string,
  args: Record<string, unknown> | undefined,
  token: string,
): Reply {
  if (!args) return refusal('invalid_json');
  if (method === 'api.test') return methods[method]?.(apiCall(world, args)) ?? refusal('unknown_method');
  if (token === '') return refusal('not_authed');
  if (method === 'apps.connections.open') {
    if (token === world.botToken) return refusal('not_allowed_token_type');
    if (world.appToken === undefined || token !== world.appToken) return refusal('invalid_auth');
    return { ok: true, url: world.socketAddress() };
  }
  if (token === world.appToken) return refusal('not_allowed_token_type');
  if (token !== world.botToken) return refusal('invalid_auth');
  const run = methods[method];
  if (!run) return refusal('unknown_method');
  return scopeRefusal(method, world.scopes) ?? run(apiCall(world, args));
}

function apiCall(world: ApiDoorWorld, args: Record<string, unknown>): ApiCall {
  const { state, scopes, takeTrigger } = world;
  return { state, scopes, takeTrigger, args, url: world.url() };
}

/** True where a hook cut the connection. */
async function runHooks(
  world: ApiDoorWorld,
  record: ApiCallRecord,
  phase: 'before' | 'after',
  response: ServerResponse,
): Promise<boolean> {
  for (const hook of [...world.hooks]) {
    if ((await hook(record, phase)) !== 'drop') continue;
    response.socket?.destroy();
    return true;
  }
  return false;
}

function misbehave(fault: Fault, record: ApiCallRecord, response: ServerResponse): void {
  // `hang` keeps the connection open without a word until the client or the server goes away.
  if (fault.how === 'hang') return;
  if (fault.how === 'close') {
    response.socket?.destroy();
    return;
  }
  if (fault.how === 'error') {
    record.status = 200;
    record.reply = refusal(fault.error ?? 'internal_error');
  } else if (fault.how === '429') {
    record.status = 429;
    record.reply = rateLimited;
    response.setHeader('retry-after', String(fault.retryAfter ?? 1));
  } else {
    record.status = fault.how === '500' ? 500 : 503;
  }
  const isHtml = fault.how === 'html';
  const page = '<!DOCTYPE html><html><head><title>Slack</title></head><body>Server Error</body></html>';
  const json = JSON.stringify(record.reply ?? { ok: false, error: 'internal_error' });
  send(response, record.status, isHtml ? 'text/html' : 'application/json', isHtml ? page : json);
}

/** Answers and ends. Nothing is written where the client went away. */
export function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  if (response.writableEnded || response.destroyed) return;
  response.writeHead(status, {
    'content-type': type,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  response.end(body);
}
