/** `firebreak doctor`: looks at an installation with the eyes of the bot, says what would fail at night, and what it did not look at. Changes nothing. */
import { DescribeRegionsCommand } from '@aws-sdk/client-ec2';
import { actions } from '#actions';
import { commands } from '#commands';
import { investigations } from '#investigations';
import { systemClock } from './clock.ts';
import { type Config, loadConfig } from './config.ts';
import { unknownNames } from './config-problems.ts';
import type { AnchorState } from './contracts/audit-anchor.ts';
import type { AwsReach } from './contracts/aws.ts';
import { SetupError, UserError } from './contracts/errors.ts';
import type { Log } from './contracts/log.ts';
import type { KnownEnrollment } from './contracts/step-up.ts';
import { intakeLooks } from './doctor-intake.ts';
import { check, type Finding, fails, lineOf, open } from './doctor-report.ts';
import { type Look, roleLooks } from './doctor-roles.ts';
import { slackLooks } from './doctor-slack.ts';
import type { Account } from './domain/inventory.ts';
import { globalRegion } from './domain/partition.ts';
import { parseArn } from './domain/principal.ts';
import { someOf } from './domain/role-check.ts';
import { openLog } from './log.ts';
import { redisProblem } from './queue/redis-policy.ts';
import { connectQueue, connectReach, connectStore } from './wire.ts';
import { connectAnchors } from './wire-anchor.ts';

const anchorMs = 60_000;

/** Prints one line per check. 0 when nothing that was looked at is wrong, else 1. */
export async function doctor(): Promise<number> {
  const config = loadConfig({ kind: 'serve', roles: ['web', 'worker', 'executor'] });
  const log = openLog('silent');
  const found: Finding[] = [];
  // Line by line as it is looked at: an organisation with many accounts, or an AWS that does not answer, takes minutes.
  const say = (...findings: readonly Finding[]): void => {
    found.push(...findings);
    for (const finding of findings) process.stdout.write(lineOf(finding));
  };
  say(await check('config', async () => config.configPath));
  const unknown = unknownNames(config, { actions, commands, investigations });
  // The token of the webhooks has a line of its own, as only the web process needs one.
  const warnings = config.warnings.filter((warning) => !warning.startsWith('WEBHOOK_TOKEN'));
  say(...[...unknown, ...warnings].map((problem) => fails('config', problem)));
  const { looks, enrolled } = await storeLooks(config, log);
  say(...looks);
  say(...(await slackLooks(config, log, enrolled)));
  const reach = connectReach(config, log);
  const identity = await check('AWS identity', async () => (await reach.self())[0] ?? 'AWS names none');
  say(identity);
  const accounts = identity.state === 'ok' ? await reach.accounts() : [];
  if (identity.state !== 'ok') say(open('accounts', 'not looked at without an AWS identity'));
  for (const accountId of accounts) say(...(await accountLooks(accountId, config, reach)));
  say(
    open('executor', 'its own credentials, database role and config are not looked at: this asks as the worker does'),
    open('logs', 'whether trails deliver and GuardDuty is on: firebreak ir readiness'),
    ...(config.athena === undefined ? [] : [open('athena', 'not asked: firebreak ir athena')]),
    ...(config.imports.length === 0 ? [] : [open('imports', 'buckets are not read: firebreak ir coverage')]),
    ...(config.escalation.pagers.length === 0 ? [] : [open('pagers', 'nobody is called to try')]),
  );
  return found.some(({ state }) => state === 'FAIL') ? 1 : 0;
}

interface StoreLooks {
  readonly looks: readonly Finding[];
  /** Undefined where the database could not be asked. */
  readonly enrolled: readonly KnownEnrollment[] | undefined;
}

