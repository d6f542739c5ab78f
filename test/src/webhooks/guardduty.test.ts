import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deepestNesting } from '../../../src/webhooks/clean-json.ts';
import { parseGuardDuty } from '../../../src/webhooks/guardduty.ts';
import { instantOf } from '../../../src/webhooks/instant.ts';
import { alertFrom, finding, hasSharedData, isGuardDuty, sharedSamples } from './findings.ts';

describe('a GuardDuty finding at the door', () => {
  it('becomes an alert with who, what, where and from where', () => {
    const alert = alertFrom(finding());

    expect(alert).toMatchObject({
      source: 'guardduty',
      accountId: '111122223333',
      region: 'eu-west-1',
      partition: 'aws',
      severity: 8,
      count: 3,
      updatedAt: '2026-11-20T21:04:40.120Z',
      firstSeen: '2026-11-20T20:58:11.000Z',
      actor: { userName: 'pipeline', userType: 'IAMUser', accessKeyId: 'AKIAIOSFODNN7EXAMPLE' },
      api: { name: 'RunInstances', service: 'ec2.amazonaws.com' },
      remote: [{ ip: '198.51.100.7', country: 'Netherlands', asn: '64500', organization: 'Example Hosting' }],
      resourceRole: 'TARGET',
      sample: false,
      archived: false,
      notes: [],
    });
  });

  it('belongs to the account in its detail, not to the one in its envelope', () => {
    expect(alertFrom(finding()).accountId).toBe('111122223333');
    const withoutOwn = alertFrom(finding({ accountId: undefined, arn: undefined }));
    expect(withoutOwn.accountId).toBe('999988887777');
    expect(withoutOwn.notes.join()).toContain('no account of its own');
  });

  it('keeps its dedupe key over updates, and gets a new delivery key with each', () => {
    const first = parseGuardDuty(finding());
    const again = parseGuardDuty({ ...finding(), id: 'another-envelope' });
    const later = parseGuardDuty(finding({ updatedAt: '2026-11-20T22:00:00Z' }, { count: 9 }));
    if (!first.ok || !again.ok || !later.ok) throw new Error('all three are findings');

    expect(later.alerts[0]?.dedupeKey).toBe(first.alerts[0]?.dedupeKey);
    expect(again.deliveryKey).toBe(first.deliveryKey);
    expect(later.deliveryKey).not.toBe(first.deliveryKey);
  });

  it('has another dedupe key in another account or Region', () => {
    const keys = [finding(), finding({ accountId: '444455556666' }), finding({ region: 'us-east-1' })].map(
      (body) => alertFrom(body).dedupeKey,
    );
    expect(new Set(keys).size).toBe(3);
  });

  it('is read the same in the spelling of GetFindings', () => {
    const pascal = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(pascal);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key.charAt(0).toUpperCase() + key.slice(1), pascal(item)]),
      );
    };
    const body = finding({}, { additionalInfo: { sample: true } });
    const spelled = pascal(body.detail) as { Service: Record<string, unknown> };
    spelled.Service.AdditionalInfo = { Type: 'default', Value: '{"sample":true}' };

    const { dedupeKey, ...other } = alertFrom({ ...body, detail: spelled });
    expect({ dedupeKey, ...other }).toEqual(alertFrom(body));
    expect(other.sample).toBe(true);
  });

  it('passes with a type that nobody has heard of, and says so', () => {
    const alert = alertFrom(finding({ type: 'Sabotage:Quantum/Entangled.X!Y' }));
    expect(alert.type).toBe('Sabotage:Quantum/Entangled.X!Y');
    expect(alert.notes).toContain('the type of the finding is not known here');
  });

  it('passes with all of its blocks missing or of the wrong type', () => {
    const bare = alertFrom(finding({ resource: undefined, service: undefined, severity: undefined, title: 7 }));
    expect(bare).toMatchObject({ severity: 0, count: 1, remote: [], resourceIds: [], actor: {} });
    expect(bare.notes.join()).toContain('no severity');
    const odd = alertFrom(finding({ resource: 'none', service: { action: 5, count: 'many', detection: [] } }));
    expect(odd).toMatchObject({ count: 1, resource: { type: 'not named' } });
  });

  it('notes a severity outside of the scale, an odd account, and an ARN that contradicts it', () => {
    const notes = alertFrom(finding({ severity: 11, accountId: '123' })).notes.join('; ');
    expect(notes).toContain('outside of the range');
    expect(notes).toContain('12 digits');
    expect(notes).toContain('names another account');
  });

  it.each([
    ['[SAMPLE] in the title', { title: '[SAMPLE] Something' }, {}],
    ['the sample flag', {}, { additionalInfo: { sample: true } }],
    [
      'the sample instance',
      { resource: { resourceType: 'Instance', instanceDetails: { instanceId: 'i-99999999' } } },
      {},
    ],
    ['the sample key', { resource: { accessKeyDetails: { accessKeyId: 'GeneratedFindingAccessKeyId' } } }, {}],
  ])('is a sample by %s', (_what, changes, service) => {
    expect(alertFrom(finding(changes, service)).sample).toBe(true);
  });

  it('is no sample because an attacker gave a user the name of one', () => {
    const accessKeyDetails = {
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      userName: 'GeneratedFindingUserName',
      userType: 'IAMUser',
    };
    expect(alertFrom(finding({ resource: { resourceType: 'AccessKey', accessKeyDetails } })).sample).toBe(false);
  });

  it('gives the exact ARN of a role session and of root, and none for a user, whose path it does not know', () => {
    const actor = (accessKeyDetails: unknown) => alertFrom(finding({ resource: { accessKeyDetails } })).actor;
    expect(actor({ userType: 'AssumedRole', userName: 'web', principalId: 'AROAEXAMPLE:i-0abc' }).principalArn).toBe(
      'arn:aws:sts::111122223333:assumed-role/web/i-0abc',
    );
    expect(actor({ userType: 'Root' }).principalArn).toBe('arn:aws:iam::111122223333:root');
    expect(actor({ userType: 'IAMUser', userName: 'alice' }).principalArn).toBeUndefined();
  });

  it('takes the partition from the finding, its ARN or its Region', () => {
    const at = (region: string, changes = {}) =>
      alertFrom(finding({ region, partition: undefined, arn: undefined, ...changes }));
    expect(at('cn-north-1').partition).toBe('aws-cn');
    expect(at('us-gov-west-1').partition).toBe('aws-us-gov');
    expect(at('eu-west-1', { partition: 'aws-eusc' }).partition).toBe('aws-eusc');
  });
});

