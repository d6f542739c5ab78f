/**
 * Calls and the ATT&CK techniques (Enterprise, IaaS, v18) that they are seen in: DOMAIN.md 8.1 and 8.2. Data only; a row says
 * what a call may mean, not that it is malicious. Event names stand without the date that Lambda puts behind them.
 */
import type { Technique } from '#src/domain/sightings.ts';
import { computeTechniques } from './techniques-compute.ts';
import { dataTechniques } from './techniques-data.ts';
import { evasionTechniques } from './techniques-evasion.ts';
import { identityTechniques } from './techniques-identity.ts';

/** The first row that fits a call counts: narrower rows stand first. */
export const techniques: readonly Technique[] = [
  ...identityTechniques,
  ...evasionTechniques,
  ...computeTechniques,
  ...dataTechniques,
];
