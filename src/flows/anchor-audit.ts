/** The head of the audit, where it has changed -> a bucket that nobody can take it back from. Nothing else waits for it. */
import type { AnchorBucket, AnchorState, AuditAnchor } from '../contracts/audit-anchor.ts';
import { UpstreamError } from '../contracts/errors.ts';
import { type AnchorSettings, isAnchorDue } from '../domain/audit-anchor.ts';
import type { Deps } from './deps.ts';

type Needs = Pick<Deps, 'clock' | 'log'> & {
  readonly store: Pick<Deps['store'], 'audit' | 'anchors' | 'turn'>;
  readonly bucket: AnchorBucket;
  readonly anchor: AnchorSettings;
  /** Firebreak's own. */
  readonly version: string;
};

const dayMs = 86_400_000;
/** The turn is held that long at most, and so is a process that ends. */
const withinMs = 15_000;

/** To be called often, by every worker: one of them writes, at most once per interval, and only a head that is new. */
export async function anchorAudit(deps: Needs): Promise<void> {
  const { store, anchor, clock } = deps;
  const isDue = async () => {
    const state = await store.anchors.state();
    return { state, due: isAnchorDue(state, anchor.everyMinutes, clock.now()) };
  };
  if (!(await isDue()).due) return;
  await store.turn('audit-anchor', async () => {
    // Another worker may have had the turn before.
    const { state, due } = await isDue();
    const head = await store.audit.head();
    if (!due || head === undefined || head.hash === state?.last?.hash) return;
    const at = clock.now().toISOString();
    // Entries may be seen before they are on the disk. This commit waits for it, and for all before it: what is locked in the
    // bucket must not be lost by a crash of the database.
    const before = { ok: true, since: at, written: 0, failed: 0, ...state };
    await store.anchors.note({ ...before, triedAt: at });
    await write({ ...head, at, version: deps.version }, state, deps);
  });
}

async function write(head: AuditAnchor, before: AnchorState | undefined, deps: Needs): Promise<void> {
  const { store, bucket, anchor, log } = deps;
  const counts = { triedAt: head.at, written: before?.written ?? 0, failed: before?.failed ?? 0, last: before?.last };
  const since = (ok: boolean) => (before?.ok === ok ? before.since : head.at);
  try {
    await bucket.put(head, new Date(Date.parse(head.at) + anchor.retainDays * dayMs), AbortSignal.timeout(withinMs));
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    log.error({ bucket: bucket.name, seq: head.seq, code, error }, 'the head of the audit could not be anchored');
    await store.anchors.note({ ...counts, ok: false, because: code, since: since(false), failed: counts.failed + 1 });
    return;
  }
  log.info({ bucket: bucket.name, seq: head.seq }, 'the head of the audit is anchored');
  await store.anchors.note({ ...counts, ok: true, since: since(true), written: counts.written + 1, last: head });
}

/** Undefined: nothing that S3 or the way there did. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof UpstreamError) return error.code;
  return error instanceof DOMException && error.name === 'TimeoutError' ? error.name : undefined;
}
