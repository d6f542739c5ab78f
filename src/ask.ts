/** `firebreak ir ...`: the subcommands without Slack, for the day when Slack is down. */
import { actions } from '#actions';
import { commands } from '#commands';
import { investigations } from '#investigations';
import { sourcesOf } from './ask-evidence.ts';
import { changeRulesHere, rulesFor, viewRules } from './ask-rules.ts';
import { systemClock } from './clock.ts';
import { type Config, loadConfig } from './config.ts';
import type { ContainmentAction } from './contracts/action.ts';
import type { CommandContext, CommandOutcome, InvestigationRequest } from './contracts/command.ts';
import { UserError } from './contracts/errors.ts';
import type { Coverage } from './contracts/evidence.ts';
import { type ExportFormat, exportFormats, type ReportFile } from './contracts/investigation.ts';
import type { Log } from './contracts/log.ts';
import type { Message } from './contracts/message.ts';
import { whatOf } from './domain/approval-wording.ts';
import { jsonText } from './domain/json-text.ts';
import { kindsCounted } from './domain/noise-report.ts';
import { say } from './domain/phrases.ts';
import { plainText } from './domain/plain-text.ts';
import { cliCommand } from './domain/plan.ts';
import { extracted } from './domain/report.ts';
import { coverageSentence, reportMessage } from './domain/report-wording.ts';
import { interpret } from './domain/words.ts';
import { offersOf } from './flows/contain-buttons.ts';
import { checkContainable, locate } from './flows/locate-target.ts';
import { quieten } from './flows/quieten.ts';
import { openLog } from './log.ts';
import { settingsOf } from './settings-of.ts';
import { connectAccounts, connectAddresses, connectReach, connectStore } from './wire.ts';

interface Flags {
  /** Undefined: in words. */
  readonly format: ExportFormat | undefined;
  readonly logs: string | undefined;
  /** A folder of Sigma files, beside our own rules. On the machine's own disk, so not for Slack. */
  readonly rules: string | undefined;
}

interface Answer {
  readonly message: Message;
  readonly json: unknown;
  readonly complete: boolean;
  readonly coverage?: Coverage;
  readonly files?: readonly ReportFile[] | undefined;
}

const incomplete = 3;

/** Runs one subcommand; the answer goes to stdout, all else to stderr. Returns the exit code. */
export async function ask(words: readonly string[]): Promise<number> {
  const { command, args, extra } = interpret(words, commands, {
    json: { type: 'boolean' },
    format: { type: 'string' },
    logs: { type: 'string' },
    rules: { type: 'string' },
  });
  const flags: Flags = {
    format: formatOf(extra),
    logs: typeof extra.logs === 'string' ? extra.logs : undefined,
    rules: typeof extra.rules === 'string' ? extra.rules : undefined,
  };
  const config = loadConfig({ kind: 'cli' });
  const log = openLog(process.stderr.isTTY ? 'error' : config.logLevel === 'info' ? 'error' : config.logLevel);
  const outcome = await command.decide(args as never, contextOf(config, log));
  const answer = await carryOut(outcome, flags, config, log);
  process.stdout.on('error', readerGone);
  // Tables and graphs have no place for it.
  if (answer.coverage !== undefined && !answer.complete && flags.format !== undefined && flags.format !== 'json') {
    process.stderr.write(`firebreak: ${coverageSentence(answer.coverage)}\n`);
  }
  process.stdout.write(inFormat(answer, flags.format, command.name));
  return answer.complete ? 0 : incomplete;
}

/** `| head` closes the pipe when it has enough: no failure. Anything else that stdout says is one. */
function readerGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

function formatOf({ json, format }: Readonly<Record<string, unknown>>): ExportFormat | undefined {
  if (format === undefined) return json === true ? 'json' : undefined;
  const known = exportFormats.find((name) => name === format);
  if (known === undefined || (json === true && known !== 'json')) {
    throw new UserError(
      known === undefined ? '--format is none that I know.' : '--json and another --format exclude each other.',
      `Formats: ${exportFormats.join(', ')}; words where none is given.`,
    );
  }
  return known;
}

