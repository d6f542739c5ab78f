/** The part of `firebreak doctor` that says how alerts come in: what the running worker noted of queues, GuardDuty and topics. */
import type { Config } from './config.ts';
import type { Store } from './contracts/store.ts';
import { type Finding, fails, open } from './doctor-report.ts';
import { guardDutyProblems, queueProblem } from './intake-ready.ts';

/** Nothing is fetched here: a message that only a check received would count as delivered, and come late. */
export async function intakeLooks(
  config: Config,
  store: Pick<Store, 'intake' | 'subscriptions' | 'deadLetters'>,
  now: Date,
): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const sources = await store.intake.sources();
  for (const { name } of config.queues) {
    const source = sources.find((one) => one.name === `queue ${name}`);
    const [problem] = queueProblem(name, sources, now);
    const what = `queue ${name}`;
    if (source === undefined) found.push(open(what, 'no worker has read it yet'));
    else if (problem !== undefined) found.push(fails(what, problem.slice(what.length + 2)));
    else found.push({ what, state: 'ok', says: `read at ${source.lookedAt}, ${source.taken} new alerts so far` });
  }
  if (config.guardduty.pollMinutes > 0) {
    const places = sources.filter(({ kind }) => kind === 'guardduty');
    const last =
      places
        .map(({ lookedAt }) => lookedAt)
        .sort()
        .at(-1) ?? '';
    const isOld = now.getTime() - Date.parse(last) > (config.guardduty.pollMinutes + 10) * 60_000;
    const problems = guardDutyProblems(sources);
    if (problems.length > 0) found.push(...problems.map((problem) => fails('GuardDuty', problem)));
    else if (places.length === 0) found.push(open('GuardDuty', 'no worker has asked it yet'));
    else if (isOld) found.push(fails('GuardDuty', `no worker has asked it since ${last}`));
    else found.push({ what: 'GuardDuty', state: 'ok', says: `answers in ${places.length} accounts and Regions` });
  }
  for (const { topicArn, because } of await store.subscriptions.failed())
    found.push(fails(`SNS topic ${topicArn}`, `its subscription could not be confirmed (${because})`));
  const letters = Object.values(await store.deadLetters.counts()).reduce((sum, count) => sum + count, 0);
  if (letters > 0) found.push(fails('dead letters', `${letters} wait: firebreak deadletters`));
  found.push(webhooks(config));
  return found;
}

function webhooks({ webhookTokens, sns }: Config): Finding {
  const from = 'only a sender outside shows whether they are reached: send a sample finding';
  if (webhookTokens.length > 0 || sns.topics.length > 0) return open('webhooks', from);
  return open('webhooks', 'WEBHOOK_TOKEN is not set here: where the web process has none either, all get 401');
}
