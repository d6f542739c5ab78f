/** The list of subcommands, in the order in which help shows them. A contract test compares it with the folder. */
import type { Command } from '#src/contracts/command.ts';
import { alive } from './alive.ts';
import { approvals } from './approvals.ts';
import { contain } from './contain.ts';
import { coverage } from './coverage.ts';
import { dataAccess } from './data-access.ts';
import { entry } from './entry.ts';
import { errors } from './errors.ts';
import { freeze } from './freeze.ts';
import { help } from './help.ts';
import { hunt } from './hunt.ts';
import { pivot } from './pivot.ts';
import { readiness } from './readiness.ts';
import { report } from './report.ts';
import { rules } from './rules.ts';
import { secretsRead } from './secrets-read.ts';
import { sessions } from './sessions.ts';
import { timeline } from './timeline.ts';
import { triage } from './triage.ts';
import { whoCreated } from './who-created.ts';

export const commands: readonly Command[] = [
  help,
  pivot,
  hunt,
  triage,
  rules,
  timeline,
  whoCreated,
  sessions,
  alive,
  entry,
  secretsRead,
  errors,
  dataAccess,
  coverage,
  readiness,
  contain,
  report,
  approvals,
  freeze,
];
