import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Alert } from '../../../src/contracts/alert.ts';
import type { Line, Message } from '../../../src/contracts/message.ts';
import { containableKeyOf, type FindingCard, findingCard, pivotSeedOf } from '../../../src/domain/alert-wording.ts';
import { addressFactsOf } from '../../../src/domain/finding-addresses.ts';
import { isKnownFindingType, sentenceOfType } from '../../../src/domain/finding-types.ts';
import { inert } from '../../../src/domain/inert.ts';
import { parseGuardDuty } from '../../../src/webhooks/guardduty.ts';
import { alertFrom, finding, hasSharedData, isGuardDuty, sharedData, sharedSamples } from '../webhooks/findings.ts';

const account = { id: '111122223333', name: 'shop-prod', environment: 'prod', owner: 'payments', responderRole: 'r' };
const emptyBook = { lookUp: () => undefined };

function card(alert: Alert, changes: Partial<FindingCard> = {}): Message {
  return findingCard({
    case: { id: 'case-1' },
    alert,
    account,
    addresses: addressFactsOf(alert, emptyBook),
    buttons: { pivot: 'b-pivot', contain: 'b-contain', acknowledge: 'b-ack' },
    containable: { yes: true },
    now: new Date('2026-11-20T21:05:00Z'),
    ...changes,
  });
}

function words(line: Line): string {
  return line
    .map((part) =>
      'groupId' in part
        ? `@${part.groupId}`
        : 'text' in part
          ? part.text
          : 'at' in part
            ? part.at
            : 'userId' in part
              ? `@${part.userId}`
              : part.label,
    )
    .join('');
}

/** The card as lines of text. */
function read(message: Message): string[] {
  return message.parts.flatMap((part) => {
    if (part.kind === 'header') return [part.text];
    if (part.kind === 'lines' || part.kind === 'context') return part.lines.map(words);
    if (part.kind === 'facts') return part.facts.map((fact) => `${fact.label}: ${words(fact.value)}`);
    if (part.kind === 'buttons') return [part.buttons.map((button) => `[${button.label}]`).join(' ')];
    return [];
  });
}

const alert = alertFrom(finding());

