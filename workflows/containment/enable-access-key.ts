/** Sets one access key back to Active that was not disabled from here: by hand, or before Firebreak (DOMAIN.md 5.1). */
import { switchKey } from './identity/switch-key.ts';

export const enableAccessKey = switchKey({
  name: 'enable-access-key',
  title: 'Set the access key to Active again; for a key that Firebreak disabled, undo that instead.',
  impact: 'Whoever holds the secret of this key can use it within seconds, the attacker too where it was stolen.',
  examples: ['AKIAI44QH7DHBEXAMPLE'],
  to: 'Active',
  // Nothing here tells why it was disabled.
  approvals: 2,
  reversal: 'Undo sets the same key to Inactive again. It is a plan of its own, with its own approval.',
  mintedLivesMs: 0,
  isPartial: true,
  willNotStop: ['It stops nothing: it gives a credential back, which is safer made anew than switched on again.'],
});
