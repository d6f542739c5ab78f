/** `/ir contain`: asks for a containment plan. Nothing is written before somebody else approves it. */

import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import { UserError } from '#src/contracts/errors.ts';

export const contain = defineCommand({
  name: 'contain',
  summary: 'Plans a containment action and asks for its approval.',
  usage: '/ir contain <action> <target>',
  role: 'responder',
  args: z.object({ words: z.array(z.string()), flags: z.object({}) }),
  examples: ['disable-access-key AKIAIOSFODNN7EXAMPLE'],
  decide({ words }, { actions }) {
    const [name, ...rest] = words;
    const action = actions.find((candidate) => candidate.name === name?.toLowerCase());
    if (action === undefined) {
      throw new UserError(
        name === undefined
          ? 'Contain what? Name an action and its target.'
          : `There is no action "${name.slice(0, 40)}".`,
        `Actions: ${actions.map((candidate) => candidate.usage).join('; ')}`,
      );
    }
    return Promise.resolve({ kind: 'contain', action: action.name, words: rest });
  },
});
