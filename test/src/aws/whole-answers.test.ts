/** Answers that are not AWS's, not whole, or never end, through the real SDK over HTTP. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { IAMClient, ListAccessKeysCommand, UpdateAccessKeyCommand } from '@aws-sdk/client-iam';
import { DescribeInstanceInformationCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { patience } from '../../../src/aws/clients.ts';
import { isWholeXml, withWholeAnswers } from '../../../src/aws/whole-answers.ts';
import { awsErrorFacts } from '../../../src/domain/aws-errors.ts';

const keys =
  '<ListAccessKeysResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListAccessKeysResult><AccessKeyMetadata/><IsTruncated>false</IsTruncated></ListAccessKeysResult></ListAccessKeysResponse>';
const page = '<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Portal</h1></body></html>';

describe('an answer of AWS', () => {
  let answer: (response: ServerResponse) => void = () => undefined;
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    request.resume();
    answer(response);
  });
  let settings: ConstructorParameters<typeof IAMClient>[0];
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    settings = {
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' },
      requestHandler: patience(5_000),
    };
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  function says(body: string, type = 'text/xml'): void {
    asked = 0;
    answer = (response) => response.writeHead(200, { 'content-type': type }).end(body);
  }
  const iam = (maxAttempts: number) => withWholeAnswers(new IAMClient({ ...settings, maxAttempts }));
  const list = (maxAttempts = 1) => iam(maxAttempts).send(new ListAccessKeysCommand({ UserName: 'a' }));
  const update = () =>
    iam(1).send(new UpdateAccessKeyCommand({ UserName: 'a', AccessKeyId: 'AKIAIOSFODNN7EXAMPLE', Status: 'Inactive' }));
  const factsOf = (asking: Promise<unknown>) => asking.then(() => 'it passed for an answer', awsErrorFacts);

  it('is read as before where it is whole', async () => {
    says(keys);
    expect((await list()).AccessKeyMetadata).toEqual([]);
    says(
      '<UpdateAccessKeyResponse><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></UpdateAccessKeyResponse>',
    );
    await expect(update()).resolves.toBeDefined();
  });

  it.each([
    ["a proxy's page", page],
    ['an empty body', ''],
    ['half an answer', keys.slice(0, 150)],
  ])('is not %s, neither for a read nor for a write', async (_name, body) => {
    says(body, 'text/html');
    expect(await factsOf(list())).toMatchObject({ code: 'NotAws', retryable: true });
    expect(await factsOf(update())).toMatchObject({ code: 'NotAws', ambiguous: true });
    expect(
      await factsOf(
        withWholeAnswers(new EC2Client({ ...settings, maxAttempts: 1 })).send(new DescribeInstancesCommand({})),
      ),
    ).toMatchObject({ code: 'NotAws' });
  });

  it('is not an empty body in JSON either', async () => {
    says('', 'application/x-amz-json-1.1');
    const ssm = withWholeAnswers(new SSMClient({ ...settings, maxAttempts: 1 }));
    expect(await factsOf(ssm.send(new DescribeInstanceInformationCommand({})))).toMatchObject({ code: 'NotAws' });
  });

  it('is asked for again where a read got a page, and never for a write', async () => {
    says(page, 'text/html');
    await factsOf(list(3));
    expect(asked).toBe(3);
    asked = 0;
    await factsOf(update());
    expect(asked).toBe(1);
  });

  it('is not waited for for ever where its body stops half way', async () => {
    answer = (response) =>
      response.writeHead(200, { 'content-type': 'text/xml', 'content-length': '4000' }).write(keys);
    expect(await factsOf(update())).toMatchObject({ retryable: true, ambiguous: true });
  });
});

describe('whole XML', () => {
  it.each(['<A/>', '<?xml version="1.0"?>\n<A b="1"><C/></A>\n', '<a:B xmlns:a="x"></a:B>'])('is %s', (text) => {
    expect(isWholeXml(text)).toBe(true);
  });
  it.each(['', 'ok', '<html></html>', '<HTML><A></HTML>', '<A><B/>', '<A><B></B>', '{"a":1}'])('is not %s', (text) => {
    expect(isWholeXml(text)).toBe(false);
  });
});
