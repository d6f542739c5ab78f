/** A call whose answer was lost, on an AWS that shows late what it has done. */
import { describe, expect, it } from 'vitest';
import type { Step } from '../../../src/contracts/approval.ts';
import { foundDone } from '../../../src/flows/send-calls.ts';
import { quietLog } from '../../fakes/quiet-log.ts';

/** What AWS has made shows so long after it was asked; gives how long it was looked for, ms, where it was found. */
async function lookedFor(operation: string, showsAfterMs: number): Promise<number | undefined> {
  const began = Date.parse('2026-11-21T12:00:00Z');
  let now = began;
  const deps = {
    clock: {
      now: () => new Date(now),
      sleep(ms: number) {
        now += ms;
        return Promise.resolve();
      },
    },
    log: quietLog,
    reach: {},
    settings: {},
  };
  const action = {
    inspect: () => Promise.resolve({ shows: now - began >= showsAfterMs }),
    seen: (_call: unknown, found: { readonly shows: boolean }) => (found.shows ? {} : undefined),
  };
  const approval = { id: 'a', steps: [], plan: { direction: 'apply', before: {}, target: {} } };
  const run = { approval, action, responder: {}, signal: new AbortController().signal };
  const step = { index: 0, state: 'intent', at: new Date(began).toISOString(), call: { operation, input: {} } };
  const found = await foundDone(run as never, step as unknown as Step, deps as never);
  return found.answer === undefined ? undefined : now - began;
}

describe('a call that may have been carried out', () => {
  it.each(['CreateSnapshots', 'SendCommand'])(
    '%s, which would make a second thing, is looked for a minute',
    async (name) => {
      expect(await lookedFor(name, 40_000)).toBeGreaterThanOrEqual(40_000);
      expect(await lookedFor(name, 90_000)).toBeUndefined();
    },
  );

  it('is sent again soon where sending it twice changes nothing', async () => {
    expect(await lookedFor('PutUserPolicy', 3_000)).toBeLessThan(5_000);
    expect(await lookedFor('PutUserPolicy', 40_000)).toBeUndefined();
  });
});
