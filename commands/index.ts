/** The list of subcommands, in the order in which help shows them. A contract test compares it with the folder. */
import type { Command } from '#src/contracts/command.ts';
import { alive } from './alive.ts';
import { approvals } from './approvals.ts';
import { athena } from './athena.ts';
import { breakGlass } from './break-glass.ts';
import { changes } from './changes.ts';
import { contain } from './contain.ts';
import { coverage } from './coverage.ts';
import { dataAccess } from './data-access.ts';
import { dns } from './dns.ts';
import { entry } from './entry.ts';
import { errors } from './errors.ts';
import { flows } from './flows.ts';
import { freeze } from './freeze.ts';
import { help } from './help.ts';
import { hunt } from './hunt.ts';
import { instance } from './instance.ts';
import { ip } from './ip.ts';
import { key } from './key.ts';
import { noise } from './noise.ts';
import { open } from './open.ts';
import { pivot } from './pivot.ts';
import { readiness } from './readiness.ts';
import { report } from './report.ts';
import { restrict } from './restrict.ts';
import { rules } from './rules.ts';
import { search } from './search.ts';
import { secretsRead } from './secrets-read.ts';
import { sessions } from './sessions.ts';
import { snooze } from './snooze.ts';
import { timeline } from './timeline.ts';
import { triage } from './triage.ts';
import { who } from './who.ts';
import { whoCreated } from './who-created.ts';

export const commands: readonly Command[] = [
  help,
  pivot,
  hunt,
  triage,
  rules,
  timeline,
  who,
  key,
  instance,
  ip,
  search,
  whoCreated,
  sessions,
  alive,
  entry,
  secretsRead,
  errors,
  dataAccess,
  changes,
  flows,
  dns,
  athena,
  coverage,
  readiness,
  open,
  snooze,
  restrict,
  noise,
  contain,
  report,
  approvals,
  breakGlass,
  freeze,
];
