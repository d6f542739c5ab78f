/** The config's `athena` section: where Athena is, what its tables are called, and what it may cost. */
import { z } from 'zod';

/** Names that need no quoting in Athena's SQL or DDL. */
const Identifier = z
  .string()
  .regex(/^[a-z_][a-z0-9_]{0,126}$/, 'is not a name of small letters, digits and underscores');
const Place = z
  .string()
  .regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[A-Za-z0-9!_.*()/=+@-]*)?$/, 'is not s3://bucket/prefix')
  .transform((text) => text.replace(/\/+$/, ''));
const AccountId = z
  .union([z.string(), z.number().int().nonnegative()])
  .transform((value) => (typeof value === 'number' ? String(value).padStart(12, '0') : value.trim()))
  .pipe(z.string().regex(/^\d{12}$/, 'is not a 12-digit account id'));
const Region = z.string().regex(/^[a-z]{2,}(-[a-z]+)+-\d$/, 'is not a Region name');
const Bytes = z.union([
  z.number().int().min(10_000_000),
  z
    .string()
    .regex(/^\d+(\.\d+)?\s?(MB|GB|TB)$/, 'is not a number of bytes: write 200GB')
    .transform((text) => {
      const [, figure = '0', unit = 'MB'] = /^([\d.]+)\s?(..)$/.exec(text) ?? [];
      return Math.round(Number(figure) * ({ MB: 1e6, GB: 1e9, TB: 1e12 }[unit] ?? 1e6));
    }),
]);

export const athenaTables = ['cloudtrail', 'flowLogs', 'dns'] as const;
export type AthenaTable = (typeof athenaTables)[number];

export const AthenaSection = z.strictObject({
  /** The account whose audit role runs the queries. */
  accountId: AccountId,
  region: Region,
  workgroup: z.string().regex(/^[A-Za-z0-9._-]{1,128}$/, 'is not the name of a workgroup'),
  database: Identifier,
  /** Where results go; left out where the workgroup says so itself. */
  outputLocation: Place.optional(),
  tables: z.strictObject({
    cloudtrail: Identifier.optional(),
    flowLogs: Identifier.optional(),
    dns: Identifier.optional(),
  }),
  /** The folder that holds `AWSLogs/`, for the DDL and the estimate. */
  locations: z
    .strictObject({ cloudtrail: Place.optional(), flowLogs: Place.optional(), dns: Place.optional() })
    .default({}),
  /** Of an organisation trail. */
  organizationId: z
    .string()
    .regex(/^o-[a-z0-9]{10,32}$/, 'is not the id of an organisation')
    .optional(),
  /** Fields of the flow logs in the exact order of their log format; the default format where left out. */
  flowLogFields: z.array(z.string().regex(/^[a-z][a-z0-9-]{1,40}$/, 'is not a field of flow logs')).optional(),
  /** VPCs whose query logs are kept; without them every question reads all days. */
  dnsVpcs: z.array(z.string().regex(/^vpc-[0-9a-f]{8,32}$/, 'is not the id of a VPC')).default([]),
  /** The first day that is asked for, UTC. */
  firstDay: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d$/, 'is not a day (2024-01-01)')
    .default('2024-01-01'),
  /** `beyond-90-days`: where LookupEvents cannot see. `always`: also before LookupEvents. */
  useFor: z.enum(['beyond-90-days', 'always']).default('beyond-90-days'),
  maxBytesPerQuery: Bytes.default(200e9),
  maxBytesPerCase: Bytes.default(1e12),
  maxBytesPerDay: Bytes.default(2e12),
  dollarsPerTerabyte: z.number().min(0).default(5),
});
export type AthenaSettings = z.output<typeof AthenaSection>;

/** AWS bills by the megabyte, at least 10 of them (https://aws.amazon.com/athena/pricing/). */
export function dollarsOf(bytes: number, { dollarsPerTerabyte }: Pick<AthenaSettings, 'dollarsPerTerabyte'>): number {
  const billed = bytes <= 0 ? 0 : Math.max(10_000_000, bytes);
  return Math.round((billed / 1e12) * dollarsPerTerabyte * 1e6) / 1e6;
}
