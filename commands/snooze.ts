/** `/ir snooze`: mutes a kind of alert for a while, by rule, with a reason and an end. */

import { z } from 'zod';
import { defineCommand } from '#src/contracts/command.ts';
import { UserError } from '#src/contracts/errors.ts';
import { typedEnd } from '#src/domain/snooze-end.ts';
import { snoozeList } from '#src/domain/snooze-wording.ts';

const usage =
  '/ir snooze [add --until 7d [--type TYPE] [--account ID] [--resource NAME] [--actor NAME] <reason> | end S-1]';
const how = `Usage: ${usage}`;

export const snooze = defineCommand({
  name: 'snooze',
  summary: 'Lists, adds or ends rules that mute alerts; what is critical or new still speaks.',
  usage,
  role: 'responder',
  options: {
    type: { type: 'string' },
    account: { type: 'string' },
    resource: { type: 'string' },
    actor: { type: 'string' },
    until: { type: 'string' },
  },
  args: z.object({
    words: z.array(z.string()),
    flags: z.object({
      type: z.string().min(1).max(200).optional(),
      account: z
        .string()
        .regex(/^\d{12}$/, 'an account id has 12 digits')
        .optional(),
      resource: z.string().min(1).max(300).optional(),
      actor: z.string().min(1).max(300).optional(),
      until: z.string().optional(),
    }),
  }),
  examples: ['', 'add --type Recon:* --account 111122223333 --until 7d our own scanner', 'end S-1'],
  async decide({ words, flags }, ctx) {
    const [verb, ...rest] = words;
    if (verb === undefined || verb === 'list') {
      const snoozes = (await ctx.snoozes?.()) ?? [];
      return { kind: 'reply', message: snoozeList(snoozes), json: { snoozes } };
    }
    if (verb === 'end') {
      const id = (rest[0] ?? '').toUpperCase();
      if (!/^S-\d{1,12}$/.test(id)) throw new UserError('Say which one: S-1, for example.', how);
      return { kind: 'end-snooze', id };
    }
    if (verb !== 'add') throw new UserError(`There is no "${verb.slice(0, 40)}" here: list, add or end.`, how);
    const { type, account, resource, actor, until } = flags;
    const reason = rest.join(' ').trim();
    if (reason === '')
      throw new UserError('Say why: the reason is shown with the snooze and goes into the audit.', how);
    if (until === undefined) throw new UserError('Say until when: --until 7d, for example.', how);
    if ([type, account, resource, actor].every((word) => word === undefined)) {
      throw new UserError('Say what: a type, an account, a resource or an actor. Everything cannot be snoozed.', how);
    }
    const end = typedEnd(until, ctx.now, how);
    const rule = {
      ...(type === undefined ? {} : { type }),
      ...(account === undefined ? {} : { accountId: account }),
      ...(resource === undefined ? {} : { resource }),
      ...(actor === undefined ? {} : { actor }),
    };
    return { kind: 'snooze', rule, reason: reason.slice(0, 300), until: end };
  },
});
