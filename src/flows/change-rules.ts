/** A person switches a rule on or off, or excepts from one: stored with its audit entry, then told to the channel. */
import { asError, UserError } from '../contracts/errors.ts';
import type { Message } from '../contracts/message.ts';
import type { RuleChange } from '../contracts/rules.ts';
import { line, person, refusal, say } from '../domain/phrases.ts';
import { changeWords } from '../domain/sigma/rule-words.ts';
import { postOnce } from './deliver.ts';
import type { WebDeps } from './deps.ts';

/** Answers the person. Who looks at fewer alerts must know of it, so a change is also told where it was typed. */
export async function changeRules(
  change: RuleChange,
  by: {
    readonly userId: string;
    readonly person: string;
    readonly channelId: string;
    readonly threadTs?: string | undefined;
  },
  deps: WebDeps,
): Promise<Message> {
  const at = deps.clock.now().toISOString();
  const { done, id } = await deps.store.rules.change(change, `${by.userId} (${by.person})`, at);
  const words = changeWords(change, id);
  if (!done) {
    if (change.kind === 'end-exception')
      throw new UserError('There is no exception of that id.', 'See `/ir rules exceptions`.');
    return refusal(`Nothing changed: ${words} already.`, undefined);
  }
  try {
    await postOnce(
      {
        key: `rules:${by.userId}:${at}`,
        channel: by.channelId,
        threadTs: by.threadTs,
        message: {
          text: `${words}.`,
          parts: [{ kind: 'lines', lines: [line(`${words}, by `, person(by.userId), '.')] }],
        },
      },
      deps,
    );
  } catch (error) {
    deps.log.warn({ error: asError(error) }, 'a change of rules could not be told in its channel');
    return say(`${words}. It is stored and audited; this channel could not be told.`);
  }
  return say(`${words}. It is stored and audited.`);
}