describe('the addresses of a finding', () => {
  const details = (ip: string) => ({ ipAddressV4: ip });
  it.each([
    [
      'networkConnectionAction',
      { networkConnectionAction: { remoteIpDetails: details('203.0.113.1') } },
      ['203.0.113.1'],
    ],
    [
      'portProbeAction',
      {
        portProbeAction: {
          portProbeDetails: [{ remoteIpDetails: details('203.0.113.1') }, { remoteIpDetails: details('203.0.113.2') }],
        },
      },
      ['203.0.113.1', '203.0.113.2'],
    ],
    ['rdsLoginAttemptAction', { rdsLoginAttemptAction: { remoteIpDetails: details('10.0.0.9') } }, ['10.0.0.9']],
    [
      'kubernetesApiCallAction',
      {
        kubernetesApiCallAction: { sourceIPs: ['203.0.113.5', '2001:db8::1'], remoteIpDetails: details('203.0.113.5') },
      },
      ['203.0.113.5', '2001:db8::1'],
    ],
    [
      'both families',
      { awsApiCallAction: { remoteIpDetails: { ipAddressV4: '203.0.113.1', ipAddressV6: '2001:db8::2' } } },
      ['203.0.113.1', '2001:db8::2'],
    ],
    ['no addresses', { awsApiCallAction: { remoteIpDetails: details('AWS Internal') } }, []],
  ])('are found in %s', (_kind, action, expected) => {
    expect(alertFrom(finding({}, { action })).remote.map(({ ip }) => ip)).toEqual(expected);
  });

  it('come with the domain of a DNS request', () => {
    const alert = alertFrom(
      finding({}, { action: { actionType: 'DNS_REQUEST', dnsRequestAction: { domain: 'pool.example' } } }),
    );
    expect(alert).toMatchObject({ domain: 'pool.example', remote: [] });
  });
});

