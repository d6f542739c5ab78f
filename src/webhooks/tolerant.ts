/**
 * Schemas for what comes from outside, tolerant on purpose: a field of an unexpected type counts as missing, unknown
 * fields pass, so that no odd event is turned away for a detail.
 */
import { z } from 'zod';

/** Text or a number as text; empty text is missing. */
export const text = z
  .union([z.string(), z.number().transform(String)])
  .transform((value) => value.trim() || undefined)
  .optional()
  .catch(undefined);
export const flag = z
  .union([z.boolean(), z.enum(['true', 'false']).transform((word) => word === 'true')])
  .optional()
  .catch(undefined);
export const number = z
  .union([z.number(), z.string().trim().min(1).transform(Number).pipe(z.number())])
  .optional()
  .catch(undefined);

/** An object with these fields among others. */
export function block<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.looseObject(shape).optional().catch(undefined);
}

/** Entries that do not fit are dropped, not the list. One object where a list is due counts as a list of one. */
export function list<Item extends z.ZodType>(item: Item) {
  return z
    .preprocess(
      (value) => (Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]),
      z.array(item.nullable().catch(null)),
    )
    .transform((items) => items.filter((entry) => entry !== null && entry !== undefined))
    .catch([]);
}
