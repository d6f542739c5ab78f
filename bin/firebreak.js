#!/usr/bin/env node
// Starts src/main.ts under a Node that runs TypeScript as it stands: this one where it is new enough, else the pinned one
// (npm package `node`). Plain JavaScript, because the machine's own Node may be older.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import nodeModule from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const main = join(root, 'src', 'main.ts');
/** Compiled once, since the next process starts in two thirds of the time. Beside the packages, where nobody else may write. */
const compiled = join(root, 'node_modules', '.cache', 'firebreak');
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (!existsSync(join(root, 'node_modules'))) {
  console.error('firebreak: the packages are not installed yet. Run: npm install --no-save');
  process.exit(2);
} else if (major > 24 || (major === 24 && minor >= 12)) {
  process.argv[1] = main;
  nodeModule.enableCompileCache(compiled);
  await import(main);
} else {
  startPinned();
}

function startPinned() {
  const pinned = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(pinned)) {
    console.error(
      `firebreak: Node ${process.versions.node} is too old and the pinned one is not installed. Run: npm install --no-save`,
    );
    process.exit(2);
  }
  // The channel tells the child when this process is killed: it must not live on without it.
  const child = spawn(pinned, [main, ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { NODE_COMPILE_CACHE: compiled, ...process.env },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', (error) => {
    console.error(`firebreak: ${pinned} cannot be started: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    process.exit(code ?? (signal === 'SIGTERM' || signal === 'SIGINT' ? 0 : 1));
  });
}