describe('the resource of a finding', () => {
  const arn = 'arn:aws:lambda:eu-west-1:111122223333:function:f';
  it.each([
    [
      'an instance and its name',
      'Instance',
      { instanceDetails: { instanceId: 'i-0abc1234', tags: [{ key: 'Name', value: 'web' }] } },
      { id: 'i-0abc1234', name: 'web' },
    ],
    [
      'a bucket',
      'S3Bucket',
      { s3BucketDetails: [{ name: 'logs', arn: 'arn:aws:s3:::logs' }, { name: 'more' }] },
      { id: 'logs' },
    ],
    [
      'an object',
      'S3Object',
      { s3BucketDetails: [{ name: 'logs', s3ObjectDetails: [{ objectArn: 'arn:aws:s3:::logs/a', key: 'a' }] }] },
      { id: 'arn:aws:s3:::logs/a', name: 'a' },
    ],
    ['a function', 'Lambda', { lambdaDetails: { functionArn: arn, functionName: 'f' } }, { id: arn, name: 'f' }],
    [
      'a cluster and its workload',
      'EKSCluster',
      {
        eksClusterDetails: { name: 'c', arn: 'arn:aws:eks:eu-west-1:111122223333:cluster/c' },
        kubernetesDetails: { kubernetesWorkloadDetails: { name: 'w', namespace: 'n' } },
      },
      { name: 'c/n/w' },
    ],
    [
      'an ECS cluster',
      'ECSCluster',
      { ecsClusterDetails: { name: 'c', arn: 'arn:c', taskDetails: { arn: 'arn:t' } } },
      { id: 'arn:c' },
    ],
    ['a container', 'Container', { containerDetails: { id: 'abc', name: 'app' } }, { id: 'abc', name: 'app' }],
    ['a database', 'RDSDBInstance', { rdsDbInstanceDetails: { dbInstanceIdentifier: 'db' } }, { id: 'db' }],
    ['a Limitless database', 'RDSLimitlessDB', { rdsLimitlessDbDetails: { dbShardGroupIdentifier: 'g' } }, { id: 'g' }],
    ['a snapshot', 'EBSSnapshot', { ebsSnapshotDetails: { snapshotArn: 'arn:s' } }, { id: 'arn:s' }],
    ['an image', 'EC2Image', { ec2ImageDetails: { imageArn: 'arn:i' } }, { id: 'arn:i' }],
    [
      'a recovery point of an unknown kind',
      'SomethingNew',
      { recoveryPointDetails: { recoveryPointArn: 'arn:r' } },
      { id: 'arn:r' },
    ],
    [
      'the instance beside a key',
      'AccessKey',
      { accessKeyDetails: { accessKeyId: 'ASIAX' }, instanceDetails: { instanceId: 'i-0abc1234' } },
      { id: 'i-0abc1234' },
    ],
  ])('is %s', (_what, resourceType, blocks, expected) => {
    const alert = alertFrom(finding({ resource: { resourceType, ...blocks } }));
    expect(alert.resource).toMatchObject({ type: resourceType, ...expected });
    if (alert.resource.id !== undefined) expect(alert.resourceIds).toContain(alert.resource.id);
  });

  it('names every resource, actor and endpoint of an attack sequence', () => {
    const sequence = {
      uid: 'seq',
      actors: [
        { id: 'a1', user: { name: 'pipeline', uid: 'AIDAX', type: 'IAMUser', credentialUid: 'AKIAIOSFODNN7EXAMPLE' } },
        { id: 'a2', user: { name: 'other', uid: 'AIDAY' } },
      ],
      resources: [
        { uid: 'AKIAIOSFODNN7EXAMPLE', resourceType: 'ACCESS_KEY' },
        { uid: 'arn:aws:s3:::logs', name: 'logs', resourceType: 'S3_BUCKET' },
      ],
      endpoints: [
        {
          id: 'e1',
          ip: '203.0.113.9',
          location: { country: 'NL' },
          autonomousSystem: { name: 'Example', number: 64500 },
        },
        { id: 'e2', ip: '203.0.113.10' },
      ],
      signals: [
        { uid: 's', firstSeenAt: '2025-02-25 20:40:06.000000000', lastSeenAt: '2025-02-25 21:40:06.000000000' },
      ],
    };
    const alert = alertFrom(
      finding(
        { type: 'AttackSequence:S3/CompromisedData', resource: { resourceType: 'AttackSequence' } },
        { detection: { sequence }, action: undefined, eventFirstSeen: undefined, eventLastSeen: undefined },
      ),
    );

    expect(alert.resource).toEqual({ type: 'AttackSequence', id: 'arn:aws:s3:::logs', name: 'logs' });
    expect(alert.resourceIds).toEqual(['AKIAIOSFODNN7EXAMPLE', 'arn:aws:s3:::logs']);
    expect(alert.actor).toMatchObject({
      userName: 'pipeline',
      principalId: 'AIDAX',
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    });
    expect(alert.remote).toEqual([
      { ip: '203.0.113.9', country: 'NL', asn: '64500', organization: 'Example' },
      { ip: '203.0.113.10' },
    ]);
    expect(alert.firstSeen).toBe('2025-02-25T20:40:06.000Z');
    expect(alert.notes).toContain('the finding names further actors: 1');
  });
});