function inFormat(answer: Answer, format: ExportFormat | undefined, command: string): string {
  if (format === undefined) return `${plainText(answer.message)}\n`;
  if (format === 'json') return `${jsonText(answer.json)}\n`;
  const file = answer.files?.find((candidate) => candidate.format === format);
  if (file !== undefined) return file.text();
  const offered = ['json', ...(answer.files ?? []).map((candidate) => candidate.format)];
  throw new UserError(
    `${command} cannot be had as ${format}.`,
    `It comes as words and as ${[...new Set(offered)].join(', ')}.`,
  );
}

function contextOf(config: Config, log: Log): CommandContext {
  return {
    now: systemClock.now(),
    commands,
    actions: actions.map(({ name, usage, title }) => ({ name, usage, title })),
    openApprovals: () =>
      withStore(config, log, async (store) =>
        (await store.approvals.open()).map((approval) => ({
          id: approval.id,
          state: approval.state,
          what: whatOf(approval),
          requester: approval.requester.userId,
          expiresAt: approval.expiresAt,
        })),
      ),
    rules: () => viewRules(config, log),
    frozen: () => withStore(config, log, async (store) => (await store.settings.frozen()).frozen),
    snoozes: () => withStore(config, log, (store) => store.noise.snoozes(systemClock.now().toISOString())),
    noise: (since, until) => withStore(config, log, (store) => store.noise.report(since, until, kindsCounted)),
  };
}

async function carryOut(outcome: CommandOutcome, flags: Flags, config: Config, log: Log): Promise<Answer> {
  switch (outcome.kind) {
    case 'reply':
      return { message: outcome.message, json: outcome.json ?? { text: outcome.message.text }, complete: true };
    case 'investigate':
      return investigate(outcome.investigation, outcome.request, flags, config, log);
    case 'contain':
      return plan(outcome.action, outcome.words, config, log);
    case 'strike':
      throw new UserError(
        'A plan for a whole case is made in Slack.',
        'Here: firebreak ir alive <principal> shows what is left, firebreak ir contain <action> <target> plans one step.',
      );
    case 'rules':
      return { ...(await changeRulesHere(outcome.change, config, log)), complete: true };
    case 'restrict': {
      const { caseId, userIds } = outcome;
      const by = `host user ${process.getuid?.() ?? '?'}`;
      const at = systemClock.now().toISOString();
      const closed = await withStore(config, log, (store) => store.cases.restrict(caseId, userIds, by, at));
      if (closed.length === 0) throw new UserError(`There is no case ${caseId} that could be closed.`);
      const message = say(`${closed.join(' and ')} ${closed.length > 1 ? 'are' : 'is'} closed to the people named.`);
      return { message, json: { caseId, restrictedTo: userIds }, complete: true };
    }
    case 'open':
    case 'snooze':
    case 'end-snooze': {
      const who = { userId: `host user ${process.getuid?.() ?? '?'}`, channelId: '' };
      const message = await withStore(config, log, (store) => quieten(outcome, who, { store, clock: systemClock }));
      return { message, json: { text: message.text }, complete: true };
    }
    case 'report': {
      if (outcome.text === '')
        throw new UserError(
          'There is nothing in the report.',
          'Write it behind the command: firebreak ir report "..."',
        );
      return { ...extracted(outcome.text), complete: true };
    }
    case 'break-glass':
      throw new UserError(
        'The glass is broken in Slack, where everybody is told of it.',
        'While Slack is down: firebreak ir approve, by two people.',
      );
    case 'freeze': {
      const by = `host user ${process.getuid?.() ?? '?'}`;
      await withStore(config, log, (store) =>
        store.settings.setFrozen(outcome.frozen, by, outcome.reason, systemClock.now().toISOString()),
      );
      const message = say(outcome.frozen ? 'All writes to AWS are frozen.' : 'The freeze is lifted.');
      return { message, json: { frozen: outcome.frozen }, complete: true };
    }
  }
}

