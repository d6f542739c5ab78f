import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Row } from '../../../../src/evidence/lake/columns.ts';
import { answerTo, type GroupPlace } from '../../../../src/evidence/lake/group-reader.ts';
import { GroupThreads } from '../../../../src/evidence/lake/group-threads.ts';
import { lakeFolder, readPages } from '../../../../src/evidence/lake/pages.ts';
import { placesIn } from '../../../../src/evidence/lake/places.ts';
import { usableShards } from '../../../../src/evidence/lake/shards.ts';
import { folderOf, sample } from '../samples.ts';
import { importFolder, tempDir } from './lakes.ts';

/** Row groups of a lake with records of alice and bob in each. */
async function places(): Promise<readonly GroupPlace[]> {
  const records = Array.from({ length: 9000 }, (_, i) =>
    sample({ user: i % 3 === 0 ? 'alice' : `person-${i}`, id: `event-${i}`, ip: `198.51.100.${i % 250}` }),
  );
  const dataDir = await tempDir();
  await importFolder(await folderOf({ 'a.json.gz': gzipSync(JSON.stringify({ Records: records })) }), dataDir);
  const folder = lakeFolder(dataDir);
  const { shards } = await usableShards(folder, (await readPages(folder)).shards, {});
  const found = shards.flatMap((shard) => placesIn(shard));
  expect(found.length).toBeGreaterThan(3);
  // Each several times over, so that there are enough questions for all threads.
  return Array.from({ length: 6 }, () => found).flat();
}

const question = {
  anyOf: [{ columns: ['userIdentity'], needle: { text: 'alice', isWhole: false, isCaseBlind: true } }],
  limits: { window: {} },
  checksAll: true,
};

function started(): GroupThreads {
  const threads = new GroupThreads();
  onTestFinished(() => threads.close());
  return threads;
}

async function asked(threads: GroupThreads, from: readonly GroupPlace[], signal = new AbortController().signal) {
  const rows: Row[] = [];
  const damaged: string[] = [];
  const onDamage = (reason: string) => damaged.push(reason);
  for await (const some of threads.rowsIn(from, { ...question, signal, onDamage })) rows.push(...some);
  return { rows, damaged };
}

describe('row groups are read in threads', () => {
  it('as they are read here, in the order of the places, from the second question on', async () => {
    const all = await places();
    const here = answerTo({ places: all, ...question });
    expect(here.rows).toHaveLength(3000 * 6);
    const threads = started();
    expect(await asked(threads, all)).toEqual(here);
    expect(threads.ready).toBe(0);
    expect(await asked(threads, all)).toEqual(here);
    await expect.poll(() => threads.ready).toBeGreaterThan(0);
    expect(await asked(threads, all)).toEqual(here);
    const gone = { ...(all[0] as GroupPlace), path: `${all[0]?.path}.gone` };
    const { damaged, rows } = await asked(threads, [gone, ...all]);
    expect(damaged).toEqual([`${gone.path}: could not be read (ENOENT)`]);
    expect(rows).toEqual(here.rows);
  });

  it('by new ones where they have died', async () => {
    const all = await places();
    const here = answerTo({ places: all, ...question });
    const threads = started();
    await asked(threads, all);
    await asked(threads, all);
    await expect.poll(() => threads.ready).toBeGreaterThan(0);
    await threads.close();
    expect(await asked(threads, all)).toEqual(here);
    await expect.poll(() => threads.ready).toBeGreaterThan(0);
    expect(await asked(threads, all)).toEqual(here);
  });

  it('until the question is given up, and a row group of another kind is an error there too', async () => {
    const all = await places();
    const threads = started();
    await asked(threads, all);
    await asked(threads, all);
    await expect.poll(() => threads.ready).toBeGreaterThan(0);
    const stop = new AbortController();
    const answer = asked(threads, all, stop.signal);
    stop.abort(new Error('given up'));
    await expect(answer).rejects.toThrow('given up');
    const odd = { ...(all[0] as GroupPlace), columns: ['one'] };
    await expect(asked(threads, [odd])).rejects.toThrow('the columns of a row group are not described');
    expect(await asked(threads, all)).toEqual(answerTo({ places: all, ...question }));
  });
});
