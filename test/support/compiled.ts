/** Before all tests: has the code compiled once, where it never was, or the first four files that start Firebreak all do it side by side. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export function setup(): void {
  if (existsSync(`${root}node_modules/.cache/firebreak`)) return;
  // It has no configuration, and says so.
  const { status, stderr } = spawnSync(process.execPath, [`${root}bin/firebreak.js`, 'serve'], {
    env: { PATH: process.env.PATH },
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 2) throw new Error(`A start without a configuration ended with ${status}: ${stderr}`);
}
