/** The list of containment actions. A contract test compares it with the folder. */
import type { ContainmentAction } from '#src/contracts/action.ts';
import { disableAccessKey } from './disable-access-key.ts';

export const actions: readonly ContainmentAction[] = [disableAccessKey];
