import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commands } from '../../../commands/index.ts';
import { UserError } from '../../../src/contracts/errors.ts';
import { accountOfKeyId } from '../../../src/domain/access-key.ts';
import { cliCommand, drift, planHash } from '../../../src/domain/plan.ts';
import { protectedBecause, userOfUnknownPath } from '../../../src/domain/protected.ts';
import { redact, redactText } from '../../../src/domain/redaction.ts';
import { interpret, wordsOf } from '../../../src/domain/words.ts';

describe('typed words', () => {
  it('survive smart quotes, long dashes and invisible characters', () => {
    expect(wordsOf('pivot \u200B10.0.0.1 \u2014since 15d')).toEqual(['pivot', '10.0.0.1', '--since', '15d']);
    expect(wordsOf('freeze \u201Ca stolen session\u201D')).toEqual(['freeze', 'a stolen session']);
    expect(wordsOf('pivot \u201Ci-0123456789abcdef0\u201D, --since 15d')).toEqual([
      'pivot',
      'i-0123456789abcdef0',
      '--since',
      '15d',
    ]);
  });

  it('are refused beyond 1,000 characters', () => {
    expect(() => wordsOf('x'.repeat(4_000))).toThrow(UserError);
  });

  it('take a pasted e-mail for a report, with its dashes and its length', () => {
    const mail = `-----Original Message----- --bogus -x AKIAIOSFODNN7EXAMPLE ${'word '.repeat(1_500)}`;

    const { command, args } = interpret(wordsOf(`report ${mail}`, commands), commands);

    expect(command.name).toBe('report');
    expect((args as { words: string[] }).words.join(' ')).toBe(mail.trim());
    expect(() => wordsOf(`report ${'x'.repeat(13_000)}`, commands)).toThrow('a command takes 12000');
    expect(() => wordsOf(`pivot ${'x'.repeat(1_000)}`, commands)).toThrow('a command takes 1000');
  });

  it('name a wrong word without the number of its place', () => {
    expect(() => interpret(wordsOf('open banana'), commands)).toThrow(/^name the case, as IR-123$/);
  });

  it('without a command give help, and a slip gives the way out', () => {
    expect(interpret([], commands).command.name).toBe('help');
    expect(() => interpret(['pivto', 'x'], commands)).toThrow(UserError);
    try {
      interpret(['pivto'], commands);
    } catch (error) {
      expect((error as UserError).hint).toContain('/ir pivot');
    }
  });

  it('never fail in another way than with an answer for people', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        try {
          interpret(wordsOf(text), commands);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
    );
  });
});

describe('protected targets', () => {
  const config = { patterns: ['arn:aws:iam::*:role/break-glass/*', 'ceo'], own: ['arn:aws:iam::1:role/X'] };

  it('are our own roles, service-linked roles and what the config adds, in every partition and case', () => {
    for (const name of [
      'arn:aws:iam::1:role/X',
      'arn:aws-cn:iam::1:role/aws-service-role/x.amazonaws.com/Y',
      'arn:aws-us-gov:iam::1:role/ir/IrResponder',
      'arn:aws:iam::1:role/Break-Glass/admin',
      'CEO',
    ]) {
      expect(protectedBecause([name], config)).toBeDefined();
    }
  });

  it('are the identity that Firebreak itself runs as, by ARN and by key', () => {
    const own = ['arn:aws:iam::8:user/firebreak', 'AKIAOWNKEYOFFIREBREAK'];

    expect(protectedBecause(['AKIAOWNKEYOFFIREBREAK'], { ...config, own })).toBeDefined();
    expect(protectedBecause(['AKIASOMEBODYELSE'], { ...config, own })).toBeUndefined();
  });

  it('say by which rule, and are our own under any path', () => {
    const own = ['arn:aws:iam::1:role/X'];
    const says = (name: string) => protectedBecause([name], { ...config, own });

    expect(says('arn:aws:iam::1:role/ops/x')).toBe('arn:aws:iam::1:role/ops/x is what Firebreak itself uses');
    expect(says('arn:aws:iam::2:role/ops/x')).toBeUndefined();
    expect(says('arn:aws:iam::1:user/x')).toBeUndefined();
    expect(says('arn:aws:iam::1:role/aws-service-role/y/Z')).toMatch(/is a service-linked role/);
    expect(says('arn:aws:iam::1:role/ir/Z')).toMatch(/is a role of the incident-response installation/);
    expect(says('ceo')).toBe('ceo is on the protected list of the config (ceo)');
  });

  it('are users whose path could not be read, as soon as the list names users', () => {
    const unknown = [userOfUnknownPath('aws', '1', 'pipeline')];
    const withUsers = { ...config, patterns: ['arn:aws:iam::*:user/break-glass/*'] };

    expect(protectedBecause(unknown, withUsers)).toMatch(/path of .* could not be read/);
    expect(protectedBecause(unknown, config)).toBeUndefined();
    // IAM allows an asterisk as a path: that is a known one.
    expect(protectedBecause(['arn:aws:iam::1:user/*/pipeline'], withUsers)).toBeUndefined();
  });

  it('are not those that merely resemble one', () => {
    expect(
      protectedBecause(['arn:aws:iam::1:user/ceo2', 'arn:aws:iam::1:role/my-ir/y', 'ceo2'], config),
    ).toBeUndefined();
  });
});

