/** `firebreak ir contain|undo|approve|reject|withdraw|record` with a person behind it: containment on the day when Slack is down. */
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { actions } from '#actions';
import { systemClock } from './clock.ts';
import { type Config, loadConfig } from './config.ts';
import type { Approval, Vote } from './contracts/approval.ts';
import { UpstreamError, UserError } from './contracts/errors.ts';
import { audit, isOver } from './domain/approval.ts';
import { planOnHost } from './domain/host-wording.ts';
import { plainText } from './domain/plain-text.ts';
import { redactText } from './domain/redaction.ts';
import type { Deps } from './flows/deps.ts';
import { proveOnHost, refuseUnnamed } from './flows/prove-on-host.ts';
import { openLog } from './log.ts';
import { settingsOf } from './settings-of.ts';
import { connectQueue, connectStore } from './wire.ts';

const usage = `usage: firebreak ir contain <action> <target> --as <Slack user id> --code <one-time code>
       firebreak ir undo <approval id> --as <Slack user id> --code <one-time code>
       firebreak ir approve|reject|withdraw <approval id> [--as <Slack user id> --code <one-time code>]
       firebreak ir record <approval id> --as <Slack user id> --code <one-time code> "what was run"`;

const votes: readonly string[] = ['approve', 'reject', 'withdraw'] satisfies readonly Vote['vote'][];
const waitMs = 120_000;
const lookEveryMs = 250;

interface Person {
  readonly userId: string;
  readonly code: string;
}

/** Whether these words of `firebreak ir` are for here, and not for a subcommand that Slack has as well. */
export function isHostCommand(words: readonly string[]): boolean {
  const [name = '', ...rest] = words;
  if ([...votes, 'undo', 'record'].includes(name)) return true;
  return name === 'contain' && rest.some((word) => /^--(as|code)(=|$)/.test(word));
}

/** Stores what was asked, waits for the running worker and executor, prints how it stands. Throws UserError. Returns the exit code. */
export async function hostCommand(words: readonly string[]): Promise<number> {
  const [name = '', ...rest] = words;
  const { values, positionals } = parseArgs({
    args: [...rest],
    options: { as: { type: 'string' }, code: { type: 'string' }, json: { type: 'boolean' } },
    allowPositionals: true,
  });
  const config = loadConfig({ kind: 'cli' });
  const log = openLog('error');
  const { store, connectionString, close } = await connectStore(config, [], log);
  try {
    const queue = await connectQueue(config, connectionString, log);
    try {
      const deps: Deps = { settings: settingsOf(config), store, queue, clock: systemClock, log };
      const said = await act(name, positionals, personOf(values), config, deps);
      const { approval, sentence } = said;
      const action = actions.find((candidate) => candidate.name === approval.plan.action);
      const text =
        values.json === true
          ? JSON.stringify({ ...approval, ...(sentence === undefined ? {} : { answer: sentence }) }, undefined, 2)
          : [plainText(planOnHost(approval, action)), sentence].join('\n\n').trim();
      process.stdout.write(`${text}\n`);
      return said.failed === true ? 1 : 0;
    } finally {
      await queue.close(1_000);
    }
  } finally {
    await close();
  }
}

interface Said {
  readonly approval: Approval;
  readonly sentence?: string | undefined;
  readonly failed?: boolean;
}

function personOf(values: {
  readonly as?: string | undefined;
  readonly code?: string | undefined;
}): Person | undefined {
  if (values.as === undefined && values.code === undefined) return undefined;
  if (values.as === undefined || values.code === undefined || !/^\d{3}\s?\d{3}$/.test(values.code.trim()))
    throw new UserError('--as takes a Slack user id, --code the six digits of that person’s one-time code.', usage);
  return { userId: values.as, code: values.code.trim() };
}

function act(
  name: string,
  words: readonly string[],
  person: Person | undefined,
  config: Config,
  deps: Deps,
): Promise<Said> {
  if (name === 'contain') return contain(words, person, config, deps);
  const [id = '', ...more] = words;
  if (id === '' || (name !== 'record' && more.length > 0)) throw new UserError('Which approval?', usage);
  if (name === 'undo') return ask({ action: '', words: [], undoOf: id }, person, config, deps);
  return name === 'record'
    ? record(id, more.join(' ').trim(), person, deps)
    : vote(id, name as Vote['vote'], person, deps);
}

function contain(
  [name = '', ...words]: readonly string[],
  person: Person | undefined,
  config: Config,
  deps: Deps,
): Promise<Said> {
  const action = actions.find((candidate) => candidate.name === name);
  if (action === undefined) throw new UserError(`There is no action "${name.slice(0, 40)}".`, usage);
  // A slip must not cost a code.
  action.parse(words);
  return ask({ action: name, words }, person, config, deps);
}

