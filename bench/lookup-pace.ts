/**
 * LookupEvents against a server that answers 2 requests a second per Region, as AWS does, and takes its time for each: how close
 * a scan of a window comes to the bound of the busiest of 17 Regions (events / 100 s), and how often it was throttled.
 *
 *   node bench/lookup-pace.ts [--events 6000] [--rtt 300,1500,4000]
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { systemClock } from '../src/clock.ts';
import type { AwsReach, AwsReader } from '../src/contracts/aws.ts';
import { openLookupEvidence } from '../src/evidence/lookup.ts';

const { values } = parseArgs({
  options: { events: { type: 'string', default: '6000' }, rtt: { type: 'string', default: '300,1500,4000' } },
});
const account = '111122223333';
const regions = ['us-east-1', ...Array.from({ length: 16 }, (_, i) => `eu-test-${i + 1}`)];
const [from, to] = [Date.parse('2026-11-14T00:00:00Z'), Date.parse('2026-11-21T00:00:00Z')];
const pageSize = 50;
const perSecond = 2;

const busiest = Number(values.events);
for (const rtt of values.rtt.split(',').map(Number)) await measure(rtt);

async function measure(rtt: number): Promise<void> {
  const server = await startServer(rtt);
  const evidence = openLookupEvidence({
    reach: reachOf(server.endpoint),
    accounts: [account],
    window: { from: new Date(from).toISOString(), to: new Date(to).toISOString() },
    budget: { maxRequests: 100_000, maxEvents: 1_000_000 },
    reserveSlot: localSlots(),
    clock: { ...systemClock, now: () => new Date(to) },
    signal: new AbortController().signal,
    log: { debug: () => undefined, info: () => undefined, warn: console.error, error: console.error },
  });
  const began = performance.now();
  const records = await evidence.recordsOf({ kind: 'ip', id: '198.51.100.7' });
  const seconds = (performance.now() - began) / 1000;
  await server.close();
  const bound = busiest / (pageSize * perSecond);
  const planted = regions.reduce((sum, _, i) => sum + eventsIn(i), 0);
  if (records.length !== planted) throw new Error(`${records.length} of ${planted} records came`);
  console.log(
    `round trip ${rtt / 1000} s: ${seconds.toFixed(1)} s, ${(seconds / bound).toFixed(2)} times the bound of ${bound} s (wanted: 1.1), ${server.throttled()} throttles (wanted: 0), ${server.requests()} requests in 17 Regions`,
  );
}

/** The first Region is the busiest. */
function eventsIn(region: number): number {
  return region === 0 ? busiest : Math.ceil(busiest / (region + 1));
}

async function startServer(rtt: number) {
  let throttled = 0;
  let requests = 0;
  /** Tokens left and when they were counted, per Region: bursts of two, as a bucket of 2 a second allows. */
  const buckets = new Map<string, { tokens: number; at: number }>();
  const isAllowed = (region: string): boolean => {
    const now = performance.now();
    const { tokens, at } = buckets.get(region) ?? { tokens: perSecond, at: now };
    const left = Math.min(perSecond, tokens + ((now - at) / 1000) * perSecond);
    buckets.set(region, { tokens: left >= 1 ? left - 1 : left, at: now });
    return left >= 1;
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const region = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? '';
      const input = JSON.parse(Buffer.concat(chunks).toString()) as Ask;
      requests += 1;
      const allowed = isAllowed(region);
      if (!allowed) throttled += 1;
      await wait(rtt);
      response.writeHead(allowed ? 200 : 400, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(allowed ? page(region, input) : { __type: 'ThrottlingException', message: 'slow' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    throttled: () => throttled,
    requests: () => requests,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Ask {
  readonly StartTime: number;
  readonly EndTime: number;
  readonly NextToken?: string;
}

/** Events lie evenly in the window, the newest first. */
function page(region: string, { StartTime, EndTime, NextToken }: Ask): unknown {
  const count = eventsIn(regions.indexOf(region));
  const step = (to - from) / count;
  const timeOf = (n: number) => Math.floor((from + n * step) / 1000);
  const inside = Array.from({ length: count }, (_, n) => n)
    .filter((n) => StartTime <= timeOf(n) && timeOf(n) <= EndTime)
    .reverse();
  const start = Number(NextToken ?? 0);
  const Events = inside.slice(start, start + pageSize).map((n) => {
    const record = {
      eventVersion: '1.11',
      eventID: `${region}-${n}`,
      eventTime: new Date(timeOf(n) * 1000).toISOString().replace('.000Z', 'Z'),
      eventSource: 'ec2.amazonaws.com',
      eventName: 'DescribeInstances',
      awsRegion: region,
      sourceIPAddress: '198.51.100.7',
      userIdentity: { type: 'IAMUser', arn: `arn:aws:iam::${account}:user/alice`, accountId: account },
      recipientAccountId: account,
    };
    return { EventId: record.eventID, EventTime: timeOf(n), CloudTrailEvent: JSON.stringify(record) };
  });
  return { Events, ...(start + pageSize < inside.length ? { NextToken: String(start + pageSize) } : {}) };
}

function reachOf(endpoint: string): AwsReach {
  const unused = (): never => {
    throw new Error('not used here');
  };
  const reader = {
    accountId: account,
    partition: 'aws',
    cloudtrail: (region: string) =>
      new CloudTrailClient({
        region,
        endpoint,
        credentials: { accessKeyId: account, secretAccessKey: 'x' },
        maxAttempts: 1,
      }),
  } as unknown as AwsReader;
  return {
    accounts: async () => [account],
    regions: async () => regions,
    reader: async () => reader,
    responder: unused,
    self: unused,
  };
}

function localSlots(): (lane: string, everyMs: number) => Promise<number> {
  const next = new Map<string, number>();
  return (lane, everyMs) => {
    const now = Date.now();
    const slot = Math.max(now, next.get(lane) ?? 0);
    next.set(lane, slot + everyMs);
    return Promise.resolve(slot - now);
  };
}
