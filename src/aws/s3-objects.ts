/** Objects under a prefix of a bucket, as the source of an import. Path style where an endpoint is set (DESIGN.md 5). */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { asError, UpstreamError, UserError } from '../contracts/errors.ts';
import type { LogObject, LogSource } from '../contracts/log-source.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';
import { patience } from './clients.ts';

export interface S3Place {
  readonly bucket: string;
  readonly prefix: string;
}

/** The bucket and prefix of `s3://bucket/prefix`; undefined where the text is no such address. */
export function parseS3Url(text: string): S3Place | undefined {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(text);
  return match?.[1] === undefined ? undefined : { bucket: match[1], prefix: match[2] ?? '' };
}

const attempts = 5;

export function openS3Objects(
  place: S3Place,
  options: { readonly region: string; readonly pathStyle: boolean },
): LogSource {
  const client = new S3Client({
    region: options.region,
    forcePathStyle: options.pathStyle,
    followRegionRedirects: true,
    maxAttempts: attempts,
    requestHandler: patience(30_000),
  });

  async function get(object: LogObject, signal: AbortSignal) {
    try {
      const answer = await client.send(
        new GetObjectCommand({
          Bucket: place.bucket,
          Key: object.path,
          // What was listed is what is read, or the read fails.
          ...(object.etag === undefined ? {} : { IfMatch: object.etag }),
        }),
        { abortSignal: signal },
      );
      // A proxy's page, kept as what is in the object, would pass for read at every later import.
      const isPage = answer.ETag === undefined && /^text\/html\b/i.test(answer.ContentType ?? '');
      if (answer.Body === undefined || isPage)
        throw new UpstreamError('s3', 'NotAws', "the answer was not AWS's", { retryable: true });
      return { body: answer.Body, ...(answer.VersionId === undefined ? {} : { versionId: answer.VersionId }) };
    } catch (error) {
      signal.throwIfAborted();
      throw refused(error, `s3://${place.bucket}/${object.path}`);
    }
  }

  return {
    name: `s3://${place.bucket}/${place.prefix}`,
    kind: 's3',
    async *list(wanted, _unreadable, signal) {
      let token: string | undefined;
      do {
        const page = await listPage(client, place, token, signal);
        for (const { Key, Size, ETag } of page.Contents ?? []) {
          if (Key === undefined || Key.endsWith('/') || !wanted(Key)) continue;
          yield { path: Key, size: Size ?? 0, ...(ETag === undefined ? {} : { etag: ETag }) };
        }
        token = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
    },
    async read(object, signal) {
      const { body, ...version } = await get(object, signal);
      try {
        return { bytes: Buffer.from(await body.transformToByteArray()), ...version };
      } catch (error) {
        signal.throwIfAborted();
        throw refused(error, `s3://${place.bucket}/${object.path}`);
      }
    },
    async save(object, file, signal) {
      const { body, ...version } = await get(object, signal);
      await pipeline(
        body instanceof Readable ? body : Readable.fromWeb(body.transformToWebStream() as never),
        createWriteStream(file, { mode: 0o600 }),
      );
      return version;
    },
  };
}

async function listPage(client: S3Client, place: S3Place, token: string | undefined, signal: AbortSignal) {
  try {
    const page = await client.send(
      new ListObjectsV2Command({
        Bucket: place.bucket,
        ...(place.prefix === '' ? {} : { Prefix: place.prefix }),
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
      { abortSignal: signal },
    );
    if (page.KeyCount === undefined && page.Contents === undefined && page.Name === undefined) {
      throw new UpstreamError('s3', 'NotAws', "the answer was not AWS's", { retryable: true });
    }
    return page;
  } catch (error) {
    signal.throwIfAborted();
    throw refused(error, `s3://${place.bucket}/${place.prefix}`);
  }
}

function refused(error: unknown, address: string): Error {
  if (error instanceof UserError) return error;
  const facts = awsErrorFacts(asError(error));
  return new UserError(
    `${address} could not be read (${facts.code}).`,
    'It takes s3:ListBucket and s3:GetObject, and kms:Decrypt where the bucket has a key of its own.',
  );
}
