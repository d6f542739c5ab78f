/**
 * Which SNS topics may deliver here, and which certificate address belongs to a topic (DOMAIN.md 2.9). `SnsEntry` is the
 * schema of the config's `sns` section.
 */
import { z } from 'zod';
import { partitionOfRegion } from './partition.ts';

const topicForm = /^arn:(aws(?:-[a-z]+)*):sns:([a-z]{2,5}(?:-[a-z]+)+-\d{1,2}):(\d{12}):([\w-]{1,256}(?:\.fifo)?)$/;
const patternForm =
  /^arn:(aws(?:-[a-z]+)*):sns:([a-z]{2,5}(?:-[a-z]+)+-\d{1,2}|\*):(\d{12}|\*):([\w*-]{1,256}(?:\.fifo)?)$/;

const Pem = z
  .string()
  .trim()
  .min(1)
  .describe('a certificate in PEM form, or the path of a file that holds one (from the folder of the config file)');

export const SnsEntry = z.strictObject({
  /** Whole ARNs; `*` stands for any Region, any account or any part of a name, never for the partition. */
  topics: z
    .array(
      z.string().trim().regex(patternForm, 'is not the ARN of an SNS topic (arn:aws:sns:eu-west-1:111122223333:name)'),
    )
    .default([]),
  /** Signature version 1 is SHA-1. Off: such messages are refused. */
  allowVersion1: z.boolean().default(false),
  /** For closed networks: with a certificate here none is ever fetched. */
  certificates: z.array(z.union([Pem, z.strictObject({ url: z.url(), certificate: Pem })])).default([]),
});

export interface Topic {
  readonly partition: string;
  readonly region: string;
  readonly accountId: string;
  readonly name: string;
}

/** The parts of a topic's ARN; undefined where the text is none, or its Region is not in its partition. */
export function topicOf(arn: string): Topic | undefined {
  const [, partition = '', region = '', accountId = '', name = ''] = topicForm.exec(arn) ?? [];
  if (name === '' || partitionOfRegion(region) !== partition) return undefined;
  return { partition, region, accountId, name };
}

/** True where one of the patterns of `sns.topics` names the topic. Compared field by field: `*` never spans a colon. */
export function isTopicAllowed(patterns: readonly string[], arn: string): boolean {
  if (topicOf(arn) === undefined) return false;
  const fields = arn.split(':');
  return patterns.some((pattern) => {
    const wanted = pattern.split(':');
    return wanted.length === fields.length && wanted.every((field, index) => fits(field, fields[index] ?? ''));
  });
}

function fits(pattern: string, field: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === field;
  const last = rest.pop() ?? '';
  if (!field.startsWith(first) || !field.endsWith(last) || field.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of rest) {
    const found = field.indexOf(part, at);
    if (found < 0 || found + part.length > field.length - last.length) return false;
    at = found + part.length;
  }
  return true;
}

/**
 * Whether a SigningCertURL is SNS's own for this topic: https, the SNS host of the topic's Region and partition, SNS's
 * file name, and nothing else. Judged on the text as it came: what a parser would have to mend is refused.
 */
export function isCertificateOf(topic: Topic, url: string): boolean {
  if (topic.partition !== 'aws' && topic.partition !== 'aws-cn' && topic.partition !== 'aws-us-gov') return false;
  const host = `sns.${topic.region}.amazonaws.com${topic.partition === 'aws-cn' ? '.cn' : ''}`;
  const start = `https://${host}/SimpleNotificationService-`;
  return url.startsWith(start) && /^[A-Za-z0-9]{1,128}\.pem$/.test(url.slice(start.length));
}
