/**
 * What would be missing in an incident: each question per account or Region, answered yes, no, or could not look. Judges what
 * was read; reads nothing (DOMAIN.md 3, 6, 7, 9.1).
 */
import type { InventoryEntry } from '../contracts/investigation.ts';
import { few } from './answers.ts';
import type { Looked } from './looked.ts';
import { type FoundTrail, trailChecks } from './readiness-trails.ts';

export interface RegionPosture {
  readonly region: string;
  readonly detector: Looked<{ readonly enabled: boolean; readonly frequency: string } | undefined>;
  /** VPCs, and those of them without flow logs that run. */
  readonly vpcs: Looked<{ readonly all: number; readonly without: readonly string[] }>;
  /** VPCs with anything in them, those of them whose DNS queries nobody logs, and how many query log configurations there are. */
  readonly dnsLogs: Looked<{ readonly used: number; readonly without: readonly string[]; readonly configs: number }>;
  /** The account's default for new instances: `required`, `optional`, or "" where none is set. */
  readonly tokens: Looked<string>;
  /** Instances that answer metadata requests without a token. */
  readonly openMetadata: Looked<readonly string[]>;
}

export interface AccountPosture {
  readonly accountId: string;
  /** Set where the account could not be opened at all. */
  readonly failed?: string;
  readonly trails: Looked<readonly FoundTrail[]> | undefined;
  readonly securityContact: Looked<boolean> | undefined;
  /** Undefined where the config names none. */
  readonly responderRole: Looked<boolean> | undefined;
  readonly regions: readonly RegionPosture[];
}

export interface ReadinessCheck {
  readonly id: string;
  readonly question: string;
  readonly accountId: string;
  /** Absent: the whole account. */
  readonly region?: string;
  readonly answer: 'yes' | 'no' | 'could-not-look';
  readonly because: string;
}

/** What to do about a "no", and how much it hurts in an incident: the higher, the sooner. */
const questions = {
  'audit-role': [
    'Can the account be read?',
    100,
    'Give the account an audit role (deploy/, docs/reference/permissions.md).',
  ],
  trail: [
    'Does a trail run in all Regions?',
    95,
    'Make a multi-Region trail of all management events and start it: without it only 90 days of them exist.',
  ],
  'trail-delivery': ['Does the trail deliver?', 90, 'Mend the delivery of the trail: its bucket or key refuses it.'],
  guardduty: ['Is GuardDuty on?', 80, 'Switch GuardDuty on in these Regions, unused ones included.'],
  'responder-role': [
    'Can the account be contained from here?',
    75,
    'Give the account a responder role, and name it in the config.',
  ],
  'trail-validation': ['Can the log files be proven unchanged?', 65, 'Switch log file validation on.'],
  'security-contact': [
    'Will AWS reach security people?',
    60,
    'Set the alternate contact SECURITY: AWS writes to it about abuse.',
  ],
  'flow-logs': [
    'Are there flow logs of every VPC?',
    50,
    'Switch VPC flow logs on: without them nobody can say where the instances talked to.',
  ],
  'dns-logs': [
    'Are DNS queries of every used VPC logged?',
    47,
    'Log DNS queries (Route 53 Resolver) of these VPCs: without them nobody can say which names the instances asked for.',
  ],
  'open-metadata': [
    'Do all instances ask for IMDSv2?',
    45,
    'Require IMDSv2 (HttpTokens required): IMDSv1 gives credentials to a single forged request.',
  ],
  'data-events': [
    'Are reads of S3 objects recorded?',
    40,
    'Record S3 data events, at least of the buckets that matter: else nobody can say what was taken.',
  ],
  'guardduty-frequency': [
    'Do findings repeat within 15 minutes?',
    30,
    'Set the publishing frequency to FIFTEEN_MINUTES: updates of known findings come every six hours otherwise.',
  ],
  'metadata-default': [
    'Do new instances ask for IMDSv2?',
    20,
    'Set the instance metadata default of the account to HttpTokens required.',
  ],
} as const satisfies Readonly<Record<string, readonly [question: string, weight: number, fix: string]>>;
type CheckId = keyof typeof questions;

/** Part of being ready, and not to be asked by the clients of this version. */
export const unaskedReadiness: readonly string[] = [
  "S3 public access: the account's block (S3 Control) and those of its buckets",
  'the EventBridge rule that brings findings here',
];

export interface Fix {
  readonly check: string;
  readonly accountId: string;
  /** Empty: the whole account. */
  readonly regions: readonly string[];
  readonly fix: string;
  readonly because: string;
  readonly weight: number;
}

