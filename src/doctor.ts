/** `firebreak doctor`: looks at an installation with the eyes of the bot, and says what would fail at night. Reads only. */
import { type Config, loadConfig } from './config.ts';
import type { AwsReach } from './contracts/aws.ts';
import { asError, SetupError, UpstreamError, UserError } from './contracts/errors.ts';
import { type Look, roleLooks } from './doctor-roles.ts';
import { awsErrorFacts } from './domain/aws-errors.ts';
import type { Account } from './domain/inventory.ts';
import { parseArn } from './domain/principal.ts';
import { openLog } from './log.ts';
import { connectChat, connectQueue, connectReach, connectStore } from './wire.ts';

type Finding = { readonly what: string; readonly ok: boolean; readonly says: string };

/** Prints one line per check. 0 when all hold, else 1. */
export async function doctor(): Promise<number> {
  const config = loadConfig({ kind: 'serve', roles: ['web', 'worker', 'executor'] });
  const log = openLog('silent');
  const found: Finding[] = [{ what: 'config', ok: true, says: config.configPath }];
  for (const warning of config.warnings) found.push({ what: 'config', ok: false, says: warning });
  found.push(
    await check('database and queue', async () => {
      const stored = await connectStore(config, [], log);
      try {
        await stored.store.check();
        const queue = await connectQueue(config, stored.connectionString, log);
        await queue.check();
        await queue.close(1_000);
        return config.databaseUrl === undefined ? `embedded, in ${config.dataDir}` : 'external';
      } finally {
        await stored.close();
      }
    }),
    await check('Slack', async () => {
      const answer = await (await connectChat(config, log)).reachable();
      if (!answer.ok) throw new UpstreamError('slack', answer.because, answer.because, { retryable: false });
      return 'accepts the bot token';
    }),
  );
  const reach = connectReach(config, log);
  const accounts = await check('AWS identity', async () => (await reach.accounts()).join(', '));
  found.push(accounts);
  for (const accountId of accounts.ok ? await reach.accounts() : []) {
    found.push(
      await check(`account ${accountId}: read`, async () => `${(await reach.regions(accountId)).length} Regions`),
    );
    const account = config.accounts.find((entry) => entry.id === accountId);
    if (account?.responderRole === undefined) {
      const says = 'no responderRole: it can be investigated, not contained';
      found.push({ what: `account ${accountId}: contain`, ok: false, says });
    }
    if (account !== undefined) found.push(...(await checkRoles(account, config, reach)));
  }
  for (const { what, ok, says } of found) process.stdout.write(`${ok ? 'ok  ' : 'FAIL'}  ${what}: ${says}\n`);
  return found.every((finding) => finding.ok) ? 0 : 1;
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
  if (!opened.ok) return [opened];
  const found: Finding[] = [];
  for (const { what, look } of looks) found.push(await check(`${at}${what}`, look));
  return found;
}

async function check(what: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { what, ok: true, says: await look() };
  } catch (error) {
    const says =
      error instanceof SetupError || error instanceof UpstreamError || error instanceof UserError
        ? error.message
        : `${awsErrorFacts(error).code}: ${asError(error).message}`;
    return { what, ok: false, says };
  }
}
