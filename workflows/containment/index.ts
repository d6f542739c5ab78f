/** The list of containment actions. A contract test compares it with the folder. */
import type { ContainmentAction } from '#src/contracts/action.ts';
import { deactivateMfaDevice } from './deactivate-mfa-device.ts';
import { deleteAccessKey } from './delete-access-key.ts';
import { deleteUser } from './delete-user.ts';
import { denyAll } from './deny-all.ts';
import { denyExcept } from './deny-except.ts';
import { denyOutsideNetworks } from './deny-outside-networks.ts';
import { disableAccessKey } from './disable-access-key.ts';
import { disableServiceCredentials } from './disable-service-credentials.ts';
import { enableAccessKey } from './enable-access-key.ts';
import { quarantineUser } from './quarantine-user.ts';
import { removeConsoleAccess } from './remove-console-access.ts';
import { revokeRoleSessions } from './revoke-role-sessions.ts';
import { revokeSession } from './revoke-session.ts';
import { revokeUserSessions } from './revoke-user-sessions.ts';

export const actions: readonly ContainmentAction[] = [
  disableAccessKey,
  enableAccessKey,
  denyAll,
  denyExcept,
  denyOutsideNetworks,
  quarantineUser,
  revokeRoleSessions,
  revokeSession,
  revokeUserSessions,
  removeConsoleAccess,
  deactivateMfaDevice,
  disableServiceCredentials,
  deleteAccessKey,
  deleteUser,
];
