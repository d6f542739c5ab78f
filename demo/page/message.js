/** One message: avatar, name, time, blocks or text, files, reactions, the way into its thread. */
import { renderBlocks } from './blocks.js';
import { byId, clockTime, el, fullTime, post, timeOf } from './dom.js';
import { markup } from './markup.js';

const colours = ['#2f7d5b', '#9a4f9e', '#b0642d', '#3a6ea5', '#a34258'];

/** A person's picture: two letters on a colour of their own. The bot has its own drawing. */
export function avatar(id, name) {
  if (id === 'USLACKBOT') return el('span', { class: 'avatar slackbot', 'aria-hidden': 'true', text: 'S' });
  if (name === 'Firebreak') return el('img', { class: 'avatar', src: '/firebreak.svg', alt: '' });
  const letters = name
    .split(' ')
    .map((word) => word[0])
    .join('')
    .slice(0, 2);
  const node = el('span', { class: 'avatar', 'aria-hidden': 'true', text: letters });
  node.style.background = colours[[...id].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % colours.length];
  return node;
}

export function authorName(message, names) {
  if (message.user === 'USLACKBOT') return 'Slackbot';
  return names.person(message.user) ?? message.user;
}

/** `view`: {names, me, channel, inThread, openThread(ts)}. */
export function renderMessage(message, view) {
  const name = authorName(message, view.names);
  const isBot = message.bot_id !== undefined;
  const time = timeOf(message.ts);
  const head = el(
    'div',
    { class: 'm-head' },
    el('strong', { class: 'm-name', text: name }),
    (isBot || message.user === 'USLACKBOT') && el('span', { class: 'badge', text: 'APP' }),
    el('time', { class: 'm-time', datetime: time.toISOString(), title: fullTime(time), text: clockTime(time) }),
  );
  const body = el('div', { class: 'm-body' });
  if (message.is_ephemeral) body.append(onlyYou(message, view));
  body.append(head, ...content(message, view), ...files(message), ...reactions(message));
  if (!view.inThread && message.reply_count > 0) body.append(threadLink(message, view));
  const article = el(
    'article',
    {
      class: message.is_ephemeral ? 'message ephemeral' : 'message',
      test: `${message.is_ephemeral ? 'ephemeral' : 'message'}-${message.ts}`,
      'data-ts': message.ts,
      'aria-label': `${name}, ${clockTime(time)}`,
    },
    avatar(message.user, name),
    body,
  );
  if (!view.inThread && !message.is_ephemeral) article.append(hoverBar(message, view));
  return article;
}

function content(message, view) {
  if (!message.blocks)
    return message.text === '' ? [] : [el('div', { class: 'm-text' }, ...markup(message.text, view.names))];
  return renderBlocks(message.blocks, {
    names: view.names,
    picture: (source, alt) => picture(source, alt),
    act: (element, _block, blockIndex, value) =>
      post('click', {
        userId: view.me,
        channel: view.channel,
        ts: message.ts,
        actionId: element.action_id,
        blockIndex,
        value,
      }),
  });
}

/** A picture of a block. Only files of this workspace are loaded; others are named, so that nothing is fetched from outside. */
function picture(source, alt) {
  const id =
    source.slack_file?.id ?? /files-pri\/\w+-(\w+)\//.exec(source.slack_file?.url ?? source.image_url ?? '')?.[1];
  if (!id) return el('span', { class: 'unsupported', text: `Picture from elsewhere, not loaded: ${alt}` });
  return zoomable({ id, alt_txt: alt, title: alt });
}

function zoomable(file) {
  const label = file.alt_txt || file.title;
  const image = el('img', {
    src: `/demo/file/${file.id}`,
    alt: label,
    width: file.original_w,
    height: file.original_h,
    class: 'picture',
  });
  return el(
    'button',
    {
      type: 'button',
      class: 'zoom',
      test: `image-${file.id}`,
      'aria-label': `Enlarge: ${label}`,
      on: { click: () => enlarge(file, label) },
    },
    image,
  );
}

function enlarge(file, label) {
  const dialog = byId('lightbox');
  const image = el('img', { src: `/demo/file/${file.id}`, alt: label });
  const frame = el('div', { class: 'lightbox-frame', tabindex: '0' }, image);
  image.addEventListener('click', () => frame.classList.toggle('full'));
  dialog.replaceChildren(
    el(
      'header',
      {},
      el('h2', { text: file.title }),
      el(
        'button',
        {
          type: 'button',
          class: 'icon-button',
          test: 'lightbox-close',
          'aria-label': 'Close picture',
          on: { click: () => dialog.close() },
        },
        el('span', { 'aria-hidden': 'true', text: '✕' }),
      ),
    ),
    frame,
    el('p', { class: 'alt', text: label }),
  );
  dialog.onclick = (event) => event.target === dialog && dialog.close();
  dialog.showModal();
}

function files(message) {
  return (message.files ?? []).map((file) => {
    const title = el('div', { class: 'file-title', text: file.title });
    if (file.mimetype.startsWith('image/')) return el('figure', { class: 'm-file' }, title, zoomable(file));
    const size = file.size < 2048 ? `${file.size} bytes` : `${Math.round(file.size / 1024)} kB`;
    return el(
      'a',
      { class: 'm-attachment', href: `/demo/file/${file.id}`, download: file.name },
      title,
      el('span', { class: 'muted', text: `${file.filetype.toUpperCase()}, ${size}` }),
    );
  });
}

function reactions(message) {
  if (!message.reactions?.length) return [];
  return [
    el(
      'div',
      { class: 'm-reactions' },
      ...message.reactions.map((each) =>
        el('span', { class: 'reaction' }, ...markup(`:${each.name}:`, {}), ` ${each.count}`),
      ),
    ),
  ];
}

function onlyYou(message, view) {
  const dismiss = () => post('dismiss', { userId: view.me, ts: message.ts });
  return el(
    'div',
    { class: 'only-you' },
    el('span', { 'aria-hidden': 'true', text: '◉ ' }),
    'Only visible to you',
    el('button', {
      type: 'button',
      class: 'dismiss',
      'aria-label': 'Dismiss this message',
      text: 'Dismiss',
      on: { click: dismiss },
    }),
  );
}

function threadLink(message, view) {
  const count = message.reply_count === 1 ? '1 reply' : `${message.reply_count} replies`;
  const faces = message.reply_users.slice(0, 3).map((id) => avatar(id, view.names.person(id) ?? id));
  return el(
    'button',
    {
      type: 'button',
      class: 'thread-link',
      test: `thread-open-${message.ts}`,
      on: { click: () => view.openThread(message.ts) },
    },
    ...faces,
    el('strong', { text: count }),
    el('span', { class: 'muted', text: `Last reply ${clockTime(timeOf(message.latest_reply))}` }),
  );
}

function hoverBar(message, view) {
  return el(
    'div',
    { class: 'hover-bar' },
    el(
      'button',
      {
        type: 'button',
        test: `reply-${message.ts}`,
        'aria-label': 'Reply in thread',
        title: 'Reply in thread',
        on: { click: () => view.openThread(message.ts) },
      },
      'Reply',
    ),
  );
}
