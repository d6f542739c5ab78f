import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const root = join(import.meta.dirname, '..', '..');
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
const instructions = dockerfile
  .replaceAll(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line.trim() !== '' && !line.startsWith('#'));

function argumentsOf(name: string): readonly string[] {
  return instructions.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1).trim());
}

/** Files or folders of the build context that the image gets. */
const copied = argumentsOf('COPY')
  .filter((line) => !line.startsWith('--from'))
  .flatMap((line) => line.split(/\s+/).slice(0, -1));

const Service = z.object({
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  env_file: z.array(z.string()).optional(),
  ports: z.array(z.string()).optional(),
  restart: z.string(),
  healthcheck: z.union([z.object({ test: z.array(z.string()) }), z.object({ disable: z.literal(true) })]).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
  networks: z.array(z.string()),
});
const Compose = z.object({
  services: z.record(z.string(), Service),
  networks: z.record(z.string(), z.object({ internal: z.boolean() }).nullable()),
});
const compose = Compose.parse(parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }));
const roles = ['web', 'worker', 'executor'];
const workDir = mkdtempSync(join(tmpdir(), 'firebreak-deploy-'));
/** Debian's package docker-compose; not one of ours, so it may be missing. */
const composeProgram = 'docker-compose';
const composeVersion = spawnSync(composeProgram, ['--version'], { encoding: 'utf8' });

afterAll(() => rmSync(workDir, { recursive: true, force: true }));

function serviceOf(name: string): z.output<typeof Service> {
  const service = compose.services[name];
  if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return service;
}

/** The names of the variables in a service's example files and its `environment`. */
function variablesOf(name: string): readonly string[] {
  const service = serviceOf(name);
  const files = (service.env_file ?? []).map((file) => readFileSync(join(root, `${file}.example`), 'utf8'));
  const inFiles = files.flatMap((text) => [...text.matchAll(/^([A-Z_]+)=/gm)].map((match) => match[1] ?? ''));
  return [...inFiles, ...Object.keys(service.environment ?? {})];
}

