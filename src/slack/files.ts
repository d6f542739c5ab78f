/** Pictures and files in a thread, by the three steps of files v2 (DOMAIN.md 1.10). */
import { UpstreamError } from '../contracts/errors.ts';
import type { Attachment } from '../contracts/message.ts';
import { escapeMrkdwn, inert } from '../domain/inert.ts';
import { isAllowedUrl } from './hosts.ts';
import { asText } from './people.ts';
import { explain, type WebApi } from './web-api.ts';

interface Upload {
  readonly channel: string;
  readonly threadTs?: string | undefined;
  readonly attachments: readonly Attachment[];
  readonly comment: string;
}

interface FilesOptions {
  readonly apiUrl: string | undefined;
  readonly timeoutMs: number;
}

/** A name without folders or odd characters: it becomes a file name on somebody's disk. */
function safeName(name: string): string {
  const base = inert(name, 120).replaceAll(/[^\p{L}\p{N}._ -]/gu, '-');
  return base.replace(/^[.\s]+/u, '') || 'file';
}

async function sendBytes(address: string, bytes: Uint8Array, options: FilesOptions): Promise<void> {
  if (!isAllowedUrl(address, options.apiUrl)) {
    throw new UpstreamError('slack', 'upload_host_refused', 'Slack named an upload address that is not one of Slack', {
      retryable: false,
    });
  }
  let response: Response;
  try {
    // No token: the address itself is the right to upload.
    response = await fetch(address, {
      method: 'POST',
      body: new Uint8Array(bytes),
      headers: { 'content-type': 'application/octet-stream' },
      redirect: 'error',
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    await response.body?.cancel();
  } catch (error) {
    throw explain(error, 'file upload', 'replace');
  }
  if (!response.ok) {
    throw new UpstreamError('slack', `http_${response.status}`, `Slack file upload: status ${response.status}`, {
      retryable: true,
    });
  }
}

/**
 * Shares the attachments as one message. Nothing is visible before the last step, so a failure before it may be tried
 * again; an unclear end of the last step is `ambiguous`. Throws UpstreamError.
 */
export async function uploadFiles(api: WebApi, upload: Upload, options: FilesOptions): Promise<void> {
  const files: { id: string; title: string }[] = [];
  for (const attachment of upload.attachments) {
    const altText = inert(attachment.altText, 950).slice(0, 1_000);
    const place = await api.call(
      'files.getUploadURLExternal',
      // The method's page says alt_txt, the library's types say alt_text; Slack ignores the one that it does not know.
      {
        filename: safeName(attachment.filename),
        length: attachment.bytes.byteLength,
        alt_txt: altText,
        alt_text: altText,
      },
      { kind: 'read' },
    );
    const id = asText(place.file_id);
    const address = asText(place.upload_url);
    if (id === undefined || address === undefined) {
      throw new UpstreamError('slack', 'unexpected_answer', 'Slack named no upload address', { retryable: true });
    }
    await sendBytes(address, attachment.bytes, options);
    files.push({ id, title: inert(attachment.title, 200) });
  }
  if (files.length === 0) return;
  await api.call(
    'files.completeUploadExternal',
    {
      files,
      channel_id: upload.channel,
      thread_ts: upload.threadTs,
      initial_comment: escapeMrkdwn(inert(upload.comment, 3_000)),
    },
    { kind: 'append' },
  );
}
