/**
 * The intrusions of the generated data set, call by call, and what a closed pivot must find. Written down by hand from the plan:
 * nothing here uses the engine. All addresses are documentation ranges, which the noise never uses, but for the hub.
 */

export interface PlannedCall {
  readonly at: string;
  readonly account: string;
  readonly region: string;
  readonly identity: Readonly<Record<string, unknown>>;
  readonly ip: string;
  readonly service: string;
  readonly name: string;
  readonly readOnly: boolean;
  readonly request?: Readonly<Record<string, unknown>>;
  readonly response?: Readonly<Record<string, unknown>>;
}

export interface Expected {
  readonly name: string;
  /** Where the pivot starts. */
  readonly seed: string;
  readonly principals: readonly string[];
  /** Addresses that must be followed. */
  readonly addresses: readonly string[];
  /** Addresses that must be shown and not followed. */
  readonly hubs: readonly string[];
  readonly instances: readonly string[];
}

/** Used by hundreds in the noise. */
const hub = '192.0.2.10';

export function intrusions(): { readonly planned: readonly PlannedCall[]; readonly expected: readonly Expected[] } {
  const chains = [0, 1, 2].map(chain);
  return { planned: chains.flatMap((one) => one.planned), expected: chains.map((one) => one.expected) };
}

/**
 * A stolen key (A) makes a second user (B), who assumes a role in another account (C), which launches instances; the session of
 * one of them (D) goes on from an address that E shares.
 */
function chain(n: number): { planned: PlannedCall[]; expected: Expected } {
  const [home, away] = [`31000000000${n}`, `32000000000${n}`];
  const net = ['198.51.100', '203.0.113', '198.18.7'][n] ?? '198.18.9';
  const ips = [1, 2, 3, 4, 5, 6].map((i) => `${net}.${i * 10 + n}`);
  const ip = (i: number) => ips[i] ?? '';
  const instances = [1, 2, 3].map((i) => `i-0bad${n}${i}00000000${n}${i}a`);
  const [first = '', second = '', third = ''] = instances;
  const day = `2026-11-0${n + 2}`;
  const a = user(home, `victim-${n}`, `AKIAVICTIM${n}AAAAAAAAA`);
  const b = user(home, `backdoor-${n}`, `AKIABACKDO${n}BBBBBBBBB`);
  const c = session(away, `deploy-${n}`, `pwn-${n}`, `ASIADEPLOY${n}CCCCCCCCC`);
  const d = session(away, `worker-${n}`, first, `ASIAWORKER${n}DDDDDDDDD`);
  const e = user(away, `accomplice-${n}`, `AKIAACCOMP${n}EEEEEEEEE`);
  const planned: PlannedCall[] = [];
  let minute = 0;
  const call = (who: Who, from: string, service: string, name: string, more: Partial<PlannedCall> = {}): void => {
    minute += 1;
    const at = `${day}T${String(10 + Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}:00Z`;
    const base = { at, account: who.account, region: 'us-east-1', identity: who.identity, ip: from };
    planned.push({ ...base, service, name, readOnly: true, ...more });
  };
  for (const from of [ip(0), ip(1), hub]) {
    for (let i = 0; i < 12; i++) call(a, from, 'sts', 'GetCallerIdentity');
  }
  call(a, ip(1), 'iam', 'CreateUser', {
    readOnly: false,
    request: { userName: b.name },
    response: { user: { path: '/', userName: b.name, arn: b.arn, userId: `AIDABACK${n}` } },
  });
  call(a, ip(1), 'iam', 'CreateAccessKey', {
    readOnly: false,
    request: { userName: b.name },
    response: { accessKey: { accessKeyId: b.key, status: 'Active', userName: b.name } },
  });
  for (let i = 0; i < 110; i++) call(b, ip(2), 'iam', 'ListUsers');
  call(b, ip(2), 'sts', 'AssumeRole', {
    request: { roleArn: c.role ?? '', roleSessionName: `pwn-${n}` },
    response: {
      credentials: { accessKeyId: c.key, sessionToken: `IQoJb3JpZ2luX2Vj${'x'.repeat(200)}`, expiration: 'later' },
      assumedRoleUser: { assumedRoleId: `AROADEPLOY${n}:pwn-${n}`, arn: c.arn },
    },
  });
  for (let i = 0; i < 110; i++) call(c, ip(3), 'ec2', 'DescribeInstances');
  call(c, ip(3), 'ec2', 'RunInstances', {
    readOnly: false,
    request: { instancesSet: { items: [{ imageId: 'ami-0123456789abcdef0', minCount: 3, maxCount: 3 }] } },
    response: { instancesSet: { items: [first, second, third].map((instanceId) => ({ instanceId })) } },
  });
  for (let i = 0; i < 70; i++) {
    const request = { instancesSet: { items: [{ instanceId: second }] } };
    call(c, ip(3), 'ec2', 'DescribeInstanceStatus', { request });
  }
  for (let i = 0; i < 12; i++) call(d, ip(4), 's3', 'ListBuckets');
  for (let i = 0; i < 12; i++) call(d, ip(5), 's3', 'ListBuckets');
  for (let i = 0; i < 12; i++) call(e, ip(5), 'iam', 'ListRoles');
  const principals = [a, b, c, d, e].map((who) => who.arn);
  const expected = { name: `chain ${n}`, seed: a.arn, principals, addresses: ips, hubs: [hub], instances };
  return { planned, expected };
}

interface Who {
  readonly account: string;
  readonly name: string;
  readonly arn: string;
  readonly key: string;
  readonly role?: string;
  readonly identity: Readonly<Record<string, unknown>>;
}

function user(account: string, name: string, key: string): Who {
  const arn = `arn:aws:iam::${account}:user/${name}`;
  const principalId = `AIDA${name.toUpperCase().replace(/\W/g, '')}`;
  const identity = { type: 'IAMUser', principalId, arn, accountId: account, accessKeyId: key, userName: name };
  return { account, name, arn, key, identity };
}

function session(account: string, role: string, name: string, key: string): Who {
  const arn = `arn:aws:sts::${account}:assumed-role/${role}/${name}`;
  const roleArn = `arn:aws:iam::${account}:role/${role}`;
  const id = `AROA${role.toUpperCase().replace(/\W/g, '')}`;
  const identity = {
    type: 'AssumedRole',
    principalId: `${id}:${name}`,
    arn,
    accountId: account,
    accessKeyId: key,
    sessionContext: {
      sessionIssuer: { type: 'Role', principalId: id, arn: roleArn, accountId: account, userName: role },
      attributes: { creationDate: '2026-11-01T00:00:00Z', mfaAuthenticated: 'false' },
    },
  };
  return { account, name, arn, key, role: roleArn, identity };
}
