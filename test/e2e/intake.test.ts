/** Every kind of alert through the doors: posted as its sender posts it, read as a card in the channel. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { webhookToken } from '../../demo/setting.ts';
import { demoIds } from '../../demo/slack/workspace.ts';
import {
  alarmEvent,
  apiCall,
  asff,
  exposedKey,
  guardDutyCopy,
  imported,
  sequence,
  viaCloudTrail,
} from '../src/webhooks/events.ts';
import { finding } from '../src/webhooks/findings.ts';
import { liveThings, sql } from '../support/doors.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const { alerts, critical, rosa, gil } = demoIds;

describe('intake', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene({
      config: { mappings: [{ name: 'Sensor', when: { tool: 'sensor' }, title: 'what', severity: 'level', id: 'ref' }] },
    });
  });
  afterAll(() => scene?.close());

  const everywhere = () => [...scene.slack.messages(alerts), ...scene.slack.messages(critical)];
  const cards = (words: string) => everywhere().filter((message) => wordsOf(message).includes(words));
  const card = (words: string) => scene.slack.waitFor(() => cards(words)[0], 15_000);
  const postAlert = (body: unknown, token = webhookToken) =>
    fetch(`${scene.firebreak.url}/webhooks/alert`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
  /** Until every stored alert was handled: what is silent can only then be told from what is slow. */
  const settled = async () => {
    await expect
      .poll(() => sql(scene, 'SELECT id FROM alerts WHERE handled_at IS NULL'), { timeout: 15_000, interval: 100 })
      .toEqual([]);
  };

  it('shows an attack sequence with its signals in order, and a pivot over all that it names', async () => {
    expect((await scene.send(sequence())).status).toBe(202);

    const message = await card('3 signals, in order:');

    const words = wordsOf(message);
    expect(words.indexOf('ListUsers')).toBeLessThan(words.indexOf('DeleteTrail'));
    expect(hasButton(message, 'pivot')).toBe(true);
    expect(liveThings(message)).toEqual([]);
    const [button] = await sql<{ meaning: { artifact: string; also: string[] } }>(
      scene,
      "SELECT meaning FROM buttons WHERE meaning->>'kind' = 'pivot' AND meaning->'also' IS NOT NULL",
    );
    expect(button?.meaning.also).toContain('198.51.100.7');
  });

  it('offers to pivot and to contain for a key that AWS found in public', async () => {
    expect((await scene.send(exposedKey())).status).toBe(202);

    const message = await card('AWS found an access key of this account in public.');

    expect(wordsOf(message)).toContain('AKIAIOSFODNN7EXAMPLE');
    expect(hasButton(message, 'pivot')).toBe(true);
    expect(hasButton(message, 'acknowledge')).toBe(true);
  });

  it('puts the native finding and its Security Hub copy into one card, whichever comes first', async () => {
    expect((await scene.send(imported(guardDutyCopy()))).status).toBe(202);
    await card('on your own threat list');
    expect((await scene.send(finding())).status).toBe(202);
    expect((await scene.send(imported(guardDutyCopy({ UpdatedAt: '2026-11-20T22:00:00.000Z' })))).status).toBe(202);
    await settled();

    expect(cards('on your own threat list')).toHaveLength(1);
    const rows = await sql<{ source: string }>(
      scene,
      "SELECT alert->>'source' AS source FROM cases WHERE alert->>'type' = 'UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom'",
    );
    expect(rows).toEqual([{ source: 'guardduty' }]);
  });

  it('keeps what Security Hub suppressed or resolved out of the channel, but never a critical one', async () => {
    const suppressed = { Workflow: { Status: 'SUPPRESSED' } };
    await scene.send(imported(asff({ Id: 'quiet-1', Title: 'Quiet one', ...suppressed })));
    await scene.send(imported(asff({ Id: 'quiet-2', Title: 'Passing one', Compliance: { Status: 'PASSED' } })));
    await scene.send(imported(asff({ Id: 'loud', Title: 'Loud one', Severity: { Label: 'CRITICAL' }, ...suppressed })));

    const loud = await card('Loud one');
    await settled();

    expect(wordsOf(loud)).toContain('SUPPRESSED');
    expect([...cards('Quiet one'), ...cards('Passing one')]).toEqual([]);
  });

  it('updates the card of an alarm when it is OK again, and opens none for an alarm that was never seen', async () => {
    await scene.send(alarmEvent());
    await card('An alarm fires.');
    await scene.send(alarmEvent('OK', '2026-11-20T21:30:00.000+0000'));

    const message = await card('An alarm is OK again.');

    expect(cards('An alarm fires.')).toEqual([]);
    expect(wordsOf(message)).toContain('OVER');
  });

  it('shows an API call, and keeps no session token', async () => {
    await scene.send(viaCloudTrail(apiCall()));

    await card('Somebody gave an IAM user a console password.');

    const kept = await sql<{ raw: unknown }>(
      scene,
      "SELECT raw, alert FROM alerts WHERE alert->>'source' IN ('cloudtrail', 'detection')",
    );
    expect(kept).toHaveLength(1);
    expect(JSON.stringify(await sql(scene, 'SELECT record FROM stream_records'))).not.toContain('IQoJb3JpZ2lu');
    expect(JSON.stringify(kept)).not.toContain('IQoJb3JpZ2lu');
  });

  it('takes any JSON at /webhooks/alert, by the mapping of the config or by guesses, and only with the token', async () => {
    expect((await postAlert({ title: 'x' }, 'wrong')).status).toBe(401);
    expect((await postAlert({ tool: 'sensor', what: 'Odd login <!channel>', level: 'high', ref: 'r1' })).status).toBe(
      202,
    );
    expect((await postAlert({ tool: 'sensor', what: 'Odd login <!channel>', level: 'high', ref: 'r1' })).status).toBe(
      202,
    );
    expect((await postAlert({ name: 'Guessed alert', severity: 'low', from: '203.0.113[.]9' })).status).toBe(202);
    expect(await (await postAlert({ awslogs: { data: 'x' } })).json()).toMatchObject({ status: 'ignored' });
    const test = { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'logs', RequestId: 'R', HostId: 'H' };
    expect(await (await postAlert(test)).json()).toMatchObject({ status: 'ignored' });

    const [mapped, guessed] = [await card('Odd login'), await card('Guessed alert')];
    await settled();

    expect(cards('Odd login')).toHaveLength(1);
    expect(liveThings(mapped)).toEqual([]);
    expect(wordsOf(guessed)).toContain('203.0.113.9');
  });

  it('opens a dialog for /ir report, and a case with a pivot from what was pasted', async () => {
    scene.slack.fail({ method: 'views.open', how: 'error', error: 'expired_trigger_id' });
    const unopened = await scene.slack.slash(rosa, alerts, 'report');
    expect(unopened.body).toContain('Slack opened no dialog, so nothing was started');

    await scene.slack.slash(rosa, alerts, 'report');

    await scene.slack.submitView(rosa, {
      'report-text': 'AWS Trust & Safety: key AKIAIOSFODNN7EXAMPLE was used from 198.51.100[.]99 <!channel>',
      'report-urgency': 'critical',
    });

    const message = await card('AWS Trust');
    await expect(scene.slack.submitView(rosa, {})).rejects.toThrow('no dialog open');
    expect(wordsOf(message)).toContain('198.51.100.99');
    expect(wordsOf(message)).toContain('Critical');
    expect(hasButton(message, 'pivot')).toBe(true);
    expect(liveThings(message, [rosa])).toEqual([]);
  });

  it('takes no report from a guest', async () => {
    await scene.slack.slash(gil, alerts, 'report anything at all');

    const told = await scene.slack.waitFor(() => scene.slack.ephemerals(gil)[0], 5_000);
    expect(JSON.stringify(told)).toContain('You cannot do this');
    expect(cards('anything at all')).toEqual([]);
  });
});
