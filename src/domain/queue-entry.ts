/** The queues that alerts are fetched from: the schema of the config's `queues[]`. */
import { z } from 'zod';

const regionForm = /^[a-z]{2,5}(?:-[a-z]+)+-\d{1,2}$/;

/** The Region that an SQS host name tells: `sqs.eu-west-1.amazonaws.com`, or the old `eu-west-1.queue.amazonaws.com`. */
function regionOfHost(url: string): string | undefined {
  const { hostname } = new URL(url);
  const told =
    /^sqs(?:-fips)?\.([a-z0-9-]+)\./.exec(hostname)?.[1] ?? /^([a-z0-9-]+)\.queue\.amazonaws\.com/.exec(hostname)?.[1];
  return told !== undefined && regionForm.test(told) ? told : undefined;
}

/** The queue's own name; unlike the URL it names no account. Empty where there is none. */
function nameOfUrl(url: string): string {
  if (!URL.canParse(url)) return '';
  return new URL(url).pathname.split('/').filter(Boolean).at(-1) ?? '';
}

const QueueUrl = z
  .url({ protocol: /^https?$/, error: 'is not the URL of an SQS queue' })
  .refine((url) => nameOfUrl(url) !== '', 'names no queue: https://sqs.<region>.amazonaws.com/<account>/<name>')
  .refine((url) => !/[?#@]/.test(url), 'holds more than the address of a queue');

export const QueueEntry = z
  .union([
    QueueUrl.transform((url) => ({ url })),
    z.strictObject({
      url: QueueUrl,
      region: z.string().trim().regex(regionForm, 'is not a Region name').optional(),
      /** The role to become for reading it, where it lies in another account. */
      role: z
        .string()
        .trim()
        .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/, 'is not the ARN of a role')
        .optional(),
      externalId: z.string().trim().min(1).optional(),
    }),
  ])
  .transform((entry, ctx) => {
    const given: {
      url: string;
      region?: string | undefined;
      role?: string | undefined;
      externalId?: string | undefined;
    } = entry;
    const region = given.region ?? regionOfHost(given.url);
    if (region === undefined) {
      ctx.addIssue({ code: 'custom', message: 'the URL does not tell the Region: add region', path: ['region'] });
      return z.NEVER;
    }
    return { url: given.url, region, name: nameOfUrl(given.url), role: given.role, externalId: given.externalId };
  });
export type QueueSettings = z.output<typeof QueueEntry>;
