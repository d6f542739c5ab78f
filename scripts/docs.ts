/** `npm run docs`: writes the generated pages of docs/reference. A contract test fails where they are stale. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { attackLayer, coveragePage } from './reference/attack-coverage.ts';
import { commandsPage } from './reference/commands.ts';
import { configurationPage } from './reference/configuration.ts';
import { permissionsPage } from './reference/permissions.ts';

/** The pages by their path from the root of the repository. */
export function referencePages(): Readonly<Record<string, string>> {
  return {
    'docs/reference/commands.md': commandsPage(),
    'docs/reference/attack-coverage.md': coveragePage(),
    'docs/reference/attack-layer.json': attackLayer(),
    'docs/reference/permissions.md': permissionsPage(),
    'docs/reference/configuration.md': configurationPage(),
  };
}

if (process.argv[1] === import.meta.filename) {
  const root = join(import.meta.dirname, '..');
  for (const [path, text] of Object.entries(referencePages())) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(path);
  }
}
