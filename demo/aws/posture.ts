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
    // A stranger's mailbox, set longer ago than the event history goes: AWS writes to it, and nobody there has noticed (S0).
    contacts: managesOrganization
      ? new Map()
      : new Map([
          [
            'OPERATIONS',
            {
              Name: 'Cloud Desk',
              Title: 'Operations',
              EmailAddress: 'example@outlook.com',
              PhoneNumber: '+1 555 0100',
            },
          ],
        ]),
    managesOrganization,
    scalingGroups: [{ name: 'shop-web', region: 'us-east-1', wanted: 0, most: 0, madeAt }],
  };
}
