import { expect, it } from 'vitest';
import { actions } from '../../../workflows/containment/index.ts';

it('says of each action what can show its target contained: a refusal, time alone, or nothing', () => {
  const named = (how: string) =>
    actions
      .filter(({ isPartial, refusesNothing }) => (isPartial ? 'nothing' : refusesNothing ? 'time' : 'refusal') === how)
      .map(({ name }) => name)
      .sort();

  expect({ nothing: named('nothing'), time: named('time') }).toEqual({
    // Evidence, one of several ways in, and a key that is switched on: whoever holds the target works on.
    nothing: [
      'capture-memory',
      'deactivate-mfa-device',
      'disable-service-credentials',
      'enable-access-key',
      'protect-instance',
      'quarantine-user',
      'require-imdsv2',
      'snapshot-instance',
    ],
    // The role of a machine, and a user without a password, are refused no call by it.
    time: ['isolate-instance', 'remove-console-access', 'stop-instance', 'terminate-instance'],
  });
  expect(named('refusal')).toContain('deny-all');
});
