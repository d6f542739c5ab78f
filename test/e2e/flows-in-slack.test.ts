/** `/ir flows` and `/ir dns` in Slack: answered in time, then a thread with what was found and what it cost. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { minerInstances } from '../../demo/aws/stories/s3.ts';
import { demoIds } from '../../demo/slack/workspace.ts';
import { openScene, type Scene, wordsOf } from '../support/scene.ts';

const { alerts, rosa } = demoIds;

describe('network logs in Slack', { timeout: 90_000 }, () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene();
  });
  afterAll(() => scene?.close());

  it.each([
    [`flows ${minerInstances[0]}`, ['198.51.100.77', 'Unusual outflow', 'Athena']],
    ['dns minergate.example', ['xmr.pool.minergate.example', 'mining']],
    ['athena instances-launched-by arn:aws:iam::999999999999:user/pipeline', ['10 rows', 'read, $']],
  ])('%s becomes a thread', async (words, wanted) => {
    const before = new Set(scene.slack.messages(alerts).map(({ ts }) => ts));
    expect((await scene.slack.slash(rosa, alerts, words)).ms).toBeLessThan(3_000);

    const said = await scene.slack.waitFor(() => {
      const root = scene.slack.messages(alerts).find(({ ts }) => !before.has(ts));
      const all = root === undefined ? '' : [root, ...scene.slack.thread(alerts, root.ts)].map(wordsOf).join('\n');
      return all.includes('What was looked at') ? all : undefined;
    }, 60_000);

    for (const word of wanted) expect(said).toContain(word);
  });
});