describe('the plan', () => {
  it('has another hash when anything in it changes, and the same for another order of keys', () => {
    const plan = {
      action: 'a',
      direction: 'apply',
      accountId: '1',
      partition: 'aws',
      target: { b: 1, a: 2 },
      before: {},
      calls: [],
      sessionPolicy: { Version: '2012-10-17', Statement: [] },
      responderRole: 'r',
    } as const;

    expect(planHash({ ...plan, target: { a: 2, b: 1 } })).toBe(planHash(plan));
    expect(planHash({ ...plan, target: { a: 2, b: 2 } })).not.toBe(planHash(plan));
    expect(planHash({ ...plan, accountId: '2' })).not.toBe(planHash(plan));
  });

  it('names what drifted', () => {
    expect(drift({ status: 'Active', userName: 'x' }, { status: 'Inactive', userName: 'x' })).toEqual([
      'status was "Active", is "Inactive"',
    ]);
  });

  it('prints commands that a shell cannot misread', () => {
    const call = {
      service: 'iam',
      operation: 'UpdateAccessKey',
      region: 'us-east-1',
      input: { UserName: "x'; rm -rf /" },
    } as const;

    expect(cliCommand(call)).toBe(`aws iam update-access-key --user-name 'x'\\''; rm -rf /' --region us-east-1`);
  });
});

describe('an access key id', () => {
  it('tells its account, and says nothing where it is too old to', () => {
    expect(accountOfKeyId('ASIAQNZGKIQY56JQ7WML')).toBe('029608264753');
    expect(accountOfKeyId('ASIA273YH4WKQTS7ZTUB')).toBe('755629548949');
    expect(accountOfKeyId('AKIAIOSFODNN7EXAMPLE')).toBeUndefined();
  });
});

describe('redaction', () => {
  it('finds secrets by name at any depth and by pattern inside text', () => {
    const out = JSON.stringify(
      redact({
        a: { b: { c: { secretAccessKey: 'x', sessionToken: 'y', fine: 'z' } } },
        note: 'token xoxb-123456789012-abc',
      }),
    );

    expect(out).not.toMatch(/"x"|"y"|xoxb-1234/);
    expect(out).toContain('"z"');
    expect(redactText('postgres://u:hunter2@db/x')).toBe('postgres://u:[removed]@db/x');
    expect(redactText('https://hooks.slack.com/commands/T1/2/abc')).not.toContain('abc');
    expect(redactText('https://n.notebook.aws/lab?a=1&authToken=hunter2&b=2')).toBe(
      'https://n.notebook.aws/lab?a=1&authToken=[removed]&b=2',
    );
    expect(redactText('cookie xoxd-abcdefgh1234')).toBe('cookie [slack token]');
  });
});
