/**
 * What the lake's own pages have to look like. Loading zod and setting up its schemas takes longer than all else that a first
 * question does, so that these few shapes are told here; what comes from outside is parsed with zod.
 */
export type Shape<T> = (value: unknown) => value is T;

export const isText: Shape<string> = (value) => typeof value === 'string';
export const isNumber: Shape<number> = (value) => typeof value === 'number';

export function isOneOf<T extends string | number>(...values: readonly T[]): Shape<T> {
  return (value): value is T => values.includes(value as T);
}

export function isEither<A, B>(one: Shape<A>, other: Shape<B>): Shape<A | B> {
  return (value): value is A | B => one(value) || other(value);
}

export function isOptional<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value): value is T | undefined => value === undefined || shape(value);
}

export function isListOf<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every(shape);
}

/** So many numbers, no more and no less. */
export function areNumbers<T extends readonly number[]>(count: T['length']): Shape<T> {
  return (value): value is T => Array.isArray(value) && value.length === count && value.every(isNumber);
}

/** Every field as its shape says; others may be there too. */
export function isObject<T>(fields: { readonly [Field in keyof Required<T>]: Shape<T[Field]> }): Shape<T> {
  const shapes = Object.entries(fields) as [keyof T, Shape<unknown>][];
  return (value): value is T =>
    typeof value === 'object' && value !== null && shapes.every(([field, shape]) => shape((value as T)[field]));
}
