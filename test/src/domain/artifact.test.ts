import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/contracts/errors.ts';
import { classify } from '../../../src/domain/artifact.ts';

function refusal(text: string): UserError {
  try {
    classify(text);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe('classify', () => {
  it.each([
    ['arn:aws:iam::111122223333:user/team/a/alice', 'user', 'IAM user alice in account 111122223333'],
    ['arn:aws-cn:iam::111122223333:role/service-role/ops', 'role', 'role ops in account 111122223333 (aws-cn)'],
    [
      'arn:aws:sts::111122223333:assumed-role/ops/a@b.com',
      'session',
      'session a@b.com of role ops in account 111122223333',
    ],
    [
      'arn:aws-us-gov:sts::111122223333:federated-user/bob',
      'federatedUser',
      'federated user bob in account 111122223333 (aws-us-gov)',
    ],
    ['arn:aws:iam::111122223333:root', 'root', 'root user of account 111122223333'],
    ['arn:aws:s3:::bucket', 'resource', 's3 resource bucket'],
    ['arn:aws:iam::aws:policy/AdministratorAccess', 'resource', 'iam resource AdministratorAccess'],
    ['AKIAIOSFODNN7EXAMPLE', 'accessKey', 'long-term access key'],
    ['ASIAQNZGKIQY56JQ7WML', 'accessKey', 'temporary access key'],
    ['198.51.100.7', 'ip', 'IPv4 address'],
    ['2001:db8::1', 'ip', 'IPv6 address'],
    ['i-0123456789abcdef0', 'resource', 'EC2 instance'],
    ['sg-1a2b3c4d', 'resource', 'security group'],
    ['eipalloc-0123456789abcdef0', 'resource', 'elastic IP allocation'],
    ['tgw-rtb-0123456789abcdef0', 'resource', 'resource id (tgw-rtb)'],
    ['111122223333', 'account', 'AWS account'],
    ['3fcfb182-98f8-4744-bd45-10a395ab61cb', 'event', 'CloudTrail event id'],
    ['544894e8-80c1-707f-60e3-3ba6510dfac1', 'federatedUser', 'Identity Center user'],
    ['906ab1c2d3-544894e8-80c1-407f-90e3-3ba6510dfac1', 'federatedUser', 'Identity Center user'],
    ['AROAQNZGKIQY56JQ7WMLA:build', 'resource', 'role id and session name'],
    ['AIDACKCEVSQ6C2EXAMPLE', 'resource', 'unique id of an IAM user'],
    ['autoscaling.amazonaws.com', 'service', 'AWS service'],
  ])('takes %s for a %s', (text, kind, takenFor) => {
    expect(classify(text)).toMatchObject({ artifact: { kind, id: text }, takenFor });
  });

  it.each([
    ['<http://198.51.100.7|198.51.100.7>', '198.51.100.7'],
    ['<http://198.51.100.7>', '198.51.100.7'],
    ['http://198.51.100.7:8080/x', '198.51.100.7'],
    ['hxxp://198[.]51[.]100[.]7/', '198.51.100.7'],
    ['198.51.100[.]7', '198.51.100.7'],
    ['I-0123456789ABCDEF0', 'i-0123456789abcdef0'],
    ['ARN:AWS:IAM::111122223333:USER/Team/Alice', 'arn:aws:iam::111122223333:user/Team/Alice'],
    ['ARN:AWS-CN:STS::111122223333:Assumed-Role/Ops/Wei', 'arn:aws-cn:sts::111122223333:assumed-role/Ops/Wei'],
    ['source-identity:carol@corp.example', 'source-identity:carol@corp.example'],
    ['198.51.100.7:443', '198.51.100.7'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001[:]db8[:][:]1', '2001:db8::1'],
    ['2001:db8::', '2001:db8::'],
    ['::ffff:198.51.100.7', '198.51.100.7'],
    ['“198.51.100.7”,', '198.51.100.7'],
    ['`AKIAIOSFODNN7EXAMPLE`', 'AKIAIOSFODNN7EXAMPLE'],
    ['*AKIAIOSFODNN7EXAMPLE*', 'AKIAIOSFODNN7EXAMPLE'],
    ['akiaiosfodnn7example', 'AKIAIOSFODNN7EXAMPLE'],
    ['(i-0123456789abcdef0).', 'i-0123456789abcdef0'],
    ['1111-2222-3333', '111122223333'],
    ['3FCFB182-98F8-4744-BD45-10A395AB61CB', '3fcfb182-98f8-4744-bd45-10a395ab61cb'],
    ['arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0', 'i-0123456789abcdef0'],
    ['arn:aws:iam::111122223333:user/svc_', 'arn:aws:iam::111122223333:user/svc_'],
    ['&lt;arn:aws:iam::111122223333:user/alice&gt;', 'arn:aws:iam::111122223333:user/alice'],
    [
      'arn:aws:sts::111122223333:assumed-role/ops/<mailto:a@b.com|a@b.com>',
      'arn:aws:sts::111122223333:assumed-role/ops/a@b.com',
    ],
  ])('reads the pasted form %s as %s', (text, id) => {
    expect(classify(text).artifact.id).toBe(id);
  });

  it('says what is odd about an id that no instance can have', () => {
    expect(classify('i-0abcdefghijklmnop').note).toMatch(/never issues/);
    expect(classify('i-0123456789abcdef0').note).toBeUndefined();
  });

  it.each([
    ['<@U012AB3CD>', /person in Slack/],
    ['<#C012AB3CD|general>', /Slack channel/],
    ['<!here>', /Slack mention/],
    ['', /nothing/],
    ['   ', /nothing/],
    ['alice', /nothing that can be pivoted on/],
    ['two words', /more than one word/],
    ['198.51.100.0/24', /range of addresses/],
    ['2001:db8::/32', /range of addresses/],
    ['arn:aws:iam::1111:user/alice', /not one/],
    ['arn:aws:iam::111122223333:user/', /lacks a part|not one/],
    ['arn:aws:sts::111122223333:assumed-role/ops', /lacks a part/],
  ])('refuses %j and says why', (text, why) => {
    expect(refusal(text).message).toMatch(why);
    expect(refusal(text).hint).toBeTruthy();
  });

  it('hints at what was probably meant', () => {
    expect(refusal('198.051.100.7').hint).toMatch(/begins with a zero/);
    expect(refusal('198.51.100.300').hint).toMatch(/255/);
    expect(refusal('AKIA…MPLE').hint).toMatch(/shortened/);
    expect(refusal('11112222333').hint).toMatch(/12 digits/);
  });

  it('does not echo what looks like a secret', () => {
    const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
    expect(refusal(secret).message).not.toContain(secret.slice(4));
  });

  it('answers 4,000 characters of anything fast and in short', () => {
    const texts = ['a', '<', ')', ' x', '-', '[.]', 'arn:aws:', 'f:', '9', '&amp;', '<http://a|', '_'].map((unit) =>
      unit.repeat(4000).slice(0, 4000),
    );
    const start = performance.now();
    for (const text of [...texts, 'a'.repeat(1_000_000)]) expect(refusal(text).message.length).toBeLessThan(200);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('throws nothing but UserError, and what it accepts it accepts again', () => {
    const near = fc.stringMatching(
      /^(arn:aws:|AKIA|ASIA|i-|<http:\/\/|[0-9a-f:.[\]]{0,10})[\w:/@.|<>&;[\]+=,-]{0,60}$/,
    );
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), near, fc.ipV4(), fc.ipV6(), fc.uuid()), (text) => {
        try {
          const { artifact } = classify(text);
          expect(classify(artifact.id).artifact).toEqual(artifact);
          return true;
        } catch (error) {
          if (error instanceof UserError) return error.message.length < 300;
          throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
