/** Flow logs and query logs as text, put together, and what stands out of them. */
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { DnsGroup, FlowGroup } from '../../../src/contracts/network.ts';
import { conversationsOf, outflowsOf, ownAddresses } from '../../../src/domain/conversations.ts';
import { parseDns } from '../../../src/domain/dns-log.ts';
import { lookedUp } from '../../../src/domain/dns-story.ts';
import { flowFields, flowFormatOf, isFormatless, parseFlowLine } from '../../../src/domain/flow-log.ts';
import { ofSubject, unlogged } from '../../../src/domain/flow-subject.ts';
import { flowGroups } from '../../../src/domain/network-groups.ts';
import { networkWord } from '../../../src/domain/network-word.ts';
import { peopleBetween } from '../../../src/domain/people-words.ts';
import { sightingOf } from '../../../src/domain/sign-in-log.ts';

const line =
  '2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK';

function flowIn(text: string, header?: string) {
  const found = flowFormatOf(header ?? text);
  if (found === undefined) throw new Error('no flow log');
  return parseFlowLine(text, found.format);
}

describe('flow logs', () => {
  it('are read without a header in the default format, and with one in any order of fields', () => {
    expect(flowIn(line)).toMatchObject({ kind: 'flow', flow: { srcaddr: '172.31.16.139', dstport: 22, bytes: 4249 } });
    const parsed = flowIn(
      'i-0abcdef1234567890 5000 10.0.0.5 203.0.113.9 1418530010',
      'instance-id bytes srcaddr dstaddr start',
    );
    expect(parsed).toMatchObject({
      kind: 'flow',
      flow: { instanceId: 'i-0abcdef1234567890', bytes: 5000, end: 1418530010 },
    });
  });

  it('tell intervals without traffic, intervals that AWS skipped, and lines that are none', () => {
    const empty = (status: string) =>
      flowIn(`2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - ${status}`);
    expect([empty('NODATA').kind, empty('SKIPDATA').kind]).toEqual(['nothing', 'skipped']);
    expect(flowIn('2 123456789010', line).kind).toBe('bad');
    expect(flowIn(line.replace('172.31.16.139', '010.1.1.1'), line).kind).toBe('bad');
  });

  it('name no account where AWS says `unknown`, and the attachment where a transit gateway saw them', () => {
    expect(flowIn(line.replace('123456789010', 'unknown'), line)).toMatchObject({ flow: { accountId: '' } });
    const parsed = flowIn(
      '6 TransitGateway 123456789010 tgw-attach-0a1b2c3d 10.0.0.5 10.9.0.5 4000 1418530010 1418530070 OK',
      'version resource-type account-id tgw-attachment-id srcaddr dstaddr bytes start end log-status',
    );
    expect(parsed).toMatchObject({ kind: 'flow', flow: { interfaceId: 'tgw-attach-0a1b2c3d', bytes: 4000 } });
  });

  it('are told from other text in a format of their own without a header too', () => {
    const own = '5 vpc-0a1b2c3d eni-0a1b2c3d 10.0.0.77 198.51.100.9 40000 443 1418530010 1418530070 ACCEPT OK';
    expect(isFormatless(own)).toBe(true);
    expect(isFormatless(`2026-11-20T10:03:59.000Z ${own}`)).toBe(true);
    for (const text of ['eni-0a1b2c3d was OK and 10.0.0.5 was not', 'a b c d e', '{"Records":[]}', ''])
      expect(isFormatless(text)).toBe(false);
  });

  it('are told from CloudTrail, CSV and prose', () => {
    for (const text of ['{"Records":[]}', 'a,b,c', 'the quick brown fox', '', 'version of the day'])
      expect(flowFormatOf(text)).toBeUndefined();
  });

  it('give back every line that is written in any format', () => {
    const fields = fc
      .shuffledSubarray([...flowFields], { minLength: 6 })
      .filter((some) => some.includes('srcaddr') && some.includes('dstaddr') && some.includes('start'));
    fc.assert(
      fc.property(fields, fc.ipV4(), fc.ipV4(), fc.nat(), (some, from, to, start) => {
        const values: Readonly<Record<string, string>> = {
          srcaddr: from,
          dstaddr: to,
          start: String(start),
          'log-status': 'OK',
        };
        const text = some.map((field) => values[field] ?? '-').join(' ');
        const parsed = flowIn(text, some.join(' '));
        expect(parsed).toMatchObject({ kind: 'flow', flow: { srcaddr: from, dstaddr: to, start } });
      }),
    );
  });

  it('never fail on any text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (head, text) => {
        const found = flowFormatOf(head);
        if (found) expect(parseFlowLine(text, found.format)).toHaveProperty('kind');
      }),
    );
  });
});

