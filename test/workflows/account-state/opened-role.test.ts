import { describe, expect, it } from 'vitest';
import { openedRole } from '../../../workflows/account-state/opened-role.ts';

const arn = 'arn:aws-us-gov:iam::111122223333:role/legacy';
const stranger = { Effect: 'Allow', Principal: { AWS: '999988887777' }, Action: 'sts:AssumeRole' };
// The number of an account is written by IAM as its root.
const asIamHasIt = { ...stranger, Principal: { AWS: 'arn:aws-us-gov:iam::999988887777:root' } };
const inside = { Effect: 'Allow', Principal: { AWS: 'arn:aws-us-gov:iam::111122223333:user/bob' } };
const service = { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };
const policy = (...Statement: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
const maker = { by: 'arn:aws-us-gov:iam::111122223333:user/alice', at: '2026-11-20T10:00:00Z', eventId: 'e' };

describe('a role into which somebody was let', () => {
  it('is open as long as a stranger whom the actor wrote into it may take it', () => {
    const item = openedRole(arn, { maker, policy: policy(service, stranger) }, policy(service, asIamHasIt), []);

    expect(item).toMatchObject({ kind: 'role trust', id: arn, state: 'alive' });
    expect(item.because).toContain('user alice');
    expect(item.because).toContain('999988887777');
    expect(item.because).not.toContain('ec2');
  });

  it('is closed when nobody of that policy may take it, or everything is denied to it', () => {
    expect(openedRole(arn, { maker, policy: policy(service, stranger) }, policy(service), []).state).toBe('dead');
    expect(
      openedRole(arn, { maker, policy: policy(stranger) }, policy(asIamHasIt), [{ kind: 'all', policy: 'p' }]).state,
    ).toBe('dead-by-policy');
  });

  it('cannot be told where only those of the account are left, or or a policy cannot be read', () => {
    const states = [
      openedRole(arn, { maker, policy: policy(inside, stranger) }, policy(inside), []),
      openedRole(arn, { maker, policy: '' }, policy(asIamHasIt), []),
      openedRole(arn, { maker, policy: policy(stranger) }, '<html>', []),
    ].map(({ state }) => state);

    expect(states).toEqual(['unknown', 'unknown', 'unknown']);
  });
});
