/** Arrays that grow with what is put into them, and are put in order. */

type Growing = Int32Array | Float64Array | Uint8Array;

/** A copy of twice the length. */
export function grown<T extends Growing>(array: T): T {
  const larger = new (array.constructor as new (length: number) => T)(array.length * 2);
  larger.set(array);
  return larger;
}

/** Puts into `into` what stands in `from`, in another order: the first is the one whose place comes first in `order`. */
export function ordered<T extends Int32Array | Float64Array>(from: T, into: T, order: Uint32Array): T {
  for (let i = 0; i < order.length; i++) into[i] = from[order[i] as number] as number;
  return into;
}
