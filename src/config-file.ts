/**
 * The schema of the config file. A section's own schema lies with the rules that it configures, in src/domain; this page
 * puts them together. `firebreak.example.yml` documents each key; a test compares the two.
 */
import { z } from 'zod';
import { AccessRule } from './domain/access.ts';
import { AddressesSection, AddressRange } from './domain/address-lists.ts';
import { AlertMapping } from './domain/alert-mapping.ts';
import { PolicyRule } from './domain/approval-policy.ts';
import { AthenaSection } from './domain/athena/settings.ts';
import { AuditSection } from './domain/audit-anchor.ts';
import { DetectionSettings } from './domain/detection/settings.ts';
import { EscalationConfig } from './domain/escalation.ts';
import { ExceptionEntry } from './domain/exceptions.ts';
import { FindingWatch } from './domain/finding-watch.ts';
import { ForensicsEntry } from './domain/forensics.ts';
import { ImportEntry } from './domain/imports.ts';
import { AccountEntry } from './domain/inventory.ts';
import { InventorySection } from './domain/inventory-sources.ts';
import { CrownJewels, NoiseConfig } from './domain/noise.ts';
import { QueueEntry } from './domain/queue-entry.ts';
import { SignInLog } from './domain/sign-in-log.ts';
import { Crowd, SlackChannel, SlackGroupId, SlackUserId } from './domain/slack-ids.ts';
import { SnsEntry } from './domain/sns-topics.ts';
import { isSpan } from './domain/window.ts';

/** YAML reads an unquoted id as a number and drops its leading zeros. */
const AccountId = z
  .union([z.string(), z.number().int().nonnegative()])
  .transform((value) => (typeof value === 'number' ? String(value).padStart(12, '0') : value.trim()))
  .pipe(z.string().regex(/^\d{12}$/, 'is not a 12-digit account id'));

export const modes = ['observe', 'propose', 'execute'] as const;

export const ConfigFile = z.strictObject({
  mode: z.enum(modes).default('propose'),
  channels: z
    .strictObject({
      default: SlackChannel.optional(),
      critical: SlackChannel.optional(),
      high: SlackChannel.optional(),
      medium: SlackChannel.optional(),
      low: SlackChannel.optional(),
      accounts: z.record(z.string().regex(/^\d{12}$/, 'is not a 12-digit account id'), SlackChannel).default({}),
      environments: z.record(z.string(), SlackChannel).default({}),
      /** Where answers to buttons on cards go; the card's thread gets a summary. Left out: into the card's thread. */
      evidence: SlackChannel.optional(),
    })
    .default({ accounts: {}, environments: {} }),
  accounts: z.array(AccountEntry).default([]),
  managementAccount: AccountId.optional(),
  regions: z.array(z.string().regex(/^[a-z]{2,}(-[a-z]+)+-\d$/, 'is not a Region name')).default([]),
  approvers: z
    .strictObject({
      users: z.array(SlackUserId).default([]),
      groups: z.array(SlackGroupId).default([]),
      required: z.number().int().min(1).max(5).default(1),
      expiryMinutes: z
        .number()
        .int()
        .min(1)
        .max(24 * 60)
        .default(30),
      /** Actions that ask for a one-time code on approval, `*` for any characters. */
      stepUp: z.array(z.string().trim().min(1)).default([]),
    })
    .default({ users: [], groups: [], required: 1, expiryMinutes: 30, stepUp: [] }),
  responders: Crowd.optional(),
  policies: z.array(PolicyRule).default([]),
  access: z.array(AccessRule).default([]),
  people: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        slack: z.array(SlackUserId).min(1),
        /** User names, user ARNs and role session names that are this person: who is involved decides nothing. */
        aws: z.array(z.string().trim().min(1)).default([]),
      }),
    )
    .default([]),
  protected: z.array(z.string().trim().min(1)).default([]),
  hubs: z
    .strictObject({
      maxPrincipalsPerIp: z.number().int().min(0).default(20),
      egress: z.array(AddressRange).default([]),
      principals: z.array(z.string().trim().min(1)).default([]),
    })
    .default({ maxPrincipalsPerIp: 20, egress: [], principals: [] }),
  pivot: z
    .strictObject({
      window: z.string().trim().refine(isSpan, 'is not a span of time (90m, 24h, 7d, 2w)').default('7d'),
      maxRequests: z.number().int().min(1).default(2000),
      maxEvents: z.number().int().min(1).default(500_000),
    })
    .default({ window: '7d', maxRequests: 2000, maxEvents: 500_000 }),
  addresses: AddressesSection,
  inventory: InventorySection,
  detections: DetectionSettings,
  mappings: z.array(AlertMapping).default([]),
  athena: AthenaSection.optional(),
  signInLogs: z.array(SignInLog).default([]),
  audit: AuditSection,
  imports: z.array(ImportEntry).default([]),
  rules: z
    .strictObject({
      folders: z.array(z.string().trim().min(1)).default([]),
      disabled: z.array(z.string().trim().min(1)).default([]),
    })
    .default({ folders: [], disabled: [] }),
  exceptions: z.array(ExceptionEntry).default([]),
  noise: NoiseConfig.prefault({}),
  crownJewels: CrownJewels.prefault({}),
  escalation: EscalationConfig.prefault({}),
  queues: z.array(QueueEntry).default([]),
  sns: SnsEntry.default({ topics: [], allowVersion1: false, certificates: [] }),
  forensics: ForensicsEntry.optional(),
  guardduty: FindingWatch.default({ pollMinutes: 15, firstLookHours: 24, verify: true }),
  // Names of the external contract that later versions use; accepted so that one file serves them all, and warned of.
  retention: z.record(z.string(), z.unknown()).default({}),
});
export type ConfigFile = z.output<typeof ConfigFile>;
