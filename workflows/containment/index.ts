/** The list of containment actions. A contract test compares it with the folder. */
import type { ContainmentAction } from '#src/contracts/action.ts';
import { captureMemory } from './capture-memory.ts';
import { deactivateMfaDevice } from './deactivate-mfa-device.ts';
import { deleteAccessKey } from './delete-access-key.ts';
import { deleteUser } from './delete-user.ts';
import { denyAll } from './deny-all.ts';
import { denyExcept } from './deny-except.ts';
import { denyOutsideNetworks } from './deny-outside-networks.ts';
import { disableAccessKey } from './disable-access-key.ts';
import { disableServiceCredentials } from './disable-service-credentials.ts';
import { enableAccessKey } from './enable-access-key.ts';
import { isolateInstance } from './isolate-instance.ts';
import { protectInstance } from './protect-instance.ts';
import { quarantineUser } from './quarantine-user.ts';
import { removeConsoleAccess } from './remove-console-access.ts';
import { removeInstanceProfile } from './remove-instance-profile.ts';
import { requireImdsv2 } from './require-imdsv2.ts';
import { revokeInstanceSession } from './revoke-instance-session.ts';
import { revokeRoleSessions } from './revoke-role-sessions.ts';
import { revokeSession } from './revoke-session.ts';
import { revokeUserSessions } from './revoke-user-sessions.ts';
import { snapshotInstance } from './snapshot-instance.ts';
import { stopInstance } from './stop-instance.ts';
import { terminateInstance } from './terminate-instance.ts';

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
  captureMemory,
  protectInstance,
  removeInstanceProfile,
  requireImdsv2,
  revokeInstanceSession,
  snapshotInstance,
  isolateInstance,
  stopInstance,
  terminateInstance,
];
