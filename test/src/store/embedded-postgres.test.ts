import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SetupError } from '../../../src/contracts/errors.ts';
import { openEmbeddedPostgres } from '../../../src/store/embedded-postgres.ts';
import { discardServer, runSql, silentLog, temporaryFolder, until } from '../../support/databases.ts';

interface Opened {
  readonly connectionString?: string;
  readonly owner?: boolean;
  readonly problems?: readonly string[];
}

const isRoot = process.getuid?.() === 0;
/** Owns nothing on a usual machine. */
const ordinary = { uid: 65_534, gid: 65_534 };

let folder: string;
let dataDir: string;
const children: ChildProcess[] = [];

/** A folder that was used before; tests that are not about the first start begin with a copy of it. */
const used = temporaryFolder('used');
beforeAll(async () => {
  const first = await openEmbeddedPostgres({ dataDir: used, roles: [], log: silentLog });
  await first.release();
});
afterAll(() => rmSync(used, { recursive: true, force: true }));

function useBefore(): void {
  cpSync(used, dataDir, { recursive: true });
}

beforeEach(() => {
  folder = temporaryFolder('embedded');
  dataDir = join(folder, 'data');
});
afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  discardServer(dataDir);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

function startProcess(roles: string, ids: { uid?: number; gid?: number } = {}): ChildProcess {
  const child = fork(new URL('embedded-process.ts', import.meta.url), [dataDir, roles], { cwd: '/', ...ids });
  children.push(child);
  return child;
}

