/** Which case a typed wish belongs to, and what the first look after a change says, a minute later. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hasButton, wordsOf } from '../support/scene.ts';
import { arnOfUser, type Containment, openContainment, refused } from './cast.ts';

let on: Containment;
beforeAll(async () => {
  on = await openContainment();
});
afterAll(() => on?.scene.close());

/** Of a user whom somebody deletes after it. */
let ofDeleted: Awaited<ReturnType<Containment['contain']>>;
beforeAll(async () => {
  await on.user('tom');
  ofDeleted = await on.contain(`deny-all ${arnOfUser('tom')}`);
  on.account().users.delete('tom');
});

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

it('says at a look that the target is gone where it is, and not that it could not be read', async () => {
  const said = await on.scene.slack.waitFor(
    () => on.thread(ofDeleted).find((words) => words.includes('Refused attempts')),
    80_000,
  );
  expect(said).toMatch(/^What it held is not there any more: account \d+ has no user tom\. If that was none of you/);
});

it('joins the case of the alert that is about the same key, and opens one of its own for another', async () => {
  await on.scene.send(on.scene.findings.accessKey);
  const card = await on.scene.slack.waitFor(() => on.cards().find((one) => hasButton(one, 'acknowledge')), 20_000);
  const caseId = /IR-\d+/.exec(wordsOf(card))?.[0] ?? 'none';
  const other = await on.user('una-related');

  expect(wordsOf(await on.ask('disable-access-key AKIAIOSFODNN7EXAMPLE'))).toContain(`Case ${caseId},`);
  expect(wordsOf(await on.ask(`disable-access-key ${other.accessKeyId}`))).not.toContain(`Case ${caseId},`);
});
