/** Records and folders for the tests of evidence. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Log } from '../../../src/contracts/log.ts';

export const quiet: Log = { debug() {}, info() {}, warn() {}, error() {} };

export interface SampleOptions {
  readonly id?: string;
  readonly at?: string;
  readonly name?: string;
  readonly user?: string;
  readonly ip?: string;
  readonly region?: string;
  readonly account?: string;
  readonly key?: string;
  readonly extra?: Readonly<Record<string, unknown>>;
}

let made = 0;

/** A record of an IAM user as CloudTrail writes it. */
export function sample(options: SampleOptions = {}): Record<string, unknown> {
  made += 1;
  const account = options.account ?? '111122223333';
  const user = options.user ?? 'alice';
  return {
    eventVersion: '1.11',
    userIdentity: {
      type: 'IAMUser',
      principalId: 'AIDACKCEVSQ6C2EXAMPLE',
      arn: `arn:aws:iam::${account}:user/${user}`,
      accountId: account,
      accessKeyId: options.key ?? 'AKIAIOSFODNN7EXAMPLE',
      userName: user,
    },
    eventTime: options.at ?? '2026-11-20T12:00:00Z',
    eventSource: 'ec2.amazonaws.com',
    eventName: options.name ?? 'DescribeInstances',
    awsRegion: options.region ?? 'eu-west-1',
    sourceIPAddress: options.ip ?? '198.51.100.7',
    userAgent: 'aws-cli/2.15.0',
    requestParameters: { instancesSet: { items: [{ instanceId: 'i-0123456789abcdef0' }] } },
    responseElements: null,
    eventID: options.id ?? `00000000-0000-4000-8000-${String(made).padStart(12, '0')}`,
    readOnly: true,
    eventType: 'AwsApiCall',
    recipientAccountId: account,
    ...options.extra,
  };
}

/** A record of a role session. */
export function sessionSample(session: string, options: SampleOptions = {}): Record<string, unknown> {
  const account = options.account ?? '111122223333';
  return sample({
    ...options,
    extra: {
      userIdentity: {
        type: 'AssumedRole',
        principalId: `AROAQNZGKIQY56JQ7WMLA:${session}`,
        arn: `arn:aws:sts::${account}:assumed-role/ops/${session}`,
        accountId: account,
        accessKeyId: 'ASIAQNZGKIQY56JQ7WML',
        sessionContext: {
          sessionIssuer: {
            type: 'Role',
            principalId: 'AROAQNZGKIQY56JQ7WMLA',
            arn: `arn:aws:iam::${account}:role/team/ops`,
            accountId: account,
            userName: 'ops',
          },
        },
      },
      ...options.extra,
    },
  });
}

/** A folder that is gone after the test. */
export async function folderOf(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'evidence-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), content);
  }
  return dir;
}

/** A zip archive of stored or deflated entries, written by hand: no library here writes zip. */
export function zipOf(
  entries: Readonly<Record<string, Buffer>>,
  deflate?: (content: Buffer) => Buffer,
  crc32?: (content: Buffer) => number,
): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(entries)) {
    const data = deflate ? deflate(content) : content;
    const nameBytes = Buffer.from(name);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(deflate ? 8 : 0, 4);
    fields.writeUInt32LE(crc32?.(content) ?? 0, 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(content.length, 18);
    fields.writeUInt16LE(nameBytes.length, 22);
    const head = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, nameBytes]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, tail, nameBytes]));
    local.push(head, data);
    offset += head.length + data.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(central.length, 8);
  end.writeUInt16LE(central.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, directory, end]);
}
