import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import { whoCreated } from '../../../workflows/investigation/who-created.ts';
import { evidenceOf, type Raw, record, user } from '../../src/domain/pivot-records.ts';

async function ask(records: readonly CloudTrailRecord[], artifact: string) {
  const report = await whoCreated.run(whoCreated.target.parse({ artifact }), {
    evidence: evidenceOf(records),
    aws: undefined,
    signal: new AbortController().signal,
    progress: () => undefined,
    now: () => new Date('2026-11-20T23:00:00Z'),
  });
  return { ...report, words: JSON.stringify(report.parts) };
}

describe('who made a thing', () => {
  const named = (eventName: string, minute: string, userIdentity: Raw = user('alice')) =>
    record({
      eventName,
      eventTime: `2026-11-20T22:${minute}:00Z`,
      eventSource: 'iam.amazonaws.com',
      userIdentity,
      sourceIPAddress: '198.51.100.7',
      requestParameters: { userName: 'dave' },
    });

  it('does not say of what was made again that it is deleted', async () => {
    const arn = 'arn:aws:iam::999999999999:user/dave';
    const again = await ask([named('DeleteUser', '10'), named('CreateUser', '11')], arn);
    const gone = await ask([named('CreateUser', '10'), named('DeleteUser', '11')], arn);

    expect(again.words).toContain('An earlier one of this name was deleted at 2026-11-20 22:10 UTC');
    expect(again.words).not.toContain('"Deleted at');
    expect(gone.words).toContain('Deleted at 2026-11-20 22:11 UTC.');
  });

  it('names the caller of another account from the copy that names him, else says that it is somebody of that account', async () => {
    const shared = {
      eventTime: '2026-11-20T22:30:00Z',
      eventSource: 'sts.amazonaws.com',
      eventName: 'AssumeRole',
      sharedEventID: 'one',
      sourceIPAddress: '198.51.100.9',
      requestParameters: { roleArn: 'arn:aws:iam::222233334444:role/Far', roleSessionName: 's' },
    };
    const theirs = record({
      ...shared,
      recipientAccountId: '222233334444',
      userIdentity: { type: 'AWSAccount', accountId: '999999999999', principalId: 'AIDAALICE' },
      responseElements: { credentials: { accessKeyId: 'ASIAFARFARFARFARFARF' } },
    });
    const own = record({ ...shared, userIdentity: user('alice'), responseElements: theirs.responseElements });

    expect((await ask([theirs, own], 'ASIAFARFARFARFARFARF')).headline).toContain(
      'User alice created ASIAFARFARFARFARFARF',
    );
    expect((await ask([theirs, own], 'ASIAFARFARFARFARFARF')).words).not.toContain('It was made');
    expect((await ask([theirs], 'ASIAFARFARFARFARFARF')).headline).toContain(
      'An identity of account 999999999999 created ASIAFARFARFARFARFARF',
    );
  });
});
