/** Runs the real Firebreak as a process of its own, against servers that speak Slack's and AWS's protocols. Knows only its outside: arguments, environment, config file, HTTP. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

export interface FirebreakOptions {
  /** Written as the YAML config file. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string>>;
  readonly role?: 'all' | 'web' | 'worker' | 'executor';
  /** A folder of its own where absent, removed at the end. */
  readonly dataDir?: string;
  readonly port?: number;
  /** Where the process's log lines go; kept in memory for `log()` in any case. */
  readonly onLine?: (line: string) => void;
}

export interface Firebreak {
  readonly url: string;
  /** The config file that it reads; there until it stops. */
  readonly configFile: string;
  readonly port: number;
  readonly pid: number;
  readonly process: ChildProcess;
  log(): string;
  /** Resolves when it is ready to store alerts. */
  ready(withinMs?: number): Promise<void>;
  /** SIGTERM, then waits. Returns the exit code. */
  stop(): Promise<number | null>;
  /** kill -9, then waits. */
  kill(): Promise<void>;
}

const launcher = fileURLToPath(new URL('../bin/firebreak.js', import.meta.url));

/**
 * A free port of 127.0.0.1, below those that outgoing connections take theirs from, so that none of them is faster. Another
 * process may take it before it is used; then the start fails with a clear error.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await Promise.race([
      once(server, 'listening').then(() => true),
      once(server, 'close').then(() => false),
    ]).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') return false;
      throw error;
    });
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** Starts `firebreak serve`. It is running, but not yet ready, when this resolves. */
export async function startFirebreak(options: FirebreakOptions): Promise<Firebreak> {
  const folder = mkdtempSync(join(tmpdir(), 'firebreak-'));
  const configFile = join(folder, 'firebreak.yml');
  writeFileSync(configFile, stringify(options.config));
  const port = options.port ?? (await freePort());
  const { PATH = '', HOME = folder } = process.env;
  const child = spawn(process.execPath, [launcher, 'serve', '--role', options.role ?? 'all'], {
    cwd: folder,
    // The channel ends it when this process is killed.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // Only what is given here: the machine's own AWS or Slack settings must not leak in.
    env: {
      PATH,
      HOME,
      FIREBREAK_CONFIG: configFile,
      FIREBREAK_DATA_DIR: options.dataDir ?? join(folder, 'data'),
      PORT: String(port),
      ...options.env,
    },
  });
  const lines: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n')) {
      if (line === '') continue;
      lines.push(line);
      if (lines.length > 5_000) lines.shift();
      options.onLine?.(line);
    }
  });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const url = `http://127.0.0.1:${port}`;

  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const [code] = await ended;
    return code;
  }

  return {
    url,
    configFile,
    port,
    pid: child.pid ?? 0,
    process: child,
    log: () => lines.join('\n'),
    async ready(withinMs = 100_000) {
      const until = Date.now() + withinMs;
      while (Date.now() < until) {
        const how = child.exitCode ?? child.signalCode;
        if (how !== null) throw new Error(`Firebreak ended with ${how}:\n${lines.slice(-20).join('\n')}`);
        if (lines.some((line) => line.includes('"firebreak is ready"'))) return;
        await sleep(20);
      }
      throw new Error(`Firebreak was not ready within ${withinMs} ms:\n${lines.slice(-20).join('\n')}`);
    },
    async stop() {
      const code = await end('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
    async kill() {
      await end('SIGKILL');
      // Where the data lies elsewhere, nothing in the folder is needed again.
      if (options.dataDir !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
