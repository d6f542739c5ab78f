import { describe, expect, it } from 'vitest';
import { questionOf } from '../../../src/evidence/lookup-questions.ts';

describe('the question for a federated user', () => {
  it('reads everything for subjects that no attribute of LookupEvents holds, so that nothing is called absent unseen', () => {
    for (const id of [
      'source-identity:carol@corp.example',
      '544894e8-80c1-707f-60e3-3ba6510dfac1',
      'arn:aws:iam::430987654323:oidc-provider/token.actions.githubusercontent.com:sts.amazonaws.com:repo:corp/shop:ref:refs/heads/main',
    ]) {
      expect(questionOf({ kind: 'federatedUser', id })).toEqual({ scan: true });
    }
  });

  it('asks by name for one that GetFederationToken made', () => {
    const id = 'arn:aws:sts::430987654323:federated-user/survivor';

    expect(questionOf({ kind: 'federatedUser', id })).toMatchObject({
      scan: false,
      lookups: [{ key: 'Username', value: 'survivor', account: '430987654323' }, { key: 'ResourceName' }],
    });
  });
});

it('reads everything for the unique id of a user or role, which calls name in no attribute', () => {
  expect(questionOf({ kind: 'resource', id: 'AIDACKCEVSQ6C2EXAMPLE' })).toEqual({ scan: true });
  expect(questionOf({ kind: 'resource', id: 'AROAQNZGKIQY56JQ7WMLA:build' })).toMatchObject({ scan: false });
});
