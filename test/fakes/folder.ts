import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

/** File names of a folder of units, without `.ts` and without its list. */
export function unitsIn(folder: string): readonly string[] {
  return readdirSync(join(root, folder))
    .filter((file) => file.endsWith('.ts') && file !== 'index.ts')
    .map((file) => file.replace(/\.ts$/, ''))
    .sort();
}

/** `disable-access-key` -> `disableAccessKey`. */
export function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_dash, letter: string) => letter.toUpperCase());
}

/** What a unit's file exports. */
export async function exportsOf(folder: string, name: string): Promise<Readonly<Record<string, unknown>>> {
  return (await import(join(root, folder, `${name}.ts`))) as Readonly<Record<string, unknown>>;
}

/** One sentence: a capital or a code span first, a full stop last, none in between. Dots in `AKIA...` do not count. */
export const oneSentence = /^[A-Z`][^\n]*\.$/;

/** Ends of sentences in a text. */
export function sentences(text: string): number {
  return text
    .replaceAll('...', '')
    .split(/[.!?](?=\s|$)/)
    .filter((part) => part.trim() !== '').length;
}