/** Database, queue, what the worker noted in them, and the anchors of the audit. */
async function storeLooks(config: Config, log: Log): Promise<StoreLooks> {
  const redis = config.redisUrl?.reveal();
  let anchored: AnchorState | undefined;
  let intake: readonly Finding[] = [];
  let enrolled: readonly KnownEnrollment[] | undefined;
  let lacking: readonly string[] = [];
  const stores = await check('database and queue', async () => {
    const stored = await connectStore(config, [], log, { onlyCurrent: true });
    try {
      lacking = await stored.store.lackingRights();
      await stored.store.check();
      anchored = await stored.store.anchors.state();
      const queue = await connectQueue(config, stored.connectionString, log);
      await queue.check();
      await queue.close(1_000);
      enrolled = await stored.store.stepUp.enrolled(new Date(0).toISOString());
      intake = await intakeLooks(config, stored.store, systemClock.now());
      return config.databaseUrl === undefined ? `embedded, in ${config.dataDir}` : 'external';
    } finally {
      await stored.close();
    }
  });
  const policy = async () => {
    const problem = redis === undefined ? undefined : await redisProblem(redis);
    if (problem !== undefined) throw new UserError(problem);
    return 'drops nothing when its memory is full, as far as it tells';
  };
  if (stores.state !== 'ok') intake = [open('alerts', 'how they come in was not looked at')];
  const queue = redis === undefined ? [] : [await check('Redis', policy)];
  const looks = [stores, ...(lacking.length === 0 ? [] : [lackingWords(lacking)]), ...queue, ...intake];
  if (config.audit.anchor !== undefined) looks.push(await check('audit anchor', () => lookAtAnchor(config, anchored)));
  return { looks, enrolled };
}

function lackingWords(tables: readonly string[]): Finding {
  return fails(
    'database role',
    `the role of DATABASE_URL may not use ${someOf(tables)} as web and worker must: run \`firebreak migrate --roles\` with the DATABASE_URL of the owner`,
  );
}

async function accountLooks(accountId: string, config: Config, reach: AwsReach): Promise<readonly Finding[]> {
  const found = [await check(`account ${accountId}: read`, () => readWords(accountId, config, reach))];
  const account = config.accounts.find((entry) => entry.id === accountId);
  if (account?.responderRole === undefined)
    found.push(fails(`account ${accountId}: contain`, 'no responderRole: it can be investigated, not contained'));
  if (account !== undefined && found[0]?.state === 'ok') found.push(...(await checkRoles(account, config, reach)));
  return found;
}

/** Asks AWS in any case: Regions that the config names are no answer of the account's. */
async function readWords(accountId: string, config: Config, reach: AwsReach): Promise<string> {
  const aws = await reach.reader(accountId);
  const answer = await aws.ec2(globalRegion(aws.partition)).send(new DescribeRegionsCommand({ AllRegions: false }));
  const enabled = (answer.Regions ?? []).flatMap(({ RegionName }) => RegionName ?? []);
  if (enabled.length === 0) throw new UserError('AWS named no enabled Region');
  const unknown = config.regions.filter((region) => !enabled.includes(region));
  if (unknown.length > 0) throw new UserError(`not enabled there, or no Region: ${unknown.join(', ')} (regions)`);
  return `${(await reach.regions(accountId)).length} Regions`;
}

/** The bucket must be able to lock, and to be read; whether it can be written shows what the worker did last. */
async function lookAtAnchor(config: Config, state: AnchorState | undefined): Promise<string> {
  const bucket = await connectAnchors(config);
  if (bucket === undefined) return '';
  try {
    const lacks = await bucket.lacks(AbortSignal.timeout(anchorMs));
    if (lacks !== undefined) throw new SetupError([`${bucket.name}: ${lacks}`]);
    const of = `${bucket.name} has Object Lock`;
    if (state === undefined) return `${of}; no worker has written one yet`;
    if (!state.ok)
      throw new SetupError([`${of}, but the last try to write failed (${state.because}), at ${state.triedAt}`]);
    return `${of}; the last was written for entry ${state.last?.seq} at ${state.last?.at}`;
  } finally {
    bucket.close();
  }
}

async function checkRoles(account: Account, config: Config, reach: AwsReach): Promise<readonly Finding[]> {
  const at = `account ${account.id}: `;
  let looks: readonly Look[] = [];
  const opened = await check(`${at}roles`, async () => {
    const [self, aws] = [await reach.self(), await reach.reader(account.id)];
    const hub = self.map((name) => parseArn(name)?.accountId).find((id) => id !== undefined);
    if (hub === undefined) throw new SetupError(['AWS does not say which account this identity is in']);
    looks = roleLooks({ account, aws, config, self, hub });
    return '';
  });
  if (opened.state !== 'ok') return [opened];
  const found: Finding[] = [];
  for (const { what, look } of looks) found.push(await check(`${at}${what}`, look));
  return found;
}
