/**
 * A graph of a million links through the pivot: users and addresses, each linked to twenty of the others, so that everything hangs
 * together within a few hops. Once within the usual limits, which end it, and once without any, which has to find every link.
 *
 *   node --max-old-space-size=8192 bench/edges.ts [--edges 1000000]
 */
import { parseArgs } from 'node:util';
import type { Artifact } from '../src/contracts/artifact.ts';
import type { CloudTrailRecord } from '../src/contracts/cloudtrail.ts';
import type { Evidence } from '../src/contracts/evidence.ts';
import { pivot } from '../workflows/investigation/pivot.ts';

const { values } = parseArgs({ options: { edges: { type: 'string', default: '1000000' } } });
const account = '111122223333';
/** As many principals as an address may have before it counts as shared. */
const links = 20;
const size = Math.ceil(Number(values.edges) / links);
/** User u is seen at the addresses u + step: any two of them meet again after few hops. */
const steps = Array.from({ length: links }, (_, i) => (i * i * 131 + i * 8) % size);
if (new Set(steps).size < links) throw new Error('too few edges for different links');

const records: (CloudTrailRecord | undefined)[] = [];
const began = Date.parse('2026-11-01T00:00:00Z');

function recordOf(user: number, link: number): CloudTrailRecord {
  const n = user * links + link;
  records[n] ??= {
    eventVersion: '1.11',
    eventID: `event-${n}`,
    eventTime: new Date(began + n * 1000).toISOString().replace('.000Z', 'Z'),
    eventSource: 'ec2.amazonaws.com',
    eventName: 'DescribeInstances',
    awsRegion: 'eu-west-1',
    sourceIPAddress: addressOf((user + (steps[link] ?? 0)) % size),
    userAgent: 'aws-cli',
    userIdentity: { type: 'IAMUser', arn: `arn:aws:iam::${account}:user/user-${user}`, accountId: account },
    recipientAccountId: account,
  };
  return records[n];
}

function addressOf(n: number): string {
  return `11.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
}

function recordsOf({ kind, id }: Artifact): readonly CloudTrailRecord[] {
  if (kind === 'ip') {
    const [, a = 0, b = 0, c = 0] = id.split('.').map(Number);
    const n = a * 65_536 + b * 256 + c;
    return steps.map((step, link) => recordOf((n - step + size) % size, link));
  }
  const user = Number(id.split('user-')[1]);
  return Number.isNaN(user) ? [] : steps.map((_, link) => recordOf(user, link));
}

async function measure(name: string, limits: Record<string, number>): Promise<number> {
  let questions = 0;
  const evidence: Evidence = {
    recordsOf: async (artifact) => {
      questions += 1;
      return recordsOf(artifact);
    },
    coverage: () => ({
      ...{ complete: true, accounts: [account], regions: ['eu-west-1'], from: '', to: '' },
      ...{ sources: [], badFiles: [], notLookedAt: [] },
    }),
    progress: () => ({ regionsDone: 1, regions: 1, eventsRead: 0, requests: 0 }),
  };
  const artifact = `arn:aws:iam::${account}:user/user-0`;
  const from = performance.now();
  const { answer } = await pivot.run(pivot.target.parse({ artifact, depth: 100, ...limits }), {
    evidence,
    aws: undefined,
    signal: new AbortController().signal,
    progress: () => undefined,
    now: () => new Date(),
  });
  const seconds = (performance.now() - from) / 1000;
  const memory = Math.round(process.resourceUsage().maxRSS / 1024);
  const edges = answer.edges.filter((edge) => edge.kind === 'used-ip').length;
  const cut = answer.coverage.notLookedAt.join('; ') || 'nothing left out';
  console.log(
    `${name}: ${seconds.toFixed(1)} s, ${questions} questions, ${answer.nodes.length} nodes, ${edges} links, ${memory} MB at most (${cut.slice(0, 200)})`,
  );
  return edges;
}

await measure('usual limits', {});
const found = await measure('no limits', { maxNodes: 10_000_000, maxEvents: 10_000_000 });
if (found !== size * links) throw new Error(`${found} links were found of ${size * links}`);
