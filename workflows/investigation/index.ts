/** The investigations: one file per question. */
import { pivot } from './pivot.ts';

export const investigations = [pivot] as const;
