/** AWS Lambda: functions changed lately, and those that anybody may call by their URL. */
import {
  type FunctionConfiguration,
  ListFunctionsCommand,
  ListFunctionUrlConfigsCommand,
} from '@aws-sdk/client-lambda';
import pLimit from 'p-limit';
import type { FoundThing } from '#src/domain/services-now.ts';
import { listed, paged } from '../look.ts';
import { type Asker, isoOf, nameOf, short, type Where } from './asker.ts';

/** Lambda answers 15 calls a second in a Region, and each function has to be asked by itself. */
const urlsAtOnce = 4;
const mostUrls = 200;

export const functions: Asker = {
  read: 'Lambda functions',
  permissions: ['lambda:ListFunctionUrlConfigs', 'lambda:ListFunctions'],
  async ask(where) {
    const lambda = where.reader.lambda(where.region);
    const all = await paged(async (Marker) => {
      const page = await lambda.send(new ListFunctionsCommand({ Marker }), where.soon());
      return { items: listed(page.Functions, 'Functions'), next: page.NextMarker };
    });
    const newest = all.toSorted((a, b) => (isoOf(a.LastModified) < isoOf(b.LastModified) ? 1 : -1));
    const urls = await where.part(() => openUrls(newest.slice(0, mostUrls), where));
    const open = urls.ok ? urls.value : new Map<string, string>();
    const things = newest
      .filter((one) => isoOf(one.LastModified) >= where.since || open.has(one.FunctionName ?? ''))
      .map((one) => thingOf(one, open.get(one.FunctionName ?? '')));
    const gap = urls.ok
      ? all.length > mostUrls
        ? `URLs of functions after the first ${mostUrls} were not asked for`
        : undefined
      : `URLs of functions: ${urls.reason}`;
    return { things, total: all.length, ...(gap === undefined ? {} : { gap }) };
  },
};

/** URLs that ask for no credentials, by name of the function. */
async function openUrls(all: readonly FunctionConfiguration[], where: Where): Promise<ReadonlyMap<string, string>> {
  const lambda = where.reader.lambda(where.region);
  const limit = pLimit(urlsAtOnce);
  const found = await Promise.all(
    all.map(({ FunctionName = '' }) =>
      limit(async () => {
        const page = await lambda.send(new ListFunctionUrlConfigsCommand({ FunctionName }), where.soon());
        const open = listed(page.FunctionUrlConfigs, 'FunctionUrlConfigs').find(({ AuthType }) => AuthType === 'NONE');
        return [FunctionName, open?.FunctionUrl] as const;
      }),
    ),
  );
  return new Map(found.flatMap(([name, url]) => (url === undefined ? [] : [[name, url] as const])));
}

function thingOf(one: FunctionConfiguration, url: string | undefined): FoundThing {
  const account = one.FunctionArn?.split(':')[4];
  const layers = (one.Layers ?? []).flatMap(({ Arn }) => Arn ?? []);
  const strange = [...new Set(layers.map((arn) => arn.split(':')[4] ?? ''))].filter((id) => id !== account);
  const says = [
    short(one.FunctionName),
    ...(one.Runtime === undefined ? [] : [short(one.Runtime)]),
    ...(one.Role === undefined ? [] : [`role ${short(nameOf(one.Role))}`]),
    ...(strange.length === 0 ? [] : [`layers of account ${short(strange.join(', '))}`]),
  ];
  return {
    id: one.FunctionArn ?? one.FunctionName ?? '',
    says: says.join(', '),
    ...{ count: 1, at: isoOf(one.LastModified), hourly: undefined, bound: true },
    marks: url === undefined ? [] : ['anybody may call its URL'],
  };
}