/** All questions about an account. `entry`: what the config says of it. */
export function readinessChecks(posture: AccountPosture, entry: InventoryEntry | undefined): readonly ReadinessCheck[] {
  const { accountId, failed, trails, securityContact, responderRole, regions } = posture;
  const check = (id: CheckId, answer: ReadinessCheck['answer'], because: string, region?: string): ReadinessCheck => ({
    ...{ id, question: questions[id][0], accountId, answer, because },
    ...(region === undefined ? {} : { region }),
  });
  const judged = <T>(
    id: CheckId,
    looked: Looked<T>,
    judge: (value: T) => readonly [good: boolean, because: string],
    region?: string,
  ) => {
    if (!looked.ok) return check(id, 'could-not-look', looked.reason, region);
    const [good, because] = judge(looked.value);
    return check(id, good ? 'yes' : 'no', because, region);
  };
  if (failed !== undefined) {
    const ids = Object.keys(questions) as CheckId[];
    return ids.map((id) => check(id, id === 'audit-role' ? 'no' : 'could-not-look', failed));
  }
  const how = entry?.auditRole === undefined ? "with Firebreak's own credentials" : `by ${entry.auditRole}`;
  return [
    check('audit-role', 'yes', `it is read ${how}`),
    responderRole === undefined
      ? check('responder-role', 'no', 'the config names no responder role for it')
      : judged('responder-role', responderRole, (there) => [
          there,
          there ? 'the role is there' : 'the config names a role that is not there',
        ]),
    ...(trails === undefined ? [] : trailChecks(trails, check)),
    ...(securityContact === undefined
      ? []
      : [
          judged('security-contact', securityContact, (set) => [
            set,
            set ? 'the contact SECURITY is set' : 'no alternate contact SECURITY is set',
          ]),
        ]),
    ...regions.flatMap(({ region, detector, vpcs, dnsLogs, tokens, openMetadata }) => [
      judged(
        'guardduty',
        detector,
        (one) => [
          one?.enabled === true,
          one === undefined
            ? 'there is no detector'
            : one.enabled
              ? 'the detector is enabled'
              : 'the detector is disabled',
        ],
        region,
      ),
      ...(detector.ok && detector.value?.enabled !== true
        ? []
        : [
            judged(
              'guardduty-frequency',
              detector,
              (one) => [one?.frequency === 'FIFTEEN_MINUTES', `updates are published ${one?.frequency ?? ''}`],
              region,
            ),
          ]),
      judged(
        'flow-logs',
        vpcs,
        ({ all, without }) => [
          without.length === 0,
          without.length === 0
            ? `${all} VPCs, all with flow logs`
            : `no flow logs of ${few(without, 4)} (of ${all} VPCs)`,
        ],
        region,
      ),
      judged('dns-logs', dnsLogs, dnsWords, region),
      judged(
        'open-metadata',
        openMetadata,
        (ids) => [ids.length === 0, ids.length === 0 ? 'no instance takes IMDSv1' : `IMDSv1 is open on ${few(ids, 4)}`],
        region,
      ),
      judged(
        'metadata-default',
        tokens,
        (value) => [value === 'required', value === '' ? 'no default is set' : `the default is ${value}`],
        region,
      ),
    ]),
  ];
}

function dnsWords({
  used,
  without,
  configs,
}: {
  readonly used: number;
  readonly without: readonly string[];
  readonly configs: number;
}): readonly [boolean, string] {
  if (used === 0) return [true, 'no VPC has anything in it'];
  if (without.length === 0) return [true, `${used} used VPCs, the queries of all are logged`];
  const there = configs === 0 ? '' : `, though there are ${configs} query log configurations`;
  return [false, `no DNS query logs of ${few(without, 4)} (of ${used} used VPCs)${there}`];
}

/** What to fix, the worst first: one line per account and question. Regions where work is expected count more than others. */
export function fixesOf(checks: readonly ReadinessCheck[], inventory: readonly InventoryEntry[]): readonly Fix[] {
  const wrong = checks.filter(({ answer }) => answer === 'no');
  return [...Map.groupBy(wrong, ({ accountId, id }) => `${accountId} ${id}`).values()]
    .flatMap((own): Fix[] => {
      const [first] = own;
      if (first === undefined) return [];
      const expected = inventory.find(({ id }) => id === first.accountId)?.expectedRegions;
      const regions = own.flatMap(({ region }) => region ?? []);
      const unused =
        expected !== undefined && regions.length > 0 && !regions.some((region) => expected.includes(region));
      const [, weight, fix] = questions[first.id as CheckId];
      return [
        {
          check: first.id,
          accountId: first.accountId,
          regions,
          fix,
          because: first.because,
          weight: unused ? weight / 2 : weight,
        },
      ];
    })
    .toSorted(
      (a, b) => b.weight - a.weight || b.regions.length - a.regions.length || (a.accountId < b.accountId ? -1 : 1),
    );
}
