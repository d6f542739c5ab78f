import { describe, expect, it } from 'vitest';
import { formatArn, lastSegment, parseArnStrict } from '../../../src/domain/arn.ts';

describe('ARNs', () => {
  it.each([
    ['arn:aws:iam::111122223333:user/team/alice', 'aws', 'alice'],
    ['arn:aws-cn:sts::111122223333:assumed-role/ops/a@b.com', 'aws-cn', 'a@b.com'],
    ['arn:aws-us-gov:ec2:us-gov-west-1:111122223333:instance/i-0123456789abcdef0', 'aws-us-gov', 'i-0123456789abcdef0'],
    ['arn:aws-iso-b:s3:::bucket', 'aws-iso-b', 'bucket'],
    ['arn:aws:lambda:eu-west-1:111122223333:function:pay:7', 'aws', '7'],
    ['arn:aws:iam::aws:policy/AdministratorAccess', 'aws', 'AdministratorAccess'],
  ])('takes %s apart and puts it together again', (text, partition, last) => {
    const parts = parseArnStrict(text);

    expect(parts?.partition).toBe(partition);
    expect(parts && formatArn(parts)).toBe(text);
    expect(parts && lastSegment(parts)).toBe(last);
  });

  it.each([
    '',
    'arn:aws:iam::111122223333:',
    'arn:aws:iam::1111:user/alice',
    'arn:azure:iam::111122223333:user/alice',
    'arn:aws:iam::111122223333:user/a\nb',
    `arn:aws:iam::111122223333:user/${'a'.repeat(3000)}`,
  ])('refuses %j', (text) => {
    expect(parseArnStrict(text)).toBeUndefined();
  });
});
