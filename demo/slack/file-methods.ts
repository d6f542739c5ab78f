/** files.* version 2: an upload address, the bytes, and the share that appears a moment later (DOMAIN.md 1.10). */
import { randomBytes } from 'node:crypto';
import { isRecord, structured, textArgument } from './body.ts';
import { appAuthor, readContent, threadOf } from './chat-methods.ts';
import { newId, type State, type StoredFile } from './state.ts';
import { type ApiCall, channelOf, type Method, missing, type Reply, refusal } from './web-api.ts';
import { demoIds, type SlackFile } from './workspace.ts';

const mimeTypes: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  json: 'application/json',
  csv: 'text/csv',
  txt: 'text/plain',
  pdf: 'application/pdf',
};
/** Slack shares asynchronously: the message is there a moment after the answer. */
const shareDelayMs = 40;

function getUploadUrl(call: ApiCall): Reply {
  const name = textArgument(call.args, 'filename');
  if (name === undefined) return missing('filename');
  const length = Number(call.args.length);
  if (!Number.isInteger(length) || length <= 0) return missing('length');
  const id = newId('F');
  const uploadPath = `/upload/v1/${randomBytes(24).toString('base64url')}`;
  const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  const file: SlackFile = {
    id,
    created: Math.floor(Date.now() / 1000),
    name,
    title: name,
    mimetype: mimeTypes[extension] ?? 'application/octet-stream',
    filetype: extension === '' ? 'binary' : extension,
    size: length,
    user: demoIds.botUser,
    // The SDK sends alt_text; some of Slack's pages spell it alt_txt.
    alt_txt: textArgument(call.args, 'alt_text') ?? textArgument(call.args, 'alt_txt') ?? '',
    url_private: `${call.url}/files-pri/${demoIds.team}-${id}/${encodeURIComponent(name)}`,
    permalink: `${call.url}/files/${demoIds.botUser}/${id}/${encodeURIComponent(name)}`,
  };
  call.state.files.set(id, { file, announcedBytes: length, uploadPath, shares: [] });
  return { ok: true, upload_url: `${call.url}${uploadPath}`, file_id: id };
}

/** Takes the bytes of an upload. Returns the HTTP status and text that Slack's upload server gives. */
export function receiveUpload(state: State, path: string, bytes: Buffer): { status: number; text: string } {
  const stored = [...state.files.values()].find((each) => each.uploadPath === path);
  if (!stored) return { status: 404, text: 'File not found' };
  if (bytes.length !== stored.announcedBytes) {
    return { status: 400, text: `Length mismatch: announced ${stored.announcedBytes}, got ${bytes.length}` };
  }
  const size = pngSize(bytes);
  const dimensions = size ? { original_w: size.width, original_h: size.height } : {};
  state.files.set(stored.file.id, { ...stored, bytes, file: { ...stored.file, ...dimensions } });
  return { status: 200, text: `OK - ${bytes.length}` };
}

function pngSize(bytes: Buffer): { width: number; height: number } | undefined {
  const isPng = bytes.length > 24 && bytes.readUInt32BE(0) === 0x89504e47;
  return isPng ? { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) } : undefined;
}

function completeUpload(call: ApiCall): Reply {
  const asked = structured(call.args.files);
  if (!Array.isArray(asked) || asked.length === 0) return missing('files');
  const done: StoredFile[] = [];
  for (const each of asked) {
    const stored = isRecord(each) ? call.state.files.get(String(each.id)) : undefined;
    if (!stored || !isRecord(each)) return refusal('file_not_found');
    if (!stored.bytes) return refusal('file_update_failed', [`[ERROR] no bytes were uploaded for ${stored.file.id}`]);
    const title = typeof each.title === 'string' && each.title !== '' ? each.title : stored.file.name;
    done.push({ ...stored, file: { ...stored.file, title } });
  }
  const shared = share(call, done);
  if (shared) return shared;
  for (const stored of done) call.state.files.set(stored.file.id, stored);
  return { ok: true, files: done.map(({ file }) => ({ id: file.id, title: file.title })) };
}

/** Checks where the files go and lets the message appear. Returns a refusal, or nothing when all is well. */
function share(call: ApiCall, done: readonly StoredFile[]): Reply | undefined {
  const name = call.args.channel_id === undefined ? 'channels' : 'channel_id';
  if (call.args[name] === undefined) return undefined;
  const place = channelOf(call, name);
  if ('refused' in place) return place.refused;
  if (!place.channel.isMember) return refusal('not_in_channel');
  const channel = place.channel.id;
  const thread = threadOf(call, channel);
  if ('refused' in thread) return thread.refused;
  const comment = textArgument(call.args, 'initial_comment') ?? '';
  const blocks = call.args.blocks;
  const content = blocks === undefined ? { text: comment } : readContent({ ...call, args: { blocks, text: comment } });
  if ('refused' in content) return content.refused;
  const appear = setTimeout(() => {
    const { threadTs } = thread;
    const ts = call.state.nextTs();
    for (const { file } of done) {
      const stored = call.state.files.get(file.id);
      if (stored) call.state.files.set(file.id, { ...stored, shares: [...stored.shares, { channel, ts, threadTs }] });
    }
    call.state.add({
      ...appAuthor,
      ts,
      channel,
      ...content,
      files: done.map(({ file }) => file),
      ...(threadTs === undefined ? {} : { thread_ts: threadTs }),
    });
  }, shareDelayMs);
  appear.unref();
  return undefined;
}

function info(call: ApiCall): Reply {
  const stored = call.state.files.get(String(call.args.file ?? ''));
  if (!stored?.bytes) return refusal('file_not_found');
  const shares: Record<string, { ts: string; thread_ts?: string | undefined }[]> = {};
  for (const each of stored.shares) {
    shares[each.channel] = [...(shares[each.channel] ?? []), { ts: each.ts, thread_ts: each.threadTs }];
  }
  const file = { ...stored.file, channels: Object.keys(shares), shares: { public: shares } };
  return { ok: true, file, comments: [] };
}

export const fileMethods: Readonly<Record<string, Method>> = {
  'files.getUploadURLExternal': getUploadUrl,
  'files.completeUploadExternal': completeUpload,
  'files.info': info,
};
