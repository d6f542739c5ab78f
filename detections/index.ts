/** Our own detections: Sigma rules, a folder per tactic. Read once, when first asked for. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { parseRules, type RuleBook, type RuleFile } from '#src/domain/sigma/parse.ts';

const folder = join(import.meta.dirname, 'rules');
let files: readonly RuleFile[] | undefined;
let own: RuleBook | undefined;
/** The folders of the config are read again and again, and change seldom. */
const joined = new WeakMap<readonly RuleFile[], RuleBook>();

function filesHere(wanted: (path: string) => boolean): readonly RuleFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.yml') && wanted(path))
    .sort()
    .map((path) => ({ path: path.split(sep).join('/'), text: readFileSync(join(folder, path), 'utf8') }));
}

/** The files of our rules, by path. */
export function catalogueFiles(): readonly RuleFile[] {
  files ??= filesHere((path) => !path.endsWith('.tests.yml'));
  return files;
}

/** The tests beside them. */
export function catalogueTests(): readonly RuleFile[] {
  return filesHere((path) => path.endsWith('.tests.yml'));
}

/** Our rules, with `more` files beside them where given. Never throws for what stands in `more`. */
export function catalogue(more: readonly RuleFile[] = []): RuleBook {
  own ??= parseRules(catalogueFiles());
  if (more.length === 0) return own;
  const book = joined.get(more) ?? parseRules([...catalogueFiles(), ...more]);
  joined.set(more, book);
  return book;
}
