import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Approval } from '../../../src/contracts/approval.ts';
import type { AliveItem } from '../../../src/domain/alive.ts';
import {
  actingInstances,
  mostSteps,
  onCard,
  strikeCard,
  strikeOf,
  strikeSeeds,
  votable,
} from '../../../src/domain/strike.ts';
import { toSlack } from '../../../src/slack/blocks.ts';
import { alertFrom, finding } from '../webhooks/findings.ts';

const user = 'arn:aws:iam::111122223333:user/alice';
const item: fc.Arbitrary<AliveItem> = fc
  .record({
    kind: fc.constantFrom('access key' as const, 'session' as const, 'user' as const, 'console password' as const),
    id: fc.stringMatching(/^[a-z]{1,6}$/),
    of: fc.constantFrom(user, 'arn:aws:iam::111122223333:user/made'),
    state: fc.constantFrom('alive' as const, 'dead' as const, 'dead-by-policy' as const, 'unknown' as const),
    because: fc.constant('it exists'),
    action: fc.constantFrom('deny-all', 'disable-access-key', 'revoke-session', 'none'),
  })
  .map(({ action, ...one }) => (action === 'none' ? one : { ...one, step: { action, words: [one.id] } }));
const nothing = { tags: [], acting: [], owner: undefined, offers: () => true };

describe('a strike', () => {
  it.each([
    [6, 256, 20],
    [25, 20, 20],
    [25, 256, 20],
    [25, 256, 600],
  ])(
    'has each of %i steps that its button votes on in the message, with tags of %i and names of %i letters',
    (n, tag, name) => {
      const steps = Array.from({ length: n }, (_, index) => {
        const id = `${index + 10}${'k'.repeat(name)}`;
        const why = `access key ${id}: Active. Owner: team-a; tag owner=${'"'.repeat(tag)}, set by ${user}.`;
        const step = {
          phase: 'credentials',
          action: 'disable-access-key',
          words: [id],
          why,
          requestId: id,
          isPlanned: true,
        };
        return { step, isPlanned: true, approval: { state: 'proposed' } } as unknown as Parameters<
          typeof onCard
        >[0][number];
      });
      const place = { id: 'strike-1', channel: 'C0123456', at: '2026-11-22T00:00:00Z' };
      const strike = { ...place, caseId: 'IR-1', userId: 'U0123456', steps: undefined, notes: ['x'.repeat(300)] };
      const listed = onCard(steps);

      const shown = JSON.stringify(
        toSlack(strikeCard(strike, steps, { id: 'button', votes: votable(steps, () => false).length })).blocks,
      );

      expect(listed.filter(({ step }) => !shown.includes(step.words[0] ?? ''))).toEqual([]);
      expect(shown).toContain(`Approve ${listed.length} steps`);
      expect(listed.length === n || shown.includes(`${n - listed.length} more steps`)).toBe(true);
      expect(listed.length).toBeGreaterThanOrEqual(name < 100 ? n : 5);
    },
  );

  it('takes evidence first, each step once, nothing for what is dead, and never an address', () => {
    const seeds = fc.subarray(['i-0123456789abcdef0', 'AKIAIOSFODNN7EXAMPLE', '203.0.113.9']);
    fc.assert(
      fc.property(fc.array(item, { maxLength: 40 }), seeds, (items, from) => {
        const { steps } = strikeOf({
          ...nothing,
          items,
          seeds: from,
          acting: from.filter((id) => id.startsWith('i-')),
        });

        const phases = steps.map(({ phase }) => phase);
        expect(phases.lastIndexOf('evidence')).toBeLessThan(
          phases.includes('credentials') ? phases.indexOf('credentials') : phases.length,
        );
        if (phases.includes('network'))
          expect(phases.indexOf('network')).toBeGreaterThan(phases.lastIndexOf('credentials'));
        expect(new Set(steps.map(({ action, words }) => `${action} ${words}`)).size).toBe(steps.length);
        expect(steps.length).toBeLessThanOrEqual(mostSteps);
        const alive = new Set(
          items.filter(({ state }) => state === 'alive' || state === 'unknown').map(({ id }) => id),
        );
        for (const { phase, words } of steps) {
          expect(words).not.toContain('203.0.113.9');
          if (phase === 'credentials') expect(alive.has(words[0] ?? '')).toBe(true);
        }
      }),
    );
  });

  it('cuts off the instance that the case is about, last, and none that a session ran on', () => {
    const session: AliveItem = {
      ...{ kind: 'session', id: 'ASIAIOSFODNN7EXAMPLE', of: 'role', state: 'alive', because: 'not expired' },
      step: { action: 'revoke-session', words: ['arn:aws:sts::111122223333:assumed-role/web/i-0fedcba9876543210'] },
    };

    const about = ['i-0123456789abcdef0'];
    const { steps } = strikeOf({ ...nothing, items: [session], seeds: about, acting: about });

    expect(steps.map(({ action, words }) => `${action} ${words}`)).toEqual([
      'capture-memory i-0123456789abcdef0',
      'snapshot-instance i-0123456789abcdef0',
      'capture-memory i-0fedcba9876543210',
      'snapshot-instance i-0fedcba9876543210',
      'revoke-session arn:aws:sts::111122223333:assumed-role/web/i-0fedcba9876543210',
      'isolate-instance i-0123456789abcdef0',
    ]);
  });

  it('cuts off nothing that the case does not say acts by itself, and says so', () => {
    const { steps, notes } = strikeOf({ ...nothing, items: [], seeds: ['i-0123456789abcdef0'] });

    expect(steps.map(({ phase }) => phase)).toEqual(['evidence', 'evidence']);
    expect(notes.join(' ')).toContain(
      'Not cut off, since the case does not say that it acts by itself: i-0123456789abcdef0.',
    );
  });

  it.each([
    ['its evidence is being planned', { isPlanned: false }, []],
    ['there is no plan for its evidence', { isPlanned: true }, ['credentials', 'network']],
    ['its evidence is to be voted on too', { required: 1 }, ['evidence', 'credentials', 'network']],
    ['its evidence needs a second person', { required: 2 }, ['evidence', 'credentials']],
    ['its evidence is kept', { state: 'verified' }, ['credentials', 'network']],
  ])('lets one click cut a machine off where %s: %o', (_what, evidence, voted) => {
    const step = (phase: 'evidence' | 'credentials' | 'network') => ({
      phase,
      action: phase,
      words: ['x'],
      why: 'why',
    });
    const proposed = (id: string, more = {}) =>
      ({ id, state: 'proposed', required: 1, votes: [], ...more }) as unknown as Approval;
    const { isPlanned, ...more } = { isPlanned: undefined, ...evidence };
    const steps = [
      {
        step: step('evidence'),
        approval: isPlanned === undefined ? proposed('evidence', more) : undefined,
        isPlanned: isPlanned ?? true,
      },
      { step: step('credentials'), approval: proposed('credentials'), isPlanned: true },
      { step: step('network'), approval: proposed('network'), isPlanned: true },
    ];

    const ids = votable(steps, () => false).map(({ id }) => id);

    expect(ids).toEqual(voted.length === 0 ? ['credentials'] : voted);
    expect(votable(steps, ({ id }) => id === 'evidence').map(({ id }) => id)).not.toContain('evidence');
  });

  it('offers only actions that are there, and says what is missing', () => {
    const { steps, notes } = strikeOf({ ...nothing, offers: () => false, items: [], seeds: ['i-0123456789abcdef0'] });

    expect(steps).toEqual([]);
    expect(notes.join(' ')).toContain('No evidence is kept first');
  });

  it('asks the owner of the inventory first, shows tags with who set them, and asks nobody for what the actor made', () => {
    const key: AliveItem = {
      ...{ kind: 'access key', id: 'AKIAIOSFODNN7EXAMPLE', of: user, state: 'alive', because: 'Active' },
      step: { action: 'disable-access-key', words: ['AKIAIOSFODNN7EXAMPLE'] },
    };
    const made: AliveItem = {
      ...key,
      kind: 'user',
      id: 'made',
      of: 'made',
      madeBy: 'alice',
      step: { action: 'deny-all', words: ['made'] },
    };
    const tags = [{ id: user, key: 'owner', value: 'mallory', setBy: 'arn:aws:iam::111122223333:user/mallory' }];

    const { steps } = strikeOf({ ...nothing, items: [key, made], seeds: [], owner: 'team-platform', tags });

    expect(steps.map(({ why }) => why)).toEqual([
      'user made: Active. Made by alice: it needs no owner.',
      `access key AKIAIOSFODNN7EXAMPLE: Active. Owner by the inventory: team-platform; tag owner=mallory, set by ${tags[0]?.setBy}.`,
    ]);
  });
});

