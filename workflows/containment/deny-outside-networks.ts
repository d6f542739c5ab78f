/** Denies everything to a user or role but from known networks (DOMAIN.md 5.6, P4): the workload goes on, the thief does not. */
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { UserError } from '#src/contracts/errors.ts';
import { inlineAction } from './identity/define-inline.ts';
import { PrincipalTarget, principalIn } from './identity/principal.ts';

const Target = PrincipalTarget.extend({
  networks: z.array(z.string()).max(30),
  /** VPCs whose endpoints are used: calls through them carry no public address. */
  vpcs: z.array(z.string().regex(/^vpc-[0-9a-z]{8,17}$/)).max(10),
});
const usage = 'deny-outside-networks <ARN of a user or role> <address range or vpc-...> ...';
/** Addresses that AWS never sees as the source of a call. */
const unseen: readonly string[] = [
  'private',
  'uniqueLocal',
  'loopback',
  'linkLocal',
  'carrierGradeNat',
  'multicast',
  'broadcast',
  'unspecified',
];
/** Wider than this is no known network but a large part of the internet. */
const widest = { ipv4: 12, ipv6: 24 } as const;

export const denyOutsideNetworks = inlineAction<z.output<typeof Target>>({
  name: 'deny-outside-networks',
  title:
    'Deny every action to the user or role from outside the named networks; calls that AWS services make on its behalf pass.',
  impact:
    'Whatever uses this user or role from another place is refused within seconds, also your own people on other networks.',
  usage,
  examples: [
    'arn:aws:iam::999999999999:user/pipeline 198.51.100.0/24 vpc-0123456789abcdef0',
    'role/DevOps 198.51.100.7 2001:db8::/32',
  ],
  kinds: ['user', 'role'],
  policyName: 'FirebreakOnlyKnownNetworks',
  more: {
    schema: Target,
    parse(words) {
      const principal = principalIn(words.slice(0, 1), ['user', 'role'], usage);
      const places = words.slice(1).map((word) => word.replace(/,$/, ''));
      const vpcs = places.filter((place) => place.startsWith('vpc-'));
      const networks = places.filter((place) => !place.startsWith('vpc-')).map(networkOf);
      if (networks.length === 0) {
        throw new UserError('From where may it go on? Name at least one address range.', `Usage: contain ${usage}`);
      }
      const read = Target.safeParse({ ...principal, networks: [...new Set(networks)].sort(), vpcs: vpcs.sort() });
      if (!read.success) throw new UserError('That names no VPC, or too many places.', `Usage: contain ${usage}`);
      return read.data;
    },
  },
  document: (_before, { networks, vpcs }) => ({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'FirebreakOnlyKnownNetworks',
        Effect: 'Deny',
        Action: '*',
        Resource: '*',
        Condition: {
          NotIpAddress: { 'aws:SourceIp': networks },
          // Absent on calls from public addresses (then the range decides), present through VPC endpoints, where it decides.
          StringNotEqualsIfExists: { 'aws:SourceVpc': vpcs.length > 0 ? vpcs : ['vpc-none'] },
          Bool: { 'aws:ViaAWSService': 'false' },
        },
      },
    ],
  }),
  reversal: 'Undo takes the policy away, or puts back the one of that name that was there before.',
  mintedLivesMs: () => 12 * 3_600_000,
  caution: (_target, { document }) =>
    document === ''
      ? undefined
      : { approvals: 2, because: 'It takes the place of networks that were named before: two people must approve.' },
  concerns: ({ sourceIPAddress }, { networks }) => !networks.some((network) => isIn(sourceIPAddress, network)),
  inForce: 'is denied everything but from the known networks',
  willNotStop: () => [
    'An attacker who works from inside one of these networks (a machine of yours, its NAT, your VPN) is not stopped at all.',
    'Calls through VPC endpoints pass only for the VPCs that are named.',
    'Calls that an AWS service makes on its behalf (CloudFormation, Athena) pass.',
    'Roles that a user has already assumed live on until their session ends, up to 12 hours.',
  ],
});

/** One range in canonical form. Throws UserError for what is none, or is no network of one's own. */
function networkOf(word: string): string {
  const text = word.includes('/') ? word : `${word}/${word.includes(':') ? 128 : 32}`;
  if (!ipaddr.isValidCIDR(text)) {
    throw new UserError(`${word.slice(0, 60)} is neither an address range nor a VPC.`, `Usage: contain ${usage}`);
  }
  const [address, bits] = ipaddr.parseCIDR(text);
  const kind = address.kind();
  if (bits < widest[kind]) {
    throw new UserError(`${text} is too wide to be a known network.`, `At most /${widest[kind]}.`);
  }
  if (unseen.includes(address.range())) {
    throw new UserError(
      `${text} is a private or reserved range: AWS sees public addresses only, so the condition could not hold.`,
      'Name the public address of the NAT or VPN, or the VPC whose endpoints are used.',
    );
  }
  const network = kind === 'ipv4' ? ipaddr.IPv4.networkAddressFromCIDR(text) : ipaddr.IPv6.networkAddressFromCIDR(text);
  return `${network.toString()}/${bits}`;
}

function isIn(address: string, network: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const [base, bits] = ipaddr.parseCIDR(network);
  const found = ipaddr.process(address);
  return found.kind() === base.kind() && found.match(base, bits);
}
