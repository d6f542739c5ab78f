/**
 * Only answers that are AWS's reach the SDK's parser. It takes a proxy's page, an empty body and one that was cut off for an answer
 * without fields, which reads as "there is none", or as a write that was carried out.
 */

interface HttpResponse {
  readonly statusCode: number;
  body: unknown;
}
type Next = (args: never) => Promise<{ readonly response: unknown }>;
interface AnyClient {
  readonly middlewareStack: { add(middleware: never, options: never): void };
}

/** Puts the check before the client's parser. What is refused reads as a SyntaxError of it would: AWS was not heard. */
export function withWholeAnswers<Client>(client: Client): Client {
  const middleware = (next: Next) => async (args: { readonly request: unknown }) => {
    const result = await next(args as never);
    const response = result.response as HttpResponse;
    if (response.statusCode >= 300) return result;
    const { headers } = args.request as { readonly headers: Readonly<Record<string, string>> };
    const isForm = /x-www-form-urlencoded/i.test(headers['content-type'] ?? '');
    const isTarget = headers['x-amz-target'] !== undefined;
    if (!isForm && !isTarget) return result;
    const bytes = await bytesOf(response.body);
    response.body = bytes;
    const isWhole = isForm ? isWholeXml(new TextDecoder().decode(bytes)) : bytes.length > 0;
    if (!isWhole) throw notAws(response.statusCode);
    return result;
  };
  const { middlewareStack } = client as AnyClient;
  middlewareStack.add(middleware as never, { step: 'deserialize', priority: 'low', name: 'wholeAnswers' } as never);
  return client;
}

/** An element that is closed, and is no page. Its name is not asked for: it differs from service to service. */
export function isWholeXml(text: string): boolean {
  const [, name = ''] = /^\s*(?:<\?xml[^>]*\?>\s*)?<([\w:.-]+)[\s/>]/.exec(text.replace(/^\uFEFF/, '')) ?? [];
  if (name === '' || name.toLowerCase() === 'html') return false;
  const end = text.trimEnd();
  return end.endsWith(`</${name}>`) || /^[^<]*(<\?[^>]*\?>[^<]*)?<[^<>]*\/>$/.test(end);
}

async function bytesOf(body: unknown): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A read may be sent again at once; a write is sent once in any case, and looked for. */
function notAws(httpStatusCode: number): Error {
  return Object.assign(new Error("the answer was not AWS's"), {
    name: 'DeserializationError',
    $metadata: { httpStatusCode },
    $retryable: { throttling: false },
  });
}