describe('the card of a finding', () => {
  it('says on one screen what happened, where, who, from where and when', () => {
    const message = card(alert);

    expect(read(message)).toEqual([
      'High 8.0 · shop-prod · eu-west-1',
      'AWS API calls came from an IP address on your own threat list.',
      'The call: RunInstances on ec2.amazonaws.com.',
      'Account: shop-prod 111122223333, prod, owner payments',
      'Region: eu-west-1',
      'Actor: user pipeline, key AKIAIOSFODNN7EXAMPLE',
      'Source address: 198.51.100.7, Netherlands, AS64500 Example Hosting',
      'Seen: 2026-11-20T20:58:11.000Z to 2026-11-20T21:04:00.000Z, 3 times',
      'GuardDuty UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom',
      '[Pivot] [Contain] [Acknowledge]',
    ]);
  });

  it('has a text that tells a screen reader all of it in sentences', () => {
    expect(card(alert).text).toBe(
      'High 8.0 severity finding in shop-prod (111122223333), eu-west-1: AWS API calls came from an IP address on your own threat list. ' +
        'Concerned: identity pipeline, key AKIAIOSFODNN7EXAMPLE. ' +
        'Action needed: look into it with Pivot, propose to disable the key with Contain, or acknowledge it.',
    );
  });

  it('says that an account is not in the inventory, instead of a name', () => {
    const lines = read(
      card(alert, { account: undefined, containable: { no: 'The account is not in the inventory.' } }),
    );
    expect(lines).toContain('Account: 111122223333, not in the inventory');
    expect(lines).toContain('Contain is not offered. The account is not in the inventory.');
    expect(lines.at(-1)).toBe('[Pivot] [Acknowledge]');
  });

  it('says "no ASN data" and "no country data" rather than a guess', () => {
    const addresses = [{ ip: '203.0.113.9', range: 'public', country: undefined, from: [] }];
    expect(read(card(alert, { addresses }))).toContain('Source address: 203.0.113.9, no country data, no ASN data');
    const inside = [{ ip: '10.0.0.1', range: 'private', from: [] }];
    expect(read(card(alert, { addresses: inside }))).toContain('Source address: 10.0.0.1, a private address');
  });

  it("takes the finding's own word on an address before the database's, and names the sources", () => {
    const book = {
      lookUp: (ip: string) => ({ ip, range: 'public', country: 'DE', asn: '1', from: ['country database'] }),
    };
    const [full] = addressFactsOf(alert, book);
    expect(full).toMatchObject({ country: 'Netherlands', asn: '64500', from: ['finding'] });
    const [filled] = addressFactsOf({ ...alert, remote: [{ ip: '203.0.113.9', country: 'France' }] }, book);
    expect(filled).toMatchObject({ country: 'France', asn: '1', from: ['finding', 'country database'] });
  });

  it('does not call the other side a source where our resource is the one that acts', () => {
    const lines = read(card({ ...alert, resourceRole: 'ACTOR' }));
    expect(lines.join('\n')).toContain('Remote address: 198.51.100.7');
  });

  it('says of an instance that calls out, and of one that is attacked, which it is, although both are a TARGET', () => {
    const out = read(card({ ...alert, resourceRole: 'TARGET', connectionDirection: 'OUTBOUND' })).join('\n');
    expect(out).toContain('Remote address: 198.51.100.7');

    const guessed = {
      ...alert,
      type: 'UnauthorizedAccess:EC2/SSHBruteForce',
      actor: {},
      connectionDirection: 'INBOUND',
    };
    const lines = read(card(guessed, { buttons: {} })).join('\n');
    expect(lines).toContain('Source address: 198.51.100.7');
    expect(lines).toContain('and tells of an attack on the resource, not of one by it.');
  });

  it('marks a sample, and never offers to contain it', () => {
    const message = card({ ...alert, sample: true });
    const lines = read(message);
    expect(lines[0]).toBe('SAMPLE · High 8.0 · shop-prod · eu-west-1');
    expect(lines).toContain('Contain is not offered. This is a sample finding: its resources are not real.');
    expect(lines.at(-1)).toBe('[Pivot] [Acknowledge]');
    expect(message.text).toMatch(/^Sample finding, nothing happened\..*No action is needed\.$/);
  });

  it('marks an archived finding', () => {
    expect(read(card({ ...alert, archived: true }))).toContain(
      'ARCHIVED: somebody archived this finding in GuardDuty.',
    );
  });

  it('says who acknowledged it and when, in place of the button', () => {
    const message = card(alert, {
      case: { id: 'case-1', acknowledgedBy: 'U0123456', acknowledgedAt: '2026-11-20T21:06:00.000Z' },
    });
    expect(read(message)).toContain('Acknowledged by @U0123456 at 2026-11-20T21:06:00.000Z');
    expect(read(message).at(-1)).toBe('[Pivot] [Contain]');
    expect(message.text).toContain('Somebody is looking at it.');
  });

  it.each([
    ['no key', {}, 'The finding names no access key.'],
    [
      'a temporary key',
      { accessKeyId: 'ASIAIOSFODNN7EXAMPLE' },
      'The key is a temporary one, which AWS cannot disable.',
    ],
    [
      "the root user's key",
      { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', userType: 'Root' },
      "Only the root user itself can disable the root user's key.",
    ],
    [
      'a key of an odd form',
      { accessKeyId: 'AKIA" or 1=1' },
      'The access key in the finding does not have the form of one.',
    ],
  ])('says why Contain is not offered for %s', (_what, actor, because) => {
    const lines = read(card({ ...alert, actor }));
    expect(lines).toContain(`Contain is not offered. ${because}`);
    expect(lines.at(-1)).not.toContain('Contain');
  });

  it('shows its notes, and the own title of a finding of an unknown type', () => {
    const unknown = alertFrom(
      finding({ type: 'Sabotage:Quantum/Entangled', severity: undefined, title: 'Spooky action' }),
    );
    const lines = read(card(unknown));
    expect(lines[0]).toBe('High (no severity given) · shop-prod · eu-west-1');
    expect(lines).toContain("GuardDuty's own title: Spooky action");
    expect(lines).toContain('Note: the type of the finding is not known here.');
  });

  it('stays on one screen with a hundred addresses and resources and endless names', () => {
    const remote = Array.from({ length: 100 }, (_, index) => ({
      ip: `203.0.113.${index}`,
      organization: 'o'.repeat(900),
    }));
    const resource = { type: 'x'.repeat(900), id: 'y'.repeat(900), name: 'z'.repeat(900) };
    const message = card({ ...alert, remote, resource, resourceIds: remote.map(({ ip }) => `id-${ip}`) });
    expect(read(message).length).toBeLessThanOrEqual(16);
    expect(read(message).join('\n').length).toBeLessThan(2_000);
    expect(message.text.length).toBeLessThan(1_000);
    expect(read(message)).toContain('More addresses: 97');
  });

  it('carries nothing but opaque ids and fixed words in its buttons', () => {
    const buttons = card(alert).parts.flatMap((part) => (part.kind === 'buttons' ? part.buttons : []));
    expect(buttons.map(({ action, value }) => [action, value])).toEqual([
      ['pivot', 'b-pivot'],
      ['contain', 'b-contain'],
      ['acknowledge', 'b-ack'],
    ]);
    for (const { label, describe: said } of buttons) {
      expect(label.length).toBeLessThanOrEqual(30);
      expect(said.length).toBeLessThanOrEqual(75);
    }
  });
});

describe('what to pivot on', () => {
  const bare: Alert = { ...alert, actor: {}, resource: { type: 'x' }, resourceIds: [], remote: [] };
  const arn = 'arn:aws:iam::111122223333:user/alice';
  it.each<[string, Partial<Alert>, string | undefined]>([
    ['the key first', { actor: { accessKeyId: 'ASIAIOSFODNN7EXAMPLE', principalArn: arn } }, 'ASIAIOSFODNN7EXAMPLE'],
    ['then the principal', { actor: { principalArn: arn }, resourceIds: ['i-0123456789abcdef0'] }, arn],
    [
      'then the instance',
      { resource: { type: 'x', id: arn }, resourceIds: [arn, 'i-0123456789abcdef0'] },
      'i-0123456789abcdef0',
    ],
    [
      'then the resource',
      { resource: { type: 'S3Bucket', id: 'logs' }, resourceIds: ['logs', 'arn:aws:s3:::logs'] },
      'arn:aws:s3:::logs',
    ],
    ['then the address', { remote: [{ ip: '203.0.113.9' }] }, '203.0.113.9'],
    ['nothing where nothing can be looked up', { actor: { accessKeyId: 'GeneratedFindingAccessKeyId' } }, undefined],
  ])('is %s', (_what, changes, expected) => {
    expect(pivotSeedOf({ ...bare, ...changes })).toBe(expected);
  });

  it('gives no pivot button where there is nothing to pivot on', () => {
    const message = card(bare, { buttons: { acknowledge: 'b-ack' } });
    expect(read(message).at(-1)).toBe('[Acknowledge]');
    expect(message.text).not.toContain('Pivot');
  });
});

describe('the key that can be disabled', () => {
  it("is a long-term key, not a sample's, a temporary one or root's", () => {
    expect(containableKeyOf(alert)).toBe('AKIAIOSFODNN7EXAMPLE');
    expect(containableKeyOf({ ...alert, sample: true })).toBeUndefined();
    expect(containableKeyOf({ ...alert, actor: { accessKeyId: 'ASIAIOSFODNN7EXAMPLE' } })).toBeUndefined();
    expect(containableKeyOf({ ...alert, actor: { ...alert.actor, userType: 'Root' } })).toBeUndefined();
  });
});

describe('what a finding type says', () => {
  it('depends on who acts, where that makes the difference', () => {
    const type = 'UnauthorizedAccess:EC2/SSHBruteForce';
    expect(sentenceOfType(type, 'TARGET')).toBe('Somebody is guessing passwords of an EC2 instance over SSH.');
    expect(sentenceOfType(type, 'ACTOR')).toBe('An EC2 instance is guessing passwords of other machines over SSH.');
    expect(sentenceOfType(type)).toContain('as attacker or as target');
  });

  it('is a sentence for any text at all, with nothing live in it', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[A-Za-z]+:[A-Za-z0-9]+\/[^.!]+$/)),
        (type) => {
          const sentence = sentenceOfType(type);
          expect(sentence).toMatch(/^[\p{Lu}“].*[.”]$/u);
          expect(sentence.length).toBeLessThan(300);
          expect(sentence).not.toMatch(/[<>@`*{}]/);
        },
      ),
    );
  });

  // The list of types is no part of the repository: skipped where the folder is absent.
  const list = join(sharedData, 'findings/finding-types/guardduty-finding-types.txt');
  describe.skipIf(!existsSync(list))('for every type that GuardDuty has', () => {
    const types = existsSync(list) ? readFileSync(list, 'utf8').split('\n').filter(Boolean) : [];
    it('is there to be tested', () => expect(types).toHaveLength(226));

    it.each(types)('%s is a plain sentence', (type) => {
      for (const role of [undefined, 'ACTOR', 'TARGET'] as const) {
        const sentence = sentenceOfType(type, role);
        expect(sentence).toMatch(/^[A-Z][^{}!/]*\.$/);
        expect(sentence.length).toBeLessThan(160);
        expect(sentence).not.toMatch(/undefined|is new here| {2}/);
      }
      expect(isKnownFindingType(type)).toBe(true);
    });
  });
});

/** Every string of a message, as the renderer would see it. */
function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(strings) : [];
}

const live = /<[^\s\u2060<]|@(?:here|channel|everyone)/i;
const attack = fc.constantFrom(
  '<!channel>',
  '<https://evil.example|login>',
  '<@U012345>',
  '\u202e`@here`',
  '\n*x*',
  '\u0000',
  'https://evil.example',
);

/** Replaces some strings of a body by hostile ones, keeping its envelope. */
function mutate(value: unknown, next: () => string | undefined): unknown {
  if (typeof value === 'string') return next() ?? value;
  if (Array.isArray(value)) return value.map((item) => mutate(item, next));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mutate(item, next)]));
}

describe('a hostile finding', () => {
  const bodies = [
    finding(),
    ...(hasSharedData
      ? sharedSamples()
          .filter(isGuardDuty)
          .map(({ body }) => body)
      : []),
  ];

  it('neither breaks the card nor puts anything live into it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...bodies),
        fc.infiniteStream(fc.option(attack, { freq: 3, nil: undefined })),
        (body, stream) => {
          const envelope = body as { detail: unknown };
          const detail = mutate(envelope.detail, () => stream.next().value);
          const parsed = parseGuardDuty({ ...envelope, detail });
          if (!parsed.ok) return;
          for (const one of parsed.alerts) {
            const message = card(one, { addresses: addressFactsOf(one, emptyBook), account: undefined });
            for (const text of strings(message)) expect(inert(text, 3_000)).not.toMatch(live);
            // The card's own sentences carry no markup even before the renderer.
            expect(message.text).not.toMatch(live);
            expect(
              message.parts.every(
                (part) => part.kind !== 'lines' || part.lines.flat().every(({ kind }) => kind !== 'link'),
              ),
            ).toBe(true);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
