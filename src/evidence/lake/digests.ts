/** CloudTrail digest files (DOMAIN.md 3.10): which log files there must be, with which content, in an unbroken chain. */
import { createPublicKey, verify } from 'node:crypto';
import { z } from 'zod';
import { type Selection, wanted } from './layout.ts';
import type { RunPage } from './pages.ts';

const Digest = z.object({
  awsAccountId: z.string(),
  digestStartTime: z.string(),
  digestEndTime: z.string(),
  digestS3Bucket: z.string(),
  digestS3Object: z.string(),
  digestPublicKeyFingerprint: z.string().nullish(),
  previousDigestS3Object: z.string().nullish(),
  previousDigestHashValue: z.string().nullish(),
  previousDigestSignature: z.string().nullish(),
  logFiles: z.array(z.object({ s3Object: z.string(), hashValue: z.string() })),
});
type Digest = z.output<typeof Digest>;

const Keys = z.object({ PublicKeyList: z.array(z.object({ Value: z.string(), Fingerprint: z.string() })) });

const maxProblems = 1000;

/** Collects the digests of one import and what was seen of the files that they list. */
export class DigestBook {
  readonly #keysText: string | undefined;
  readonly #digests: { path: string; digest: Digest; sha256: string }[] = [];
  readonly #unreadable: string[] = [];
  readonly #selection: Selection;
  /** By name, which no two log files share: prefixes of folders and buckets differ. */
  readonly #seen = new Map<string, Set<string | undefined>>();

  /** @param selection what was imported: of other files nothing is said */
  constructor(keysText: string | undefined, selection: Selection) {
    this.#keysText = keysText;
    this.#selection = selection;
  }

  /** @param sha256 of the unpacked content, in hex */
  add(path: string, content: Buffer, sha256: string): void {
    const parsed = Digest.safeParse(jsonOf(content.toString('utf8')));
    if (parsed.success) this.#digests.push({ path, digest: parsed.data, sha256 });
    else this.#unreadable.push(path);
  }

  /** A log file that was read; without a hash it could not be unpacked. */
  saw(path: string, sha256: string | undefined): void {
    const hashes = this.#seen.get(nameOf(path)) ?? new Set();
    this.#seen.set(nameOf(path), hashes.add(sha256));
  }

  report(): RunPage['digests'] {
    const problems = this.#unreadable.map((path) => `digest ${path} cannot be read`);
    const chains = Map.groupBy(this.#digests, chainOf);
    const signature = this.#keysText === undefined ? 'signature not checked' : this.#checkSignatures(problems);
    for (const chain of chains.values()) this.#checkChain(chain, problems);
    return {
      found: this.#digests.length + this.#unreadable.length,
      signature: this.#digests.length === 0 ? 'no digests' : signature,
      problems: problems.slice(0, maxProblems),
    };
  }

  #checkChain(chain: { path: string; digest: Digest; sha256: string }[], problems: string[]): void {
    chain.sort((a, b) => (a.digest.digestEndTime < b.digest.digestEndTime ? -1 : 1));
    let before: (typeof chain)[number] | undefined;
    for (const one of chain) {
      const { digest } = one;
      if (before && digest.previousDigestS3Object) {
        if (nameOf(digest.previousDigestS3Object) !== nameOf(before.digest.digestS3Object)) {
          problems.push(
            `digest missing between ${before.digest.digestEndTime} and ${digest.digestStartTime} (${one.path})`,
          );
        } else if (digest.previousDigestHashValue && digest.previousDigestHashValue !== before.sha256) {
          problems.push(`digest altered: ${before.path}`);
        }
      } else if (before && !isBackfill(one) && digest.digestStartTime > before.digest.digestEndTime) {
        problems.push(
          `logging was off between ${before.digest.digestEndTime} and ${digest.digestStartTime} (${one.path})`,
        );
      }
      for (const { s3Object, hashValue } of digest.logFiles) {
        // A digest of the first hour lists files of the day before.
        if (!wanted(s3Object, this.#selection)) continue;
        const hashes = this.#seen.get(nameOf(s3Object));
        if (hashes === undefined) problems.push(`log file missing: ${s3Object}`);
        else if (hashes.has(undefined)) problems.push(`log file not compared with its digest: ${s3Object}`);
        else if (hashes.size > 1 || !hashes.has(hashValue)) problems.push(`log file altered: ${s3Object}`);
      }
      before = one;
    }
  }

  /** A digest's signature stands in the one after it; that of the newest is only in the object's metadata. */
  #checkSignatures(problems: string[]): string {
    const keys = Keys.safeParse(jsonOf(this.#keysText ?? ''));
    if (!keys.success) {
      problems.push('the file of public keys cannot be read: expected what "aws cloudtrail list-public-keys" prints');
      return 'signature not checked';
    }
    const byName = new Map(this.#digests.map((one) => [nameOf(one.digest.digestS3Object), one]));
    let checked = 0;
    for (const { digest: next } of this.#digests) {
      const one = next.previousDigestS3Object ? byName.get(nameOf(next.previousDigestS3Object)) : undefined;
      if (!one || !next.previousDigestSignature) continue;
      const key = keys.data.PublicKeyList.find(
        (candidate) => candidate.Fingerprint === one.digest.digestPublicKeyFingerprint,
      );
      if (!key) problems.push(`no public key ${one.digest.digestPublicKeyFingerprint ?? ''} for digest ${one.path}`);
      else if (!isSigned(one.digest, one.sha256, next.previousDigestSignature, key.Value))
        problems.push(`digest signature wrong: ${one.path}`);
      else checked += 1;
    }
    return `signature checked of ${checked} of ${this.#digests.length} digests`;
  }
}

/** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html */
function isSigned(digest: Digest, sha256: string, signature: string, key: string): boolean {
  const text = [
    digest.digestEndTime,
    `${digest.digestS3Bucket}/${digest.digestS3Object}`,
    sha256,
    digest.previousDigestSignature ?? 'null',
  ].join('\n');
  try {
    const publicKey = createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'pkcs1' });
    return verify('sha256', Buffer.from(text), publicKey, Buffer.from(signature, 'hex'));
  } catch {
    // A key that is none checks nothing; what is thrown for it has a code or none.
    return false;
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/**
 * Each trail writes a chain of its own for each Region, also where several write to one bucket: names are alike but for the time. Digests of log files
 * that were delivered late (`_backfill`) are another chain beside it.
 */
function chainOf({ path }: { readonly path: string }): string {
  const [, trail, kind = ''] =
    /^(\d{12}_CloudTrail-Digest_.+)_\d{8}T\d{6}Z(_backfill)?\.json(?:\.gz)?$/.exec(nameOf(path)) ?? [];
  return trail === undefined ? (/^.*CloudTrail-Digest\/[^/]+\//.exec(path)?.[0] ?? '') : trail + kind;
}

/** Written only for hours in which something came late: the time between two says nothing of logging. */
function isBackfill({ path }: { readonly path: string }): boolean {
  return /_backfill\.json(?:\.gz)?$/.test(path);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
