/** Slack's mrkdwn into nodes: bold, italic, strike, code, links, mentions and dates. Everything else stays text. */
import { el, formatDate, fullTime, timeOf } from './dom.js';

const pieces =
  /```([\s\S]+?)```|`([^`\n]+)`|<([^<>\n]+)>|(?<![\w*])\*(?=\S)([^*\n]+?)\*(?![\w*])|(?<!\w)_(?=\S)([^_\n]+?)_(?!\w)|(?<![\w~])~(?=\S)([^~\n]+?)~(?!\w)|:([a-z0-9_+-]+):/g;

const emoji = {
  warning: '⚠️',
  rotating_light: '🚨',
  white_check_mark: '✅',
  x: '❌',
  hourglass_flowing_sand: '⏳',
  lock: '🔒',
  key: '🔑',
  fire: '🔥',
  eyes: '👀',
  information_source: 'ℹ️',
  red_circle: '🔴',
  large_orange_circle: '🟠',
  large_yellow_circle: '🟡',
  large_green_circle: '🟢',
  leftwards_arrow_with_hook: '↩️',
};

export function emojiText(name, unicode) {
  if (unicode) return String.fromCodePoint(...unicode.split('-').map((part) => Number.parseInt(part, 16)));
  return emoji[name] ?? `:${name}:`;
}

function unescaped(text) {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

/** A link that opens elsewhere, or plain text where the address is not one that a browser should follow. */
export function link(url, label) {
  if (!/^(?:https?:|mailto:)/i.test(url)) return document.createTextNode(label);
  return el('a', { href: url, target: '_blank', rel: 'noopener noreferrer', text: label });
}

export function mention(userId, names) {
  const name = names.person(userId);
  return el('span', { class: userId === names.me ? 'mention mine' : 'mention', text: `@${name ?? userId}` });
}

export function dateNode(seconds, format, fallback) {
  const date = timeOf(seconds);
  const text = Number.isFinite(date.getTime()) ? formatDate(format, seconds) : fallback;
  return el('time', {
    datetime: Number.isFinite(date.getTime()) ? date.toISOString() : undefined,
    title: Number.isFinite(date.getTime()) ? fullTime(date) : undefined,
    text,
  });
}

function angle(inner, names) {
  const [target, label] = inner.split('|');
  if (/^@[UW]/.test(target)) return mention(target.slice(1), names);
  if (/^#[CGD]/.test(target))
    return el('span', { class: 'mention', text: `#${names.channel(target.slice(1)) ?? label ?? target}` });
  if (target.startsWith('!subteam^'))
    return el('span', { class: 'mention', text: `@${names.group(target.slice(9)) ?? label ?? 'group'}` });
  const date = /^!date\^(\d+)\^([^^]+)/.exec(target);
  if (date) return dateNode(date[1], date[2], label ?? '');
  if (/^!(?:here|channel|everyone)$/.test(target))
    return el('span', { class: 'mention mine', text: `@${target.slice(1)}` });
  // Not one of Slack's own forms and no address: shown as it was written.
  if (!/^[a-z]+:/i.test(target)) return document.createTextNode(`<${unescaped(inner)}>`);
  return link(unescaped(target), unescaped(label ?? target));
}

function lines(text) {
  return text
    .split('\n')
    .flatMap((line, i) =>
      i === 0 ? [document.createTextNode(unescaped(line))] : [el('br'), document.createTextNode(unescaped(line))],
    );
}

/** Nodes for a mrkdwn text. */
export function markup(text, names) {
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(pieces)) {
    const [whole, block, code, inner, bold, italic, strike, icon] = found;
    nodes.push(...lines(text.slice(at, found.index)));
    at = found.index + whole.length;
    if (block !== undefined) nodes.push(el('pre', { text: unescaped(block.replace(/^\n/, '')) }));
    else if (code !== undefined) nodes.push(el('code', { text: unescaped(code) }));
    else if (inner !== undefined) nodes.push(angle(inner, names));
    else if (bold !== undefined) nodes.push(el('strong', {}, ...markup(bold, names)));
    else if (italic !== undefined) nodes.push(el('em', {}, ...markup(italic, names)));
    else if (strike !== undefined) nodes.push(el('s', {}, ...markup(strike, names)));
    else nodes.push(document.createTextNode(emoji[icon] ?? whole));
  }
  nodes.push(...lines(text.slice(at)));
  return nodes;
}
