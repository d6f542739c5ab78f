/** Buttons that go on from an answer: over a longer time, or from something that it names. Their labels hold no name from outside, only how it ends. */
import type { Artifact } from '../contracts/artifact.ts';
import { UserError } from '../contracts/errors.ts';
import type { Report } from '../contracts/investigation.ts';
import type { Button } from '../contracts/message.ts';
import type { StoredInvestigation } from '../contracts/store.ts';
import { classify } from '../domain/artifact.ts';
import { parseTime } from '../domain/window.ts';
import type { WorkerDeps } from './deps.ts';

type Needs = Pick<WorkerDeps, 'store' | 'settings' | 'clock'>;

/** Windows that the button Widen steps through, in days (S3: 7, 15, 90); beyond 90 the lake and Athena answer. */
const steps = [7, 15, 90, 365];
const dayMs = 86_400_000;

/** The next longer window, whatever span or time was typed; undefined where there is none. */
export function widerThan(since: string, now: Date): string | undefined {
  const span = now.getTime() - Date.parse(parseTime(since, now));
  // A window is as old as its question: one of 7 days asked for a minute ago is still one of 7 days.
  const next = steps.find((days) => days * dayMs > span + dayMs / 2);
  return next === undefined ? undefined : `${next}d`;
}

export async function widenButton(
  stored: StoredInvestigation,
  { store, settings, clock }: Needs,
): Promise<readonly Button[]> {
  const next = widerThan(stored.request.since ?? settings.pivot.window, clock.now());
  if (next === undefined || stored.request.until !== undefined) return [];
  return [
    {
      action: 'widen',
      value: await store.buttons.mint(`investigation:${stored.id}:widen:${next}`, {
        kind: 'investigation',
        investigationId: stored.id,
        request: { ...stored.request, since: next },
      }),
      label: `Widen to ${next.replace('d', ' days')}`,
      describe: `Ask the same again over ${next.replace('d', ' days')}`,
    },
  ];
}

const maxPivots = 3;
const words: Readonly<Record<string, string>> = {
  ip: 'address',
  accessKey: 'key',
  federatedUser: 'person',
};

/** Undefined for an id of a record that nobody could have typed. */
function artifactOf(text: string): Artifact | undefined {
  try {
    return classify(text).artifact;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** One per pivot that the answer suggests, over the same time and places, by what it is and how it ends. */
export async function pivotButtons(
  stored: StoredInvestigation,
  { next }: Pick<Report, 'next'>,
  { store }: Needs,
): Promise<readonly Button[]> {
  const buttons: Button[] = [];
  for (const command of next) {
    const artifact = /^\/ir pivot (\S+)$/.exec(command)?.[1];
    if (artifact === undefined || buttons.length === maxPivots || artifact === stored.request.target.artifact) continue;
    const known = artifactOf(artifact);
    if (known === undefined) continue;
    const { kind, id } = known;
    const what = `${words[kind] ?? kind} ${kind === 'ip' ? id : `…${id.replaceAll(/[^\w]/g, '').slice(-4)}`}`.slice(
      0,
      40,
    );
    buttons.push({
      action: 'pivot',
      value: await store.buttons.mint(`investigation:${stored.id}:pivot:${id}`, {
        kind: 'investigation',
        investigationId: stored.id,
        request: { ...stored.request, target: { artifact: id } },
      }),
      label: `Pivot ${what}`,
      describe: `Pivot on the ${what} that the answer names`,
    });
  }
  return buttons;
}
