/**
 * The bucket of the installation that holds the heads of the audit, under Object Lock. Asked with the process's own identity:
 * this is no target account, and its PutObject stands in no plan (src/aws/writes.ts lists what plans may write).
 */
import {
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import type { AnchorBucket, AuditAnchor, FoundAnchor } from '../contracts/audit-anchor.ts';
import { asError, UpstreamError } from '../contracts/errors.ts';
import { type AnchorSettings, anchorKey, anchorText, readAnchor } from '../domain/audit-anchor.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';
import { patience } from './clients.ts';

interface Marks {
  readonly KeyMarker?: string | undefined;
  readonly VersionIdMarker?: string | undefined;
  readonly MaxKeys?: number;
}

/** Gets at the same time. */
const reading = 16;
/** An anchor is under 300 bytes; what is larger is none. */
const maxBytes = 4_096;

export function openAnchorBucket(settings: AnchorSettings, options: { readonly pathStyle: boolean }): AnchorBucket {
  const { bucket: Bucket, prefix, region } = settings;
  const name = `s3://${Bucket}/${prefix}`;
  const client = new S3Client({
    region,
    forcePathStyle: options.pathStyle,
    maxAttempts: 3,
    requestHandler: patience(10_000),
  });

  async function asked<T>(signal: AbortSignal, what: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof UpstreamError) throw error;
      const { code, message, retryable } = awsErrorFacts(asError(error));
      throw new UpstreamError('s3', code, `${name}: ${what} failed (${code}): ${message}`, { retryable, cause: error });
    }
  }

  async function get(Key: string, VersionId: string | undefined, signal: AbortSignal): Promise<FoundAnchor> {
    return asked(signal, 'GetObject', async () => {
      const input = { Bucket, Key, ...(VersionId === undefined ? {} : { VersionId }) };
      const { Body, ContentLength } = await client.send(new GetObjectCommand(input), { abortSignal: signal });
      // Read in any case: a body that is left lying holds its connection.
      const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
      if ((ContentLength ?? bytes.length) > maxBytes) return { key: Key, ok: false, because: 'is too large' };
      return readAnchor(prefix, Key, Buffer.from(bytes).toString('utf8'));
    });
  }

  async function list(marks: Marks, signal: AbortSignal): Promise<ListObjectVersionsCommandOutput> {
    const command = new ListObjectVersionsCommand({ Bucket, Prefix: prefix, ...marks });
    const page = await asked(signal, 'ListObjectVersions', () => client.send(command, { abortSignal: signal }));
    // A proxy's page parses as an empty answer, which would say that nothing was ever anchored.
    if (page.Name !== undefined) return page;
    throw new UpstreamError('s3', 'NotAws', `${name}: the answer was not S3's`, { retryable: true });
  }

  async function putNew(anchor: AuditAnchor, retainUntil: Date, signal: AbortSignal): Promise<boolean> {
    try {
      await client.send(
        new PutObjectCommand({
          Bucket,
          Key: anchorKey(prefix, anchor),
          Body: anchorText(anchor),
          ContentType: 'application/json',
          // Object Lock takes no upload without a checksum.
          ChecksumAlgorithm: 'SHA256',
          IfNoneMatch: '*',
          // Nobody, the root user included, deletes this version or shortens its time.
          ObjectLockMode: 'COMPLIANCE',
          ObjectLockRetainUntilDate: retainUntil,
        }),
        { abortSignal: signal },
      );
      return true;
    } catch (error) {
      if (awsErrorFacts(asError(error)).code === 'PreconditionFailed') return false;
      throw error;
    }
  }

  async function isLocking(signal: AbortSignal): Promise<boolean> {
    try {
      const answer = await client.send(new GetObjectLockConfigurationCommand({ Bucket }), { abortSignal: signal });
      return answer.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled';
    } catch (error) {
      if (awsErrorFacts(asError(error)).code === 'ObjectLockConfigurationNotFoundError') return false;
      throw error;
    }
  }

  return {
    name,
    async put(anchor, retainUntil, signal) {
      const isNew = await asked(signal, 'PutObject', () => putNew(anchor, retainUntil, signal));
      if (isNew) return;
      // Written before, by a try whose answer or note was lost; or somebody put another thing there.
      const there = await get(anchorKey(prefix, anchor), undefined, signal);
      if (there.ok) return;
      const message = `${name}: what stands under the key of entry ${anchor.seq} ${there.because}`;
      throw new UpstreamError('s3', 'AnchorTaken', message, { retryable: false });
    },
    async read(signal) {
      const versions: { key: string; versionId: string | undefined }[] = [];
      const hidden = new Set<string>();
      let marks: Marks | undefined = {};
      while (marks !== undefined) {
        const page: ListObjectVersionsCommandOutput = await list(marks, signal);
        for (const { Key, VersionId } of page.Versions ?? [])
          if (Key !== undefined && !Key.endsWith('/'))
            versions.push({ key: Key, versionId: VersionId === 'null' ? undefined : VersionId });
        for (const { Key } of page.DeleteMarkers ?? []) if (Key !== undefined) hidden.add(Key);
        marks = page.IsTruncated
          ? { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
          : undefined;
      }
      const limit = pLimit(reading);
      const found = await Promise.all(versions.map(({ key, versionId }) => limit(() => get(key, versionId, signal))));
      return { found: found.sort((a, b) => (a.key < b.key ? -1 : 1)), hidden: [...hidden].sort() };
    },
    async lacks(signal) {
      const on = await asked(signal, 'GetObjectLockConfiguration', () => isLocking(signal));
      if (!on) return 'Object Lock is not on';
      await list({ MaxKeys: 1 }, signal);
      return undefined;
    },
    close: () => client.destroy(),
  };
}