describe('where a strike begins for a finding about an instance', () => {
  const instance = 'i-0123456789abcdef0';
  const connection = (connectionDirection: string) => ({
    actionType: 'NETWORK_CONNECTION',
    networkConnectionAction: { connectionDirection, remoteIpDetails: { ipAddressV4: '198.51.100.7' } },
  });
  const dns = { actionType: 'DNS_REQUEST', dnsRequestAction: { domain: 'pool.example' } };
  const probe = { actionType: 'PORT_PROBE', portProbeAction: { portProbeDetails: [] } };

  // Roles, actions and directions as in GuardDuty's own samples.
  it.each([
    ['CryptoCurrency:EC2/BitcoinTool.B!DNS', 'TARGET', dns, true],
    ['UnauthorizedAccess:EC2/MetadataDNSRebind', 'TARGET', dns, true],
    ['Trojan:EC2/DropPoint', 'TARGET', connection('OUTBOUND'), true],
    ['UnauthorizedAccess:EC2/TorClient', 'TARGET', connection('OUTBOUND'), true],
    ['Backdoor:EC2/C&CActivity.B', 'TARGET', connection('INBOUND'), true],
    ['Execution:Runtime/NewBinaryExecuted', 'TARGET', undefined, true],
    ['Recon:EC2/Portscan', 'ACTOR', connection('OUTBOUND'), true],
    ['UnauthorizedAccess:EC2/SSHBruteForce', 'ACTOR', connection('INBOUND'), true],
    ['UnauthorizedAccess:EC2/SSHBruteForce', 'TARGET', connection('INBOUND'), false],
    ['Recon:EC2/PortProbeUnprotectedPort', 'TARGET', probe, false],
  ])('of type %s, %s', (type, resourceRole, action, begins) => {
    const resource = { resourceType: 'Instance', instanceDetails: { instanceId: instance } };
    const title = `Something about EC2 instance ${instance}.`;

    const alert = alertFrom(finding({ type, title, resource }, { resourceRole, action }));

    expect(strikeSeeds(alert)).toEqual(begins ? [instance] : []);
    expect(actingInstances(alert)).toEqual(begins ? [instance] : []);
  });

  it('of a call on instances, or of credentials that were taken from one, to which the instance is no actor', () => {
    const resource = { resourceType: 'AccessKey', instanceDetails: { instanceId: instance } };
    const taken = alertFrom(
      finding({ type: 'UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS', resource }),
    );
    const stopped = { ...taken, source: 'cloudtrail' as const, type: 'StopInstances' };

    for (const alert of [taken, stopped]) {
      expect(strikeSeeds(alert)).toContain(instance);
      expect(actingInstances(alert)).toEqual([]);
    }
  });
});
