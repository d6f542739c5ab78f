/** The wire: AWS query, EC2 query, JSON 1.1 and REST JSON, read and written as the SDKs send and expect them. */
import type { AwsError, Protocol } from './errors.ts';

export type Value =
  | string
  | number
  | boolean
  | Date
  | null
  | undefined
  | readonly Value[]
  | { readonly [k: string]: Value };
export interface Input {
  readonly [name: string]: unknown;
}

export interface Wire {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (c) => `&#${c.charCodeAt(0)};`).replace(/\r/g, '&#xD;');
}

/** One element. `item` is the tag of list members: `member` in query, `item` in EC2. Undefined and null are left out. */
function element(name: string, value: Value, item: 'member' | 'item'): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) {
    return `<${name}>${value.map((one: Value) => element(item, one, item)).join('')}</${name}>`;
  }
  if (value instanceof Date) return `<${name}>${value.toISOString()}</${name}>`;
  if (typeof value === 'object') {
    const children = Object.entries(value).map(([key, child]) => element(key, child, item));
    return `<${name}>${children.join('')}</${name}>`;
  }
  return `<${name}>${escapeXml(String(value))}</${name}>`;
}

export interface Route {
  readonly method: string;
  readonly path: RegExp;
  readonly operation: string;
}

type Tree = { [name: string]: Tree | string };

function toInput(tree: Tree | string): unknown {
  if (typeof tree === 'string') return tree;
  const keys = Object.keys(tree);
  if (keys.length > 0 && keys.every((key) => /^\d+$/.test(key))) {
    return keys.sort((a, b) => Number(a) - Number(b)).map((key) => toInput(tree[key] ?? ''));
  }
  return Object.fromEntries(Object.entries(tree).map(([key, child]) => [key, toInput(child)]));
}

/** `Tags.member.1.Key=a` and `Filter.1.Value.2=b` become nested objects and lists. */
function parseQuery(body: string): Input {
  const root: Tree = Object.create(null) as Tree;
  for (const [name, value] of new URLSearchParams(body)) {
    const path = name.split('.').filter((part) => part !== 'member');
    let at = root;
    path.forEach((part, index) => {
      if (index === path.length - 1) {
        at[part] = value;
        return;
      }
      const next = at[part];
      const child: Tree = typeof next === 'object' ? next : (Object.create(null) as Tree);
      at[part] = child;
      at = child;
    });
  }
  return toInput(root) as Input;
}

function parseJson(body: string): Input | undefined {
  try {
    const parsed: unknown = JSON.parse(body === '' ? '{}' : body);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Input) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Finds the operation and its input. `input` is undefined where the body is none of the protocol's. */
export function readRequest(
  protocol: Protocol,
  request: { method: string; url: string; body: string; target: string | undefined },
  routes: readonly Route[] = [],
): { operation: string; input: Input | undefined } {
  if (protocol === 'query' || protocol === 'ec2') {
    const { Action: action, Version: _version, ...input } = parseQuery(request.body);
    return { operation: String(action ?? ''), input };
  }
  const input = parseJson(request.body);
  if (protocol === 'json') return { operation: request.target?.split('.')[1] ?? '', input };
  const whole = request.url.split('?', 1)[0] ?? '';
  for (const { method, path, operation } of routes) {
    const found = method === request.method ? path.exec(whole) : null;
    if (found !== null) {
      const query = Object.fromEntries(new URLSearchParams(request.url.split('?', 2)[1] ?? ''));
      return { operation, input: input === undefined ? undefined : { ...query, ...input, ...found.groups } };
    }
  }
  const path = whole.slice(1);
  return { operation: path.charAt(0).toUpperCase() + path.slice(1), input };
}

function xml(protocol: 'query' | 'ec2', requestId: string, body: string): Omit<Wire, 'status'> {
  const type = protocol === 'ec2' ? 'text/xml;charset=UTF-8' : 'text/xml';
  const declaration = protocol === 'ec2' ? '<?xml version="1.0" encoding="UTF-8"?>\n' : '';
  return { headers: { 'content-type': type, 'x-amzn-requestid': requestId }, body: declaration + body };
}

export function writeResponse(
  protocol: Protocol,
  answer: {
    operation: string;
    namespace: string;
    requestId: string;
    output: { readonly [k: string]: Value };
    jsonVersion?: '1.0' | undefined;
  },
): Wire {
  const { operation, namespace, requestId, output } = answer;
  if (protocol === 'query') {
    // Operations without output (UpdateAccessKey) have no Result element.
    const empty = Object.keys(output).length === 0;
    const result = empty ? '' : element(`${operation}Result`, output, 'member');
    const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
    const body = `<${operation}Response xmlns="${namespace}">${result}${metadata}</${operation}Response>`;
    return { status: 200, ...xml('query', requestId, body) };
  }
  if (protocol === 'ec2') {
    const fields = Object.entries(output).map(([key, value]) => element(key, value, 'item'));
    const body = `<${operation}Response xmlns="${namespace}"><requestId>${requestId}</requestId>${fields.join('')}</${operation}Response>`;
    return { status: 200, ...xml('ec2', requestId, body) };
  }
  const type = protocol === 'json' ? `application/x-amz-json-${answer.jsonVersion ?? '1.1'}` : 'application/json';
  return {
    status: 200,
    headers: { 'content-type': type, 'x-amzn-requestid': requestId },
    body: JSON.stringify(output),
  };
}

export function writeError(protocol: Protocol, error: AwsError, requestId: string, namespace: string): Wire {
  const { code, status, message } = error;
  if (protocol === 'query') {
    const type = status >= 500 ? 'Receiver' : 'Sender';
    const inner = element('Error', { Type: type, Code: code, Message: message }, 'member');
    const body = `<ErrorResponse xmlns="${namespace}">${inner}<RequestId>${requestId}</RequestId></ErrorResponse>`;
    return { status, ...xml('query', requestId, body) };
  }
  if (protocol === 'ec2') {
    const inner = element('Error', { Code: code, Message: message }, 'item');
    const body = `<Response><Errors>${inner}</Errors><RequestID>${requestId}</RequestID></Response>`;
    return { status, ...xml('ec2', requestId, body) };
  }
  if (protocol === 'json') {
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': requestId };
    return { status, headers, body: JSON.stringify({ __type: code, message }) };
  }
  const headers = { 'content-type': 'application/json', 'x-amzn-requestid': requestId, 'x-amzn-errortype': code };
  return { status, headers, body: JSON.stringify({ message }) };
}
