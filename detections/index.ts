/** Our own detections: Sigma rules, a folder per tactic. Read once, when first asked for. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { parseRules, type RuleBook, type RuleFile } from '#src/domain/sigma/parse.ts';

const folder = join(import.meta.dirname, 'rules');
let files: readonly RuleFile[] | undefined;
let own: RuleBook | undefined;

/** The files of our rules, by path. */
export function catalogueFiles(): readonly RuleFile[] {
  files ??= readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.yml'))
    .sort()
    .map((path) => ({ path: path.split(sep).join('/'), text: readFileSync(join(folder, path), 'utf8') }));
  return files;
}

/** Our rules, with `more` files beside them where given. Never throws for what stands in `more`. */
export function catalogue(more: readonly RuleFile[] = []): RuleBook {
  own ??= parseRules(catalogueFiles());
  return more.length === 0 ? own : parseRules([...catalogueFiles(), ...more]);
}
