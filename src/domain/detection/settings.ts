/** The `detections` section of the config file: what the stream heeds and what it opens cases for. */
import { z } from 'zod';
import { levels } from '../sigma/tree.ts';

export const DetectionSettings = z
  .strictObject({
    /** From this level on a match opens a case; milder ones are for hunts. */
    openFrom: z.enum([...levels, 'never']).default('medium'),
    /** Records that are older than this when they arrive are history: for hunts, not for the channel. */
    maxAgeHours: z
      .number()
      .min(1)
      .max(24 * 30)
      .default(24),
    /** Instances that count as production, beside all of those in accounts with the environment prod or production. */
    productionInstances: z.array(z.string().regex(/^m?i-[0-9a-z]+$/i, 'is not an instance id (i-...)')).default([]),
  })
  .default({ openFrom: 'medium', maxAgeHours: 24, productionInstances: [] });
export type DetectionSettings = z.output<typeof DetectionSettings>;
