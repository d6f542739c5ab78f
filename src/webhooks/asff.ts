/** The parts of the AWS Security Finding Format that Firebreak reads, keys in camelCase, and its severities. */
import { z } from 'zod';
import { block, flag, list, number, text } from './tolerant.ts';

export const Asff = z.looseObject({
  id: text,
  productArn: text,
  productName: text,
  companyName: text,
  region: text,
  awsAccountId: text,
  generatorId: text,
  types: list(text),
  firstObservedAt: text,
  lastObservedAt: text,
  createdAt: text,
  updatedAt: text,
  title: text,
  description: text,
  sample: flag,
  severity: block({ label: text, normalized: number, original: text, product: number }),
  findingProviderFields: block({ severity: block({ label: text, normalized: number }), types: list(text) }),
  resources: list(
    z.looseObject({
      type: text,
      id: text,
      partition: text,
      region: text,
      tags: z.record(z.string(), z.unknown()).optional().catch(undefined),
      details: block({
        awsIamAccessKey: block({
          accessKeyId: text,
          principalId: text,
          principalName: text,
          principalType: text,
          userName: text,
        }),
      }),
    }),
  ),
  compliance: block({ status: text, securityControlId: text }),
  workflow: block({ status: text }),
  recordState: text,
  workflowState: text,
  productFields: z.record(z.string(), z.unknown()).optional().catch(undefined),
  vulnerabilities: list(z.looseObject({ id: text })),
  detection: block({}),
  action: block({}),
  note: block({ text, updatedBy: text }),
  userDefinedFields: block({}),
});
export type Asff = z.output<typeof Asff>;

const labels: Readonly<Record<string, number>> = {
  INFORMATIONAL: 1,
  LOW: 2,
  MEDIUM: 5,
  HIGH: 8,
  CRITICAL: 9.5,
};

/** Security Hub's label, else its 0 to 100, on GuardDuty's scale; undefined where it gives neither. */
export function severityOfLabel(label: string | undefined, normalized?: number): number | undefined {
  const known = labels[(label ?? '').toUpperCase()];
  if (known !== undefined) return known;
  return normalized === undefined || normalized < 0 ? undefined : Math.min(10, Math.max(1, normalized / 10));
}

/** True for a finding without an envelope, as Security Hub's API gives it. */
export function isAsff(value: { readonly [key: string]: unknown }): boolean {
  return typeof value.ProductArn === 'string' && typeof value.AwsAccountId === 'string';
}
