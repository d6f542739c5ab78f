/** Disables one long-term access key (DOMAIN.md 5.1). Never deletes; only the named key is touched. */
import { switchKey } from './identity/switch-key.ts';

export const disableAccessKey = switchKey({
  name: 'disable-access-key',
  title: 'Set the access key to Inactive; it is not deleted, and no other key is touched.',
  impact: 'Everything that signs with this key stops working within seconds, attacker and workload alike.',
  examples: ['AKIAIOSFODNN7EXAMPLE'],
  to: 'Inactive',
  approvals: 1,
  reversal: 'Undo sets the same key back to Active. It is a plan of its own, with its own approval.',
  // GetSessionToken and GetFederationToken give up to 36 hours (DOMAIN.md 5.1).
  mintedLivesMs: 36 * 3_600_000,
  willNotStop: [
    'Sessions already minted with this key by GetSessionToken or GetFederationToken live on, up to 36 hours.',
    'Roles already assumed with it live on until their session ends, up to 12 hours.',
    "The user's console password, other keys, SSH keys and service-specific credentials go on working.",
    'Whatever was already created (instances, users, keys, roles) goes on running.',
  ],
});
