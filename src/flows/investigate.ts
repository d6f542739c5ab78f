/** investigation -> evidence -> report -> thread with pictures. One message shows progress by coalesced updates. */
import { asError, UpstreamError, UserError } from '../contracts/errors.ts';
import type { EvidenceProgress } from '../contracts/evidence.ts';
import type { Investigation, Report, ReportFile } from '../contracts/investigation.ts';
import type { JobContext } from '../contracts/job.ts';
import type { Attachment, Button, Message } from '../contracts/message.ts';
import type { StoredInvestigation } from '../contracts/store.ts';
import { storable } from '../domain/answers.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';
import { refusal } from '../domain/phrases.ts';
import { headlineMessage, progressMessage, reportMessage } from '../domain/report-wording.ts';
import { containButtons, offersOf } from './contain-buttons.ts';
import { isChannelClosed, postOnce, postOrUpdate, tellOne } from './deliver.ts';
import type { WorkerDeps } from './deps.ts';
import { elsewhere, summarise, without } from './evidence-place.ts';
import { mayRead } from './may-read.ts';
import { pivotButtons, widenButton } from './onward-buttons.ts';
import { coalesced, type Place } from './progress-message.ts';
import { askingRefusalOf, toldOrAgain } from './standing.ts';
import { surroundingsOf } from './surroundings.ts';
import { windowOf } from './window-of.ts';

/** Job `investigation.run`. A retry goes on in the same message and thread. */
export async function investigate(
  { investigationId }: { readonly investigationId: string },
  ctx: JobContext,
  deps: WorkerDeps,
): Promise<void> {
  const stored = await deps.store.investigations.get(investigationId);
  const unit = deps.investigations.find((candidate) => candidate.name === stored?.name);
  if (stored === undefined || unit === undefined || stored.finishedAt !== undefined) return;
  const looked = toldOrAgain(await askingRefusalOf(stored.requestedBy, deps), ctx);
  if (looked.refusal !== undefined) {
    await end(stored, refusal(`You cannot ask for this: ${looked.refusal}.`, undefined), deps);
    return;
  }
  try {
    const access = await mayRead(
      {
        command: stored.name,
        userId: stored.requestedBy,
        channel: stored.channel,
        accounts: stored.request.accounts,
        caseId: stored.caseId,
      },
      deps,
    );
    if ('refused' in access) {
      await end(stored, refusal(`You cannot ask for this here: ${access.refused}.`, undefined), deps);
      return;
    }
    await run(await without(stored, access.without, deps), unit, ctx.signal, deps);
  } catch (error) {
    const final = error instanceof UserError || (error instanceof UpstreamError && !error.retryable) || ctx.last;
    if (!final) throw error;
    deps.log.error({ investigationId, error: asError(error) }, 'an investigation failed');
    await end(stored, failure(error), deps);
  }
}

/** The message that shows the progress, and under which key it was posted. */
interface Started extends Place {
  readonly key: string;
  readonly threadTs?: string | undefined;
}

async function run(
  asked: StoredInvestigation,
  unit: Investigation,
  signal: AbortSignal,
  deps: WorkerDeps,
): Promise<void> {
  const stored = await elsewhere(asked, deps);
  const subject = subjectOf(stored, unit);
  const base = { title: unit.title, subject, requestedBy: stored.requestedBy };
  const place = await start(stored, progressMessage({ ...base, step: '', progress: undefined }), deps);
  const ticker = coalesced(deps, place, (step, progress) => progressMessage({ ...base, step, progress }));
  const window = windowOf(stored.request, deps.settings.pivot.window, new Date(stored.createdAt));
  const request = {
    accounts: stored.request.accounts,
    regions: stored.request.regions,
    window,
    maxRequests: stored.request.maxRequests ?? deps.settings.pivot.maxRequests,
    maxEvents: stored.request.maxEvents ?? deps.settings.pivot.maxEvents,
    signal,
    caseId: stored.caseId,
    onProgress: (progress: EvidenceProgress) => ticker.progress(progress),
  };
  const evidence = await deps.openEvidence(request);
  const other = await deps.openOther(request);
  const target = unit.target.parse({
    hubs: deps.settings.hubs,
    production: deps.settings.production,
    ...stored.request.target,
  });
  let report: Report;
  try {
    report = await unit.run(target, {
      evidence,
      other,
      aws: deps.reach,
      offers: offersOf(deps.actions),
      surroundings: surroundingsOf(deps),
      ...(await deps.ruleShelf?.forInvestigation()),
      signal,
      progress: (step) => ticker.step(step),
      now: () => deps.clock.now(),
    });
  } finally {
    await ticker.stop();
  }
  await tell(stored, place, { ...base, report, ofNow: unit.ofNow ?? false }, deps);
  await summarise(asked, stored, report.headline, deps);
  const answer = storable(report.answer, report.headline, report.coverage);
  await deps.store.investigations.finish(stored.id, answer, deps.clock.now().toISOString());
}

