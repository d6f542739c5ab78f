/** Arrays that grow with what is put into them. */

type Growing = Int32Array | Float64Array | Uint8Array;

/** A copy of twice the length. */
export function grown<T extends Growing>(array: T): T {
  const larger = new (array.constructor as new (length: number) => T)(array.length * 2);
  larger.set(array);
  return larger;
}
