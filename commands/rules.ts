/** `/ir rules`: the rules themselves: which there are, what they would have found, and what is settled about them. */
import { z } from 'zod';
import { type CommandContext, type CommandOutcome, defineCommand } from '#src/contracts/command.ts';
import { NotFoundError, UserError } from '#src/contracts/errors.ts';
import type { RuleView } from '#src/contracts/rules.ts';
import { ExceptionEntry } from '#src/domain/exceptions.ts';
import {
  investigationFlags,
  investigationOptions,
  investigationUsage,
  requestOf,
} from '#src/domain/investigation-flags.ts';
import { say } from '#src/domain/phrases.ts';
import { rulesCalled } from '#src/domain/sigma/hunt.ts';
import { exceptionsMessage, ruleMessage, rulesMessage } from '#src/domain/sigma/rule-words.ts';

const criteria = ['principal', 'ip', 'account', 'event', 'tag'] as const;
const Words = z.string().optional();

const args = z.object({
  words: z.array(z.string()),
  flags: z.object({
    ...investigationFlags,
    principal: Words,
    ip: Words,
    account: Words,
    event: Words,
    tag: Words,
    reason: Words,
    ends: Words,
  }),
});
type Args = z.output<typeof args>;

export const rules = defineCommand({
  name: 'rules',
  summary: 'Shows the detection rules, tries them on the past, switches them on and off, and excepts from them.',
  usage: `/ir rules [list | show RULE | try] [rule | technique | tactic | level | all] ${investigationUsage}, /ir rules disable RULE REASON, /ir rules enable RULE, /ir rules except RULE [--principal P] [--ip I] [--account A] [--event E] [--tag T] --reason R --ends 2026-12-31, /ir rules exceptions, /ir rules end-exception ID`,
  role: 'responder',
  options: {
    ...investigationOptions,
    principal: { type: 'string' },
    ip: { type: 'string' },
    account: { type: 'string' },
    event: { type: 'string' },
    tag: { type: 'string' },
    reason: { type: 'string' },
    ends: { type: 'string' },
  },
  args,
  examples: [
    '',
    'T1098 --since 30d',
    'defense-evasion',
    'try high --since 30d',
    'list T1098',
    'show cloudtrail-logging-stopped',
    'disable mail-sent "we send mail by API"',
    'enable mail-sent',
    'except iam-user-created --principal onboarding --reason "people are onboarded by it" --ends 2099-12-31',
    'exceptions',
    'end-exception 1f0c',
  ],
  async decide({ words, flags }, ctx): Promise<CommandOutcome> {
    const [verb = '', ...rest] = words;
    const view = ['list', 'show', 'exceptions'].includes(verb) ? await ctx.rules?.() : nothing;
    if (view === undefined) return { kind: 'reply', message: say('The rules cannot be read here.') };
    switch (verb) {
      case 'list':
        return list(rest.join(' ').trim() || 'all', view);
      case 'show': {
        const rule = oneRule(rest.join(' '), view);
        return { kind: 'reply', message: ruleMessage(rule, view, ctx.now), json: { rule } };
      }
      case 'exceptions':
        return { kind: 'reply', message: exceptionsMessage(view, ctx.now), json: view.settings };
      case 'disable':
      case 'enable': {
        const [name = '', ...why] = rest;
        const reason = why.join(' ').trim() || (flags.reason ?? '').trim();
        const rule = await named(name, ctx);
        if (verb === 'disable' && reason === '')
          throw new UserError('Say why: the reason goes into the audit.', 'Usage: /ir rules disable RULE REASON');
        return { kind: 'rules', change: { kind: verb, rule, reason: reason.slice(0, 300) } };
      }
      case 'except':
        return except(rest, flags, ctx);
      case 'end-exception': {
        const [id = '', ...why] = rest;
        if (!/^[\w-]{1,80}$/.test(id))
          throw new UserError('Which one?', '`/ir rules exceptions` lists them with their ids.');
        return { kind: 'rules', change: { kind: 'end-exception', id, reason: why.join(' ').slice(0, 300) } };
      }
      default: {
        const pick = (verb === 'try' ? rest : words).join(' ').trim() || 'all';
        return {
          kind: 'investigate',
          investigation: 'rules',
          request: requestOf({ pick }, flags),
          notice: `Trying ${pick === 'all' ? 'all rules' : `the rules for ${pick}`} on the past.`,
        };
      }
    }
  },
});

const nothing: RuleView = { rules: [], settings: { disabled: [], exceptions: [], problems: [] }, faults: [] };

function list(pick: string, view: RuleView): CommandOutcome {
  const found = rulesCalled(pick, view.rules);
  if (found.length === 0) throw unknownRule(pick, view);
  const json = found.map(({ name, id, title, level, technique, tactic, file }) => ({
    ...{ rule: name, id, title, level, technique, tactic, file },
  }));
  return { kind: 'reply', message: rulesMessage(pick, found, view), json: { rules: json, faults: view.faults } };
}

function oneRule(name: string, view: RuleView) {
  const found = rulesCalled(name, view.rules);
  const [only] = found;
  if (only === undefined || name.trim() === '') throw unknownRule(name, view);
  if (found.length > 1)
    throw new UserError(`${found.length} rules are meant by that; name one.`, `/ir rules list ${name.slice(0, 80)}`);
  return only;
}

/** The rule's own name. Without rules to look in (a test of the words alone) it is taken as typed. */
async function named(name: string, ctx: CommandContext): Promise<string> {
  if (name === '') throw new UserError('Name the rule.', '`/ir rules list` shows them.');
  const view = await ctx.rules?.();
  return view === undefined ? name : oneRule(name, view).name;
}

function unknownRule(name: string, view: RuleView): NotFoundError {
  const wanted = name.trim().toLowerCase();
  const near = view.rules.filter((rule) => wanted !== '' && rule.name.includes(wanted)).slice(0, 5);
  return new NotFoundError(
    `There is no rule "${name.slice(0, 80)}".`,
    near.length > 0 ? `Near it: ${near.map((rule) => rule.name).join(', ')}.` : '`/ir rules list` shows them.',
  );
}

async function except(words: readonly string[], flags: Args['flags'], ctx: CommandContext): Promise<CommandOutcome> {
  const [rule] = words;
  const lists = criteria.flatMap((name) => {
    const value = flags[name];
    return value === undefined ? [] : [[name, value.split(',').map((word) => word.trim())] as const];
  });
  const isPattern = rule === undefined || rule.includes('*');
  const parsed = ExceptionEntry.safeParse({
    ...Object.fromEntries(lists),
    ...(rule === undefined ? {} : { rule: isPattern ? rule : await named(rule, ctx) }),
    reason: flags.reason ?? '',
    until: flags.ends ?? '',
  });
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => {
      const path = issue.path.map(String).join('.').replace('until', '--ends').replace('reason', '--reason');
      return path === '' ? issue.message : `${path}: ${issue.message}`;
    });
    throw new UserError(problems.join('; '), 'Usage: /ir rules except RULE --principal P --reason R --ends 2026-12-31');
  }
  if (Date.parse(parsed.data.until) <= ctx.now.getTime()) throw new UserError('--ends is in the past.');
  return { kind: 'rules', change: { kind: 'except', exception: parsed.data } };
}
