/** How the accounts of the cast are set up: as most are, with some of what an incident needs, and not all. */
import { createHash } from 'node:crypto';
import type { Posture } from './state.ts';

/** GuardDuty stands where the company works; elsewhere nobody switched it on. */
const guarded = ['us-east-1', 'eu-central-1'];

export function postureOf(accountId: string, managesOrganization: boolean, madeAt: Date): Posture {
  const detectorId = (region: string) => createHash('md5').update(`${accountId} ${region}`).digest('hex');
  return {
    trails: [
      {
        ...{ name: 'management-events', homeRegion: 'us-east-1', bucket: `trail-${accountId}` },
        ...{ multiRegion: true, validation: false, logging: true, dataEvents: [] },
      },
    ],
    detectors: new Map(
      guarded.map((region) => [region, { id: detectorId(region), enabled: true, frequency: 'SIX_HOURS' }]),
    ),
    flowLogs: new Set(),
    metadataTokens: new Map([['us-east-1', 'optional']]),
    contacts: new Map(),
    managesOrganization,
    scalingGroups: [{ name: 'shop-web', region: 'us-east-1', wanted: 0, most: 0, madeAt }],
  };
}
