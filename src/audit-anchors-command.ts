/** The part of `firebreak audit verify` that asks the bucket: does the chain still hold what was anchored? */
import type { Config } from './config.ts';
import type { FoundAnchors } from './contracts/audit-anchor.ts';
import { SetupError, UpstreamError } from './contracts/errors.ts';
import type { AuditRow } from './contracts/store.ts';
import { anchorCheck } from './domain/audit-anchor.ts';
import { connectAnchors } from './wire-anchor.ts';

/** 1: the chain was rewritten or cut off. 3: it could not be told. */
type Code = 0 | 1 | 3;

const shown = 5;
const withinMs = 10 * 60_000;

export interface AnchorLook {
  see(row: AuditRow): void;
  /** What to print, and the exit code. `head` is the number of the last row that was seen. */
  end(head: number): { readonly lines: readonly string[]; readonly code: Code };
}

/**
 * Reads the anchors, before the chain is read: what is anchored meanwhile is not missed. `isExport`: the chain is a file,
 * which may be older than the newest anchors. Throws SetupError where the config names no bucket.
 */
export async function lookAtAnchors(config: Config, isExport: boolean): Promise<AnchorLook> {
  const bucket = await connectAnchors(config);
  if (bucket === undefined) throw new SetupError(['audit.anchor is not set: no bucket holds anchors']);
  try {
    return lookFor(bucket.name, await bucket.read(AbortSignal.timeout(withinMs)), isExport);
  } catch (error) {
    const because = error instanceof DOMException && error.name === 'TimeoutError' ? error.message : undefined;
    if (because === undefined && !(error instanceof UpstreamError)) throw error;
    const line = `NOT LOOKED AT: the anchors could not be read: ${because ?? (error as Error).message}`;
    return { see: () => undefined, end: () => ({ lines: [line], code: 3 }) };
  } finally {
    bucket.close();
  }
}

function lookFor(name: string, { found, hidden }: FoundAnchors, isExport: boolean): AnchorLook {
  const check = anchorCheck(found);
  return {
    see: check.see,
    end(head) {
      const { total, missing, newest } = check.result();
      const later = isExport ? missing.filter(({ seq }) => seq > head) : [];
      const lost = missing.filter((one) => !later.includes(one));
      const odd = found.flatMap((one) => (one.ok ? [] : [`${one.key} ${one.because}`]));
      const lines = [
        ...lost.slice(0, shown).map(({ seq, hash, at }) => {
          const why = `it was rewritten or cut off after ${at}`;
          return `BROKEN: the chain does not hold entry ${seq}, ${hash}, which ${name} holds: ${why}.`;
        }),
        ...more(lost.length, 'more anchored heads are not in the chain'),
        ...odd.slice(0, shown).map((text) => `NOT AN ANCHOR: ${text}`),
        ...more(odd.length, 'more objects are no anchors'),
      ];
      if (hidden.length > 0)
        lines.push(`Somebody deleted ${hidden.length} of the objects; they are locked and were read all the same.`);
      if (later.length > 0)
        lines.push(`${later.length} anchors are of later entries: the file was exported before them, or cut off.`);
      if (total === 0) lines.push(`There is no anchor in ${name}: nothing there vouches for the chain.`);
      else if (lost.length === 0)
        lines.push(
          `It holds ${total - later.length} of ${total} anchored heads in ${name}, up to entry ${newest ?? 0}.`,
        );
      if (lost.length > 0) return { lines, code: 1 };
      return { lines, code: total === 0 || odd.length > 0 || later.length > 0 ? 3 : 0 };
    },
  };
}

function more(count: number, what: string): readonly string[] {
  return count > shown ? [`${count - shown} ${what}.`] : [];
}
