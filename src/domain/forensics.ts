/** The schema of the config's `forensics` section: what goes into the fixed script that takes an image of memory. */
import { z } from 'zod';

export const ForensicsEntry = z.strictObject({
  /** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; no dots, so that TLS names fit. */
  bucket: z
    .string()
    .trim()
    .regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, 'is not the name of an S3 bucket (without dots)'),
  /** Stands in a shell script that runs as root: nothing but a plain absolute path. */
  memoryTool: z
    .string()
    .trim()
    .regex(
      /^(\/[A-Za-z0-9][A-Za-z0-9._-]*)+$/,
      'is not an absolute path of letters, digits, dots, dashes and underscores',
    )
    .max(200),
});
