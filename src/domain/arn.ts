/** ARNs of every partition (safety rule 11): nothing assumes `arn:aws:`. */

export interface ArnParts {
  /** aws, aws-cn, aws-us-gov, aws-iso, ... */
  readonly partition: string;
  readonly service: string;
  /** "" for global services. */
  readonly region: string;
  /** 12 digits, "" (S3 buckets) or `aws` (AWS managed policies). */
  readonly accountId: string;
  /** Everything after the fifth colon; may hold colons and slashes. */
  readonly resource: string;
}

const shape =
  /^arn:(aws(?:-[a-z]+){0,3}):([a-z0-9-]{1,64}):([a-z0-9-]{0,32}):(\d{12}|aws|cloudfront|):([\x21-\x7e\u00a0-\uffff ]{1,1800})$/;

/** Longest ARN that IAM allows. */
const maxLength = 2048;

/** The parts of an ARN, or undefined where the text is none: unknown partition, account id that is not 12 digits, control characters. */
export function parseArnStrict(text: string): ArnParts | undefined {
  if (text.length > maxLength) return undefined;
  const match = shape.exec(text);
  if (!match) return undefined;
  const [, partition = '', service = '', region = '', accountId = '', resource = ''] = match;
  return { partition, service, region, accountId, resource };
}

/** The inverse of `parseArnStrict`. */
export function formatArn(parts: ArnParts): string {
  return `arn:${parts.partition}:${parts.service}:${parts.region}:${parts.accountId}:${parts.resource}`;
}

/** The last part of the resource: `alice` of `user/team/alice`, `i-...` of `instance/i-...`. */
export function lastSegment(parts: ArnParts): string {
  return parts.resource.slice(Math.max(parts.resource.lastIndexOf('/'), parts.resource.lastIndexOf(':')) + 1);
}
