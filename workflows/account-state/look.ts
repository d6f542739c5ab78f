/** Asking AWS about what is there now: an answer, or why there is none. A refusal is never an empty answer. */
import { UpstreamError, UserError } from '#src/contracts/errors.ts';
import { awsErrorFacts } from '#src/domain/aws-errors.ts';
import { inert } from '#src/domain/inert.ts';
import type { Looked } from '#src/domain/looked.ts';
import { everyPage, type PageOf } from '#src/domain/pages.ts';

/** Runs one question. Faults of our own code, and the end of the run, are thrown on. */
export async function look<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<Looked<T>> {
  try {
    return { ok: true, value: await ask() };
  } catch (error) {
    return { ok: false, reason: whyNot(error, signal).reason };
  }
}

/** Why a question has no answer: AWS's code, and the same with its sentence. Throws as `look` does. */
export function whyNot(error: unknown, signal: AbortSignal): { readonly code: string; readonly reason: string } {
  signal.throwIfAborted();
  if (error instanceof UserError || error instanceof UpstreamError)
    return { code: error.name, reason: inert(error.message, 200) };
  const { code, message } = awsErrorFacts(error);
  // Not the run's end, which was thrown above, but the call's own.
  if (code === 'AbortError') return { code, reason: `no answer within ${callMs / 1000} seconds` };
  // No answer of AWS, and none of the network: a fault of this program.
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) {
    if (!('$metadata' in error) && code !== 'NotAws') throw error;
  }
  return { code, reason: inert(`${code}: ${message}`, 200) };
}

/** One call, with the client's own retries. What asks 17 Regions shall not wait for one that hangs. */
const callMs = 20_000;

/** Options of one call: it ends with the run, or when it takes longer than 20 seconds. */
export function soon(signal: AbortSignal): { readonly abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.any([signal, AbortSignal.timeout(callMs)]) };
}

/**
 * A list of an answer. AWS writes its lists where they are empty too: an answer without one, or with a list of something else, is a
 * proxy's or an emulator's, and says nothing. Throws UpstreamError.
 */
export function listed<Item>(list: readonly Item[] | undefined, name: string): readonly Item[] {
  const isList = Array.isArray(list) && list.every((one) => one !== null && one !== undefined);
  if (isList) return list;
  throw new UpstreamError('aws', 'NotAws', `the answer was not AWS's: it has no list ${name}`, { retryable: false });
}

const maxPages = 100;

/** All pages of a list, by their token. More than 100 pages are an error: the rest was not looked at. */
export async function paged<Item>(
  page: (token: string | undefined) => Promise<PageOf<Item>>,
): Promise<readonly Item[]> {
  let pages = 0;
  return everyPage((token) => {
    pages += 1;
    if (pages <= maxPages) return page(token);
    throw new UserError(`there are more than ${maxPages} pages of it, and the rest was not looked at`);
  });
}
