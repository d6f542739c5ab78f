/** case -> the dossiers of who, key, instance and address -> a few lines on its card. In the background: the card does not wait. */

import type { Enrichment, EnrichmentPart, EnrichmentSubject } from '../contracts/enrichment.ts';
import { asError, UpstreamError, UserError } from '../contracts/errors.ts';
import type { Brief } from '../contracts/investigation.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';
import { subjectsOf } from '../domain/enrichment.ts';
import type { WorkerDeps } from './deps.ts';
import { showCase } from './handle-alert.ts';
import { surroundingsOf } from './surroundings.ts';
import { windowOf } from './window-of.ts';

/** An answer of another case on the same subject is good for this long. */
const goodForMs = 10 * 60_000;
/** What has come by then is shown; the rest follows. */
const firstLookMs = 5_000;
const longestMs = 90_000;
const mostTries = 5;
/** A card must not use up what people's own questions need. */
const budget = { maxRequests: 120, maxEvents: 50_000 };

type Needs = WorkerDeps;

/** Job `case.enrich`. May run twice: what was learned is kept by subject. */
export async function enrichCase(
  { caseId }: { readonly caseId: string },
  ctx: { readonly signal: AbortSignal },
  deps: Needs,
): Promise<void> {
  const { store, clock } = deps;
  const [found, wanted] = await Promise.all([store.cases.get(caseId), store.enrichments.get(caseId)]);
  if (found === undefined || wanted === undefined || wanted.finishedAt !== undefined) return;
  const subjects = subjectsOf(found.alert);
  const parts = new Map<string, EnrichmentPart>();
  const known = await store.enrichments.recall(
    subjects.map(({ key }) => key),
    iso(clock.now().getTime() - goodForMs),
  );
  for (const part of known) parts.set(part.key, part);
  const look = deps.accounts.find(found.alert.accountId);
  const asked = Promise.all(
    subjects
      .filter(({ key }) => !parts.has(key))
      .map(async (subject) => {
        const part = await learn(subject, ctx.signal, deps);
        parts.set(subject.key, part);
        // What may come later is asked again; the rest serves other cases too.
        if (!part.brief.mayComeLater) await store.enrichments.keep(part);
      }),
  );
  const early = new AbortController();
  await Promise.race([asked.then(() => early.abort()), clock.sleep(firstLookMs, early.signal).catch(() => undefined)]);
  if (!early.signal.aborted && parts.size > 0) {
    await store.enrichments.save({ ...wanted, parts: [...parts.values()] });
    await showCase(caseId, deps);
  }
  await asked;
  const { account, missing } = await look;
  ctx.signal.throwIfAborted();
  await settle(
    {
      ...wanted,
      parts: subjects.flatMap(({ key }) => parts.get(key) ?? []),
      account,
      accountMissing: missing,
      tries: wanted.tries + 1,
    },
    deps,
  );
}

/** Stores and shows what was learned; throws where it is worth asking again. */
async function settle(enrichment: Enrichment, deps: Needs): Promise<void> {
  const later = enrichment.parts.some(({ brief }) => brief.mayComeLater) && enrichment.tries < mostTries;
  await deps.store.enrichments.save({ ...enrichment, finishedAt: later ? undefined : iso(deps.clock.now().getTime()) });
  await showCase(enrichment.caseId, deps);
  if (!later) return;
  const message = 'a part of the card could not be looked up yet';
  throw new UpstreamError('enrichment', 'INCOMPLETE', message, {
    retryable: true,
    retryAfterMs: 10_000 * 2 ** (enrichment.tries - 1),
  });
}

/** One dossier in a few lines. Never throws but for the shutdown: what failed is in the brief. */
async function learn(subject: EnrichmentSubject, signal: AbortSignal, deps: Needs): Promise<EnrichmentPart> {
  const part = (brief: Brief): EnrichmentPart => ({
    key: subject.key,
    investigation: subject.investigation,
    brief,
    at: iso(deps.clock.now().getTime()),
  });
  const tooLong = AbortSignal.timeout(longestMs);
  try {
    return part(await ask(subject, AbortSignal.any([signal, tooLong]), deps));
  } catch (error) {
    signal.throwIfAborted();
    const { because, mayComeLater } = whyNot(error, tooLong.aborted);
    deps.log.warn({ subject: subject.key, error: asError(error) }, 'a part of a card could not be looked up');
    return part({ facts: [], missing: [`${names[subject.investigation]}: ${because}`], mayComeLater });
  }
}

const names = { who: 'the identity', key: 'the key', instance: 'the instance', ip: 'the address' } as const;

async function ask(subject: EnrichmentSubject, signal: AbortSignal, deps: Needs): Promise<Brief> {
  const unit = deps.investigations.find(({ name }) => name === subject.investigation);
  if (unit === undefined) throw new UserError(`there is no investigation ${subject.investigation}`);
  const { accountId } = subject;
  const evidence = await deps.openEvidence({
    accounts: [accountId],
    regions: undefined,
    window: windowOf({ target: {} }, deps.settings.pivot.window, deps.clock.now()),
    ...budget,
    signal,
    onProgress: () => undefined,
  });
  const target = unit.target.parse({ hubs: deps.settings.hubs, ...subject.target });
  const report = await unit.run(target, {
    evidence,
    aws: deps.reach,
    surroundings: surroundingsOf(deps),
    signal,
    progress: () => undefined,
    now: () => deps.clock.now(),
  });
  return report.brief ?? { facts: [], missing: [], mayComeLater: false };
}

function whyNot(error: unknown, late: boolean): { readonly because: string; readonly mayComeLater: boolean } {
  if (late) return { because: `it took longer than ${longestMs / 1_000} seconds`, mayComeLater: true };
  if (error instanceof UserError) return { because: error.message, mayComeLater: false };
  if (error instanceof UpstreamError)
    return { because: `${error.service}: ${error.code}`, mayComeLater: error.retryable };
  const { code, retryable } = awsErrorFacts(error);
  return { because: code, mayComeLater: retryable };
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
