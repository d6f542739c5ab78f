import { describe, expect, it } from 'vitest';
import type { Step } from '../../../src/contracts/approval.ts';
import type { ApiCall } from '../../../src/contracts/aws.ts';
import { cutShort, hasMoreToSend } from '../../../src/flows/send-calls.ts';

const call = (operation: string, more: Partial<ApiCall> = {}): ApiCall => ({
  service: 'ec2',
  operation,
  region: 'eu-west-1',
  input: { Groups: [], NetworkInterfaceId: `eni-${operation}` },
  ...more,
});
const calls = [call('First'), call('Second', { goesOn: true }), call('Third')];

function approval(...states: (Step['state'] | undefined)[]) {
  const steps = states.flatMap((state, index) => {
    const sent = calls[index];
    return state === undefined || sent === undefined ? [] : [{ index, state, call: sent, at: '' }];
  });
  return { plan: { calls }, steps } as unknown as Parameters<typeof hasMoreToSend>[0];
}

describe('what is left of a plan after a restart', () => {
  it.each([
    ['nothing was sent', [], true],
    ['the first may have been sent', ['intent'], true],
    ['the first was answered', ['done'], true],
    ['all but the last were answered', ['done', 'done', 'intent'], true],
    ['all were answered', ['done', 'done', 'done'], false],
    ['the first was refused, which ends the plan', ['refused'], false],
    ['one was refused that others go on after', ['done', 'refused'], true],
    ['the last was refused', ['done', 'refused', 'refused'], false],
  ] as const)('where %s', (_where, states, more) => {
    expect(hasMoreToSend(approval(...states))).toBe(more);
  });

  it('is told with all that was carried out, by name', () => {
    expect(cutShort(approval('done', 'refused', 'intent'), 'the mode is propose')).toBe(
      '1 of 3 calls were carried out (First of eni-First); the others were not sent after a restart: the mode is propose.',
    );
  });
});
