/** Where log files are kept: a folder, a bucket. What an import reads from. */

export interface LogObject {
  /** Relative path or object key; free text from outside. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** A place in the file system, where it has one. */
  readonly file?: string;
  /** What the source itself says of this version of the object: known ones need not be fetched again. */
  readonly etag?: string;
  readonly versionId?: string;
}

export interface LogSource {
  /** Shown and kept beside what was imported: the folder, or `s3://bucket/prefix`. */
  readonly name: string;
  readonly kind: 'folder' | 's3';
  /** Objects that `wanted` takes, in the order of their paths. Those that cannot be read are told to `unreadable`. */
  list(
    wanted: (path: string) => boolean,
    unreadable: (path: string, reason: string) => void,
    signal: AbortSignal,
  ): AsyncIterable<LogObject>;
  /** The whole object, with the version that was read. Throws UserError or a system error where it cannot be read. */
  read(object: LogObject, signal: AbortSignal): Promise<{ readonly bytes: Buffer; readonly versionId?: string }>;
  /** Writes the object to a file. */
  save(object: LogObject, file: string, signal: AbortSignal): Promise<{ readonly versionId?: string }>;
}
