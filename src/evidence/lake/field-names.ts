/** The names of the fields of records, as they stand in the bytes of a file. */
import { recordFields } from './columns.ts';
import { hashOf } from './text-hash.ts';

/** The place of a field among `recordFields`. Throws Error where there is none of this name. */
export function numberOfField(name: string): number {
  const number = recordFields.indexOf(name);
  if (number < 0) throw new Error(`There is no field ${name}.`);
  return number;
}

const tableSize = 4096;
const numberOfHash = new Int8Array(tableSize).fill(-1);
const names = recordFields.map((field) => Buffer.from(field));
for (const [i, name] of names.entries()) {
  const at = hashOf(name, 0, name.length) & (tableSize - 1);
  // A new field whose hash is taken would never be found.
  if (numberOfHash[at] !== -1) throw new Error(`${recordFields[i]} and another field have one place`);
  numberOfHash[at] = i;
}

/** The number of the field with the name that lies between two places; -1 where CloudTrail has none such. @param hash by `hashOf` */
export function fieldAt(bytes: Buffer, from: number, to: number, hash: number): number {
  const field = numberOfHash[hash & (tableSize - 1)] as number;
  if (field < 0) return -1;
  const name = names[field] as Buffer;
  if (name.length !== to - from) return -1;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[from + i]) return -1;
  return field;
}

/** The names in quotes, with the colon behind them. */
const keys = recordFields.map((field) => {
  const { buffer, byteOffset, length } = Buffer.from(`"${field}":`);
  return new DataView(buffer, byteOffset, length);
});

/** Where the value of a field begins, if its key begins at `i`; -1 where another does. At least four bytes lie behind the last of a file. */
export function behindKey(field: number, bytes: DataView, i: number): number {
  const key = keys[field] as DataView;
  const last = key.byteLength - 4;
  for (let at = 0; at < last; at += 4) if (bytes.getInt32(i + at, true) !== key.getInt32(at, true)) return -1;
  return bytes.getInt32(i + last, true) === key.getInt32(last, true) ? i + key.byteLength : -1;
}