function group(srcaddr: string, dstaddr: string, bytes: number, more: Partial<FlowGroup> = {}): FlowGroup {
  return {
    ...{
      srcaddr,
      dstaddr,
      srcVia: '',
      dstVia: '',
      port: 443,
      toPort: true,
      protocol: 6,
      action: 'ACCEPT',
      interfaceId: '',
      instanceId: '',
    },
    ...{ vpcId: '', accountId: '', region: '', flows: 1, packets: 1, bytes },
    ...{ firstSeen: '2026-11-20T00:00:00Z', lastSeen: '2026-11-20T00:01:00Z', ...more },
  };
}

describe('conversations', () => {
  it('put both directions together, seen from the side that was asked about', () => {
    const both = [group('10.0.0.5', '203.0.113.9', 900), group('203.0.113.9', '10.0.0.5', 100, { toPort: false })];
    expect(conversationsOf(both, ['10.0.0.5'])).toEqual([
      expect.objectContaining({ local: '10.0.0.5', bytesOut: 900, bytesIn: 100, portOf: 'peer', accepted: 2 }),
    ]);
    expect(conversationsOf(both, ['203.0.113.9'])[0]).toMatchObject({ local: '203.0.113.9', bytesOut: 100 });
  });

  it('stand out by a large outflow, or by ten times what is usual, and only towards the outside', () => {
    const mib = 1024 ** 2;
    const usual = ['203.0.113.1', '203.0.113.2', '203.0.113.3'].map((ip) => group('10.0.0.5', ip, mib));
    const odd = conversationsOf([...usual, group('10.0.0.5', '203.0.113.9', 60 * mib)], []);
    expect(outflowsOf(odd)).toEqual([expect.objectContaining({ peer: '203.0.113.9', bytesOut: 60 * mib })]);
    expect(outflowsOf(conversationsOf([group('10.0.0.5', '10.0.0.9', 5000 * mib)], []))).toEqual([]);
    expect(outflowsOf(conversationsOf([...usual, group('10.0.0.5', '203.0.113.9', 9 * mib)], []))).toEqual([]);
  });

  it('count what was rejected as flows, never as bytes that moved', () => {
    const [talk] = conversationsOf([group('10.0.0.5', '203.0.113.9', 2 * 1024 ** 3, { action: 'REJECT' })], []);
    expect(talk).toMatchObject({ bytesOut: 0, accepted: 0, rejected: 1 });
    expect(outflowsOf(talk ? [talk] : [])).toEqual([]);
  });

  it('count once what two interfaces saw of the same traffic, and twice what an address did on one after the other', () => {
    const seen = (interfaceId: string, bytes: number, day: string) =>
      group('10.0.0.5', '10.0.0.9', bytes, {
        ...{ interfaceId, flows: 3, firstSeen: `${day}T00:00:00Z`, lastSeen: `${day}T00:05:00Z` },
      });
    const once = conversationsOf([seen('eni-a', 900, '2026-11-20'), seen('eni-b', 890, '2026-11-20')], ['10.0.0.5']);
    expect(once).toEqual([expect.objectContaining({ bytesOut: 900, accepted: 3, interfaces: ['eni-a', 'eni-b'] })]);
    const moved = conversationsOf([seen('eni-a', 900, '2026-11-20'), seen('eni-b', 890, '2026-11-21')], ['10.0.0.5']);
    expect(moved).toEqual([expect.objectContaining({ bytesOut: 1790, accepted: 6 })]);
  });

  it('keep the same private address in two accounts apart, and add up what each sent outside', () => {
    const [one, two] = ['111122223333', '444455556666'].map((accountId) =>
      group('10.0.0.5', '203.0.113.9', 500, { accountId, interfaceId: `eni-${accountId}` }),
    );
    const talks = conversationsOf(one && two ? [one, two] : [], []);
    expect(talks.map(({ accountId, bytesOut }) => [accountId, bytesOut])).toEqual([
      ['111122223333', 500],
      ['444455556666', 500],
    ]);
  });

  it('keep them apart too where the address outside is asked about, and two VPCs of one account', () => {
    const outside = '203.0.113.9';
    const places = [{ accountId: '111122223333' }, { accountId: '444455556666' }];
    const vpcs = ['vpc-0a1b2c3d', 'vpc-0e1f2a3b'].map((vpcId) => ({ accountId: '111122223333', vpcId }));
    for (const some of [places, vpcs]) {
      const lines = some.map((place, at) => group('10.0.0.5', outside, 500, { ...place, interfaceId: `eni-${at}` }));
      expect(conversationsOf(lines, [outside]).map(({ bytesIn }) => bytesIn)).toEqual([500, 500]);
    }
  });

  it('stand out by what went to the address outside that is asked about', () => {
    const asked = '203.0.113.9';
    const lines = [
      group('10.0.0.5', asked, 2 * 1024 ** 3),
      group(asked, '10.0.0.6', 5 * 1024 ** 3, { toPort: false }),
      group('10.0.0.7', asked, 900 * 1024 ** 2, { accountId: '111122223333' }),
      group('10.0.0.7', asked, 900 * 1024 ** 2, { accountId: '444455556666' }),
    ];
    expect(outflowsOf(conversationsOf(lines, [asked]))).toEqual([
      expect.objectContaining({ local: '10.0.0.5', peer: asked, bytesOut: 2 * 1024 ** 3 }),
    ]);
  });

  it('of an instance are its own, not those of another that had its private address before or after', () => {
    const question = { addresses: ['10.0.0.5'], interfaces: ['eni-a'], instances: ['i-a'] };
    const places = [{ accountId: '111122223333', region: 'eu-west-1' }];
    const own = group('10.0.0.5', '10.0.0.9', 500, { interfaceId: 'eni-a' });
    const peers = group('10.0.0.5', '10.0.0.9', 500, { interfaceId: 'eni-c' });
    const anothers = group('10.0.0.5', '203.0.113.7', 900, { interfaceId: 'eni-b' });
    expect(ofSubject([own, peers, anothers], question, places)).toEqual({ groups: [own], leftOut: [anothers] });
    // Without a line of its own interface the others are all there is.
    const rest = ofSubject([peers, anothers], question, places);
    expect(rest).toEqual({ groups: [peers, anothers], leftOut: [] });
    const network = {
      complete: true,
      accounts: [],
      regions: [],
      from: '',
      to: '',
      sources: [],
      badFiles: [],
      notLookedAt: [],
    };
    expect(unlogged(question, places, rest.groups, network)).toEqual([expect.stringContaining('its own interfaces')]);
    expect(unlogged(question, places, [own], network)).toEqual([]);
    expect(unlogged(question, places, [], network)).toEqual([expect.stringContaining('not one line is its own')]);
  });

  it('count once what a NAT gateway sent on under its own address, whoever is asked about', () => {
    const [machine, nat, outside] = ['10.0.1.5', '10.0.0.220', '203.0.113.5'];
    // As AWS documents it: the machine's interface, then the gateway's, inside and outside.
    const lines = [
      group(machine, outside, 900, { interfaceId: 'eni-m' }),
      group(machine, outside, 900, { interfaceId: 'eni-nat', dstVia: nat }),
      group(nat, outside, 900, { interfaceId: 'eni-nat' }),
      group(outside, nat, 70, { interfaceId: 'eni-nat', toPort: false }),
      group(outside, machine, 70, { interfaceId: 'eni-nat', srcVia: nat, toPort: false }),
      group(outside, machine, 70, { interfaceId: 'eni-m', toPort: false }),
    ];
    for (const [asked, bytesOut] of [
      [outside, 70],
      [machine, 900],
      [nat, 900],
    ] as const) {
      const talks = conversationsOf(lines, [asked]);
      expect(talks.map((talk) => [talk.bytesOut, talk.bytesOut + talk.bytesIn])).toEqual([[bytesOut, 970]]);
    }
    // What the gateway sends by itself is told, whatever it sends on besides.
    const byItself = lines.with(2, group(nat, outside, 5_000_000_900, { interfaceId: 'eni-nat' }));
    expect(conversationsOf(byItself, [nat]).find(({ local }) => local === nat)?.bytesOut).toBe(5_000_000_900);
    // The first address of an interface has traffic of its own beside that of its pods.
    const pod = group('10.0.0.77', outside, 5, { interfaceId: 'eni-m', srcVia: machine });
    expect(conversationsOf([lines[0] as FlowGroup, pod], [outside])).toHaveLength(2);
  });

  it('tell the own address of an interface from its lines, so that what came in is not taken for what went out', () => {
    const own = { interfaceId: 'eni-0a1b2c3d' };
    const lines = [
      group('10.0.0.5', '10.0.0.9', 100, own),
      group('10.0.0.9', '10.0.0.5', 7000, { ...own, toPort: false }),
      group('10.0.0.7', '10.0.0.5', 30, { ...own, port: 22 }),
    ];
    const asked = ownAddresses(lines, { interfaces: ['eni-0a1b2c3d'], instances: [] });
    expect(asked).toEqual(['10.0.0.5']);
    expect(conversationsOf(lines, asked).map(({ peer, bytesOut, bytesIn }) => [peer, bytesOut, bytesIn])).toEqual([
      ['10.0.0.9', 100, 7000],
      ['10.0.0.7', 0, 30],
    ]);
    expect(ownAddresses(lines.slice(0, 2), { interfaces: ['eni-0a1b2c3d'], instances: [] })).toEqual([]);
    expect(conversationsOf(lines.slice(0, 2), [])).toHaveLength(1);
  });

  it('count a group limit as something that was not looked at', () => {
    const groups = flowGroups(1);
    for (const text of [line, line.replace('172.31.16.21', '172.31.16.22'), line]) {
      const parsed = flowIn(text, line);
      if (parsed.kind === 'flow') groups.add(parsed.flow);
    }
    expect([groups.list().length, groups.lines(), groups.left()]).toEqual([1, 3, 1]);
  });
});