async function ask(
  wish: { readonly action: string; readonly words: readonly string[]; readonly undoOf?: string },
  person: Person | undefined,
  config: Config,
  deps: Deps,
): Promise<Said> {
  const { userId, code } = needed(person);
  const { store, queue } = deps;
  const undone = wish.undoOf === undefined ? undefined : await load(wish.undoOf, deps);
  const channel = undone?.channel ?? config.channels.default;
  if (channel === undefined) throw new UserError('The config names no channels.default, where the plan will be shown.');
  const what = wish.undoOf === undefined ? `contain ${wish.action} ${wish.words.join(' ')}` : `undo ${wish.undoOf}`;
  await proveOnHost({ userId, code, what: `ask on the host: ${what}`.slice(0, 300) }, deps);
  const requestId = await store.approvals.saveRequest({
    ...{ ...wish, userId, channel, at: systemClock.now().toISOString(), door: 'host', hostUser: hostUser() },
    ...(undone === undefined ? {} : { caseId: undone.caseId }),
  });
  await queue.add('containment.plan', { requestId }, { id: `plan-${requestId}` });
  const sentence = await answerTo(requestId, deps);
  const approval = await store.approvals.ofRequest(requestId);
  if (approval === undefined) throw new UserError(sentence);
  return { approval };
}

async function vote(id: string, cast: Vote['vote'], person: Person | undefined, deps: Deps): Promise<Said> {
  const { store, queue } = deps;
  const approval = await load(id, deps);
  // Without a person it is a look at what there is to decide.
  if (person === undefined) return { approval };
  refuseUnnamed(person.userId, deps);
  const voteId = await store.approvals.saveVote(
    {
      ...{ approvalId: id, userId: person.userId, vote: cast, channel: approval.channel },
      ...{ at: systemClock.now().toISOString(), door: 'host', hostUser: hostUser() },
    },
    person.code,
  );
  await queue.add('approval.prove', { voteId }, { id: `prove-${voteId}` });
  const sentence = await answerTo(voteId, deps);
  const isCounted = sentence.startsWith('Counted');
  const now = isCounted && deps.settings.mode === 'execute' ? await ended(id, deps) : await load(id, deps);
  return { approval: now, sentence, failed: !isCounted || ['failed', 'partial', 'stale'].includes(now.state) };
}

/** What was run by hand goes into the audit; the approval stays in the state that Firebreak itself knows of. */
async function record(id: string, what: string, person: Person | undefined, deps: Deps): Promise<Said> {
  const { userId, code } = needed(person);
  if (what === '' || what.length > 2_000) throw new UserError('Say what was run, in at most 2000 characters.', usage);
  const approval = await load(id, deps);
  await proveOnHost({ userId, code, what: `record of what was run for ${id}` }, deps);
  const at = systemClock.now().toISOString();
  const { planHash, state } = approval;
  const payload = { what: redactText(what), planHash, state, door: 'host', hostUser: hostUser() };
  await deps.store.audit.append(audit(approval, 'record', userId, at, payload));
  return { approval, sentence: 'Recorded in the audit. The state is still what Firebreak itself has seen.' };
}

function needed(person: Person | undefined): Person {
  if (person === undefined) throw new UserError('Who asks? --as and --code are needed.', usage);
  return person;
}

async function load(id: string, { store }: Deps): Promise<Approval> {
  const found = await store.approvals.get(id);
  if (found === undefined) throw new UserError('There is no such approval.', '`firebreak ir approvals` lists them.');
  return found;
}

/** Waits for the worker's word on a wish or vote. Throws UpstreamError where none comes. */
async function answerTo(id: string, { store }: Deps): Promise<string> {
  const giveUpAt = Date.now() + waitMs;
  while (Date.now() < giveUpAt) {
    const answer = await store.host.answerTo(id);
    if (answer !== undefined) return answer;
    await systemClock.sleep(lookEveryMs);
  }
  throw new UpstreamError(
    'firebreak',
    'NoAnswer',
    `It is stored, but nobody answered within ${waitMs / 1_000} s: do the worker and the executor run? \`firebreak ir approvals\` shows what came of it.`,
    { retryable: true },
  );
}

/** The approval once nothing more happens to it, or as it stands when the wait is over. */
async function ended(id: string, deps: Deps): Promise<Approval> {
  const giveUpAt = Date.now() + waitMs;
  for (;;) {
    const approval = await load(id, deps);
    if (isOver(approval.state) || approval.state === 'proposed' || Date.now() > giveUpAt) return approval;
    await systemClock.sleep(lookEveryMs);
  }
}

function hostUser(): string {
  return userInfo().username;
}
