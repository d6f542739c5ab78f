import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { listFiles } from '../../../src/evidence/folder.ts';
import { openScanEvidence } from '../../../src/evidence/scan.ts';
import { scanWordOf } from '../../../src/evidence/scan-word.ts';
import { contents, openFolder } from './lake/lakes.ts';
import { folderOf, quiet, sample } from './samples.ts';

const address = { kind: 'ip' as const, id: '198.51.100.7' };

async function open(
  dir: string,
  more: { few?: number; maxEvents?: number; window?: { from?: string; to?: string } } = {},
) {
  const { files, unreadable } = await listFiles(dir);
  return openScanEvidence({ dir, window: {}, maxEvents: 1_000_000, log: quiet, files, unreadable, ...more });
}

describe('a scan of a large folder', () => {
  it('tells bad files, files that are no logs, caps and windows as the folder source does', async () => {
    const whole = gzipSync(JSON.stringify({ Records: Array.from({ length: 200 }, () => sample()) }));
    const dir = await folderOf({
      'a.json.gz': gzipSync(JSON.stringify({ Records: [sample(), sample({ at: '2026-11-25T00:00:00Z' })] })),
      'pretty.json': JSON.stringify({ Records: [sample()] }, undefined, 2),
      'cut.json.gz': whole.subarray(0, whole.length / 2),
      'readme.txt': 'nothing',
    });
    const [scan, folder] = [await open(dir), await openFolder(dir)];
    expect(contents(await scan.recordsOf(address))).toEqual(contents(await folder.recordsOf(address)));
    expect(scan.coverage()).toMatchObject({ complete: false, badFiles: folder.coverage().badFiles });
    expect(scan.coverage().notLookedAt).toEqual(folder.coverage().notLookedAt);

    const capped = await open(dir, { maxEvents: 1 });
    expect(await capped.recordsOf(address)).toHaveLength(1);
    expect(capped.coverage()).toMatchObject({ complete: false, sources: [{ truncated: true }] });
    const later = await open(dir, { window: { from: '2026-11-24T00:00:00Z' } });
    expect(await later.recordsOf(address)).toHaveLength(1);
  });

  it('says what a delivery tree has no logs of', async () => {
    const dir = await folderOf({
      'AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/20/a.json': JSON.stringify({ Records: [sample()] }),
    });
    const lacking = async (window: { from?: string; to?: string }) => {
      const scan = await open(dir, { window });
      await scan.recordsOf(address);
      return scan.coverage();
    };
    expect(await lacking({ from: '2026-11-20T00:00:00Z', to: '2026-11-21T00:00:00Z' })).toMatchObject({
      complete: true,
      notLookedAt: [],
    });
    expect(await lacking({ from: '2025-01-01T00:00:00Z', to: '2025-02-01T00:00:00Z' })).toMatchObject({
      complete: false,
      notLookedAt: [expect.stringContaining('the logs here are from 2026-11-20')],
    });
  });

  it('finds the same with threads, and says which files these cannot read', async () => {
    const records = (user: string) =>
      gzipSync(JSON.stringify({ Records: [sample({ user }), sample({ ip: '192.0.2.1' })] }));
    const dir = await folderOf(
      Object.fromEntries([
        ...Array.from({ length: 30 }, (_, i) => [`${i}.json.gz`, records(`user-${i}`)] as const),
        ['odd.json', JSON.stringify({ Records: [sample({ user: 'carol' })] }, undefined, 2)],
        ['cut.json.gz', records('dave').subarray(0, 60)],
      ]),
    );
    const [scan, folder] = [await open(dir, { few: 0 }), await openFolder(dir)];
    const carol = { kind: 'user' as const, id: 'arn:aws:iam::111122223333:user/CAROL' };
    for (const artifact of [address, carol, address])
      expect(contents(await scan.recordsOf(artifact))).toEqual(contents(await folder.recordsOf(artifact)));
    expect(scan.coverage().badFiles).toEqual(folder.coverage().badFiles);

    const { files } = await listFiles(dir);
    const gone = openScanEvidence({
      ...{ dir, window: {}, maxEvents: 1_000_000, log: quiet, unreadable: [], few: 0 },
      files: [...files, { absolute: `${dir}/gone.json`, path: 'gone.json', size: 10 }],
    });
    await gone.recordsOf(address);
    expect(gone.coverage().badFiles).toContainEqual({ path: 'gone.json', reason: 'could not be read (ENOENT)' });
  });

  it('finds names that are written as escapes, in any case, and twice in one file', async () => {
    const text = JSON.stringify({ Records: [sample({ user: 'alice' }), sample({ user: 'Alice', ip: '192.0.2.1' })] });
    const dir = await folderOf({
      'escaped.json.gz': gzipSync(text.replaceAll('user/alice', 'user/\\u0061lice')),
      'plain.json.gz': gzipSync(JSON.stringify({ Records: [sample({ user: 'ALICE' }), sample({ user: 'alicea' })] })),
    });
    const user = { kind: 'user' as const, id: 'arn:aws:iam::111122223333:user/alice' };
    expect(await (await open(dir)).recordsOf(user)).toHaveLength(3);
  });

  it('has no word for what is spelled in many ways', () => {
    expect(scanWordOf({ kind: 'ip', id: '2001:db8::1' })).toBeUndefined();
    expect(scanWordOf({ kind: 'account', id: '111122223333' })).toBeUndefined();
    expect(scanWordOf({ kind: 'resource', id: 'ab' })).toBeUndefined();
    expect(scanWordOf({ kind: 'root', id: 'arn:aws:iam::111122223333:root' })).toEqual({
      text: '111122223333',
      isAnyCase: false,
    });
  });
});