function looked(queryName: string, more: Partial<DnsGroup> = {}): DnsGroup {
  return {
    ...{ queryName, queryType: 'A', rcode: 'NOERROR', srcaddr: '10.0.0.5', instanceId: 'i-0abcdef1234567890' },
    ...{ vpcId: '', accountId: '', region: '', firewallRuleAction: '', answers: [], times: 1 },
    ...{ firstSeen: '2026-11-20T00:00:00Z', lastSeen: '2026-11-20T00:01:00Z', ...more },
  };
}

describe('lookups', () => {
  it('are parsed as Resolver writes them; names lose their last dot and their case', () => {
    const parsed = parseDns({
      query_timestamp: '2026-11-20T01:02:03Z',
      query_name: 'Example.COM.',
      srcaddr: '10.0.0.5',
    });
    expect(parsed).toMatchObject({ queryName: 'example.com', instanceId: '', answers: [] });
    expect(parseDns({ query_timestamp: 'never', query_name: 'a.' })).toBeUndefined();
    expect(parseDns('text')).toBeUndefined();
  });

  it('keep the address at the end of a long chain of names, and times without a zone in UTC', () => {
    const answers = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ Rdata: `${name}.example.net.`, Type: 'CNAME' }));
    const parsed = parseDns({
      ...{ query_timestamp: '2026-11-20 01:02:03', query_name: '.', srcaddr: '10.0.0.5' },
      answers: [...answers, { Rdata: '203.0.113.77', Type: 'A' }],
    });
    expect(parsed).toMatchObject({ queryName: '.', queryTimestamp: '2026-11-20T01:02:03Z' });
    expect(parsed?.answers).toEqual([
      '203.0.113.77',
      'a.example.net.',
      'b.example.net.',
      'c.example.net.',
      'd.example.net.',
    ]);
  });

  it('are blocked only as often as DNS Firewall blocked them', () => {
    const [bad] = lookedUp([
      looked('bad.example', { times: 900, answers: ['203.0.113.9'] }),
      looked('bad.example', { times: 2, firewallRuleAction: 'BLOCK' }),
    ]);
    expect(bad).toMatchObject({ blocked: true, timesBlocked: 2, times: 902, answers: ['203.0.113.9'] });
    expect(bad?.mark).toBe('DNS Firewall blocked it 2 of 902 times');
  });

  it('mark pools, what DNS Firewall stopped, and data in names; the rest comes rare first', () => {
    const label = (n: number) => `${'a1b2c3d4e5'.repeat(3)}${String(n).padStart(4, '0')}.evil.example`;
    const names = lookedUp([
      looked('often.example', { times: 500 }),
      looked('once.example'),
      looked('xmr.pool.minergate.com'),
      looked('bad.example', { firewallRuleAction: 'BLOCK' }),
      ...Array.from({ length: 25 }, (_, n) => looked(label(n))),
    ]);
    const mark = (name: string) => names.find(({ queryName }) => queryName === name)?.mark;
    expect(mark('xmr.pool.minergate.com')).toContain('mining');
    expect(mark('bad.example')).toContain('Firewall');
    expect(mark(label(3))).toContain('data may leave');
    expect(mark('once.example')).toBeUndefined();
    expect(names.slice(-2).map(({ queryName }) => queryName)).toEqual(['once.example', 'often.example']);
  });
});

