/** Crown jewels by the tags of their resources: heard through a snooze, unless the actor tagged them himself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoIds } from '../../demo/slack/workspace.ts';
import { sql } from '../support/doors.ts';
import { eventually, idle } from '../support/killing.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const { alerts, rosa } = demoIds;
const tag = { key: 'crown-jewel', value: 'checkout' };
let scene: Scene;

interface Event {
  readonly id: string;
  readonly detail: {
    readonly id: string;
    readonly resource: { readonly instanceDetails: { readonly instanceId: string } };
  };
}

/** A finding about mining on this instance of the story, of medium severity and a kind that is snoozed. */
function mining(
  index: number,
  tags: readonly unknown[],
  other?: string,
): { body: unknown; instanceId: string; id: string } {
  const event = scene.findings.mining[index] as unknown as Event;
  const instanceId = other ?? event.detail.resource.instanceDetails.instanceId;
  const resource = {
    ...event.detail.resource,
    instanceDetails: { ...event.detail.resource.instanceDetails, instanceId, tags },
  };
  return {
    body: { ...event, detail: { ...event.detail, severity: 5, resource } },
    instanceId,
    id: event.detail.id,
  };
}

const admissionOf = async (findingId: string): Promise<string | undefined> =>
  (
    await sql<{ admission: string }>(
      scene,
      `select admission from cases where alert->>'findingId' = '${findingId.replaceAll("'", '')}'`,
    )
  )[0]?.admission;
const cardsOf = (instanceId: string) =>
  scene.slack.messages(alerts).filter((one) => wordsOf(one).includes(instanceId) && hasButton(one, 'acknowledge'));

describe('a crown jewel by the tag of its resource', () => {
  beforeAll(async () => {
    scene = await openScene({ config: { crownJewels: { tags: ['crown-jewel=*'] } } });
    const rule = 'snooze add --type CryptoCurrency:* --resource i-* --until 2h we mine ourselves';
    expect((await scene.slack.slash(rosa, alerts, rule)).body).toContain('Snoozed');
  }, 120_000);
  afterAll(() => scene?.close());

  it('stays muted without the tag', async () => {
    const { body, instanceId, id } = mining(0, []);
    expect((await scene.send(body)).status).toBe(202);
    await eventually('it is handled', async () => (await admissionOf(id)) !== undefined);
    await idle(scene);
    expect(await admissionOf(id)).toBe('snoozed');
    expect(cardsOf(instanceId)).toEqual([]);
  });

  it('gets a card of its own where nothing says that the tag is new', async () => {
    const { body, instanceId } = mining(1, [tag], 'i-0aaaaaaaaaaaaaaaa');
    expect((await scene.send(body)).status).toBe(202);
    await eventually('its card is there', () => cardsOf(instanceId).length === 1);
  });

  it('does not count on an instance that was launched in the course of it', async () => {
    const { body, instanceId, id } = mining(2, [tag]);
    const asked = () => scene.aws.calls.filter(({ operation }) => operation === 'LookupEvents').length;
    const before = asked();
    expect((await scene.send(body)).status).toBe(202);
    await eventually('it is handled', async () => (await admissionOf(id)) !== undefined);
    await eventually('the logs are asked who set it', () => asked() > before);
    await idle(scene);
    expect(await admissionOf(id)).toBe('snoozed');
    expect(cardsOf(instanceId)).toEqual([]);
  });
});
