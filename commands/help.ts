/** `/ir help`: what can be asked, made from the lists themselves. */

import { z } from 'zod';
import { type Command, type CommandContext, defineCommand } from '#src/contracts/command.ts';
import { UserError } from '#src/contracts/errors.ts';
import type { Part } from '#src/contracts/message.ts';
import { investigationUsage } from '#src/domain/investigation-flags.ts';
import { code, line } from '#src/domain/phrases.ts';

/** The whole list has to fit into one message of Slack's: what many commands take is said once. */
function shortUsage({ usage }: Command): string {
  return usage.replaceAll(` ${investigationUsage}`, '');
}

function actionParts(actions: CommandContext['actions']): readonly Part[] {
  return [
    { kind: 'lines', lines: [line('The actions, each behind an approval by somebody else:')] },
    { kind: 'list', items: actions.map(({ usage, title }) => line(code(`/ir contain ${usage}`), `  ${title}`)) },
  ];
}

export const help = defineCommand({
  name: 'help',
  summary: 'Lists the commands, or explains one.',
  usage: '/ir help [command]',
  role: 'member',
  args: z.object({ words: z.array(z.string()).max(1, 'name one command'), flags: z.object({}) }),
  examples: ['', 'pivot'],
  decide({ words }, { commands, actions }) {
    const [wanted] = words;
    if (wanted !== undefined) {
      const command = commands.find((candidate) => candidate.name === wanted.toLowerCase());
      if (command === undefined) {
        throw new UserError(`There is no command "${wanted.slice(0, 40)}".`, 'Type `/ir help` for the list.');
      }
      return Promise.resolve({
        kind: 'reply',
        message: {
          text: `${command.name}: ${command.summary} Usage: ${command.usage}`,
          parts: [
            { kind: 'lines', lines: [line(command.summary), line('Usage: ', code(command.usage))] },
            {
              kind: 'list',
              items: command.examples.map((example) => line(code(`/ir ${command.name} ${example}`.trim()))),
            },
            ...(command.name === 'contain' ? actionParts(actions) : []),
          ],
        },
        json: {
          ...{ name: command.name, summary: command.summary, usage: command.usage, examples: command.examples },
          ...(command.name === 'contain' && { actions }),
        },
      });
    }
    return Promise.resolve({
      kind: 'reply',
      message: {
        text: `Firebreak knows these commands: ${commands.map((command) => command.name).join(', ')}.`,
        parts: [
          { kind: 'header', text: 'Firebreak: what you can type' },
          { kind: 'list', items: commands.map((command) => line(code(shortUsage(command)), `  ${command.summary}`)) },
          {
            kind: 'lines',
            lines: [
              line('Every question takes ', code(investigationUsage), '.'),
              line(
                `To contain, each behind an approval by somebody else: ${actions.map(({ name }) => name).join(', ')}. `,
                code('/ir help contain'),
                ' explains them.',
              ),
            ],
          },
        ],
      },
      json: {
        commands: commands.map(({ name, summary, usage, examples }) => ({ name, summary, usage, examples })),
        actions,
      },
    });
  },
});
