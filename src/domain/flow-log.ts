/** VPC flow logs as text: versions 2 to 5 and later, any order of fields (DOMAIN.md 3.9). */
import type { FlowRecord } from '../contracts/network.ts';
import { parseIp } from './address.ts';

/** The default format, which files without a header line are in. */
const version2 = [
  'version',
  'account-id',
  'interface-id',
  'srcaddr',
  'dstaddr',
  'srcport',
  'dstport',
  'protocol',
  'packets',
  'bytes',
  'start',
  'end',
  'action',
  'log-status',
] as const;

const further = [
  'vpc-id',
  'subnet-id',
  'instance-id',
  'tcp-flags',
  'type',
  'pkt-srcaddr',
  'pkt-dstaddr',
  'region',
  'az-id',
  'sublocation-type',
  'sublocation-id',
  'pkt-src-aws-service',
  'pkt-dst-aws-service',
  'flow-direction',
  'traffic-path',
] as const;

/** All fields of versions 2 to 5, in AWS's order. */
export const flowFields: readonly string[] = [...version2, ...further];
/**
 * What flow logs of a transit gateway have in place of an interface: each flow is there twice, as it came in at one attachment and went out at another
 * (https://docs.aws.amazon.com/vpc/latest/tgw/tgw-flow-logs.html).
 */
export const attachmentField = 'tgw-attachment-id';
const known: ReadonlySet<string> = new Set(flowFields);

/** Later versions add fields; a header is one whose first words are known ones. */
const headerWord = /^[a-z][a-z0-9-]{1,40}$/;
/** Exports of CloudWatch Logs put the time of ingestion before each line. */
const exportTime = /^\d{4}-\d\d-\d\dT[\d:.]+Z\s+/;

/** Where each field stands. */
export type FlowFormat = ReadonlyMap<string, number>;

function formatOf(fields: readonly string[]): FlowFormat {
  return new Map(fields.map((field, at) => [field, at]));
}

const defaultFormat = formatOf(version2);

/**
 * The format that a first line tells: by its header, or the default one where it is itself a line of it. Undefined where the
 * text is no flow log. `isHeader`: the line holds no flow.
 */
export function flowFormatOf(firstLine: string): { format: FlowFormat; isHeader: boolean } | undefined {
  const words = firstLine.replace(exportTime, '').trim().split(/\s+/);
  // Underscores in Parquet and in some tools' headers.
  const names = words.map((word) => word.replaceAll('_', '-').toLowerCase());
  const addresses = ['srcaddr', 'dstaddr', 'pkt-srcaddr', 'pkt-dstaddr'];
  const isHeader =
    names.length >= 3 &&
    names.every((name) => headerWord.test(name)) &&
    names.filter((name) => known.has(name)).length >= 3 &&
    names.some((name) => addresses.includes(name) || name === 'interface-id');
  if (isHeader) return { format: formatOf(names), isHeader: true };
  const isLine =
    words.length === version2.length &&
    words[0] === '2' &&
    /^(\d{12}|-|unknown)$/.test(words[1] ?? '') &&
    /^(eni-|-$)/.test(words[2] ?? '') &&
    /^(OK|NODATA|SKIPDATA)$/.test(words[13] ?? '');
  return isLine ? { format: defaultFormat, isHeader: false } : undefined;
}

/** A line of a flow log whose format no header tells: which field is which cannot be known. */
export function isFormatless(line: string): boolean {
  const words = line.replace(exportTime, '').trim().split(/\s+/);
  const has = (form: RegExp) => words.some((word) => form.test(word));
  return (
    words.length >= 5 &&
    has(/^(?:OK|NODATA|SKIPDATA|ACCEPT|REJECT)$/) &&
    has(/^(?:eni|tgw-attach)-[0-9a-f]{8,17}$/) &&
    words.filter((word) => word === '-' || parseIp(word) !== undefined).length >= 2
  );
}

export type FlowLine =
  | { readonly kind: 'flow'; readonly flow: FlowRecord }
  /** No traffic in the interval. */
  | { readonly kind: 'nothing' }
  /** AWS itself could not record all of the interval. */
  | { readonly kind: 'skipped' }
  | { readonly kind: 'bad' };

/** Parses one line. Numbers beyond 2^53 lose precision; everything that is no number where one must be is bad. */
export function parseFlowLine(line: string, format: FlowFormat): FlowLine {
  const words = line.replace(exportTime, '').trim().split(/\s+/);
  if (words.length !== format.size) return { kind: 'bad' };
  return flowOf((field) => {
    const word = words[format.get(field) ?? -1];
    return word === undefined || word === '-' ? '' : word;
  });
}

/** A flow from its fields by AWS's names, '' where absent. */
export function flowOf(field: (name: string) => string): FlowLine {
  const status = field('log-status');
  if (status === 'NODATA') return { kind: 'nothing' };
  if (status === 'SKIPDATA') return { kind: 'skipped' };
  const number = (name: string) => (/^\d{1,19}$/.test(field(name)) ? Number(field(name)) : undefined);
  const address = (name: string) => parseIp(field(name)) ?? '';
  const pktSrcaddr = address('pkt-srcaddr');
  const pktDstaddr = address('pkt-dstaddr');
  const srcaddr = address('srcaddr') || pktSrcaddr;
  const dstaddr = address('dstaddr') || pktDstaddr;
  const start = number('start');
  if (srcaddr === '' || dstaddr === '' || start === undefined) return { kind: 'bad' };
  return {
    kind: 'flow',
    flow: {
      // `unknown` where a service of AWS made the interface.
      accountId: field('account-id').replace(/^unknown$/, ''),
      region: field('region'),
      interfaceId: field('interface-id') || field(attachmentField),
      instanceId: field('instance-id'),
      vpcId: field('vpc-id'),
      srcaddr,
      dstaddr,
      pktSrcaddr,
      pktDstaddr,
      srcport: number('srcport') ?? 0,
      dstport: number('dstport') ?? 0,
      protocol: number('protocol') ?? 0,
      packets: number('packets') ?? 0,
      bytes: number('bytes') ?? 0,
      start,
      end: number('end') ?? start,
      action: field('action'),
    },
  };
}
