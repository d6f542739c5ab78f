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

describe('the question for a thing that calls name in more than one way', () => {
  const place = 'eu-west-1:430987654323';
  const values = (id: string) => {
    const question = questionOf({ kind: 'resource', id });
    if (question.scan) throw new Error('no lookups');
    expect(new Set(question.lookups.map(({ region }) => region))).toEqual(new Set(['eu-west-1']));
    return question.lookups.map(({ key, value }) => `${key}=${value}`);
  };

  it('asks for all reads of secrets in the Region, since one may be named by an ARN that is not known', () => {
    const named = `arn:aws:secretsmanager:${place}:secret:prod/db`;
    const reads = ['EventName=GetSecretValue', 'EventName=BatchGetSecretValue'];

    expect(values(named)).toEqual(expect.arrayContaining([`ResourceName=${named}`, 'ResourceName=prod/db', ...reads]));
    expect(values(`${named}-AbCdEf`)).toEqual(
      expect.arrayContaining([
        `ResourceName=${named}-AbCdEf`,
        `ResourceName=${named}`,
        'ResourceName=prod/db',
        ...reads,
      ]),
    );
  });

  it('asks for a stack by its name, and for a parameter by its path', () => {
    expect(values(`arn:aws:cloudformation:${place}:stack/shop/6f1d7c40-c6b1-11ef-9d6c-0a1b2c3d4e5f`)).toEqual(
      expect.arrayContaining([`ResourceName=arn:aws:cloudformation:${place}:stack/shop`, 'ResourceName=shop']),
    );
    expect(values(`arn:aws:ssm:${place}:parameter/app/key`)).toEqual(
      expect.arrayContaining(['ResourceName=/app/key', 'ResourceName=app/key']),
    );
  });
});
