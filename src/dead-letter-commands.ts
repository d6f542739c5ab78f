/** `firebreak deadletters [list|show ID|replay ID|replay all]`: what was received and could not be taken. */
import { systemClock } from './clock.ts';
import { loadConfig } from './config.ts';
import { asError, NotFoundError, SetupError } from './contracts/errors.ts';
import type { DeadLetter } from './contracts/intake.ts';
import type { Store } from './contracts/store.ts';
import { replayLetter } from './flows/keep-letter.ts';
import { openLog } from './log.ts';
import { queueBodyReader } from './webhooks/message-body.ts';
import { connectQueue, connectStore } from './wire.ts';

const batch = 200;

/** Prints to stdout. 0 done; 1 where a letter was not taken again. Throws SetupError for wrong use, NotFoundError for an unknown id. */
export async function deadLetterCommand(words: readonly string[]): Promise<number> {
  const [what = 'list', id, ...more] = words;
  const fits = what === 'list' ? id === undefined : (what === 'show' || what === 'replay') && id !== undefined;
  if (!fits || more.length > 0)
    throw new SetupError(['usage: firebreak deadletters [list | show ID | replay ID | replay all]']);
  const config = loadConfig({ kind: 'cli' });
  const log = openLog('error');
  const { store, connectionString, close } = await connectStore(config, [], log);
  try {
    if (what === 'list') return await list(store);
    if (what === 'show') return show(await find(store, id ?? ''));
    const queue = await connectQueue(config, connectionString, log);
    try {
      const deps = { store, queue, clock: systemClock, log, readBody: queueBodyReader({ mappings: config.mappings }) };
      const letters = id === 'all' ? openLetters(store) : [await find(store, id ?? '')];
      let left = 0;
      for await (const letter of letters) {
        const { taken, says } = await replayLetter(letter, deps).catch((error: unknown) => ({
          taken: false,
          says: `not taken: ${asError(error).message}`,
        }));
        if (!taken) left += 1;
        say(`${letter.id}  ${says}`);
      }
      return left === 0 ? 0 : 1;
    } finally {
      await queue.close(1_000);
    }
  } finally {
    await close();
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function find(store: Store, id: string): Promise<DeadLetter> {
  const letter = await store.deadLetters.get(id);
  if (letter === undefined)
    throw new NotFoundError('There is no dead letter of that id.', 'List them with: firebreak deadletters');
  return letter;
}

async function* openLetters(store: Store): AsyncGenerator<DeadLetter> {
  for (let after: string | undefined; ; ) {
    const letters = await store.deadLetters.open(batch, after);
    if (letters.length === 0) return;
    yield* letters;
    after = letters.at(-1)?.id;
  }
}

async function list(store: Store): Promise<number> {
  let count = 0;
  for await (const letter of openLetters(store)) {
    count += 1;
    const times = letter.times > 1 ? ` (${letter.times} times)` : '';
    say(`${letter.id}  ${letter.at}  ${letter.door} ${printable(letter.from)}: ${printable(letter.reason)}${times}`);
  }
  if (count === 0) say('There are no dead letters.');
  return 0;
}

/** A terminal obeys control characters; what came from outside must not hold any. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd');
}

/** As JSON, in which control characters are escaped. */
function show(letter: DeadLetter): number {
  say(JSON.stringify(letter, undefined, 2).replace(/[\p{Cf}\u007f-\u009f]/gu, '\ufffd'));
  return 0;
}
