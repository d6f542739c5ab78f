/** S3's REST API over one bucket with versions and Object Lock: what anchoring asks for, and what somebody who clears up may do. */
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const bucketName = 'example-audit-anchors';

export interface Version {
  readonly id: string;
  readonly key: string;
  body: string;
  readonly isDeleteMarker?: true;
  readonly mode?: string | undefined;
  readonly until?: string | undefined;
}

export interface LockingBucket {
  readonly url: string;
  /** Oldest first. */
  readonly versions: Version[];
  /** Method and path of each request. */
  readonly asked: string[];
  /** What it does now: `down` answers 503, `denied` 403, `unlocked` has no Object Lock, `lost` stores and breaks off before the answer. */
  mood: 'well' | 'down' | 'denied' | 'unlocked' | 'lost';
  /** DeleteObject without a version id: a lock does not forbid it. */
  hide(key: string): void;
  close(): Promise<void>;
}

class Refused extends Error {
  readonly status: number;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
  }
}

export async function startLockingBucket(): Promise<LockingBucket> {
  const versions: Version[] = [];
  const asked: string[] = [];
  const server = createServer((request, response) => void answer(request, response));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://s3');
    const [, bucket, ...rest] = url.pathname.split('/');
    asked.push(`${request.method} ${url.pathname}${url.searchParams.has('versions') ? '?versions' : ''}`);
    try {
      if (self.mood === 'down') throw new Refused(503, 'ServiceUnavailable');
      if (self.mood === 'denied') throw new Refused(403, 'AccessDenied');
      if (bucket !== bucketName) throw new Refused(404, 'NoSuchBucket');
      const key = decodeURIComponent(rest.join('/'));
      const text = one(request, key, url.searchParams, Buffer.concat(chunks));
      if (self.mood === 'lost' && request.method === 'PUT') {
        request.socket.destroy();
        return;
      }
      response.writeHead(200, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(text) });
      response.end(text);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      response.writeHead(error.status, { 'content-type': 'application/xml' });
      response.end(`<Error><Code>${error.message}</Code><Message>no</Message></Error>`);
    }
  }

  function one({ method, headers }: IncomingMessage, key: string, query: URLSearchParams, body: Buffer): string {
    if (method === 'PUT') return put(key, headers, body);
    if (method !== 'GET') throw new Refused(405, 'MethodNotAllowed');
    if (query.has('object-lock')) {
      if (self.mood === 'unlocked') throw new Refused(404, 'ObjectLockConfigurationNotFoundError');
      return '<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>';
    }
    if (query.has('versions')) return list(query);
    const id = query.get('versionId');
    const found = versions.findLast((each) => each.key === key && (id === null || each.id === id));
    if (found === undefined || found.isDeleteMarker) throw new Refused(404, 'NoSuchKey');
    return found.body;
  }

  function put(key: string, headers: IncomingMessage['headers'], body: Buffer): string {
    const mode = headers['x-amz-object-lock-mode'];
    const sum = createHash('sha256').update(body).digest('base64');
    if (headers['x-amz-checksum-sha256'] !== sum) throw new Refused(400, 'InvalidRequest');
    if (self.mood === 'unlocked' && mode !== undefined) throw new Refused(400, 'InvalidRequest');
    const newest = versions.findLast((each) => each.key === key);
    if (headers['if-none-match'] === '*' && newest !== undefined && !newest.isDeleteMarker)
      throw new Refused(412, 'PreconditionFailed');
    const until = headers['x-amz-object-lock-retain-until-date'];
    versions.push({ id: randomUUID(), key, body: body.toString('utf8'), mode: String(mode), until: String(until) });
    return '';
  }

  /** By pages of two. */
  function list(query: URLSearchParams): string {
    const prefix = query.get('prefix') ?? '';
    const all = versions
      .filter(({ key }) => key.startsWith(prefix))
      .map((each) => ({ each, sort: `${each.key} ${each.id}` }))
      .sort((a, b) => (a.sort < b.sort ? -1 : 1));
    const after = `${query.get('key-marker') ?? ''} ${query.get('version-id-marker') ?? ''}`;
    const left = all.filter(({ sort }) => after === ' ' || sort > after);
    const page = left.slice(0, 2).map(({ each }) => each);
    const last = page.at(-1);
    const next = left.length > 2 && last !== undefined;
    return `<ListVersionsResult><Name>${bucketName}</Name><IsTruncated>${next}</IsTruncated>${
      next ? `<NextKeyMarker>${last.key}</NextKeyMarker><NextVersionIdMarker>${last.id}</NextVersionIdMarker>` : ''
    }${page
      .map(({ key, id, isDeleteMarker }) => {
        const tag = isDeleteMarker ? 'DeleteMarker' : 'Version';
        return `<${tag}><Key>${key}</Key><VersionId>${id}</VersionId></${tag}>`;
      })
      .join('')}</ListVersionsResult>`;
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const self: LockingBucket = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    versions,
    asked,
    mood: 'well',
    hide: (key) => void versions.push({ id: randomUUID(), key, body: '', isDeleteMarker: true }),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return self;
}
