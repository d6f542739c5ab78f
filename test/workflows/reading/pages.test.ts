/** What dossiers read of EC2 and IAM, where the lists come in odd pages. */
import { describe, expect, it } from 'vitest';
import { openAsking } from '../../../src/domain/dossier/gaps.ts';
import { look, paged } from '../../../workflows/account-state/look.ts';
import { interfacesWith } from '../../../workflows/reading/addresses.ts';
import { instancesBy } from '../../../workflows/reading/instance.ts';
import type { Look } from '../../../workflows/reading/policies.ts';

const signal = new AbortController().signal;

/** EC2 that gives these pages one after the other. */
function lookingAt(pages: readonly Readonly<Record<string, unknown>>[]): Look {
  const send = ({ input }: { readonly input: { readonly NextToken?: string } }) =>
    Promise.resolve(pages[Number(input.NextToken ?? 0)]);
  const reader = { accountId: '111122223333', partition: 'aws', ec2: () => ({ send }) } as unknown as Look['reader'];
  return { reader, asking: openAsking(signal), signal };
}

const instances = (looking: Look) =>
  instancesBy({ Name: 'image-id', Values: ['ami-1'] }, 'eu-west-1', looking, 'the instances');
const interfaces = (looking: Look) => interfacesWith('10.0.0.7', true, 'eu-west-1', looking);

describe('instances and interfaces', () => {
  it('are found behind empty pages', async () => {
    const Reservations = [{ ReservationId: 'r-1', Instances: [{ InstanceId: 'i-0aa11bb22cc33dd44' }] }];
    const found = await instances(
      lookingAt([
        { Reservations: [], NextToken: '1' },
        { Reservations, NextToken: '' },
      ]),
    );
    expect(found?.map(({ id }) => id)).toEqual(['i-0aa11bb22cc33dd44']);

    const NetworkInterfaces = [{ NetworkInterfaceId: 'eni-1' }];
    const has = await interfaces(lookingAt([{ NetworkInterfaces: [], NextToken: '1' }, { NetworkInterfaces }]));
    expect(has?.map(({ interfaceId }) => interfaceId)).toEqual(['eni-1']);
  });

  it.each([
    ['the list is missing', [{}]],
    [
      'the same page comes again',
      [
        { Reservations: [], NetworkInterfaces: [], NextToken: '1' },
        { Reservations: [], NetworkInterfaces: [], NextToken: '1' },
      ],
    ],
  ])('count as not looked at where %s', async (_, pages) => {
    for (const ask of [instances, interfaces]) {
      const looking = lookingAt(pages);
      expect(await ask(looking)).toBeUndefined();
      expect(looking.asking.gaps).toHaveLength(1);
    }
  });
});

describe('a list of an account', () => {
  it('whose page comes again is not read, and says so', async () => {
    const answer = await look(() => paged(() => Promise.resolve({ items: ['user'], next: 'again' })), signal);
    expect(answer).toMatchObject({ ok: false, reason: expect.stringContaining('the same page came twice') });
  });

  it('of more than 100 pages is not read, and says so', async () => {
    const endless = (token = '0') => Promise.resolve({ items: [token], next: String(Number(token) + 1) });
    const answer = await look(() => paged(endless), signal);
    expect(answer).toMatchObject({ ok: false, reason: expect.stringContaining('more than 100 pages') });
  });
});
