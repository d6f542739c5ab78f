/** What services with lists share: pages of two, so that readers have to ask for the next, and refusals. */
import { AwsError } from './errors.ts';
import type { Input, Value } from './protocols.ts';
import type { Call, Operation, Outcome } from './service.ts';

const pageSize = 2;

export interface PageNames {
  /** Of the list in the answer. */
  readonly list: string;
  /** Of the token in the request. */
  readonly asks: string;
  /** Of the token in the answer. */
  readonly gives: string;
}

/** A list, page by page. Throws for a token that this server has not given. */
export function page(input: Input, all: readonly Value[], { list, asks, gives }: PageNames): Outcome {
  const start = Number(input[asks] ?? 0);
  if (!Number.isInteger(start) || start < 0) throw new AwsError('InvalidParameterException', 400, 'Invalid token.');
  const end = start + pageSize;
  return { output: { [list]: all.slice(start, end), ...(end < all.length ? { [gives]: String(end) } : {}) } };
}

/** A read that asks for its right first. */
export function reads(service: string, run: (call: Call) => Outcome): Operation {
  return {
    readOnly: true,
    run(call) {
      call.may(`${service}:${call.operation}`);
      return run(call);
    },
  };
}

/** Those of the call's Region. */
export function here<T extends { readonly region: string }>(call: Call, all: readonly T[]): readonly T[] {
  return all.filter(({ region }) => region === call.region);
}
