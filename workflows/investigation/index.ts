/** The investigations: one file per question. */
import type { Investigation } from '#src/contracts/investigation.ts';
import { alive } from './alive.ts';
import { coverage } from './coverage.ts';
import { dataAccess } from './data-access.ts';
import { entry } from './entry.ts';
import { errors } from './errors.ts';
import { hunt } from './hunt.ts';
import { pivot } from './pivot.ts';
import { readiness } from './readiness.ts';
import { rules } from './rules.ts';
import { secretsRead } from './secrets-read.ts';
import { sessions } from './sessions.ts';
import { timeline } from './timeline.ts';
import { triage } from './triage.ts';
import { whoCreated } from './who-created.ts';

export const investigations: readonly Investigation[] = [
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
];
