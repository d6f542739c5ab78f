/** Finds records by any text in what was asked and answered, as it stands: ids that no link is made of, parts of names, policies. */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import type { Evidence } from '../contracts/evidence.ts';
import { compareRecords } from './record.ts';

/** Where it is looked for. Who and from where is what the pivot finds. */
export const searchedFields = [
  'requestParameters',
  'responseElements',
  'additionalEventData',
  'serviceEventDetails',
  'errorMessage',
  'userAgent',
] as const;

/** The text as it stands within JSON. */
export function needleOf(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Upper and lower case are told apart. */
export function holdsText(record: CloudTrailRecord, text: string): boolean {
  const needle = needleOf(text);
  return searchedFields.some((field) => record[field] !== undefined && JSON.stringify(record[field]).includes(needle));
}

/**
 * In order of time. Undefined where the source cannot read everything. Rejects as the source does.
 */
export async function searchIn(evidence: Evidence, text: string): Promise<readonly CloudTrailRecord[] | undefined> {
  if (evidence.holding) return evidence.holding(text);
  if (!evidence.all) return undefined;
  const found: CloudTrailRecord[] = [];
  for await (const record of evidence.all()) if (holdsText(record, text)) found.push(record);
  return found.sort(compareRecords);
}
