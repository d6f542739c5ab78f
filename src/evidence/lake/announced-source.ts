/** Some objects of a bucket, as the source of an import: those that a queue told of. */
import type { LogSource } from '../../contracts/log-source.ts';
import type { AnnouncedObject } from '../../domain/imports.ts';

/** @param bucket keeps its name, so that a listing knows later what was imported from here */
export function announcedSource(bucket: LogSource, objects: readonly AnnouncedObject[]): LogSource {
  return {
    ...bucket,
    async *list(wanted) {
      for (const { key, size, etag } of objects) {
        if (wanted(key)) yield { path: key, size: size ?? 0, ...(etag === undefined ? {} : { etag }) };
      }
    },
  };
}
