/** The crypto-mining story as pictures: user `pipeline`, its key, ten instances, an address shared with a DevOps session. */
import type { GraphPicture, TimelinePicture } from '../../../src/contracts/investigation.ts';

const user = 'arn:aws:iam::111122223333:user/pipeline';
const session = 'arn:aws:sts::111122223333:assumed-role/DevOps/MaryMajor';
const role = 'arn:aws:iam::111122223333:role/DevOps';
const key = 'AKIAIOSFODNN7EXAMPLE';
const address = '203.0.113.99';
const busyAddress = '198.51.100.7';
const group = 'sg-0a1b2c3d4e5f60718';
const instances = Array.from({ length: 10 }, (_, i) => `i-0f1a2b3c4d5e607${(i + 1).toString(16).padStart(2, '0')}`);

export const miningGraph: GraphPicture = {
  nodes: [
    { id: user, kind: 'user', label: 'pipeline', detail: 'account 111122223333, 64 events', mark: 'seed' },
    { id: key, kind: 'accessKey', label: key, detail: 'Active, created 2026-03-02', mark: 'alive' },
    { id: address, kind: 'ip', label: address, detail: 'NL, AS64500 Example Hosting' },
    { id: session, kind: 'session', label: 'DevOps/MaryMajor', detail: '31 events' },
    { id: role, kind: 'role', label: 'DevOps', detail: 'account 111122223333' },
    ...instances.map((id, index) =>
      index < 8
        ? ({ id, kind: 'resource', label: id, detail: 'p3.16xlarge', mark: 'alive' } as const)
        : { id, kind: 'resource', label: id, detail: 'p3.16xlarge' },
    ),
    { id: group, kind: 'resource', label: group, detail: 'launch-wizard-7, open to 0.0.0.0/0', mark: 'alive' },
    { id: busyAddress, kind: 'ip', label: busyAddress, detail: 'shared by 41 principals', mark: 'not-followed' },
    { id: 'key-pair', kind: 'resource', label: 'miner-keys', detail: 'EC2 key pair' },
  ],
  edges: [
    { from: user, to: key, label: 'used key ×64' },
    { from: key, to: address, label: 'from ×52' },
    { from: user, to: address, label: 'from ×52' },
    { from: session, to: address, label: 'from ×31' },
    { from: session, to: busyAddress, label: 'from ×12' },
    { from: role, to: session, label: 'same as' },
    ...instances.map((id) => ({ from: user, to: id, label: 'created ×1' })),
    { from: user, to: group, label: 'created ×1' },
    { from: user, to: group, label: 'changed ×2' },
    { from: user, to: 'key-pair', label: 'created ×1' },
  ],
  footnote: 'Coverage: account 111122223333, 17 Regions, 2026-11-20 10:00 to 13:00 UTC, CloudTrail, complete.',
};

function at(hour: number, minute: number, second = 0): string {
  return new Date(Date.UTC(2026, 10, 20, hour, minute, second)).toISOString();
}

function calls(count: number, first: Date, everySeconds: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => new Date(first.getTime() + i * everySeconds * 1000).toISOString());
}

export const miningTimeline: TimelinePicture = {
  lanes: [
    { id: user, label: 'user pipeline' },
    { id: session, label: 'DevOps/MaryMajor' },
  ],
  events: [
    ...calls(14, new Date(at(10, 5)), 61).map((time) => ({
      at: time,
      lane: user,
      label: 'DescribeInstances',
      tactic: 'Discovery',
      failed: false,
    })),
    ...calls(6, new Date(at(10, 9)), 3).map((time) => ({
      at: time,
      lane: user,
      label: 'ListUsers',
      tactic: 'discovery',
      failed: true,
    })),
    { at: at(10, 31), lane: user, label: 'CreateKeyPair', tactic: 'TA0003', failed: false },
    ...calls(4, new Date(at(10, 40)), 9).map((time) => ({
      at: time,
      lane: user,
      label: 'RunInstances',
      tactic: 'Execution',
      failed: true,
    })),
    ...calls(10, new Date(at(10, 44)), 65).map((time) => ({
      at: time,
      lane: user,
      label: 'RunInstances',
      tactic: 'Impact',
      failed: false,
    })),
    { at: at(11, 31), lane: session, label: 'ConsoleLogin', tactic: 'Initial Access', failed: false },
    { at: at(12, 1), lane: session, label: 'GetConsoleOutput', failed: false },
    { at: at(12, 58), lane: session, label: 'CreateUser', tactic: 'Persistence', failed: true },
  ],
  from: at(10, 0),
  to: at(13, 0),
  footnote: 'Coverage: account 111122223333, 17 Regions, CloudTrail, complete.',
};

/** Names as an attacker might choose them, and as the world writes them. */
export const oddNames: readonly string[] = [
  '',
  ' ',
  '\u0000\u0007\u001b[31mred\u001b[0m',
  '<script>alert(1)</script>',
  '"quoted" \\ back\\slashes \\N \\l & &amp; ]]>',
  '<<TABLE><TR><TD>x</TD></TR></TABLE>>',
  'n0; n1 -> n2 [label="x"]; }',
  '\u202egnp.exe\u202c \u2066x\u2069 zero\u200bwidth',
  '攻撃者のユーザー',
  'משתמש زائر',
  '🦊🔥👩‍👩‍👧 fire',
  'Ångström Łódź Żółć Ελλάδα Привет Tiếng Việt',
  'x'.repeat(300),
  'a-b/c:d@e.f_'.repeat(25),
  'line one\nline two\r\n\tline three',
  '\ud800 lone surrogate',
  '__proto__',
  'constructor',
];
