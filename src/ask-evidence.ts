/** Where `firebreak ir` takes its evidence from: a folder of files, or AWS, the lake and Athena. */
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import type { AwsReach } from './contracts/aws.ts';
import type { InvestigationRequest } from './contracts/command.ts';
import type { Evidence } from './contracts/evidence.ts';
import type { Log } from './contracts/log.ts';
import type { OtherSources } from './contracts/other-sources.ts';
import { parseWindow } from './domain/window.ts';
import type { EvidenceRequest } from './flows/deps.ts';
import { windowOf } from './flows/window-of.ts';
import { folderEvidence, plannedEvidence } from './wire.ts';
import { folderOther, otherSources } from './wire-other.ts';

/** Opens every source of one question. Without `reach` the folder alone is asked. Throws UserError where it cannot be read. */
export async function sourcesOf(
  dir: string | undefined,
  reach: AwsReach | undefined,
  request: InvestigationRequest,
  config: Config,
  log: Log,
  signal: AbortSignal,
): Promise<{ readonly evidence: Evidence; readonly other: OtherSources }> {
  if (reach !== undefined) {
    const other = await otherSources(config, reach, log)(evidenceRequest(request, config, log, signal));
    return { evidence: await fromAws(reach, request, config, log, signal), other };
  }
  const folder = dir ?? '';
  const window = parseWindow({ since: request.since, until: request.until }, systemClock.now());
  const { accounts, regions } = request;
  return {
    evidence: await fromFolder(folder, request, config, log),
    other: await folderOther(config, { dir: folder, window, accounts, regions, signal, log }),
  };
}

/** Without `--since` a folder is read for all the time that it covers. */
function fromFolder(dir: string, request: InvestigationRequest, config: Config, log: Log): Promise<Evidence> {
  return folderEvidence({
    dir,
    window: parseWindow({ since: request.since, until: request.until }, systemClock.now()),
    maxEvents: request.maxEvents ?? Math.max(config.pivot.maxEvents, 5_000_000),
    accounts: request.accounts,
    regions: request.regions,
    log,
  });
}

/** One process asks here, so the pace is kept in its own memory. */
function fromAws(
  reach: AwsReach,
  request: InvestigationRequest,
  config: Config,
  log: Log,
  signal: AbortSignal,
): Promise<Evidence> {
  return plannedEvidence(config, reach, localSlots(), log)(evidenceRequest(request, config, log, signal));
}

function evidenceRequest(
  request: InvestigationRequest,
  config: Config,
  log: Log,
  signal: AbortSignal,
): EvidenceRequest {
  return {
    accounts: request.accounts,
    regions: request.regions,
    window: windowOf(request, config.pivot.window, systemClock.now()),
    maxRequests: request.maxRequests ?? config.pivot.maxRequests,
    maxEvents: request.maxEvents ?? config.pivot.maxEvents,
    signal,
    onProgress: (progress) => log.info({ ...progress }, 'looking'),
  };
}

function localSlots(): (lane: string, everyMs: number) => Promise<number> {
  const next = new Map<string, number>();
  return (lane, everyMs) => {
    const now = Date.now();
    const slot = Math.max(now, next.get(lane) ?? 0);
    next.set(lane, slot + everyMs);
    return Promise.resolve(slot - now);
  };
}
