import { describe, expect, it } from 'vitest';
import { labelOf } from '../../../src/domain/pivot-actors.ts';

describe('the name of an identity in words', () => {
  it.each([
    ['source-identity:carol@corp.example', 'source identity carol@corp.example'],
    ['544894e8-80c1-707f-60e3-3ba6510dfac1', 'Identity Center user 544894e8-80c1-707f-60e3-3ba6510dfac1'],
    [
      'arn:aws:iam::430987654323:oidc-provider/token.actions.githubusercontent.com:sts.amazonaws.com:repo:corp/shop:ref:refs/heads/main',
      'federated user repo:corp/shop:ref:refs/heads/main of token.actions.githubusercontent.com',
    ],
    [
      'arn:aws:iam::430987654323:oidc-provider/token.actions.githubusercontent.com',
      'iam token.actions.githubusercontent.com',
    ],
  ])('%s', (id, label) => {
    expect(labelOf(id)).toBe(label);
  });
});
