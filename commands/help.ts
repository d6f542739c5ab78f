/** `/ir help`: what can be asked, made from the lists themselves. */

import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import { UserError } from '#src/contracts/errors.ts';
import { code, line } from '#src/domain/phrases.ts';

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
          ],
        },
        json: { name: command.name, summary: command.summary, usage: command.usage, examples: command.examples },
      });
    }
    return Promise.resolve({
      kind: 'reply',
      message: {
        text: `Firebreak knows these commands: ${commands.map((command) => command.name).join(', ')}.`,
        parts: [
          { kind: 'header', text: 'Firebreak: what you can type' },
          { kind: 'list', items: commands.map((command) => line(code(command.usage), `  ${command.summary}`)) },
          { kind: 'lines', lines: [line('Containment actions, each behind an approval by somebody else:')] },
          {
            kind: 'list',
            items: actions.map((action) => line(code(`/ir contain ${action.usage}`), `  ${action.title}`)),
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