async function investigate(
  name: string,
  request: InvestigationRequest,
  flags: Flags,
  config: Config,
  log: Log,
): Promise<Answer> {
  const unit = investigations.find((candidate) => candidate.name === name);
  if (unit === undefined) throw new UserError(`There is no investigation "${name}".`);
  if (flags.rules !== undefined && unit.takesRules !== true) throw new UserError(`${name} takes no --rules.`);
  const offline = flags.logs !== undefined || unit.takesRules !== true;
  const rules = await rulesFor(config, log, { dir: flags.rules, offline });
  const ended = new AbortController();
  process.once('SIGINT', () => ended.abort(new UserError('Interrupted.')));
  const reach = flags.logs === undefined ? connectReach(config, log) : undefined;
  const { evidence, other } = await sourcesOf(flags.logs, reach, request, config, log, ended.signal);
  const report = await unit.run(
    unit.target.parse({ hubs: config.hubs, production: settingsOf(config).production, ...request.target }),
    {
      evidence,
      other,
      aws: reach,
      offers: offersOf(actions),
      surroundings: {
        addresses: await connectAddresses(config, log),
        accounts: await connectAccounts(config, reach, log),
      },
      ...rules,
      signal: ended.signal,
      progress: (step) => log.info({ step }, 'investigating'),
      now: () => systemClock.now(),
    },
  );
  const body = reportMessage(report);
  const message: Message = { text: report.headline, parts: [{ kind: 'header', text: report.headline }, ...body.parts] };
  return {
    message,
    json: report.answer,
    complete: report.coverage.complete,
    coverage: report.coverage,
    files: report.files,
  };
}

/** The plan alone, with the commands for a break-glass role. Asking for approval needs a person whom Slack knows. */
async function plan(name: string, words: readonly string[], config: Config, log: Log): Promise<Answer> {
  const action: ContainmentAction | undefined = actions.find((candidate) => candidate.name === name);
  if (action === undefined) throw new UserError(`There is no action "${name}".`);
  const target = action.parse(words) as Readonly<Record<string, unknown>>;
  const settings = settingsOf(config);
  const signal = AbortSignal.timeout(60_000);
  const reach = connectReach(config, log);
  const { aws, before } = await locate(action, target, undefined, signal, { reach, settings, log });
  const { required, because } = checkContainable(action, target, before, aws, { settings }, await reach.self());
  const calls = action.apply(target as never, before as never);
  const cli = calls.map(cliCommand);
  return {
    message: {
      text: `Plan: ${action.title}`,
      parts: [
        { kind: 'header', text: `Plan only, nothing is run: ${action.describe(target as never, before as never)}` },
        { kind: 'lines', lines: [[{ kind: 'text', text: `${action.title} ${action.impact}` }]] },
        { kind: 'preformatted', text: cli.join('\n') },
        {
          kind: 'lines',
          lines: [
            [
              {
                kind: 'text',
                text: `It takes ${required} approval(s). ${because} To ask for it from here: --as <Slack user id> --code <one-time code>.`,
              },
            ],
          ],
        },
      ],
    },
    json: {
      action: action.name,
      accountId: aws.accountId,
      target,
      before,
      calls,
      cli,
      required,
      willNotStop: action.willNotStop(before as never),
    },
    complete: true,
  };
}

async function withStore<T>(
  config: Config,
  log: Log,
  use: (store: Awaited<ReturnType<typeof connectStore>>['store']) => Promise<T>,
): Promise<T> {
  const { store, close } = await connectStore(config, [], log);
  try {
    return await use(store);
  } finally {
    await close();
  }
}