describe('the Dockerfile', () => {
  it('has nothing that dockerfilelint objects to', () => {
    const lint = spawnSync('dockerfilelint', ['-o', 'json', join(root, 'Dockerfile')], {
      encoding: 'utf8',
      env: { PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` },
    });

    const report = z.object({ totalIssues: z.number(), files: z.array(z.unknown()) }).parse(JSON.parse(lint.stdout));
    expect(report.totalIssues, JSON.stringify(report.files)).toBe(0);
  });

  it('copies what is there, and every part of the product', () => {
    const product = ['bin', 'src', 'commands', 'workflows', 'detections', 'playbooks'].filter(
      (folder) => existsSync(join(root, folder)) && readdirSync(join(root, folder)).length > 0,
    );

    expect(copied).toEqual(expect.arrayContaining([...product, 'package.json', 'package-lock.json']));
    expect(copied.filter((path) => path !== 'LICENSE' && !existsSync(join(root, path)))).toEqual([]);
  });

  it('lets into the build only what it copies', () => {
    const admitted = readFileSync(join(root, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));

    expect(admitted).toEqual(expect.arrayContaining([...copied]));
    expect(admitted.filter((path) => !copied.includes(path))).toEqual(['playbooks']);
  });

  it('runs as an ordinary user, on Node 24, and starts the launcher', () => {
    expect(argumentsOf('USER')).toEqual(['node']);
    expect(argumentsOf('FROM').every((image) => image.startsWith('node:24-slim'))).toBe(true);
    expect(argumentsOf('ENTRYPOINT')).toEqual(['["node", "bin/firebreak.js"]']);
    expect(argumentsOf('CMD')).toEqual(['["serve"]']);
    expect(existsSync(join(root, 'bin/firebreak.js'))).toBe(true);
  });

  it('has a health check that succeeds when /healthz answers 200 and fails otherwise', async () => {
    const check = argumentsOf('HEALTHCHECK')[0]?.replace(/^.*?CMD /, '') ?? '';
    const [program = '', ...words] = z.array(z.string()).parse(JSON.parse(check));
    let status = 200;
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const run = (): Promise<number | null> =>
      new Promise((resolve) => {
        const child: ChildProcess = spawn(program === 'node' ? process.execPath : program, words, {
          env: { PORT: String(port) },
        });
        child.on('exit', resolve);
      });

    const healthy = await run();
    status = 503;
    const unhealthy = await run();
    await new Promise((resolve) => server.close(resolve));
    const gone = await run();

    expect([healthy, unhealthy, gone]).toEqual([0, 1, 1]);
    expect(asked).toEqual(['/healthz', '/healthz']);
  });
});

describe('docker-compose.yml', () => {
  it('has the three roles, Redis and PostgreSQL, all restarted when they die', () => {
    expect(Object.keys(compose.services).toSorted()).toEqual([
      ...['executor', 'migrate', 'postgres', 'redis', 'web', 'worker'],
    ]);
    for (const [name, service] of Object.entries(compose.services))
      expect(service.restart).toBe(name === 'migrate' ? 'no' : 'unless-stopped');
  });

  it('starts the roles once the stores are healthy', () => {
    for (const role of roles) {
      expect(serviceOf(role).depends_on).toEqual({
        migrate: { condition: 'service_completed_successfully' },
        postgres: { condition: 'service_healthy' },
        redis: { condition: 'service_healthy' },
      });
    }
    for (const name of ['postgres', 'redis']) expect(serviceOf(name).healthcheck).toHaveProperty('test');
  });

  it('opens a port on web alone, on this machine alone, and keeps the stores off the outside network', () => {
    expect(Object.keys(compose.services).filter((name) => serviceOf(name).ports !== undefined)).toEqual(['web']);
    expect(serviceOf('web').ports).toEqual([expect.stringMatching(/:-127\.0\.0\.1\}:3000:3000$/)]);
    expect(compose.networks.stores).toEqual({ internal: true });
    for (const name of ['postgres', 'redis']) expect(serviceOf(name).networks).toEqual(['stores']);
  });

  it('gives no Slack secret to the executor and the writing AWS identity to nobody else', () => {
    expect(variablesOf('executor').filter((name) => name.startsWith('SLACK_'))).toEqual([]);
    expect(variablesOf('executor')).toEqual(expect.arrayContaining(['AWS_ACCESS_KEY_ID', 'DATABASE_URL', 'REDIS_URL']));
    for (const role of ['web', 'worker']) {
      expect(variablesOf(role)).toContain('SLACK_BOT_TOKEN');
      expect(serviceOf(role).env_file).not.toContain('deploy/env/executor-aws.env');
    }
  });

  it('gives each process its own role of the database, and the owner to the migration alone', () => {
    const roleOf = (name: string) =>
      (serviceOf(name).env_file ?? [])
        .map((file) => /postgres:\/\/(\w+):/.exec(readFileSync(join(root, `${file}.example`), 'utf8'))?.[1])
        .find((found) => found !== undefined);

    expect(Object.fromEntries([...roles, 'migrate'].map((name) => [name, roleOf(name)]))).toEqual({
      web: 'firebreak_app',
      worker: 'firebreak_app',
      executor: 'firebreak_executor',
      migrate: 'firebreak',
    });
  });

  it('gives variables that Firebreak, its stores or the AWS SDK know', () => {
    const config = readFileSync(join(root, 'src/config.ts'), 'utf8');
    const known = (name: string): boolean => config.includes(name) || /^(AWS|POSTGRES)_/.test(name);

    expect(
      Object.keys(compose.services)
        .flatMap(variablesOf)
        .filter((name) => !known(name)),
    ).toEqual([]);
  });

  it.each(roles)('runs a command that the launcher understands: %s', async (role) => {
    const command = serviceOf(role).command ?? [];
    expect(command).toEqual(['serve', '--role', role]);

    // A setting that every role must refuse: the process ends by itself, with its problems listed.
    const env = { PATH: process.env.PATH, DATABASE_URL: 'no address', FIREBREAK_DATA_DIR: workDir };
    const run = promisify(execFile)(process.execPath, [join(root, 'bin/firebreak.js'), ...command], {
      cwd: workDir,
      env,
    });

    await expect(run).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('DATABASE_URL') });
    await expect(run).rejects.not.toMatchObject({ stderr: expect.stringContaining('--role') });
  });

  it.skipIf(composeVersion.error !== undefined)(
    'is understood by docker-compose (skipped where Debian package docker-compose is not installed)',
    () => {
      cpSync(join(root, 'docker-compose.yml'), join(workDir, 'docker-compose.yml'));
      cpSync(join(root, 'deploy/env'), join(workDir, 'deploy/env'), { recursive: true });
      for (const file of readdirSync(join(workDir, 'deploy/env')).filter((name) => name.endsWith('.example'))) {
        cpSync(join(workDir, 'deploy/env', file), join(workDir, 'deploy/env', file.replace('.example', '')));
      }
      writeFileSync(join(workDir, 'firebreak.yml'), '');

      const config = spawnSync(composeProgram, ['config'], { cwd: workDir, encoding: 'utf8' });

      expect(config.stderr).toBe('');
      expect(config.status).toBe(0);
      const resolved = z.object({ services: z.record(z.string(), z.unknown()) }).parse(parse(config.stdout));
      expect(Object.keys(resolved.services)).toHaveLength(6);
    },
  );
});
