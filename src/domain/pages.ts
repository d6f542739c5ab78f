/** Lists that AWS gives in pages. A page may be empty and have a next one all the same. */
import { UpstreamError } from '../contracts/errors.ts';

export interface PageOf<Item> {
  /** Undefined where the answer has no such list: then it is none of AWS's. */
  readonly items: readonly Item[] | undefined;
  /** The token of the next page; AWS leaves it out, or empty, at the end. */
  readonly next: string | undefined;
}

/** Every item of the list. Throws UpstreamError where it cannot be read to its end: "could not look" is never "there is none". */
export async function everyPage<Item>(
  ask: (token: string | undefined) => Promise<PageOf<Item>>,
): Promise<readonly Item[]> {
  const all: Item[] = [];
  const asked = new Set<string | undefined>();
  let token: string | undefined;
  do {
    asked.add(token);
    const { items, next } = await ask(token);
    if (items === undefined) throw notAws('a list is missing');
    all.push(...items);
    token = next === '' ? undefined : next;
    if (token !== undefined && asked.has(token)) throw notAws('the same page came twice');
  } while (token !== undefined);
  return all;
}

/** The next page of a list of IAM's. Throws UpstreamError where IAM says that there is more, and not where. */
export function iamNext(page: {
  readonly IsTruncated?: boolean | undefined;
  readonly Marker?: string | undefined;
}): string | undefined {
  if (page.IsTruncated === false) return undefined;
  if (page.IsTruncated === true && !page.Marker) throw notAws('a list was cut off without the token of its next page');
  return page.Marker;
}

function notAws(why: string): UpstreamError {
  return new UpstreamError('aws', 'NotAws', `the answer was not AWS's: ${why}`, { retryable: true });
}
