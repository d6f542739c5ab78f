/** Bad input at the real doors of the real process: each gets a clear answer, nothing is lost, and nothing happens that was not asked for. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { botToken, signingSecret, webhookToken } from '../../demo/setting.ts';
import { signatureHeaders } from '../../demo/slack/delivery.ts';
import { demoIds, type Message } from '../../demo/slack/workspace.ts';
import { liveThings, postToSlackDoor, slashBody, sql } from '../support/doors.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const { alerts, rosa, omar, gil } = demoIds;
const secondSecret = 'the-secret-that-comes-next';
const secondToken = 'the-token-that-comes-next';
const epoch = () => Math.floor(Date.now() / 1_000);

let scene: Scene;
beforeAll(async () => {
  scene = await openScene({
    aws: { backgroundEvents: 5 },
    env: {
      SLACK_SIGNING_SECRET: `${signingSecret},${secondSecret}`,
      WEBHOOK_TOKEN: `${webhookToken}, ${secondToken}`,
    },
    // Two Regions: what is pivoted on here is asked for its answer at the door.
    config: { regions: ['us-east-1', 'eu-west-1'] },
    start: false,
  });
  const { accounts } = scene.aws;
  // The hub's own user may look into the hub, which nobody can contain: it has no responder role.
  const reads = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: ['iam:Get*', 'iam:List*'], Resource: '*' }],
  };
  scene.aws.state.accounts
    .get(accounts.hub.id)
    ?.users.get('firebreak')
    ?.inlinePolicies.push({ name: 'Reads', document: reads as never });
  const { id, auditRole, responderRole, externalId } = accounts.workshop;
  await scene.start({
    config: {
      mode: 'execute',
      channels: { default: alerts },
      regions: ['us-east-1', 'eu-west-1'],
      accounts: [
        { id, name: 'workshop-prod', auditRole, responderRole, externalId },
        { id: accounts.hub.id, name: 'hub' },
      ],
      approvers: { users: [omar] },
      responders: { users: [rosa, omar] },
      protected: [`arn:aws:iam::${id}:user/break-glass/*`],
    },
  });
});
afterAll(() => scene?.close());

async function counts(): Promise<Record<string, number>> {
  const [row] = await sql<Record<string, number>>(
    scene,
    `select (select count(*)::int from alerts) as alerts, (select count(*)::int from investigations) as investigations,
       (select count(*)::int from containment_requests) as requests, (select count(*)::int from vote_requests) as votes,
       (select count(*)::int from audit) as audit, (select count(*)::int from seen_keys) as seen`,
  );
  return { ...row };
}

describe("Slack's door", () => {
  const body = slashBody(rosa, alerts, 'contain disable-access-key AKIAIOSFODNN7EXAMPLE');

  it('refuses unsigned, badly signed, stale and future-dated requests with 401, and nothing happens', async () => {
    const before = await counts();
    const calls = scene.slack.calls.length;
    const good = signatureHeaders(signingSecret, body, epoch());

    const asked = [
      { body, headers: {} },
      { body, headers: { 'x-slack-signature': good['x-slack-signature'] ?? '' } },
      { body, headers: { 'x-slack-request-timestamp': good['x-slack-request-timestamp'] ?? '' } },
      { body, headers: { ...good, 'x-slack-signature': 'v0=00' } },
      { body, headers: { ...good, 'x-slack-request-timestamp': 'now' } },
      { body, headers: { ...good, 'x-slack-request-timestamp': `${epoch()}.5` } },
      { body, secret: 'a guess' },
      { body, secret: '' },
      { body: `${body}&more=1`, headers: good },
      { body, timestamp: epoch() - 301 },
      { body, timestamp: epoch() - 86_400 },
      { body, timestamp: epoch() + 310 },
      { body, timestamp: epoch() + 86_400 },
      { body: '', headers: {} },
    ];
    const answers = await Promise.all(asked.map((request) => postToSlackDoor(scene, request)));

    expect(answers.map((answer) => answer.status)).toEqual(asked.map(() => 401));
    const said = await Promise.all(answers.map((answer) => answer.text()));
    expect(new Set(said).size, 'the answer does not tell what was wrong').toBe(1);
    expect(await counts()).toEqual(before);
    expect(scene.slack.calls).toHaveLength(calls);
  });

  it('takes either of two signing secrets while they are rotated', async () => {
    const answers = await Promise.all(
      [signingSecret, secondSecret].map((secret) =>
        postToSlackDoor(scene, { body: slashBody(rosa, alerts, `help ${secret.length > 25 ? 'pivot' : ''}`), secret }),
      ),
    );

    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain('/ir pivot');
    }
  });

  it('does a repeated request once, however often and however close together its bytes come', async () => {
    const before = await counts();
    const request = { body: slashBody(rosa, alerts, 'pivot 198.51.100.7 --max-requests 1'), timestamp: epoch() };

    const answers = await Promise.all(Array.from({ length: 6 }, () => postToSlackDoor(scene, request)));
    const late = await postToSlackDoor(scene, request);

    expect([...answers, late].map((answer) => answer.status)).toEqual(Array(7).fill(200));
    const said = await Promise.all([...answers, late].map((answer) => answer.text()));
    expect(said.filter((text) => text.includes('198.51.100.7'))).toHaveLength(1);
    expect((await counts()).investigations).toBe((before.investigations ?? 0) + 1);
  });

  it('answers signed rubbish with 400 or 413 and goes on', async () => {
    const deep = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    const payload = (value: string) => new URLSearchParams({ payload: value }).toString();
    const asked: readonly [string, number, string?][] = [
      ['', 400],
      ['x=1', 400],
      ['command=%2Fir', 400],
      [payload('not json'), 400],
      [payload('[]'), 400],
      [payload('null'), 400],
      [payload('"text"'), 400],
      [payload('{"type":"block_actions"}'), 400],
      [payload('{"type":"block_actions","user":{"id":"U1"},"actions":"approve"}'), 400],
      [payload('{"type":"block_actions","user":{"id":"U1"},"actions":[null]}'), 400],
      [payload(deep(10_000)), 400],
      ['[]', 400, 'application/json'],
      [deep(10_000), 400, 'application/json'],
      ['{"type":"event_callback"}', 400, 'application/json'],
      ['{"type":"event_callback","event":[]}', 400, 'application/json'],
      [`text=${'x'.repeat(2_000_000)}`, 413],
    ];

    for (const [text, status, contentType = 'application/x-www-form-urlencoded'] of asked) {
      const answer = await postToSlackDoor(scene, { body: text, contentType });
      expect([answer.status, text.slice(0, 60)]).toEqual([status, text.slice(0, 60)]);
      expect(await answer.text()).not.toMatch(/ at .*\.ts:\d|node_modules/);
    }
    expect((await postToSlackDoor(scene, { body: slashBody(rosa, alerts, 'help') })).status).toBe(200);
  });

  it('acknowledges what it does not use: other events, shortcuts, unknown buttons', async () => {
    const before = await counts();
    const payload = (value: unknown) => new URLSearchParams({ payload: JSON.stringify(value) }).toString();
    const user = { id: rosa, team_id: demoIds.team };
    const asked = [
      {
        body: JSON.stringify({ type: 'event_callback', event_id: 'Ev1', event: { type: 'app_mention', user: rosa } }),
        contentType: 'application/json',
      },
      { body: payload({ type: 'shortcut', callback_id: 'x', user, trigger_id: 't' }) },
      {
        body: payload({
          type: 'block_actions',
          user,
          channel: { id: alerts },
          container: { message_ts: '1.2', channel_id: alerts },
          actions: [{ type: 'button', action_id: 'format-the-disk', value: 'x', block_id: 'b' }],
        }),
      },
    ];

    for (const request of asked) expect((await postToSlackDoor(scene, request)).status).toBe(200);

    expect({ ...(await counts()), seen: 0 }).toEqual({ ...before, seen: 0 });
  });
});

describe('the webhook', () => {
  it('asks for a token in either header and takes either of two', async () => {
    const statusWith = async (headers: Record<string, string>) =>
      (await scene.send({ source: 'aws.ec2', 'detail-type': 'Other' }, headers)).status;

    for (const headers of [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: `Basic ${webhookToken}` },
      { authorization: webhookToken },
      { authorization: 'Bearer ' },
      { authorization: `Bearer ${webhookToken},${secondToken}` },
      { 'x-api-key': '' },
      { 'x-api-key': `${webhookToken} x` },
    ] as Record<string, string>[]) {
      expect([await statusWith(headers), headers]).toEqual([401, headers]);
    }
    for (const headers of [
      { authorization: `Bearer ${webhookToken}` },
      { authorization: `bearer ${secondToken}` },
      { 'x-api-key': webhookToken },
      { 'x-api-key': secondToken },
      { 'x-api-key': webhookToken, authorization: 'Bearer wrong' },
    ] as Record<string, string>[]) {
      expect([await statusWith(headers), headers]).toEqual([200, headers]);
    }
  });

  it('says what is wrong with a body, stores nothing of it and goes on', async () => {
    const before = await counts();
    const event = scene.findings.accessKey;
    const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    const asked: readonly [string, string | object, number, RegExp][] = [
      ['empty', '', 400, /empty/],
      ['white space', '  \n', 400, /not JSON/],
      ['not JSON', '{"source": aws}', 400, /not JSON/],
      ['two documents', '{}{}', 400, /not JSON/],
      ['an array', [event], 400, /not a JSON object/],
      ['a string', '"aws.guardduty"', 400, /not a JSON object/],
      ['null', 'null', 400, /not a JSON object/],
      ['nothing in it', {}, 400, /`source` is missing/],
      [
        '10,000 deep',
        `{"source":"aws.guardduty","detail-type":"GuardDuty Finding","detail":${nested(10_000)}}`,
        400,
        /nested deeper/,
      ],
      ['200,000 deep', nested(200_000), 400, /nested deeper|not JSON/],
      ['no detail', { ...event, detail: undefined }, 400, /`detail` is missing/],
      ['detail is text', { ...event, detail: 'x' }, 400, /`detail` is missing/],
      ['no finding id', { ...event, detail: { ...event.detail, id: undefined } }, 400, /detail\.id is missing/],
      ['no type', { ...event, detail: { ...event.detail, type: '' } }, 400, /detail\.type is missing/],
      ['another service', { ...event, source: 'aws.ec2' }, 200, /ignored/],
      ['another event of GuardDuty', { ...event, 'detail-type': 'GuardDuty Malware Scan' }, 200, /ignored/],
      ['a forged source', { ...event, source: 'com.example.guardduty' }, 200, /ignored/],
      ['2 MB', JSON.stringify({ ...event, padding: 'x'.repeat(2_000_000) }), 413, /larger than/],
    ];

    for (const [what, body, status, says] of asked) {
      const answer = await scene.send(body);
      expect([what, answer.status]).toEqual([what, status]);
      expect(await answer.text()).toMatch(says);
    }
    expect((await counts()).alerts).toBe(before.alerts);
  });
});

describe('odd findings', () => {
  const card = (id: string): Message | undefined =>
    scene.slack.messages(alerts).find((message) => wordsOf(message).includes(id) && hasButton(message, 'acknowledge'));
  const base = () => scene.findings.accessKey;
  const changed = (id: string, detail: Record<string, unknown>) => ({
    ...base(),
    detail: {
      ...base().detail,
      id,
      arn: `arn:aws:guardduty:us-east-1:999999999999:detector/d/finding/${id}`,
      ...detail,
    },
  });

  it('makes a card of a finding of a type that nobody knows, and says so', async () => {
    expect((await scene.send(scene.findings.unknownType)).status).toBe(202);

    const shown = await scene.slack.waitFor(() => card('EntangledPair'), 15_000);

    expect(wordsOf(shown)).toContain('type of the finding is not known');
    expect(wordsOf(shown)).toContain('An entangled pair behaved oddly');
  });

  it('makes a card of a finding of which nearly everything is missing', async () => {
    const bare = {
      id: 'bare-1',
      type: 'Recon:IAMUser/BareFinding.Odd',
      accountId: '999999999999',
      region: 'eu-west-1',
    };
    expect((await scene.send({ ...base(), detail: bare })).status).toBe(202);
    const odd = {
      ...bare,
      id: 'odd-1',
      type: 'Recon:IAMUser/OddFinding.Odd',
      severity: 'huge',
      resource: 7,
      service: [],
      title: null,
      updatedAt: 'yesterday',
    };
    expect((await scene.send({ ...base(), detail: odd })).status).toBe(202);

    for (const word of ['BareFinding', 'OddFinding']) {
      const shown = await scene.slack.waitFor(() => card(word), 15_000);
      expect(wordsOf(shown)).toContain('gives no severity');
      expect(wordsOf(shown)).toContain('not named in the finding');
      expect(hasButton(shown, 'contain')).toBe(false);
    }
  });

  it('stores a finding of an account outside the inventory, marks the card and offers no containment', async () => {
    const answer = await scene.send(
      changed('foreign-1', { accountId: '123123123123', type: 'Recon:IAMUser/Foreign.Odd' }),
    );
    expect(answer.status).toBe(202);

    const shown = await scene.slack.waitFor(() => card('123123123123'), 15_000);

    expect(wordsOf(shown)).toContain('not in the inventory');
    expect(wordsOf(shown)).toContain('Contain is not offered');
    expect(hasButton(shown, 'contain')).toBe(false);
    expect(hasButton(shown, 'pivot')).toBe(true);
  });

  it("reads GetFindings' spelling as well as EventBridge's", async () => {
    const pascal = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(pascal);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key.charAt(0).toUpperCase() + key.slice(1), pascal(item)]),
      );
    };
    const finding = changed('pascal-1', { type: 'UnauthorizedAccess:IAMUser/MaliciousIPCaller' });
    expect((await scene.send({ ...finding, detail: pascal(finding.detail) })).status).toBe(202);

    const shown = await scene.slack.waitFor(() => card('known malicious IP address'), 15_000);

    for (const word of ['pipeline', 'AKIAIOSFODNN7EXAMPLE', 'RunInstances', '203.0.113.99', 'Germany']) {
      expect(wordsOf(shown)).toContain(word);
    }
    expect(hasButton(shown, 'contain')).toBe(true);
  });

  it('shows names that an attacker chose as words: no mention, no markup, no link, nothing unseen', async () => {
    const nasty =
      '<!channel> <@U07OMAR2OKA> @here *bold* _it_ ~s~ `code` ```block``` http://evil.example <http://evil.example|log in> :rotating_light: \u202Egnp.exe\u202C\u0000\u001b[31m <!subteam^S07ONCALL01> &lt;!everyone&gt; <!date^1^{date}^https://evil.example|x>';
    let number = 0;
    const poison = (value: unknown): unknown => {
      if (typeof value === 'string') {
        number += 1;
        return `${nasty} ${number}`;
      }
      if (Array.isArray(value)) return value.map(poison);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, poison(item)]));
    };
    const before = scene.slack.messages(alerts).length;
    const kinds = [scene.findings.accessKey, scene.findings.unknownType, ...scene.findings.mining.slice(2)];
    for (const finding of kinds)
      expect((await scene.send({ ...finding, detail: poison(finding.detail) })).status).toBe(202);
    // Real enough to be offered for containment, with the names alone chosen by the attacker.
    const { accessKeyDetails } = base().detail.resource as { accessKeyDetails: Record<string, unknown> };
    const named = changed('named-1', {
      title: nasty,
      description: nasty,
      resource: { resourceType: nasty, accessKeyDetails: { ...accessKeyDetails, userName: nasty, principalId: nasty } },
      service: poison(base().detail.service),
    });
    expect((await scene.send(named)).status).toBe(202);
    const link = { ...accessKeyDetails, userName: 'https://evil.example/x' };
    const linked = changed('named-2', { resource: { resourceType: 'AccessKey', accessKeyDetails: link } });
    expect((await scene.send(linked)).status).toBe(202);

    const posted = await scene.slack.waitFor(() => {
      const fresh = scene.slack.messages(alerts).slice(before);
      return fresh.length >= kinds.length + 2 ? fresh : undefined;
    }, 20_000);

    for (const message of posted) {
      expect(liveThings(message)).toEqual([]);
      expect(message.text).not.toMatch(/https?:\/\//i);
      expect(message.text).not.toContain('\u202E');
    }
    // The strict validator of the workspace took every first form: no plainer form was needed.
    const refused = scene.slack.calls.filter((call) => call.reply?.ok === false);
    expect(refused.map((call) => [call.method, call.reply?.error])).toEqual([]);
    for (const call of scene.slack.calls.filter((one) => one.method.startsWith('chat.'))) {
      expect(call.args).toMatchObject({ parse: 'none' });
      // Only a new message can unfurl: for the others Slack has no such argument.
      if (call.method === 'chat.postMessage') expect(String(call.args.unfurl_links)).toBe('false');
      expect(String(call.args.link_names)).toBe('false');
    }
  });
});

describe('/ir', () => {
  /** The text of the answer that the typist alone sees. */
  async function typed(text: string, who: string = rosa): Promise<string> {
    const delivery = await scene.slack.slash(who, alerts, text);
    expect([delivery.status, text.slice(0, 40)]).toEqual([200, text.slice(0, 40)]);
    expect(delivery.ms).toBeLessThan(3_000);
    const answer = JSON.parse(delivery.body) as Message & { response_type: string };
    expect(answer.response_type).toBe('ephemeral');
    expect(liveThings(answer)).toEqual([]);
    return `${answer.text}\n${JSON.stringify(answer.blocks)}`;
  }

  it('shows what can be typed to who types nothing, white space or help', async () => {
    for (const text of ['', '   ', 'help', 'HELP', '\u200bhelp\u200b']) {
      expect(await typed(text)).toContain('knows these commands: help, pivot');
    }
  });

  it('answers unknown words with the way out', async () => {
    expect(await typed('pivto 198.51.100.7')).toContain('Did you mean `/ir pivot`');
    expect(await typed('explode')).toContain('There is no command');
    expect(await typed('<!channel> *now*')).toContain('There is no command');
    expect(await typed('toString')).toContain('There is no command');
    expect(await typed('__proto__')).toContain('There is no command');
    expect(await typed('help explode')).toContain('There is no command');
    expect(await typed('approvals all')).toContain('takes no words');
  });

  it('answers 4,000 characters with the limit', async () => {
    expect(await typed(`pivot ${'x'.repeat(3_994)}`)).toContain('4000 characters; a command takes 1000');
    expect(await typed('😀 '.repeat(600))).toContain('a command takes 1000');
  });

  it('takes what phones and clients make of typed text', async () => {
    const before = (await counts()).investigations ?? 0;
    const taken = [
      ['pivot <http://198.51.100.7|198.51.100.7>', 'IPv4 address'],
      ['pivot <http://198.51.100.7>', 'IPv4 address'],
      ['pivot “arn:aws:iam::999999999999:user/pipeline” —since 3d', 'IAM user pipeline'],
      ['pivot ‘i-0ba42452619fc45aa’ –depth 1', 'EC2 instance'],
      ['pivot `AKIAIOSFODNN7EXAMPLE`', 'long-term access key'],
      ['PIVOT akiaiosfodnn7example', 'long-term access key'],
    ] as const;

    for (const [text, says] of taken) expect(await typed(`${text} --max-requests 1`)).toContain(`taken for ${says}`);

    expect((await counts()).investigations).toBe(before + taken.length);
  });

  it('says what it cannot pivot on, and starts nothing', async () => {
    const before = (await counts()).investigations;
    for (const [text, says] of [
      ['pivot', 'name one artifact'],
      ['pivot a b', 'name one artifact'],
      ['pivot rubbish', 'nothing that can be pivoted on'],
      ['pivot <@U07OMAR2OKA>', 'I can pivot on|mention|person'],
      ['pivot <@U07OMAR2OKA|omar.okafor>', 'I can pivot on|mention|person'],
      ['pivot <#C07IRALERTS|ir-alerts>', 'I can pivot on|mention|channel'],
      ['pivot 300.1.1.1', 'above 255'],
      ['pivot 10.0.0.0/8', 'range of addresses'],
      ['pivot arn:aws:iam::12:user/x', 'not one|lacks a part'],
      ['pivot AKIA...MPLE', 'shortened|other characters'],
      ['pivot ../../etc/passwd', 'nothing that can be pivoted on'],
      ['pivot constructor', 'nothing that can be pivoted on'],
      ['pivot 198.51.100.7 --since', 'since'],
      ['pivot 198.51.100.7 --since yesterday-ish', 'not a'],
      ['pivot 198.51.100.7 --since 2026-01-02 --until 2026-01-01', 'empty'],
      ['pivot 198.51.100.7 --depth minus', 'depth: is not a number'],
      ['pivot 198.51.100.7 --explode', 'explode'],
      ['pivot 198.51.100.7 --accounts 1', 'accounts'],
      ['pivot 198.51.100.7 --regions "x;y"', 'regions'],
      ['pivot wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY0', 'nothing that can be pivoted on'],
    ] as const) {
      const answer = await typed(text);
      expect(answer, text).toMatch(new RegExp(says));
      expect(answer).not.toContain('K7MDENG');
    }
    expect((await counts()).investigations).toBe(before);
  });

  it('refuses at once what can never be contained', async () => {
    const before = (await counts()).requests;
    for (const [text, says] of [
      ['contain', 'Contain what'],
      ['contain everything', 'There is no action'],
      ['contain disable-access-key', 'Which key'],
      ['contain disable-access-key AKIA1', 'not an access key id'],
      ['contain disable-access-key ASIAIOSFODNN7EXAMPLE', 'temporary key'],
      ['contain disable-access-key AKIAIOSFODNN7EXAMPLE AKIAIOSFODNN7EXAMPLF', 'Name one access key'],
      ['contain disable-access-key <@U07OMAR2OKA>', 'not an access key id'],
      ['freeze', 'Say why'],
      ['freeze --lift because', 'only approvers'],
    ] as const) {
      expect(await typed(text)).toContain(says);
    }
    expect((await counts()).requests).toBe(before);
  });

  it('tells the one who asked why there is no plan for a key, and proposes nothing', async () => {
    const { aws } = scene;
    const bystander = [...aws.state.accounts.values()]
      .flatMap((account) => [...account.users.values()])
      .flatMap((user) => user.keys)
      .find((key) => key.id === aws.credentials.bystander.accessKeyId);
    bystander?.history.push({ status: 'Inactive', at: new Date() });
    const asked = [
      [aws.credentials.bystander.accessKeyId, 'is Inactive already'],
      [aws.credentials.breakGlass.accessKeyId, 'is on the protected list'],
      [aws.credentials.hubReader.accessKeyId, 'has no responder role'],
      ['AKIAQNZGKIQY56JQ7WML', 'is in none of the 2 accounts'],
    ] as const;

    for (const [key] of asked) expect(await typed(`contain disable-access-key ${key}`)).toContain('Making the plan');

    for (const [key, says] of asked) {
      const told = await scene.slack.waitFor(
        () => scene.slack.ephemerals(rosa).find((message) => message.text.includes(says)),
        15_000,
      );
      expect(told.text).toMatch(/\.$/);
      expect([key, liveThings(told)]).toEqual([key, []]);
    }
    expect(await sql(scene, 'select id from approvals')).toEqual([]);
    expect(await sql(scene, "select seq from audit where event = 'ask.refused'")).toHaveLength(asked.length);
  });

  it('tells a guest, who may read but not ask, and starts nothing', async () => {
    const before = await counts();

    for (const text of [
      'pivot 198.51.100.7',
      'contain disable-access-key AKIAIOSFODNN7EXAMPLE',
      'freeze now',
      'approvals',
    ]) {
      expect(await typed(text, gil)).toContain('guests may read');
    }
    expect(await typed('help', gil)).toContain('knows these commands');

    expect({ ...(await counts()), seen: 0 }).toEqual({ ...before, seen: 0 });
  });
});

it('is as ready at the end as at the beginning', async () => {
  expect((await fetch(`${scene.firebreak.url}/readyz`)).status).toBe(200);
  expect(scene.aws.calls.filter((call) => call.operation === 'UpdateAccessKey')).toEqual([]);
  expect(scene.firebreak.log()).not.toMatch(/unhandled|uncaught/i);
  for (const secret of [signingSecret, secondSecret, webhookToken, secondToken, botToken]) {
    expect(scene.firebreak.log()).not.toContain(secret);
  }
});
