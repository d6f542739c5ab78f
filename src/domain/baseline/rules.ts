/** The rules that compare a principal with its own past (DOMAIN.md 8.4). Their ids are picked in a hunt like any other rule's. */
import type { BaselineRule, Level } from '../sigma/tree.ts';

function rule(
  name: string,
  title: string,
  level: Level,
  technique: readonly string[],
  tactic: readonly string[],
  description: string,
): BaselineRule {
  return {
    kind: 'baseline',
    name: `baseline-${name}`,
    id: '',
    title,
    description,
    author: 'Firebreak',
    level,
    technique,
    tactic,
    tags: [...technique, ...tactic].map((word) => `attack.${word.toLowerCase().replaceAll(' ', '-')}`),
    falsepositives: ['New work, new places, new tools: ask the person.'],
    file: 'baselines',
  };
}

const valid = ['T1078.004'];
const entry = ['Initial Access'];

export const baselineRules = {
  country: rule(
    'new-country',
    'First call from this country',
    'low',
    valid,
    entry,
    'A country that the principal was not seen in before, after 14 days of learning.',
  ),
  asn: rule(
    'new-network',
    'First call from this network (ASN)',
    'low',
    valid,
    entry,
    'A network that the principal was not seen in before, after 14 days of learning.',
  ),
  region: rule(
    'new-region',
    'First call in this Region',
    'low',
    ['T1535'],
    ['Defense Evasion'],
    'A Region that the principal did not use before, after 14 days of learning.',
  ),
  agent: rule(
    'new-tool',
    'First call with this kind of tool',
    'low',
    valid,
    entry,
    'A family of user agents that the principal did not use before, after 14 days of learning.',
  ),
  service: rule(
    'new-service',
    'First call to this service',
    'low',
    ['T1526'],
    ['Discovery'],
    'A service that the principal did not call before, after 14 days of learning.',
  ),
  hour: rule(
    'off-hours',
    'At an hour of the day at which it never worked',
    'low',
    valid,
    entry,
    'An hour (UTC) in which, and beside which, the principal was never active, after 14 days of learning.',
  ),
  several: rule(
    'several-firsts',
    'Several firsts on one day',
    'medium',
    valid,
    entry,
    'Two or more of new country, network, Region, tool, service and hour on one day.',
  ),
  severalWrites: rule(
    'several-firsts-with-changes',
    'Several firsts on one day, and it changed something',
    'high',
    valid,
    entry,
    'As several firsts, one of them with a call that writes.',
  ),
  travel: rule(
    'impossible-travel',
    'One long-term key in two countries within an hour',
    'high',
    valid,
    entry,
    'Nobody travels so fast: a key in two hands, or a private network with exits in both.',
  ),
  dormant: rule(
    'dormant-key',
    'A key awoke after 90 days of silence',
    'medium',
    valid,
    ['Persistence'],
    'A long-term access key that was not used for more than 90 days.',
  ),
  newKey: rule(
    'new-key-elsewhere',
    'A new key was used from elsewhere within 10 minutes',
    'high',
    ['T1098.001'],
    ['Persistence'],
    'The key was made at one address and used from another at once.',
  ),
  fanOut: rule(
    'region-fan-out',
    'Calls in five or more Regions within ten minutes',
    'low',
    ['T1535', 'T1580'],
    ['Discovery'],
    'Somebody looks through the Regions.',
  ),
  fanOutWrites: rule(
    'region-fan-out-with-changes',
    'Changes in five or more Regions within ten minutes',
    'high',
    ['T1535'],
    ['Defense Evasion'],
    'Somebody builds in many Regions at once.',
  ),
  instance: rule(
    'instance-credentials-outside',
    "An instance's credentials used from more than one public address",
    'high',
    ['T1552.005', 'T1078.004'],
    ['Credential Access'],
    'One set of credentials of an instance came from two public addresses: it was copied out.',
  ),
  enumeration: rule(
    'enumeration',
    'Twenty or more different reading calls within ten minutes',
    'low',
    ['T1580', 'T1526'],
    ['Discovery'],
    'Somebody or something looks at everything.',
  ),
  deniedPlace: rule(
    'denied-in-new-place',
    'Five or more different calls refused in a place new to the principal',
    'medium',
    ['T1580', 'T1526'],
    ['Discovery'],
    'From a country, network or address that was never seen of it before, within ten minutes.',
  ),
} as const;

export const allBaselineRules: readonly BaselineRule[] = Object.values(baselineRules);
