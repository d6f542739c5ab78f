// Before `npm run demo` and `npm test`: installs the packages where they are missing. Plain JavaScript that any Node >= 20
// runs, with nothing but Node and npm on the machine.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const installed = join(root, 'node_modules', '.package-lock.json');
const wanted = join(root, 'package-lock.json');

if (!isInstalled()) {
  console.log('Installing the packages...');
  // Not `npm ci`: it refuses a lock file without the optional binaries of every platform, and those are not in every registry.
  // `--no-save` takes the versions of the lock file and leaves it as it is.
  const result = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function isInstalled() {
  if (!existsSync(installed) || !existsSync(join(root, 'node_modules', 'node', 'bin'))) return false;
  if (statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return true;
  // The lock file is newer than the installation, or was only touched (a fresh checkout of the same commit).
  return versions(installed) === versions(wanted);
}

/** What is installed and what should be, without the optional packages of other platforms. */
function versions(path) {
  const { packages } = JSON.parse(readFileSync(path, 'utf8'));
  return Object.entries(packages)
    .filter(([name, entry]) => name !== '' && !entry.optional)
    .map(([name, entry]) => `${name}@${entry.version}`)
    .sort()
    .join('\n');
}