async function tell(
  stored: StoredInvestigation,
  started: Started,
  told: { title: string; subject: string; requestedBy: string; report: Report; ofNow: boolean },
  deps: WorkerDeps,
): Promise<void> {
  const { report } = told;
  const inThread = started.threadTs !== undefined;
  const buttons = await buttonsOf(stored, told, deps);
  const headline = headlineMessage({ ...told, inThread }, buttons);
  const place = await postOrUpdate({ ...started, message: headline }, deps);
  const threadTs = started.threadTs ?? place.ts;
  await postOnce(
    { key: `investigation:${stored.id}:report`, channel: place.channel, threadTs, message: reportMessage(report) },
    deps,
  );
  const claim = await deps.store.posts.claim(
    `investigation:${stored.id}:pictures`,
    place.channel,
    deps.clock.now().toISOString(),
  );
  if (claim.state === 'posted') return;
  // An upload whose end is not known is made again: a picture twice is better than none.
  await draw(stored, place, threadTs, report, deps);
  await deps.store.posts.posted(`investigation:${stored.id}:pictures`, threadTs);
}

async function draw(
  stored: StoredInvestigation,
  place: Place,
  threadTs: string,
  report: Report,
  deps: WorkerDeps,
): Promise<void> {
  const files = (report.files ?? []).filter((file) => file.attach);
  if (report.pictures.length === 0 && files.length === 0) return;
  try {
    const attachments: Attachment[] = [];
    for (const request of report.pictures) attachments.push(await deps.pictures.draw(request));
    for (const file of files) attachments.push(attachmentOf(file));
    const comment = report.pictures.length > 0 ? 'The pictures, and the answer as files.' : 'The whole answer.';
    await deps.chat.upload({ channel: place.channel, threadTs, attachments, comment });
  } catch (error) {
    if (error instanceof UpstreamError && error.retryable) throw error;
    deps.log.error(
      { investigationId: stored.id, error: asError(error) },
      'pictures and files could not be made or uploaded',
    );
    await postOnce(
      {
        key: `investigation:${stored.id}:no-pictures`,
        channel: place.channel,
        threadTs,
        message: refusal(
          'The pictures and files could not be made or uploaded; the answer above holds without them.',
          undefined,
        ),
      },
      deps,
    );
  }
}

function attachmentOf(file: ReportFile): Attachment {
  return {
    filename: file.filename,
    title: file.filename,
    altText: file.describes,
    bytes: new TextEncoder().encode(file.text()),
  };
}

async function buttonsOf(
  stored: StoredInvestigation,
  { report, ofNow }: { report: Report; ofNow: boolean },
  deps: WorkerDeps,
): Promise<Button[]> {
  const { store } = deps;
  const buttons: Button[] = [];
  const proposed = report.proposals.slice(0, report.shownProposals ?? 3);
  buttons.push(...(await containButtons(`investigation:${stored.id}`, stored.caseId, proposed, { store })));
  for (const { id, label } of (report.expansions ?? []).slice(0, 3)) {
    const before = stored.request.target.expand;
    const expand = [...(Array.isArray(before) ? (before as readonly unknown[]) : []), id];
    buttons.push({
      action: 'expand',
      value: await store.buttons.mint(`investigation:${stored.id}:expand:${id}`, {
        kind: 'investigation',
        investigationId: stored.id,
        request: { ...stored.request, target: { ...stored.request.target, expand } },
      }),
      label,
      describe: `Ask the same again and follow it: ${label}`,
    });
  }
  buttons.push(...(await pivotButtons(stored, report, deps)));
  if (!ofNow) buttons.push(...(await widenButton(stored, deps)));
  return buttons;
}

/**
 * Posts the first message. Where the bot is not in the channel that the command was typed in, the answer goes to the
 * person directly: nothing that was asked stays unanswered.
 */
async function start(stored: StoredInvestigation, message: Message, deps: WorkerDeps): Promise<Started> {
  const { id, channel, threadTs, requestedBy } = stored;
  const key = `investigation:${id}`;
  try {
    return { ...(await postOnce({ key, channel, threadTs, message }, deps)), key, threadTs };
  } catch (error) {
    if (!isChannelClosed(error)) throw error;
    const own = `${key}:direct`;
    return { ...(await postOnce({ key: own, channel: requestedBy, message }, deps)), key: own };
  }
}

async function end(stored: StoredInvestigation, message: Message, deps: WorkerDeps): Promise<void> {
  const started = (await deps.store.posts.get(`investigation:${stored.id}`)) ?? undefined;
  if (started === undefined) {
    await tellOne({ channel: stored.channel, userId: stored.requestedBy, threadTs: stored.threadTs, message }, deps);
  } else {
    await postOrUpdate(
      { key: `investigation:${stored.id}`, channel: started.channel, threadTs: stored.threadTs, message },
      deps,
    );
  }
  await deps.store.investigations.finish(stored.id, { failed: message.text }, deps.clock.now().toISOString());
}

function failure(error: unknown): Message {
  if (error instanceof UserError) return refusal(error.message, error.hint);
  const code = error instanceof UpstreamError ? `${error.service}: ${error.code}` : awsErrorFacts(error).code;
  return refusal(
    `This could not be answered (${code}). Nothing was looked at to the end: it says nothing about what is there.`,
    undefined,
  );
}

function subjectOf(stored: StoredInvestigation, { ofNow }: Investigation): string {
  // The word that the question is about, whatever the investigation calls it.
  const { artifact, pick, account } = stored.request.target;
  return (
    [artifact, pick, account].find((word) => typeof word === 'string') ??
    (ofNow ? 'what is there now' : 'all that the logs hold')
  );
}
