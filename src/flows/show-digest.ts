/** lines of a digest -> one message that counts, and a thread that names each. What is shown is noted, so that nothing is lost or doubled. */
import { digestHead, digestPage, linesPerPage } from '../domain/digest-wording.ts';
import { postOrUpdate, showInChannel } from './deliver.ts';
import type { WorkerDeps } from './deps.ts';

type Needs = Pick<WorkerDeps, 'store' | 'queue' | 'chat' | 'clock' | 'settings' | 'log'>;

const againMs = 4_000;

/** Job `digest.show`. Goes on where the last run was cut off. */
export async function showDigest({ digestId }: { readonly digestId: string }, deps: Needs): Promise<void> {
  const { store, queue } = deps;
  await store.turn(`digest:${digestId}`, async () => {
    const digest = await store.noise.digest(digestId);
    if (digest === undefined || digest.shown >= digest.total) return;
    const { channel, total } = digest;
    const head = await showInChannel({ key: `digest:${digestId}`, channel, message: digestHead(digest) }, deps);
    for (let page = Math.floor(digest.shown / linesPerPage); page * linesPerPage < total; page += 1) {
      const lines = await store.noise.digestLines(digestId, page * linesPerPage + 1, linesPerPage);
      const message = digestPage(page, lines);
      const place = { channel: head.channel, threadTs: head.ts };
      await postOrUpdate({ key: `digest:${digestId}:${page}`, ...place, message }, deps);
      await store.noise.digestShown(digestId, page * linesPerPage + lines.length);
    }
  });
  const after = await store.noise.digest(digestId);
  if (after !== undefined && after.shown < after.total) {
    await queue.add('digest.show', { digestId }, { id: `digest-${digestId}`, delayMs: againMs });
  }
}
