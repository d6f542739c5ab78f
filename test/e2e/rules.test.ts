/** Rules as users settle them: folders and exceptions in the config, changes from Slack and the shell, lint and tests; and readiness. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { configFor, environmentFor } from '../../demo/setting.ts';
import { demoIds } from '../../demo/slack/workspace.ts';
import { run, sql } from '../support/doors.ts';
import { openScene, type Scene, wordsOf } from '../support/scene.ts';
import { testFolder } from '../support/test-folder.ts';

const { alerts, rosa } = demoIds;
// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Json = any;

const mine = (condition: string, more = '') => `title: Mine
id: 11111111-1111-4111-8111-111111111111
name: mine-create-user
level: high
tags: [attack.persistence, attack.t1136.003]
falsepositives: [none]
${more}
logsource: { product: aws, service: cloudtrail }
detection:
  sel: { eventSource: iam.amazonaws.com, eventName: CreateUser }
  condition: ${condition}
`;

const event = (name: string, user: string, ip: string, n: number) => ({
  eventVersion: '1.11',
  eventID: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
  eventTime: `2026-11-20T10:00:${String(n).padStart(2, '0')}Z`,
  eventSource: 'iam.amazonaws.com',
  eventName: name,
  awsRegion: 'us-east-1',
  sourceIPAddress: ip,
  userAgent: 'aws-cli/2.2.1',
  recipientAccountId: '999999999999',
  userIdentity: {
    type: 'IAMUser',
    arn: `arn:aws:iam::999999999999:user/${user}`,
    accountId: '999999999999',
    userName: user,
  },
});

const folder = mkdtempSync(join(tmpdir(), 'firebreak-rules-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const bare = (words: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  run(words, { cwd: folder, env: { HOME: folder, AWS_EC2_METADATA_DISABLED: 'true', ...env } });

describe('rules of the operator', () => {
  const theirs = join(folder, 'theirs');
  const logs = join(folder, 'logs');
  beforeAll(() => {
    mkdirSync(theirs);
    mkdirSync(logs);
    writeFileSync(join(theirs, 'good.yml'), mine('sel'));
    writeFileSync(join(theirs, 'twin.yml'), mine('sel').replace('mine-create-user', 'mine-twin'));
    writeFileSync(join(theirs, 'bad.yml'), 'title: Bad\ndetection: {sel: {a: b}, condition: sel | count() > 5}');
    writeFileSync(join(theirs, 'broken.yml'), 'title: [');
    writeFileSync(
      join(theirs, 'good.tests.yml'),
      'rule: mine-create-user\nmatch:\n  - {eventSource: iam.amazonaws.com, eventName: CreateUser}\nmiss:\n  - {eventSource: iam.amazonaws.com, eventName: DeleteUser}\n',
    );
    const records = [
      event('CreateUser', 'mallory', '203.0.113.9', 1),
      event('CreateUser', 'onboarding', '198.51.100.4', 2),
      event('DeleteUser', 'mallory', '203.0.113.9', 3),
    ];
    writeFileSync(join(logs, 'one.json'), JSON.stringify({ Records: records }));
    writeFileSync(
      join(folder, 'firebreak.yml'),
      stringify({
        rules: { folders: ['theirs', 'nowhere'], disabled: ['identity-deleted'] },
        exceptions: [
          { principal: 'onboarding', event: 'iam:CreateUser', reason: 'people are onboarded', until: '2099-12-31' },
          { rule: 'mine-*', principal: 'mallory', reason: 'was on leave', until: '2020-01-01' },
        ],
      }),
    );
  });

  it('run beside ours; what is bad is named and breaks only itself; ids that collide are told', async () => {
    const { code, stdout, stderr } = await bare(['ir', 'hunt', 'all', '--logs', logs, '--json']);
    const answer: Json = JSON.parse(stdout);

    expect([code, stderr]).toEqual([0, '']);
    const rules = answer.matches.map((match: Json) => `${match.rule} ${match.principal.split('/').at(-1)}`);
    expect(rules).toContain('mine-create-user mallory');
    expect(rules).toContain('mine-twin mallory');
    expect(rules).toContain('iam-user-created mallory');
    expect(rules.join()).not.toContain('onboarding');
    expect(rules.join()).not.toContain('identity-deleted');
    expect(answer.unsupportedRules.map(({ rule }: Json) => rule)).toEqual(
      expect.arrayContaining(['bad.yml', 'broken.yml', 'nowhere']),
    );
    expect(answer.collidingRules).toEqual([
      expect.objectContaining({ reason: expect.stringContaining('share the id') }),
    ]);
    expect(answer.excepted).toEqual([expect.objectContaining({ reason: 'people are onboarded', matches: 3 })]);
    expect(answer.expiredExceptions).toEqual([expect.objectContaining({ reason: 'was on leave' })]);
    expect(answer.disabledRules).toEqual([expect.objectContaining({ rule: 'identity-deleted', by: 'config' })]);
  });

  it('say in words what was held back', async () => {
    const { stdout } = await bare(['ir', 'triage', '--logs', logs]);

    expect(stdout).toMatch(/Excepted: 3 matches held back/);
    expect(stdout).toMatch(/1 event excepted/);
    expect(stdout).toMatch(/1 exception ended/);
    expect(stdout).toMatch(/Switched off: identity-deleted/);
  });

  it('name each rule that a correlation of theirs keeps silent', async () => {
    const folder = testFolder();
    const burst = (generate: boolean) =>
      `title: Many users\nname: many-users\ncorrelation: {type: event_count, rules: [iam-user-created], timespan: 1h, condition: {gte: 9}, generate: ${generate}}`;
    const hunt = (...more: readonly string[]) =>
      bare(['ir', 'hunt', 'all', '--logs', logs, '--rules', folder, ...more]);

    writeFileSync(join(folder, 'burst.yml'), burst(false));
    const silent: Json = JSON.parse((await hunt('--json')).stdout);
    expect(silent.matches.map(({ rule }: Json) => rule)).not.toContain('iam-user-created');
    expect(silent.silencedRules).toEqual([
      { rule: 'iam-user-created', reason: expect.stringContaining('many-users counts it') },
    ]);
    expect((await hunt()).stdout).toMatch(/Silent: iam-user-created reports nothing by itself/);

    writeFileSync(join(folder, 'burst.yml'), burst(true));
    const loud: Json = JSON.parse((await hunt('--json')).stdout);
    expect(loud.matches.map(({ rule }: Json) => rule)).toContain('iam-user-created');
    expect(loud).not.toHaveProperty('silencedRules');
  });

  it('are linted: 1 where a rule cannot be evaluated, with its name', async () => {
    const [bad, good, json] = await Promise.all([
      bare(['rules', 'lint', theirs]),
      bare(['rules', 'lint', join(theirs, 'good.yml')]),
      bare(['rules', 'lint', theirs, '--json']),
    ]);

    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(/error: bad\.yml: /);
    expect(bad.stdout).toMatch(/share the id/);
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(json.stdout)).toMatchObject({ rules: 2, errors: [{}, {}] });
  });

  it('are tested by the files beside them', async () => {
    rmSync(join(theirs, 'bad.yml'));
    rmSync(join(theirs, 'broken.yml'));
    const passed = await bare(['rules', 'test', theirs]);
    writeFileSync(
      join(theirs, 'twin.tests.yml'),
      'rule: mine-twin\nmiss:\n  - {eventSource: iam.amazonaws.com, eventName: CreateUser}\n---\nrule: gone\nmatch: [{eventName: X, eventSource: y}]\n---\n- what\n',
    );
    const failed = await bare(['rules', 'test', theirs]);

    expect([passed.code, passed.stdout]).toEqual([
      0,
      '2 cases of 1 rules, 0 rules failed; 1 of 2 rules have no tests\n',
    ]);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toMatch(/FAILED: twin\.tests\.yml: mine-twin: miss\[0\]: matches/);
    expect(failed.stdout).toMatch(/FAILED: twin\.tests\.yml: gone: match\[0\]: There is no rule/);
    expect(failed.stdout).toMatch(/FAILED: twin\.tests\.yml: : cannot be read/);
  });

  it('show what they cover, as a text and as a layer', async () => {
    const [text, layer] = await Promise.all([
      bare(['rules', 'coverage', theirs]),
      bare(['rules', 'coverage', theirs, '--json']),
    ]);

    expect(text.stdout).toContain('T1136.003');
    expect(JSON.parse(layer.stdout)).toMatchObject({ techniques: [{ techniqueID: 'T1136.003', score: 4 }] });
  });

  it('are refused with the way out where the words are wrong', async () => {
    const [verb, none, dir] = await Promise.all([
      bare(['rules', 'sing']),
      bare(['rules']),
      bare(['rules', 'lint', join(folder, 'x')]),
    ]);

    expect([verb.code, none.code, dir.code]).toEqual([2, 2, 2]);
    expect(verb.stderr).toContain('lint|test|coverage');
    expect(dir.stderr).toContain('does not exist');
  });
});

describe('rules from Slack and the shell', () => {
  let scene: Scene;
  let home: string;
  beforeAll(async () => {
    scene = await openScene();
    home = mkdtempSync(join(tmpdir(), 'firebreak-rules-'));
    writeFileSync(join(home, 'firebreak.yml'), stringify(configFor(scene.aws)));
  });
  afterAll(async () => {
    await scene?.close();
    if (home) rmSync(home, { recursive: true });
  });

  const shell = (...words: string[]) =>
    run(words, {
      env: {
        ...environmentFor(scene.aws, scene.slack),
        FIREBREAK_CONFIG: join(home, 'firebreak.yml'),
        FIREBREAK_DATA_DIR: scene.dataDir,
      },
      cwd: home,
    });
  async function typed(text: string): Promise<string> {
    const before = scene.slack.ephemerals(rosa).length;
    await scene.slack.slash(rosa, alerts, text);
    return wordsOf(await scene.slack.waitFor(() => scene.slack.ephemerals(rosa)[before], 15_000));
  }
  const told = () => scene.slack.messages(alerts).map(wordsOf).join('\n');
  const audit = () =>
    sql<{ event: string; actor: string; payload: Json }>(
      scene,
      "select event, actor, payload from audit where event like 'rule-%' order by seq",
    );

  it('are listed and shown', async () => {
    expect(await typed('rules list T1136')).toContain('iam-user-created');
    expect(await typed('rules show iam-user-created')).toMatch(/May also be/);
    expect(await typed('rules show iam-user-creatd')).toMatch(/There is no rule/);
  });

  it('are switched off with a reason, told to the channel, audited, and switched on again', async () => {
    expect(await typed('rules disable instances-launched')).toMatch(/Say why/);
    expect(await typed('rules disable no-such-rule noisy')).toMatch(/There is no rule/);
    expect(await typed('rules disable instances-launched we launch all day')).toMatch(/stored and audited/);
    expect(await typed('rules disable instances-launched again')).toMatch(/Nothing changed/);
    expect(told()).toContain('The rule instances-launched is switched off (we launch all day)');

    const off: Json = JSON.parse((await shell('ir', 'hunt', 'T1578.002', '--json')).stdout);
    expect(off.disabledRules).toEqual([
      expect.objectContaining({ rule: 'instances-launched', reason: 'we launch all day' }),
    ]);
    expect(off.matches.filter(({ rule }: Json) => rule === 'instances-launched')).toEqual([]);

    expect(await typed('rules enable instances-launched')).toMatch(/switched on/);
    const on: Json = JSON.parse((await shell('ir', 'hunt', 'T1578.002', '--json')).stdout);
    expect(on.matches.filter(({ rule }: Json) => rule === 'instances-launched')).not.toEqual([]);
    expect((await audit()).map(({ event: name }) => name)).toEqual(['rule-disable', 'rule-enable']);
  });

  it('are excepted from with a reason and an end, and no exception is silent', async () => {
    expect(await typed('rules except instances-launched --principal pipeline --reason known')).toMatch(/--ends/);
    expect(
      await typed('rules except instances-launched --principal pipeline --reason known --ends 2020-01-01'),
    ).toMatch(/in the past/);
    expect(await typed('rules except * --reason known --ends 2099-01-01')).toMatch(/everything/);
    expect(
      await typed('rules except instances-launched --principal pipeline --reason "a test" --ends 2099-01-01'),
    ).toMatch(/Excepted/);

    const hunted: Json = JSON.parse((await shell('ir', 'hunt', 'T1578.002', '--json')).stdout);
    expect(hunted.excepted).toEqual([expect.objectContaining({ reason: 'a test', by: expect.stringContaining(rosa) })]);
    expect(hunted.excepted[0].matches).toBeGreaterThan(0);

    const listed: Json = JSON.parse((await shell('ir', 'rules', 'exceptions', '--json')).stdout);
    expect(listed.exceptions).toEqual([expect.objectContaining({ reason: 'a test' })]);
    expect(await typed(`rules end-exception ${listed.exceptions[0].id}`)).toMatch(/is ended/);
    expect(await typed(`rules end-exception ${listed.exceptions[0].id}`)).toMatch(/no exception of that id/);
    const events = await audit();
    expect(events.at(-1)).toMatchObject({ event: 'rule-end-exception', actor: expect.stringContaining(rosa) });
    expect((await shell('audit', 'verify')).code).toBe(0);
  });

  it('change from the shell as well, by the user of the machine', async () => {
    const off = await shell('ir', 'rules', 'disable', 'mail-sent', 'we send mail');
    const again = await shell('ir', 'rules', 'disable', 'mail-sent', 'we send mail');

    expect([off.code, again.code]).toEqual([0, 0]);
    expect(off.stdout).toMatch(/switched off \(we send mail\)/);
    expect(again.stdout).toMatch(/Nothing changed/);
    expect((await audit()).at(-1)?.actor).toMatch(/^host user /);
  });

  it('readiness is answered in the shell and in a thread', async () => {
    const { code, stdout } = await shell('ir', 'readiness', '--json');
    const answer: Json = JSON.parse(stdout);

    expect(code).toBe(answer.coverage.complete ? 0 : 3);
    expect(answer.checks.length).toBeGreaterThan(50);
    expect(answer.fixes[0].check).toBe('trail-validation');

    await scene.slack.slash(rosa, alerts, 'readiness');
    await scene.slack.waitFor(() => told().includes('to fix before an incident'), 60_000);
  });
});
