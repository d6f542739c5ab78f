/** The card of a finding fills in by itself, and never waits for AWS. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { configFor } from '../../demo/setting.ts';
import { demoIds, type Message } from '../../demo/slack/workspace.ts';
import { organizationReads } from '../../scripts/reference/permissions.ts';
import { openScene, type Scene, type SceneOptions, wordsOf } from '../support/scene.ts';
import { testFolder } from '../support/test-folder.ts';

let scene: Scene | undefined;
afterEach(async () => {
  await scene?.close();
  scene = undefined;
});

async function open(options: SceneOptions = {}): Promise<Scene> {
  scene = await openScene(options);
  return scene;
}

function card(of: Scene): Message | undefined {
  return of.slack.messages(demoIds.alerts).find((message) => wordsOf(message).includes('Case severity'));
}

/** The card once it says all of the words. */
function cardSaying(of: Scene, words: readonly string[], withinMs = 80_000): Promise<Message> {
  return of.slack.waitFor(() => {
    const found = card(of);
    const said = wordsOf(found);
    return words.every((word) => said.includes(word)) ? found : undefined;
  }, withinMs);
}

it('fills in who, key and address, and explains the severity of the case', async () => {
  const open1 = await open();
  expect((await open1.send(open1.findings.accessKey)).status).toBe(202);

  const filled = await cardSaying(open1, [
    'make access keys for other users',
    'no MFA',
    'of user pipeline, Active, 120 days old',
    'launched instances',
    'a reserved address; ',
  ]);

  expect(wordsOf(filled)).toMatch(
    /High 8\.\d = finding medium 5\.0 × prod × data class unknown × can make itself more × launched instances/,
  );
  expect(
    open1.slack.messages(demoIds.alerts).filter((message) => wordsOf(message).includes('Case severity')),
  ).toHaveLength(1);
});

it('names instances of the same launch that no finding names', async () => {
  const open1 = await open();
  for (const finding of open1.findings.mining) expect((await open1.send(finding)).status).toBe(202);

  const all = await open1.slack.waitFor(() => {
    const found = [demoIds.alerts, demoIds.critical]
      .flatMap((channel) => open1.slack.messages(channel))
      .filter((message) => /without a finding/.test(wordsOf(message)));
    return found.length > 0 ? found : undefined;
  }, 60_000);

  expect(wordsOf(all[0])).toMatch(/9 instances of the same launch, key or image, \d without a finding/);
  expect(wordsOf(all[0])).toContain('its start-up script shows mining, persistence');
});

it('shows the card at once while AWS says nothing, and says what is missing when a right is missing', async () => {
  const open1 = await open();
  const ends = [
    open1.aws.fail({ service: 'iam', operation: 'ListMFADevices', how: 'accessDenied' }),
    open1.aws.fail({ service: 'iam', operation: 'GetUser', how: 'hang', times: 1 }),
  ];
  const began = Date.now();
  expect((await open1.send(open1.findings.accessKey)).status).toBe(202);

  await cardSaying(open1, ['Being looked up']);
  const tookMs = Date.now() - began;
  const filled = await cardSaying(
    open1,
    ['MFA devices: no permission (iam:ListMFADevices)', 'Active, 120 days old'],
    60_000,
  );
  for (const end of ends) end();

  expect(tookMs).toBeLessThan(5_000);
  expect(wordsOf(filled)).toContain('Missing');
});

it('fills in later what was throttled at first', async () => {
  const open1 = await open();
  const end = open1.aws.fail({ service: 'iam', operation: 'ListAttachedUserPolicies', how: 'throttle' });
  expect((await open1.send(open1.findings.accessKey)).status).toBe(202);
  await cardSaying(open1, ['AWS throttled iam:ListAttachedUserPolicies', 'It is asked again']);

  end();

  const filled = await cardSaying(open1, ['make access keys for other users'], 60_000);
  expect(wordsOf(filled)).not.toContain('throttled');
});

it('takes the owner from a file of the CMDB and from AWS Organizations, and mentions the group on a high finding', async () => {
  const file = join(testFolder(), 'accounts.csv');
  writeFileSync(
    file,
    'Account ID,Owner Team,Data Class,Contacts\n999999999999,<!channel> team-shop,"PII, PCI",S0123ABCD; #team-shop\n',
  );
  const open1 = await open({ start: false });
  const config = configFor(open1.aws) as { accounts: { owner?: string }[] };
  for (const account of config.accounts) delete account.owner;
  await open1.start({ config: { ...config, inventory: { files: [file], organizations: true } } });

  for (const finding of open1.findings.mining.slice(0, 1)) expect((await open1.send(finding)).status).toBe(202);

  const filled = await open1.slack.waitFor(
    () =>
      [demoIds.alerts, demoIds.critical]
        .flatMap((channel) => open1.slack.messages(channel))
        .find((message) => /data PII, PCI × .*mining/.test(wordsOf(message))),
    60_000,
  );
  expect(wordsOf(filled)).toContain('"type":"usergroup","usergroup_id":"S0123ABCD"');
  expect(wordsOf(filled)).not.toContain('<!channel>');
  expect(wordsOf(filled)).not.toContain('AWS Organizations: ');
  const asked = new Set(
    open1.aws.calls
      .filter(({ service, error }) => service === 'organizations' && error === undefined)
      .map(({ action }) => action),
  );
  expect([...asked].sort()).toEqual(organizationReads.filter((action) => action.startsWith('organizations:')));
});
