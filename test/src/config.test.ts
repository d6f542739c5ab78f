import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config.ts';
import { SetupError } from '../../src/contracts/errors.ts';
import { testFolder } from '../support/test-folder.ts';

const serveAll = { kind: 'serve', roles: ['web', 'worker', 'executor'] } as const;
const slack = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_SIGNING_SECRET: 'one, two', WEBHOOK_TOKEN: 'a,b' };

function folderWith(yaml: string): string {
  const dir = testFolder();
  writeFileSync(join(dir, 'firebreak.yml'), yaml);
  return dir;
}

function problemsOf(load: () => unknown): readonly string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof SetupError) return error.problems;
    throw error;
  }
  return [];
}

describe('the config', () => {
  it('takes the example file as it stands', () => {
    const config = loadConfig(serveAll, { ...slack, FIREBREAK_CONFIG: 'firebreak.example.yml' }, process.cwd());

    expect(config.mode).toBe('propose');
    expect(config.accounts[0]).toMatchObject({ id: '111122223333', environment: 'prod' });
    expect(config.webhookTokens.map((token) => token.reveal())).toEqual(['a', 'b']);
    expect(config.slack.signingSecrets.map((secret) => secret.reveal())).toEqual(['one', 'two']);
  });

  it('documents every key of the schema in the example file', () => {
    const example = parse(readFileSync('firebreak.example.yml', 'utf8')) as Record<string, unknown>;
    const config = loadConfig({ kind: 'cli' }, {}, folderWith('{}'));
    const own = ['configPath', 'configFound', 'dataDir', 'host', 'port', 'logLevel', 'databaseUrl', 'redisUrl'];
    const fromEnv = [
      ...own,
      'webhookTokens',
      'metricsToken',
      'slack',
      'pagerSecrets',
      'awsRegion',
      's3PathStyle',
      'warnings',
    ];

    const keys = Object.keys(config).filter((key) => !fromEnv.includes(key));

    expect(Object.keys(example)).toEqual(expect.arrayContaining(keys));
  });

  it('lists every problem of the environment and of the file at once', () => {
    const dir = folderWith('mode: attack\nchannels: {default: "not a channel!"}\nregions: [Frankfurt]\ncolour: red\n');

    const problems = problemsOf(() => loadConfig(serveAll, { PORT: 'abc', REDIS_URL: 'http://x' }, dir)).join('\n');

    for (const word of [
      'PORT',
      'REDIS_URL',
      'mode',
      'channels.default',
      'regions',
      'colour',
      'SLACK_BOT_TOKEN',
      'SLACK_SIGNING_SECRET',
    ]) {
      expect(problems).toContain(word);
    }
  });

  it('says what is wrong with a file that is no YAML or is not there', () => {
    expect(problemsOf(() => loadConfig(serveAll, slack, folderWith('a: [1'))).join()).toContain('cannot be read');
    expect(
      problemsOf(() => loadConfig({ kind: 'cli' }, { FIREBREAK_CONFIG: 'nowhere.yml' }, tmpdir())).join(),
    ).toContain('nowhere.yml');
  });

  it('lets the mode of the environment win over the mode of the file', () => {
    const dir = folderWith('mode: execute\nchannels: {default: "#alerts"}\n');

    expect(loadConfig(serveAll, { ...slack, FIREBREAK_MODE: 'observe' }, dir).mode).toBe('observe');
  });

  it('gives an executor no Slack token, even where the environment holds one', () => {
    const config = loadConfig({ kind: 'serve', roles: ['executor'] }, slack, folderWith('{}'));

    expect(config.slack).toEqual({ botToken: undefined, appToken: undefined, signingSecrets: [], apiUrl: undefined });
  });

  it('prints no secret, however it is printed', () => {
    const dir = folderWith('channels: {default: C0123456789}');
    const config = loadConfig(serveAll, { ...slack, DATABASE_URL: 'postgres://u:hunter2@h/d' }, dir);

    expect(`${JSON.stringify(config)} ${String(config.databaseUrl)}`).not.toMatch(/hunter2|xoxb-1/);
  });

  it('refuses one account twice and one Slack id as two people', () => {
    const dir = folderWith(
      'accounts: [{id: "111122223333"}, {id: 111122223333}]\npeople: [{name: a, slack: [U0AAA1]}, {name: b, slack: [U0AAA1]}]\n',
    );

    const problems = problemsOf(() => loadConfig({ kind: 'cli' }, {}, dir)).join('\n');

    expect(problems).toContain('111122223333 is listed twice');
    expect(problems).toContain('U0AAA1 belongs to both a and b');
  });

  it('refuses roles of another account or partition: they would be contained under the rules of this one', () => {
    const role = (account: string, partition = 'aws') => `arn:${partition}:iam::${account}:role/ir/IrAudit`;
    const dir = folderWith(
      [
        'accounts:',
        `  - {id: "111122223333", auditRole: "${role('444455556666')}", responderRole: "${role('444455556666')}"}`,
        `  - {id: "777788889999", auditRole: "${role('777788889999')}", responderRole: "${role('777788889999', 'aws-cn')}"}`,
        '  - {id: "123412341234", responderRole: IrResponder}',
        `  - {id: "555566667777", auditRole: "${role('555566667777')}"}`,
      ].join('\n'),
    );

    const problems = problemsOf(() => loadConfig({ kind: 'cli' }, {}, dir));

    expect(problems).toEqual([
      'accounts: 111122223333: auditRole is a role of account 444455556666',
      'accounts: 111122223333: responderRole is a role of account 444455556666',
      'accounts: 777788889999: auditRole and responderRole are of two partitions',
      'accounts: 123412341234: responderRole IrResponder is not the ARN of a role',
    ]);
  });
});