async function openIn(child: ChildProcess): Promise<Opened> {
  const [answer] = (await once(child, 'message')) as [Opened];
  return answer;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function leave(child: ChildProcess): Promise<void> {
  child.send('release');
  await once(child, 'exit');
}

const open = (roles: readonly ('web' | 'worker' | 'executor')[] = []) =>
  openEmbeddedPostgres({ dataDir, roles, log: silentLog });
const serverPid = (): number => Number.parseInt(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8'), 10);
const isRunning = (): boolean => readdirSync(join(dataDir, 'postgres')).includes('postmaster.pid');
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
const putRow = (connectionString: string) =>
  runSql(connectionString, 'create table if not exists kept (n int); insert into kept values (1)');
const rowsIn = async (connectionString: string): Promise<number> =>
  (await runSql(connectionString, 'select count(*)::int as n from kept'))[0]?.n;

describe('the embedded PostgreSQL', () => {
  it('makes a private, durable database, and keeps it over restarts', async () => {
    const first = await open(['web', 'worker', 'executor']);
    await putRow(first.connectionString);
    const [settings] = await runSql(
      first.connectionString,
      `select current_setting('fsync') as fsync, current_setting('full_page_writes') as pages,
         current_setting('listen_addresses') as addresses, current_setting('unix_socket_directories') as sockets`,
    );
    expect(first.owner).toBe(true);
    expect(settings).toEqual({ fsync: 'on', pages: 'on', addresses: '127.0.0.1', sockets: '' });
    expect([modeOf(dataDir), modeOf(join(dataDir, 'postgres.password'))]).toEqual(['700', '600']);
    expect(JSON.parse(readFileSync(join(dataDir, 'firebreak.json'), 'utf8'))).toEqual({
      dataVersion: 1,
      postgresMajor: 18,
    });
    await expect(runSql(first.connectionString.replace(/:[^:@]+@/, ':guess@'), 'select 1')).rejects.toThrow('password');
    await first.release();
    await first.release();
    expect(isRunning()).toBe(false);

    const tookMs: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const from = performance.now();
      const again = await open(['web']);
      tookMs.push(performance.now() - from);
      expect(await rowsIn(again.connectionString)).toBe(1);
      await again.release();
    }
    // The quickest of three: the machine may be busy with other tests.
    expect(Math.min(...tookMs)).toBeLessThan(700);
  });

  it('is shared by the processes of one folder and stopped by the last one out', async () => {
    useBefore();
    const web = startProcess('web');
    const first = await openIn(web);
    const worker = startProcess('worker,executor');
    const second = await openIn(worker);
    expect([first.owner, second.owner]).toEqual([true, false]);
    expect(second.connectionString).toBe(first.connectionString);

    await leave(web);
    expect(await runSql(second.connectionString ?? '', 'select 1 as n')).toEqual([{ n: 1 }]);
    await leave(worker);

    expect(isRunning()).toBe(false);
  });

  it('refuses a second process of the same role, names the first, and leaves it alone', async () => {
    useBefore();
    const web = startProcess('web,worker');
    const { connectionString = '' } = await openIn(web);

    const refused = await openIn(startProcess('worker,executor'));
    const executor = await openIn(startProcess('executor'));

    expect(refused.problems).toEqual([expect.stringContaining(`(pid ${web.pid}) already runs as worker`)]);
    expect(executor.owner).toBe(false);
    expect(await runSql(connectionString, 'select 1 as n')).toEqual([{ n: 1 }]);
  });

  it('starts one server when many processes start at the same moment', async () => {
    const started = ['web', 'worker', 'executor', '', ''].map((role) => startProcess(role));

    const answers = await Promise.all(started.map(openIn));

    expect(answers.filter(({ owner }) => owner)).toHaveLength(1);
    expect(new Set(answers.map(({ connectionString }) => connectionString)).size).toBe(1);
    await Promise.all(started.map(leave));
    expect(isRunning()).toBe(false);
  });

  it('adopts the server of a killed process, and its role is free again', async () => {
    useBefore();
    const web = startProcess('web');
    const { connectionString = '' } = await openIn(web);
    await putRow(connectionString);
    const pid = serverPid();
    await kill(web);
    expect(isRunning()).toBe(true);

    const from = performance.now();
    const next = await open(['web']);

    expect(performance.now() - from).toBeLessThan(1_500);
    expect(serverPid()).toBe(pid);
    expect(next).toMatchObject({ owner: false, connectionString });
    expect(await rowsIn(next.connectionString)).toBe(1);
    await next.release();
    expect(isRunning()).toBe(false);
  });

  it('starts cleanly when the server was killed too and its id belongs to somebody else now', async () => {
    useBefore();
    const web = startProcess('web');
    const { connectionString = '' } = await openIn(web);
    await putRow(connectionString);
    const pid = serverPid();
    await kill(web);
    process.kill(pid, 'SIGKILL');
    const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
    writeFileSync(pidFile, readFileSync(pidFile, 'utf8').replace(/^\d+/, String(process.pid)));

    const next = await open(['web']);

    expect(next.owner).toBe(true);
    expect(await rowsIn(next.connectionString)).toBe(1);
    await next.release();
  });

  it('stops a left-over server that does not answer, and starts another', async () => {
    useBefore();
    const web = startProcess('web');
    const { connectionString = '' } = await openIn(web);
    await putRow(connectionString);
    await kill(web);
    process.kill(serverPid(), 'SIGSTOP');

    const next = await open(['web']);

    expect(next.owner).toBe(true);
    expect(await rowsIn(next.connectionString)).toBe(1);
    await next.release();
  });

  it('comes back on the same port, with its roles, when the server is killed under it', async () => {
    useBefore();
    const held = await open(['web']);
    await putRow(held.connectionString);

    process.kill(serverPid(), 'SIGKILL');
    await until('the server answers again', () =>
      rowsIn(held.connectionString).then(
        (n) => n === 1,
        () => false,
      ),
    );
    await until('the role is taken again', async () => {
      const [lock] = await runSql(
        held.connectionString,
        `select count(*)::int as n from pg_locks where locktype = 'advisory' and objid = 1 and objsubid = 2`,
      );
      return lock?.n === 1;
    });

    expect((await openIn(startProcess('web'))).problems).toHaveLength(1);
    await held.release();
    expect(isRunning()).toBe(false);
  });

  it('lets two processes leave at the same moment', async () => {
    useBefore();
    for (let round = 0; round < 3; round += 1) {
      const [web, worker] = [startProcess('web'), startProcess('worker')];
      await Promise.all([openIn(web), openIn(worker)]);

      await Promise.all([leave(web), leave(worker)]);

      expect(isRunning()).toBe(false);
    }
  });

  it('starts cleanly after a process was killed at any moment of its start or its end', async () => {
    for (const afterMs of [200, 350, 500, 700, 900, 1_200]) {
      const child = startProcess('web');
      await Promise.race([
        new Promise((resolve) => setTimeout(resolve, afterMs)),
        openIn(child).then(() => child.send('release')),
      ]);
      await kill(child);
      const next = await open(['web']);
      await putRow(next.connectionString);
      await next.release();
    }
    const last = await open();
    expect(await rowsIn(last.connectionString)).toBe(6);
    expect(readdirSync(dataDir).filter((name) => name.startsWith('postgres.new-'))).toEqual([]);
    await last.release();
  }, 60_000);

  it('takes over the lock of a process that was killed with it', async () => {
    mkdirSync(join(dataDir, 'postgres.lock'), { recursive: true });
    utimesSync(join(dataDir, 'postgres.lock'), new Date(0), new Date(0));

    const held = await open();

    await held.release();
  });

  it.each([
    ['firebreak.json', '{"dataVersion":2,"postgresMajor":18}', 'made by a newer version'],
    ['firebreak.json', '{"dataVersion":1,"postgresMajor":19}', 'made by a newer version'],
    ['postgres/PG_VERSION', '19\n', 'made by a newer version'],
    ['postgres/PG_VERSION', '17\n', 'PostgreSQL 17'],
    ['firebreak.json', '{', 'does not say which version'],
  ])('leaves a folder alone whose %s is %s', async (name, text, says) => {
    mkdirSync(join(dataDir, 'postgres'), { recursive: true });
    chmodSync(dataDir, 0o755);
    writeFileSync(join(dataDir, name), text);

    const opening = open(['web']);

    await expect(opening).rejects.toThrow(SetupError);
    await expect(opening).rejects.toThrow(says);
    expect(readdirSync(dataDir, { recursive: true }).sort()).toEqual(['postgres', name].sort());
    expect(modeOf(dataDir)).toBe('755');
  });

  it('says what is wrong where the data folder cannot be made', async () => {
    writeFileSync(dataDir, 'a file');

    await expect(open()).rejects.toThrow(SetupError);
  });

  it('says what is wrong where the password of the database is gone', async () => {
    useBefore();
    rmSync(join(dataDir, 'postgres.password'));

    await expect(open()).rejects.toThrow('postgres.password is missing');
  });
});

/** Why nobody but root could run anything of this checkout; "" where others may enter it. */
const closed = foldersAbove(process.cwd()).every((path) => (statSync(path).mode & 0o001) !== 0)
  ? ''
  : 'the checkout lies in a folder that only its owner may enter';

function foldersAbove(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [path, ...foldersAbove(parent)];
}

describe.skipIf(!isRoot)(
  `the embedded PostgreSQL for other accounts${isRoot ? '' : ' (only root can test this)'}`,
  () => {
    it('runs for root in a folder that only root may enter', async () => {
      chmodSync(folder, 0o700);

      const held = await open(['web']);

      expect(await runSql(held.connectionString, 'select 1 as n')).toEqual([{ n: 1 }]);
      expect(statSync(join(dataDir, 'postgres')).uid).toBe(0);
      await held.release();
    });

    it('runs for an ordinary user, and root attaches to it', async (context) => {
      if (closed) context.skip(closed);
      chmodSync(folder, 0o700);
      chownSync(folder, ordinary.uid, ordinary.gid);

      const web = startProcess('web', ordinary);
      const theirs = await openIn(web);
      const ours = await open(['worker']);

      expect([theirs.owner, ours.owner]).toEqual([true, false]);
      expect(statSync(join(dataDir, 'postgres')).uid).toBe(ordinary.uid);
      await leave(web);
      await ours.release();
      const root = await open(['web']);
      expect(root.owner).toBe(true);
      await root.release();
      const again = startProcess('web', ordinary);
      expect((await openIn(again)).owner).toBe(true);
      await leave(again);
    });

    it('runs for root in the folder of an ordinary user that nobody else may enter', async (context) => {
      if (closed) context.skip(closed);
      chmodSync(folder, 0o700);
      chownSync(folder, ordinary.uid, ordinary.gid);

      const held = await open(['web']);

      expect(await runSql(held.connectionString, 'select 1 as n')).toEqual([{ n: 1 }]);
      await held.release();
    });

    it('says what to do where an ordinary user meets the folder of root', async (context) => {
      if (closed) context.skip(closed);
      chmodSync(folder, 0o755);
      mkdirSync(dataDir, { mode: 0o700 });

      const { problems } = await openIn(startProcess('web', ordinary));

      expect(problems).toEqual([expect.stringContaining('FIREBREAK_DATA_DIR')]);
    });
  },
);
