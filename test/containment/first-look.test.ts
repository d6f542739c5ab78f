/** What the first look after a change says, a minute later. By itself, since it waits for that minute. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { wordsOf } from '../support/scene.ts';
import { arnOfUser, type Containment, openContainment } from './cast.ts';

const refused = /^(UnauthorizedOperation|AuthFailure|AccessDenied|InvalidClientTokenId)$/;

let on: Containment;
beforeAll(async () => {
  on = await openContainment();
});
afterAll(() => on?.scene.close());

it("says at the first look what IAM's simulator makes of it, and calls it a simulation", async () => {
  const stolen = await on.user('sid');
  const done = await on.contain(`deny-all ${arnOfUser('sid')}`);
  expect(await on.looks(stolen)).toMatch(refused);

  // The first look comes after a minute.
  const said = await on.scene.slack.waitFor(
    () => on.thread(done).find((words) => words.includes('simulation')),
    80_000,
  );
  expect(said).toContain('iam:ListUsers: denied explicitly');
  expect(said).toContain('no proof');
  expect(said).toContain('Contained: AWS was seen to refuse it.');
  expect(wordsOf(done)).toContain('Done and verified');
});
