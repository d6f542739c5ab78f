/** Undoes what Slack, mail programs and cautious people do to an artifact between the log and the command line. */
import { UserError } from '../contracts/errors.ts';

/** An ARN has at most 2,048 characters; markup may double it. */
const maxLength = 4096;

/**
 * The bare word of a pasted text, and the host where it is a URL. Throws UserError for mentions, several words, nothing and
 * far too much.
 */
export function unwrapPasted(
  text: string,
  accepts: string,
): { readonly word: string; readonly host: string | undefined } {
  if (text.length > maxLength)
    throw new UserError(`That is ${text.length} characters long, which no artifact is.`, accepts);
  const unescaped = text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
  refuseMention(unescaped);
  // <https://host|label> and <mailto:x|x>, also inside an ARN whose session name is an e-mail address.
  const unlinked = unescaped.replace(
    /<((?:https?|mailto|tel):[^<>|]*)(?:\|([^<>]*))?>/gi,
    (_, url: string, label?: string) => (label ? label : url.replace(/^(mailto|tel):/i, '')),
  );
  const word = unquote(unlinked);
  if (word === '') throw new UserError('There is nothing to pivot on.', accepts);
  if (/\s/.test(word)) throw new UserError('That is more than one word.', `One artifact at a time. ${accepts}`);
  const plain = refang(word);
  const url = /^h(?:tt|xx)ps?:\/\/([^/?#]{1,255})/i.exec(plain);
  const host = url?.[1]?.replace(/^[^@]*@/, '').replace(/:\d{1,5}$/, '');
  return { word: plain, host };
}

function refuseMention(text: string): void {
  if (/<@[UW]/.test(text))
    throw new UserError(
      'That is a person in Slack, not an AWS identity.',
      'Give the ARN of the IAM user or role session.',
    );
  if (/<#[CGD]/.test(text))
    throw new UserError('That is a Slack channel.', 'Give an AWS artifact: an ARN, a key id, an IP address.');
  if (/<!/.test(text))
    throw new UserError('That is a Slack mention.', 'Give an AWS artifact: an ARN, a key id, an IP address.');
}

const opening = /^[\s`"'“”‘’«»„‚<([{\u200b\u200e\u200f\u2060\ufeff]+/;
const closing = /[\s`"'“”‘’«»„‚>)\]},;:.!?\u200b\u200e\u200f\u2060\ufeff]+$/;

/** Takes quotes, brackets, emphasis and trailing punctuation off, but leaves the brackets of `[2001:db8::1]:443`. */
function unquote(text: string): string {
  const bracketed = /^\s*(\[[0-9a-f:.]+\](?::\d+)?)\s*$/i.exec(text);
  if (bracketed?.[1]) return bracketed[1];
  // `::` may end an IPv6 address.
  const tail = /[0-9a-f]::$/i.test(text.trim()) ? /[\s`"'>]+$/ : closing;
  const bare = text.replace(opening, '').replace(tail, '');
  // Slack's emphasis stands on both sides; a name may end in `_` by itself.
  return /^([*_~])(.+)\1$/s.exec(bare)?.[2] ?? bare;
}

/** `198.51.100[.]7`, `198.51.100(.)7`, `2001[:]db8`, `hxxp://` as they were before they were made harmless. */
function refang(word: string): string {
  return word
    .replace(/\[\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\)/gi, '.')
    .replace(/\[:\]/g, ':')
    .replace(/[\u200b-\u200f\u2060\ufeff]/g, '')
    .replace(/[\u2010-\u2015\u2212]/g, '-');
}
