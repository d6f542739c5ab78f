/** The words that people type, in Slack or in a shell, and what they ask for. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { Command } from '../contracts/command.ts';
import { UserError } from '../contracts/errors.ts';

const longest = 1_000;
/** A pasted e-mail is longer than the words of any command. */
const longestText = 12_000;

/**
 * Typed text as words. Undoes what phones do to it: smart quotes, the long dash for `--`, invisible characters. Slack's own
 * escapes are undone at its door. Mentions stay as `<@U1>`, for the command to refuse or use.
 * Throws UserError for text that is too long: how long it may be, the command that it begins with tells.
 */
export function wordsOf(text: string, commands: readonly Command[] = []): string[] {
  const most = commandNamed(text.trimStart().split(/\s/, 1)[0], commands)?.freeText ? longestText : longest;
  if (text.length > most) {
    throw new UserError(
      `That is ${text.length} characters; a command takes ${most}.`,
      most === longest ? 'Type `/ir help` for the commands.' : 'Shorten it to what matters.',
    );
  }
  const plain = text
    .replace(/[\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/g, '')
    .replace(/[\u201C\u201D\u201E]/g, '"')
    .replace(/[\u2018\u2019]/g, "'")
    .replace(/(^|\s)[\u2013\u2014](?=\w)/g, '$1--');
  const words: string[] = [];
  // What ends a sentence around a quoted word is no word of its own.
  for (const found of plain.matchAll(/"([^"]*)"(?:[,.;:!?]+(?=\s|$))?|'([^']*)'(?:[,.;:!?]+(?=\s|$))?|(\S+)/g))
    words.push(found[1] ?? found[2] ?? found[3] ?? '');
  return words;
}

export interface Asked {
  readonly command: Command;
  readonly args: unknown;
}

/** Flags that every subcommand takes on the command line and that the caller reads itself. */
export type ExtraOptions = NonNullable<ParseArgsConfig['options']>;

/**
 * Finds the command and parses its words and flags. No word, or an unknown one, is a UserError with the way out.
 * `extra` are the caller's own flags; their values come back beside the command's.
 */
export function interpret(
  words: readonly string[],
  commands: readonly Command[],
  extra: ExtraOptions = {},
): Asked & { readonly extra: Readonly<Record<string, unknown>> } {
  const [name, ...rest] = words;
  const command = commandNamed(name ?? 'help', commands);
  if (command === undefined) throw unknownCommand(name ?? '', commands);
  const { positionals, values } = parsed(rest, { ...command.options, ...extra }, command);
  const own = Object.fromEntries(Object.entries(values).filter(([flag]) => !Object.hasOwn(extra, flag)));
  const result = command.args.safeParse({ words: positionals, flags: own });
  if (!result.success) {
    const problems = result.error.issues.map((issue) => {
      const path = issue.path
        .filter((part) => typeof part !== 'number' && part !== 'flags' && part !== 'words')
        .join('.');
      return path === '' ? issue.message : `${path}: ${issue.message}`;
    });
    throw new UserError(problems.join('; '), `Usage: ${command.usage}`);
  }
  return {
    command,
    args: result.data,
    extra: Object.fromEntries(Object.entries(values).filter(([flag]) => Object.hasOwn(extra, flag))),
  };
}

function commandNamed(name: string | undefined, commands: readonly Command[]): Command | undefined {
  return commands.find((candidate) => candidate.name === name?.toLowerCase());
}

function parsed(words: readonly string[], options: ExtraOptions, command: Command) {
  // On the command line the caller's own flags stand beside the text.
  if (command.freeText === true && Object.keys(options).length === 0) return { positionals: [...words], values: {} };
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true, strict: true });
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS')) {
      throw new UserError(`${command.name}: ${firstSentence(error)}`, `Usage: ${command.usage}`);
    }
    throw error;
  }
}

function firstSentence(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('. ')[0]?.slice(0, 200) ?? '';
}

function unknownCommand(name: string, commands: readonly Command[]): UserError {
  const near = commands.map((command) => command.name).filter((known) => isNear(name.toLowerCase(), known));
  const hint = near.length > 0 ? `Did you mean \`/ir ${near[0]}\`?` : 'Type `/ir help` for the list.';
  return new UserError(`There is no command "${name.slice(0, 40)}".`, hint);
}

/** One letter wrong, missing, doubled or swapped, or the beginning of it. */
function isNear(typed: string, known: string): boolean {
  if (typed.length >= 2 && known.startsWith(typed)) return true;
  if (Math.abs(typed.length - known.length) > 1) return false;
  let at = 0;
  while (at < typed.length && typed[at] === known[at]) at += 1;
  const rest = [typed.slice(at), known.slice(at)] as const;
  return (
    rest[0].slice(1) === rest[1].slice(1) ||
    rest[0].slice(1) === rest[1] ||
    rest[0] === rest[1].slice(1) ||
    (rest[0].slice(2) === rest[1].slice(2) && rest[0][0] === rest[1][1] && rest[0][1] === rest[1][0])
  );
}
