/** AWS partitions: part of every ARN, endpoint and link (safety rule 11). */

/** The partition that a Region is in. Unknown prefixes are the commercial one. */
export function partitionOfRegion(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  if (region.startsWith('us-gov-')) return 'aws-us-gov';
  if (region.startsWith('us-iso-')) return 'aws-iso';
  if (region.startsWith('us-isob-')) return 'aws-iso-b';
  return 'aws';
}

/** The Region where a partition's global services (IAM, Organizations, sign-in) take calls and log them (DOMAIN.md 3.5). */
export function globalRegion(partition: string): string {
  if (partition === 'aws-cn') return 'cn-north-1';
  if (partition === 'aws-us-gov') return 'us-gov-west-1';
  return 'us-east-1';
}