describe('people behind addresses', () => {
  const vpn = { name: 'vpn', path: '.', person: 'user', address: 'ip', from: 'start', to: 'end' };
  const sighting = (from: string, to: string, address = '203.0.113.9') => {
    const values: Readonly<Record<string, string>> = { user: 'alice', ip: address, start: from, end: to };
    return sightingOf((name) => values[name] ?? '', vpn);
  };

  it('are read by the mapping: times without a zone are UTC, ports behind addresses go', () => {
    expect(sighting('2026-11-20 08:00:00', '1763632800', '203.0.113.9:51234')).toEqual({
      ...{ person: 'alice', address: '203.0.113.9', from: '2026-11-20T08:00:00Z', log: 'vpn' },
    });
    expect(sighting('2026-11-20 08:00:00', '2026-11-20T10:00:00+01:00')).toMatchObject({ to: '2026-11-20T09:00:00Z' });
    expect(sighting('no time', '')).toBeUndefined();
    expect(sighting('2026-11-20', '', 'AWS Internal')).toBeUndefined();
  });

  it('are days of UTC, wherever the machine is', () => {
    vi.stubEnv('TZ', 'America/New_York');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    for (const day of ['2026-11-20', '20 Nov 2026'])
      expect(sighting(day, '')).toMatchObject({ from: '2026-11-20T00:00:00Z' });
  });

  it('are told apart by whether they had the address at that time, near it, or not', () => {
    const all = ['2026-11-20 08:00:00', '2026-11-19 08:00:00', '2026-10-01 08:00:00'].flatMap(
      (at, n) => ({ ...sighting(at, ''), person: `p${n}` }) as never,
    );
    const lines = peopleBetween(all, '203.0.113.9', '2026-11-20T09:00:00Z', '2026-11-20T09:30:00Z');
    expect(lines.map(({ person, match }) => `${person} ${match}`)).toEqual([
      'p0 at-the-time',
      'p1 near',
      'p2 at-another-time',
    ]);
    expect(peopleBetween(all, '198.51.100.1', '2026-11-20T09:00:00Z', '2026-11-20T09:30:00Z')).toEqual([]);
  });
});

describe('the word of a question', () => {
  it('is an instance, interface, address, VPC or domain, also as people paste it', () => {
    const all = ['instance', 'interface', 'address', 'vpc', 'domain'] as const;
    expect(networkWord('arn:aws-us-gov:ec2:us-gov-west-1:111122223333:instance/i-0abcdef1234567890', all)).toEqual({
      ...{ kind: 'instance', id: 'i-0abcdef1234567890' },
    });
    expect(networkWord('hxxps://Pool[.]Example[.]com/x', all)).toEqual({ kind: 'domain', id: 'pool.example.com' });
    expect(networkWord('2001:DB8::1', all)).toEqual({ kind: 'address', id: '2001:db8::1' });
    expect(() => networkWord('pool.example.com', ['address'])).toThrow('cannot be looked for');
    expect(() => networkWord("x' OR 1=1", all)).toThrow();
  });
});
