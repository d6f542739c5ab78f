/** `/ir athena`: the named questions, asked of Athena. */
import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import { unwrapPasted } from '#src/domain/artifact-text.ts';
import { athenaQuestions, checkedWords, questionCalled } from '#src/domain/athena/questions.ts';
import {
  investigationFlags,
  investigationOptions,
  investigationUsage,
  requestOf,
} from '#src/domain/investigation-flags.ts';
import { code, line } from '#src/domain/phrases.ts';

export const athena = defineCommand({
  name: 'athena',
  summary:
    'Asks Athena one of twelve named questions over the trail and flow log buckets, with its cost before and after.',
  usage: `/ir athena [<question> <instances | principal | IP>] [--estimate] ${investigationUsage}`,
  role: 'responder',
  options: { ...investigationOptions, estimate: { type: 'boolean' } },
  args: z.object({
    words: z.array(z.string()),
    flags: z.object({ ...investigationFlags, estimate: z.boolean().default(false) }),
  }),
  examples: [
    'principals-at 203.0.113.99 --since 15d',
    'instances-launched-by arn:aws:iam::999999999999:user/pipeline --estimate',
    'destinations-of i-006f831100a7fb22c i-020cdc8fc46738a53',
    '',
  ],
  async decide({ words: [name, ...typed], flags }) {
    if (name === undefined) {
      const items = athenaQuestions.map(({ name: word, number, title, takes }) =>
        line(code(word), ` (${number}): ${title}; takes ${takes}`),
      );
      const text = 'The questions that Athena can be asked, with their numbers in the playbook.';
      return {
        kind: 'reply',
        message: {
          text,
          parts: [
            { kind: 'header', text: 'Questions for Athena' },
            { kind: 'list', items },
          ],
        },
        json: {
          questions: athenaQuestions.map(({ name: word, number, title, takes }) => ({
            name: word,
            number,
            title,
            takes,
          })),
        },
      };
    }
    const question = questionCalled(name);
    const words = checkedWords(
      question,
      typed.map((word) => unwrapPasted(word, 'Give an instance id, an ARN, a key id or an IP address.').word),
    );
    return {
      kind: 'investigate',
      investigation: 'athena',
      request: requestOf({ question: question.name, words, estimateOnly: flags.estimate }, flags),
      notice: `${flags.estimate ? 'Looking at what it would cost to ask' : 'Asking'} Athena: ${question.title.toLowerCase()}, of ${words.slice(0, 3).join(', ')}.`,
    };
  },
});
