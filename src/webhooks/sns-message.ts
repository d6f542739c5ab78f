/** One message of SNS as it is posted over HTTPS (DOMAIN.md 2.9): its shape, and the text that its signature covers. */
import { z } from 'zod';

const Words = z.string().min(1).max(2_048);

const Common = {
  MessageId: Words,
  TopicArn: Words,
  Message: z.string(),
  Timestamp: z.iso.datetime({ offset: true }),
  SignatureVersion: z.string().max(8),
  Signature: z
    .string()
    .max(2_048)
    .regex(/^[A-Za-z0-9+/]+={0,2}$/, 'is not Base64'),
  SigningCertURL: z.string().min(1).max(512),
};

/** SubscribeURL is read because the signature covers it; nothing ever opens it. */
const Confirmation = { ...Common, Token: Words, SubscribeURL: z.string().max(4_096) };

export const SnsMessage = z.discriminatedUnion('Type', [
  z.object({ Type: z.literal('Notification'), ...Common, Subject: z.string().nullish() }),
  z.object({ Type: z.literal('SubscriptionConfirmation'), ...Confirmation }),
  z.object({ Type: z.literal('UnsubscribeConfirmation'), ...Confirmation }),
]);
export type SnsMessage = z.output<typeof SnsMessage>;

/** Where the shape is wrong: names of fields and Firebreak's own words, nothing of what came. */
export function whatIsWrong(error: z.ZodError): string {
  const issue = error.issues[0];
  const field = issue?.path.map(String).join('.') || 'Type';
  return `not an SNS message: ${field} is missing or not of its form`;
}

/** The signed text: `name\nvalue\n` for each covered field, in byte order of the names; Subject only where there is one. */
export function signedText(message: SnsMessage): string {
  const { MessageId, Message, Timestamp, TopicArn, Type } = message;
  const fields: readonly (readonly [string, string])[] =
    message.Type === 'Notification'
      ? [
          ['Message', Message],
          ['MessageId', MessageId],
          ...(typeof message.Subject === 'string' ? [['Subject', message.Subject] as const] : []),
          ['Timestamp', Timestamp],
          ['TopicArn', TopicArn],
          ['Type', Type],
        ]
      : [
          ['Message', Message],
          ['MessageId', MessageId],
          ['SubscribeURL', message.SubscribeURL],
          ['Timestamp', Timestamp],
          ['Token', message.Token],
          ['TopicArn', TopicArn],
          ['Type', Type],
        ];
  return fields.map(([name, value]) => `${name}\n${value}\n`).join('');
}
