/** The investigations: one file per question. */
import type { Investigation } from '#src/contracts/investigation.ts';
import { alive } from './alive.ts';
import { athena } from './athena.ts';
import { changes } from './changes.ts';
import { coverage } from './coverage.ts';
import { dataAccess } from './data-access.ts';
import { dns } from './dns.ts';
import { entry } from './entry.ts';
import { errors } from './errors.ts';
import { flows } from './flows.ts';
import { hunt } from './hunt.ts';
import { instance } from './instance.ts';
import { ip } from './ip.ts';
import { key } from './key.ts';
import { pivot } from './pivot.ts';
import { readiness } from './readiness.ts';
import { rules } from './rules.ts';
import { search } from './search.ts';
import { secretsRead } from './secrets-read.ts';
import { sessions } from './sessions.ts';
import { timeline } from './timeline.ts';
import { triage } from './triage.ts';
import { who } from './who.ts';
import { whoCreated } from './who-created.ts';

export const investigations: readonly Investigation[] = [
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
];
