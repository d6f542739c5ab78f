import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { actions } from '#actions';
import { commands } from '#commands';
import { investigations } from '#investigations';
import { loadConfig } from '../../src/config.ts';
import { unknownNames } from '../../src/config-problems.ts';
import { SetupError } from '../../src/contracts/errors.ts';
import { testFolder } from '../support/test-folder.ts';

const slack = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_SIGNING_SECRET: 'x', WEBHOOK_TOKEN: 'y' };
const names = { actions, commands, investigations };

function load(yaml: string | Buffer, env: Record<string, string> = {}) {
  const folder = testFolder();
  writeFileSync(join(folder, 'firebreak.yml'), yaml);
  return loadConfig({ kind: 'serve', roles: ['web', 'worker', 'executor'] }, { ...slack, ...env }, folder);
}

/** What is said, without the path of the file. */
function problems(yaml: string | Buffer, env: Record<string, string> = {}): readonly string[] {
  try {
    load(yaml, env);
  } catch (error) {
    if (error instanceof SetupError)
      return error.problems.map((problem) => problem.replace(/^\S*firebreak\.yml: /, ''));
    throw error;
  }
  return [];
}

const channels = 'channels: {default: "#alerts"}\n';

describe('what is wrong with the config', () => {
  it('calls nothing missing that is there, whatever else is wrong', () => {
    expect(problems(`${channels}regions: [Frankfurt]\n`, { PORT: 'abc' })).toEqual([
      'environment: PORT: Invalid input: expected number, received NaN',
      'regions.0: is not a Region name',
    ]);
    expect(problems(`${channels}\thosts: 1\n`)).toEqual([expect.stringMatching(/^cannot be read: Tabs/)]);
  });

  it('names the key inside a value that may be written in several ways', () => {
    const queue = 'https://sqs.eu-west-1.amazonaws.com/111122223333/q';
    expect(problems(`${channels}queues: [{url: "${queue}", region: Frankfurt}]\n`)).toEqual([
      'queues.0.region: is not a Region name',
    ]);
    expect(problems(`${channels}queues: [{region: eu-west-1}]\n`)).toEqual([
      'queues.0.url: is not the URL of an SQS queue',
    ]);
    expect(problems(`${channels}accounts: [{name: shop}]\n`)).toEqual(['accounts.0.id: is missing']);
    expect(problems(`${channels}responders: {users: [rosa]}\n`)).toEqual([
      'responders.users.0: is not a Slack user id (U... or W...)',
    ]);
    expect(problems(`${channels}policies: [{breakGlass: {users: [U0123456789], afterMinutes: soon}}]\n`)).toEqual([
      'policies.0.breakGlass.afterMinutes: Invalid input: expected number, received string',
    ]);
    expect(problems('channels: {default: "#a", accounts: {"1111": "#b"}}\n')).toEqual([
      'channels.accounts.1111: is not a 12-digit account id',
    ]);
    const until = `${channels}exceptions: [{rule: a, reason: known for years, until: never}]\n`;
    expect(problems(until)).toEqual([expect.stringContaining('exceptions.0.until: is no day')]);
  });

  it('refuses at the start what would fail, or hold for nothing, at night', () => {
    expect(problems(`${channels}pivot: {window: a week}\n`)).toEqual([
      'pivot.window: is not a span of time (90m, 24h, 7d, 2w)',
    ]);
    expect(problems(`${channels}hubs: {egress: [office]}\n`)).toHaveLength(1);
    expect(problems(`${channels}noise: {report: {channel: "two words"}}\n`)).toHaveLength(1);
    const one = 'arn:aws:iam::111122223333:role/ir/One';
    const accounts = `accounts: [{id: "111122223333", auditRole: "${one}", responderRole: "${one}"}]\n`;
    expect(problems(channels + accounts)).toEqual([
      'accounts: 111122223333: auditRole and responderRole are one role: what reads could write',
    ]);
    expect(problems(channels, { SLACK_SIGNING_SECRET: ' , ' })).toEqual([
      expect.stringContaining('SLACK_SIGNING_SECRET'),
    ]);
  });

  it('warns of a webhook token that is none, and of more approvals than there are people', () => {
    const config = load(`${channels}approvers: {users: [U0123456789, U0123456789], required: 2}\n`, {
      WEBHOOK_TOKEN: ',',
    });

    expect(config.warnings).toEqual([
      expect.stringContaining('WEBHOOK_TOKEN is not set'),
      expect.stringContaining('approvers.required is 2'),
    ]);
  });

  it('warns of rules of approval for accounts and environments that no entry of accounts is', () => {
    const config = load(
      `${channels}approvers: {users: [U0123456789]}
accounts: [{id: "111122223333", environment: prod}]
policies:
 - {environments: [prod, production], forbidden: never}
 - {accounts: ["111122223333", "111122223334"], required: 2}\n`,
    );

    expect(config.warnings).toEqual([
      'policies.0.environments: no entry of accounts is "production", so the rule holds for nothing there',
      'policies.1.accounts: no entry of accounts is "111122223334", so the rule holds for nothing there',
    ]);
  });

  it('takes merged anchors, and refuses unknown tags, a second document and what is not UTF-8', () => {
    const merged = load(
      `${channels}accounts:\n - &one {id: "111122223333", owner: me}\n - {<<: *one, id: "222233334444"}\n`,
    );
    expect(merged.accounts.map(({ id, owner }) => [id, owner])).toEqual([
      ['111122223333', 'me'],
      ['222233334444', 'me'],
    ]);
    expect(problems(`${channels}mode: !secret execute\n`)).toEqual([
      expect.stringContaining('Unresolved tag: !secret'),
    ]);
    expect(problems(`${channels}---\nmode: execute\n`)).toEqual([expect.stringContaining('multiple documents')]);
    expect(problems(Buffer.from('channels: {default: "#a"}\n# Grüße\n', 'latin1'))).toEqual([
      'cannot be read: it is not UTF-8',
    ]);
  });
});

describe('names in rules', () => {
  it('are those of actions and commands, or the rule would hold for nothing', () => {
    const wrong = load(
      `${channels}approvers: {users: [U0123456789], stepUp: [disable-acess-key, "deny-*"]}
policies: [{actions: [delete-user, delet-access-key], forbidden: never}]
access: [{commands: [triage, tirage], allow: [U0123456789]}]\n`,
    );

    expect(unknownNames(wrong, names)).toEqual([
      'approvers.stepUp: there is no action "disable-acess-key", so the rule would hold for nothing',
      'policies.0.actions: there is no action "delet-access-key", so the rule would hold for nothing',
      'access.0.commands: there is no command "tirage", so the rule would hold for nothing',
    ]);
  });

  it('of the example file are all known', () => {
    const example = loadConfig({ kind: 'cli' }, { FIREBREAK_CONFIG: 'firebreak.example.yml' }, process.cwd());

    expect(unknownNames(example, names)).toEqual([]);
  });
});
