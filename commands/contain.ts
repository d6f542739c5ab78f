/** `/ir contain`: asks for a containment plan. Nothing is written before somebody else approves it. */

import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import { UserError } from '#src/contracts/errors.ts';

export const contain = defineCommand({
  name: 'contain',
  summary: 'Plans a containment action, or all that a case asks for, and asks for its approval.',
  usage: '/ir contain [<action> <target> | <case>]',
  role: 'responder',
  args: z.object({ words: z.array(z.string()), flags: z.object({}) }),
  examples: ['disable-access-key AKIAIOSFODNN7EXAMPLE', 'IR-12'],
  decide({ words }, { actions }) {
    const [name, ...rest] = words;
    if (name === undefined) return Promise.resolve({ kind: 'strike' });
    if (/^IR-\d{1,12}$/i.test(name) && rest.length === 0) {
      return Promise.resolve({ kind: 'strike', caseId: name.toUpperCase() });
    }
    const action = actions.find((candidate) => candidate.name === name.toLowerCase());
    if (action === undefined) {
      throw new UserError(
        `There is no action "${name.slice(0, 40)}".`,
        `Actions: ${actions.map((candidate) => candidate.name).join(', ')}. \`/ir help contain\` explains them.`,
      );
    }
    return Promise.resolve({ kind: 'contain', action: action.name, words: rest });
  },
});
