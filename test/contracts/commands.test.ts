/** What every subcommand must hold, walked over the list. */
import { describe, expect, it } from 'vitest';
import { commands } from '../../commands/index.ts';
import type { CommandContext } from '../../src/contracts/command.ts';
import { interpret, wordsOf } from '../../src/domain/words.ts';
import { toSlack } from '../../src/slack/blocks.ts';
import { cutNotice } from '../../src/slack/parts.ts';
import { actions } from '../../workflows/containment/index.ts';
import { investigations } from '../../workflows/investigation/index.ts';
import { camelCase, exportsOf, oneSentence, sentences, unitsIn } from '../fakes/folder.ts';

const context: CommandContext = {
  now: new Date('2026-11-20T22:00:00Z'),
  commands,
  actions: actions.map(({ name, usage, title }) => ({ name, usage, title })),
  openApprovals: async () => [
    { id: 'a1', state: 'proposed', what: 'disable a key', requester: 'U0REQUESTER', expiresAt: '2026-11-20T22:30:00Z' },
  ],
  frozen: async () => true,
};

describe('the list of commands', () => {
  it('is what the folder holds', () => {
    expect(commands.map((command) => command.name).sort()).toEqual(unitsIn('commands'));
  });

  it('shows every command and every action in help', async () => {
    const { command, args } = interpret(['help'], commands);

    const text = JSON.stringify(await command.decide(args, context));

    for (const { usage } of commands) expect(text).toContain(JSON.stringify(usage).slice(1, -1));
    for (const { usage } of actions) expect(text).toContain(usage);
  });

  it.each([['help'], ['help contain']])('fits all of it into one message of Slack (%s)', async (typed) => {
    const { command, args } = interpret(wordsOf(typed), commands);
    const outcome = await command.decide(args, context);
    if (outcome.kind !== 'reply') throw new Error('no reply');

    const shown = JSON.stringify(toSlack(outcome.message).blocks);

    expect(shown).not.toContain(cutNotice);
    for (const { name } of typed === 'help' ? [...commands, ...actions] : actions) expect(shown).toContain(name);
    if (typed !== 'help') for (const { title } of actions) expect(shown).toContain(title);
  });
});

describe.each(commands.map((command) => [command.name, command] as const))('the command %s', (name, command) => {
  it('is exported by its file under its own name', async () => {
    expect(await exportsOf('commands', name)).toHaveProperty(camelCase(name), command);
  });

  it('says in one sentence what it does, and how it is typed', () => {
    expect(command.summary).toMatch(oneSentence);
    expect(sentences(command.summary)).toBe(1);
    expect(command.usage).toMatch(new RegExp(`^/ir ${name}( |$)`));
  });

  it('names in its usage nothing that it does not take', () => {
    const shown = [...command.usage.matchAll(/--([a-z-]+)/g)].map((found) => found[1] ?? '');

    for (const flag of shown) expect(Object.keys(command.options ?? {})).toContain(flag);
  });

  it('has examples', () => {
    expect(command.examples.length).toBeGreaterThan(0);
  });

  it.each(command.examples.map((example) => [example]))('takes its example "%s" and decides', async (example) => {
    const asked = interpret([name, ...wordsOf(example)], commands);

    const outcome = await asked.command.decide(asked.args, context);

    expect(asked.command).toBe(command);
    if (outcome.kind === 'reply') expect(outcome.message.text).toMatch(/\S/);
    if (outcome.kind === 'freeze') expect(outcome.reason).toMatch(/\S/);
    if (outcome.kind === 'investigate') {
      const unit = investigations.find((candidate) => candidate.name === outcome.investigation);
      expect(unit?.target.safeParse(outcome.request.target)).toMatchObject({ success: true });
      expect(outcome.notice).toMatch(/\.$/);
    }
    if (outcome.kind === 'contain') {
      const action = actions.find((candidate) => candidate.name === outcome.action);
      expect(action?.target.safeParse(action.parse(outcome.words))).toMatchObject({ success: true });
    }
  });

  it.skipIf(command.freeText === true)('answers flags that it does not know with a way out', () => {
    expect(() => interpret([name, '--no-such-flag'], commands)).toThrow(expect.objectContaining({ name: 'UserError' }));
  });
});
