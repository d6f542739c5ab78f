/** A small server that speaks CloudTrail's LookupEvents over real HTTP, for the real SDK client. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { onTestFinished } from 'vitest';
import type { AwsReach, AwsReader } from '../../../src/contracts/aws.ts';
import { unusedServices } from '../../fakes/unused-services.ts';

interface Ask {
  readonly region: string;
  readonly account: string;
  readonly attribute: string;
  readonly token: string | undefined;
  readonly from: number;
  readonly to: number;
}

type Reply = 'answer' | 'throttle' | 'html' | 'denied' | 'hang' | 'empty' | 'broken' | 'reset';

export interface EventHistory {
  readonly asks: Ask[];
  /** What to do with the next request; `answer` by default. */
  behave(rule: (ask: Ask) => Reply): void;
  readonly reach: AwsReach;
}

type Stored = Record<string, unknown> & { readonly awsRegion?: unknown };

/** @param records by account; each Region's client sees its own. */
export async function eventHistory(
  records: Readonly<Record<string, readonly Record<string, unknown>[]>>,
  options: { readonly regions?: readonly string[]; readonly pageSize?: number; readonly partition?: string } = {},
): Promise<EventHistory> {
  const asks: Ask[] = [];
  let rule: (ask: Ask) => Reply = () => 'answer';
  const hanging: ServerResponse[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      // The SDK signs for a Region: `Credential=KEY/DATE/REGION/cloudtrail/aws4_request`. The key tells the account here.
      const [, account = '', region = ''] =
        /Credential=([^/]+)\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? '') ?? [];
      if (!String(request.headers['x-amz-target']).endsWith('.LookupEvents')) throw new Error('not LookupEvents');
      const input = JSON.parse(body) as {
        LookupAttributes?: { AttributeKey: string; AttributeValue: string }[];
        StartTime: number;
        EndTime: number;
        NextToken?: string;
      };
      const one = input.LookupAttributes?.[0];
      const ask: Ask = {
        account,
        region,
        attribute: one ? `${one.AttributeKey}=${one.AttributeValue}` : '',
        token: input.NextToken,
        from: input.StartTime,
        to: input.EndTime,
      };
      asks.push(ask);
      const reply = rule(ask);
      if (reply === 'hang') hanging.push(response);
      else if (reply === 'reset') request.socket.destroy();
      else if (reply === 'html') send(response, 200, '<html><body>proxy</body></html>', 'text/html');
      else if (reply === 'empty') send(response, 200, '{}');
      else if (reply === 'throttle') send(response, 400, '{"__type":"ThrottlingException","message":"Rate exceeded"}');
      else if (reply === 'denied') send(response, 400, '{"__type":"AccessDeniedException","message":"not authorized"}');
      else
        send(
          response,
          200,
          JSON.stringify(page(records[account] ?? [], ask, options.pageSize ?? 50, reply === 'broken')),
        );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const clients: CloudTrailClient[] = [];
  onTestFinished(async () => {
    for (const response of hanging) response.destroy();
    for (const client of clients) client.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const unused = () => {
    throw new Error('not used by evidence');
  };
  const reader = (accountId: string): AwsReader => ({
    accountId,
    partition: options.partition ?? 'aws',
    ...unusedServices(),
    cloudtrail(region) {
      const credentials = { accessKeyId: accountId, secretAccessKey: 'x' };
      const client = new CloudTrailClient({ region, endpoint, credentials, maxAttempts: 1 });
      clients.push(client);
      return client;
    },
  });
  return {
    asks,
    behave(next) {
      rule = next;
    },
    reach: {
      accounts: async () => Object.keys(records),
      regions: async () => options.regions ?? ['us-east-1', 'eu-west-1'],
      reader: async (accountId) => reader(accountId),
      responder: unused,
      self: unused,
    },
  };
}

function page(records: readonly Stored[], ask: Ask, pageSize: number, broken: boolean): unknown {
  const matching = records
    .filter((record) => record.awsRegion === ask.region)
    .filter((record) => {
      const at = Date.parse(String(record.eventTime)) / 1000;
      return ask.from <= at && at <= ask.to && attributesOf(record).includes(ask.attribute);
    })
    .sort((a, b) => String(b.eventTime).localeCompare(String(a.eventTime)));
  const start = Number(ask.token ?? 0);
  const shown = matching.slice(start, start + pageSize);
  return {
    Events: shown.map((record, i) => ({
      EventId: record.eventID,
      EventName: record.eventName,
      EventTime: Date.parse(String(record.eventTime)) / 1000,
      CloudTrailEvent: broken && i === 0 ? '{"eventName":' : JSON.stringify(record),
    })),
    ...(start + pageSize < matching.length ? { NextToken: String(start + pageSize) } : {}),
  };
}

/** The attributes under which AWS finds a record; "" is no attribute, which finds all. */
function attributesOf(record: Stored): readonly string[] {
  const who = record.userIdentity as Record<string, unknown>;
  const session = String(who.arn ?? '')
    .split('/')
    .at(-1);
  const resources = JSON.stringify([record.requestParameters, record.responseElements]).match(/"[^"]+"/g) ?? [];
  return [
    '',
    `EventId=${String(record.eventID)}`,
    `Username=${String(who.userName ?? session)}`,
    `EventName=${String(record.eventName)}`,
    `AccessKeyId=${String(who.accessKeyId)}`,
    ...resources.map((quoted) => `ResourceName=${quoted.slice(1, -1)}`),
  ];
}

function send(response: ServerResponse, status: number, body: string, type = 'application/x-amz-json-1.1'): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