describe('what is no finding', () => {
  it.each([
    ['nothing', undefined],
    ['a number', 7],
    ['a list', [finding()]],
    ['an empty object', {}],
    ['an event without source', { ...finding(), source: undefined }],
    ['an event without detail-type', { ...finding(), 'detail-type': 5 }],
    ['a finding without detail', { ...finding(), detail: null }],
    ['a finding without id', finding({ id: ' ' })],
    ['a finding without type', finding({ type: undefined })],
    ['a finding without any Region', { ...finding({ region: undefined, arn: undefined }), region: undefined }],
  ])('is malformed: %s', (_what, body) => {
    expect(parseGuardDuty(body)).toMatchObject({ ok: false, status: 'malformed' });
  });

  it.each([
    ['another source', { ...finding(), source: 'aws.ec2' }],
    ['a forged source', { ...finding(), source: 'my.guardduty' }],
    ['another detail-type', { ...finding(), 'detail-type': 'GuardDuty Malware Protection Object Scan Result' }],
  ])('is understood and ignored: %s', (_what, body) => {
    expect(parseGuardDuty(body)).toMatchObject({ ok: false, status: 'ignored' });
  });

  it('is refused when it is nested too deeply', () => {
    let deep: unknown = 'end';
    for (let level = 0; level < deepestNesting; level += 1) deep = [deep];
    expect(parseGuardDuty({ ...finding(), deep })).toMatchObject({
      status: 'malformed',
      reason: 'the body is nested deeper than 64',
    });
    expect(parseGuardDuty({ ...finding(), deep: (deep as unknown[])[0] })).toMatchObject({ ok: true });
  });

  it('repeats nothing of the body in its reason', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12 }), (text) => {
        const parsed = parseGuardDuty({ source: `x${text}`, 'detail-type': text, detail: { id: text } });
        expect(parsed.ok ? '' : parsed.reason).not.toContain(text);
      }),
    );
  });
});

