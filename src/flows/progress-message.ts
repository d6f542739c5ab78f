/** Progress in one message: coalesced updates, always of the newest state. */
import { asError } from '../contracts/errors.ts';
import type { EvidenceProgress } from '../contracts/evidence.ts';
import type { Message } from '../contracts/message.ts';
import type { WorkerDeps } from './deps.ts';

/** chat.update is a shared budget of about 50 a minute (DOMAIN.md 1.7). */
const updateEveryMs = 3_000;
export interface Place {
  readonly channel: string;
  readonly ts: string;
}

/** At most one update per `updateEveryMs`, always of the newest state, never two at once. */
export function coalesced(
  { chat, clock, log }: Pick<WorkerDeps, 'chat' | 'clock' | 'log'>,
  place: Place,
  render: (step: string, progress: EvidenceProgress | undefined) => Message,
) {
  let step = '';
  let progress: EvidenceProgress | undefined;
  let sending: Promise<void> | undefined;
  let lastAt = clock.now().getTime();
  let stopped = false;
  async function send(): Promise<void> {
    try {
      await chat.update({ ...place, message: render(step, progress) });
    } catch (error) {
      log.warn({ error: asError(error) }, 'progress could not be shown');
    }
    sending = undefined;
  }
  function changed(): void {
    const now = clock.now().getTime();
    if (stopped || sending !== undefined || now - lastAt < updateEveryMs) return;
    lastAt = now;
    sending = send();
  }
  return {
    step(text: string) {
      step = text;
      changed();
    },
    progress(next: EvidenceProgress) {
      progress = next;
      changed();
    },
    async stop() {
      stopped = true;
      await sending;
    },
  };
}
