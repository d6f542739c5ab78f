/** All migrations by name, oldest first. A name that was released is never changed again. */
import type { Migration } from 'kysely/migration';
import { first } from './0001-first.ts';
import { intake } from './0003-intake.ts';
import { noise } from './0004-noise.ts';

import { enrichment } from './0006-enrichment.ts';

import { detection } from './0007-detection.ts';
import { ruleSettings } from './0008-rule-settings.ts';

import { athenaQueries } from './0010-athena-queries.ts';
import { stepUp } from './0011-step-up.ts';
import { strikes } from './0012-strikes.ts';
import { hostOperations } from './0013-host-operations.ts';
import { restrictedCases } from './0014-restricted-cases.ts';
import { wellFormedJson } from './0015-well-formed-json.ts';

export const migrations: Readonly<Record<string, Migration>> = {
  '0001-first': first,
  '0003-intake': intake,
  '0004-noise': noise,
  '0006-enrichment': enrichment,
  '0007-detection': detection,
  '0008-rule-settings': ruleSettings,
  '0010-athena-queries': athenaQueries,
  '0011-step-up': stepUp,
  '0012-strikes': strikes,
  '0013-host-operations': hostOperations,
  '0014-restricted-cases': restrictedCases,
  '0015-well-formed-json': wellFormedJson,
};
