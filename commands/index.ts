/** The list of subcommands, in the order in which help shows them. A contract test compares it with the folder. */
import type { Command } from '#src/contracts/command.ts';
import { approvals } from './approvals.ts';
import { contain } from './contain.ts';
import { freeze } from './freeze.ts';
import { help } from './help.ts';
import { pivot } from './pivot.ts';

export const commands: readonly Command[] = [help, pivot, contain, approvals, freeze];
