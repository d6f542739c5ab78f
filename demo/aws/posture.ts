/** How the accounts of the cast are set up: as most are, with some of what an incident needs, and not all. */
import type { Posture } from './state.ts';

export function postureOf(accountId: string, managesOrganization: boolean, madeAt: Date): Posture {
  return {
    trails: [
      {
        ...{ name: 'management-events', homeRegion: 'us-east-1', bucket: `trail-${accountId}` },
        ...{ multiRegion: true, validation: false, logging: true, dataEvents: [] },
      },
    ],
    findingFrequency: 'SIX_HOURS',
    flowLogs: new Set(),
    metadataTokens: new Map([['us-east-1', 'optional']]),
    contacts: new Map(),
    managesOrganization,
    scalingGroups: [{ name: 'shop-web', region: 'us-east-1', wanted: 0, most: 0, madeAt }],
  };
}