describe('hostile JSON', () => {
  it('cannot reach a prototype, and what is stored has no such keys', () => {
    const body = JSON.parse(`{"__proto__":{"polluted":1},${JSON.stringify(finding()).slice(1)}`);
    body.detail.constructor = { prototype: { polluted: 1 } };
    const parsed = parseGuardDuty(body);
    if (!parsed.ok) throw new Error(parsed.reason);
    expect(JSON.stringify(parsed.raw)).not.toContain('polluted');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('keeps neither NUL nor lone surrogates, which PostgreSQL does not take', () => {
    const parsed = parseGuardDuty(finding({ title: 'a\u0000b\ud800c' }));
    if (!parsed.ok) throw new Error(parsed.reason);
    expect(parsed.alerts[0]?.title).toBe('a\ufffdb\ufffdc');
    expect(JSON.stringify(parsed.raw)).not.toMatch(/\\u0000|\\ud800/);
  });

  it('never makes the parser throw', () => {
    const base = JSON.stringify(finding());
    const places = [...base.matchAll(/"[^"]*"(?=[,}\]])|\d+(?=[,}])|true|false/g)].map(
      (match) => [match.index, match[0].length] as const,
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(places.length - 1), fc.json()), { maxLength: 5 }), (edits) => {
        let text = base;
        for (const [which, json] of [...edits].sort((a, b) => b[0] - a[0])) {
          const [at, length] = places[which] ?? [0, 0];
          const candidate = text.slice(0, at) + json + text.slice(at + length);
          text = candidate;
        }
        let body: unknown;
        try {
          body = JSON.parse(text);
        } catch (thrown) {
          if (thrown instanceof SyntaxError) return;
          throw thrown;
        }
        expect(parseGuardDuty(body)).toHaveProperty('ok');
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.anything(), (body) => {
        expect(parseGuardDuty(body)).toHaveProperty('ok');
      }),
    );
  });
});

describe('times', () => {
  it.each([
    ['2026-11-20T21:04:40.120Z', '2026-11-20T21:04:40.120Z'],
    ['2025-02-25 20:40:06.000000000', '2025-02-25T20:40:06.000Z'],
    ['2025-02-25 20:40:06', '2025-02-25T20:40:06.000Z'],
    ['2025-02-25T21:40:06+01:00', '2025-02-25T20:40:06.000Z'],
    ['1740516006', '2025-02-25T20:40:06.000Z'],
    ['1740516006000', '2025-02-25T20:40:06.000Z'],
    ['yesterday', undefined],
    ['2025-13-45T00:00:00Z', undefined],
    ['', undefined],
  ])('%j is read as %j', (text, expected) => {
    expect(instantOf(text)).toBe(expected);
  });
});

// The shared samples are no part of the repository: these are skipped where the folder is absent.
describe.skipIf(!hasSharedData)('every shared sample', () => {
  const samples = sharedSamples();
  it('is there to be tested', () => expect(samples.length).toBeGreaterThan(60));

  it.each(samples.map((sample) => [sample.name, sample] as const))(
    '%s is taken, or refused with a reason',
    (_name, sample) => {
      const parsed = parseGuardDuty(sample.body);
      expect(parsed.ok).toBe(isGuardDuty(sample));
      if (!parsed.ok) expect(parsed.reason.length).toBeGreaterThan(10);
      else expect(parsed.alerts[0]?.accountId).toMatch(/^\d{12,13}$/);
    },
  );

  it('and all that GuardDuty marks as samples are marked so', () => {
    const marked = samples.filter(isGuardDuty).filter((sample) => alertFrom(sample.body).sample);
    expect(marked.length).toBe(samples.filter(({ body }) => /"sample\\?": ?true/.test(JSON.stringify(body))).length);
  });
});
