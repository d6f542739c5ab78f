/** The page: reads the workspace as one person sees it, draws it, and draws again whatever changed. */
import { fill, setUpComposer, setUpThreadComposer } from './composer.js';
import { showDialog } from './dialog.js';
import { byId, el, post, timeOf } from './dom.js';
import { drawList } from './list.js';
import { authorName, avatar } from './message.js';
import { noticed, renderSteps } from './steps.js';
import { toast } from './toast.js';

let state;
let me = sessionStorage.getItem('me') ?? '';
let channelId = '';
let threadTs = '';
const lastRead = new Map();
const toasted = new Set();
let loading;
let isStale = false;

const names = {
  get me() {
    return state.me;
  },
  person: (id) => (id === state.bot.id ? state.bot.name : state.people.find((each) => each.id === id)?.realName),
  channel: (id) => state.channels.find((each) => each.id === id)?.name,
  group: (id) => state.groups.find((each) => each.id === id)?.handle,
  people: () => state.people,
  channels: () => state.channels.filter((each) => !each.isDirect),
};

/** Reads the state and draws. Calls while one is under way become one more reading after it. */
async function load() {
  if (loading) {
    isStale = true;
    return loading;
  }
  loading = (async () => {
    do {
      isStale = false;
      const asked = me;
      const answer = await (await fetch(`/demo/state?as=${encodeURIComponent(asked)}`)).json();
      // Somebody else sits here by now, and `me` must not go back.
      if (asked !== me) continue;
      state = answer;
      draw();
    } while (isStale);
  })();
  try {
    await loading;
    banner('');
  } catch (error) {
    banner(`The workspace does not answer (${error.message}). Trying again.`);
  } finally {
    loading = undefined;
  }
}

function banner(text) {
  const says =
    text || (state && !state.isConnected ? 'Firebreak is not connected yet: commands and buttons will fail.' : '');
  byId('banner').textContent = says;
  byId('banner').hidden = says === '';
}

function draw() {
  me = state.me;
  if (!state.channels.some((each) => each.id === channelId)) channelId = state.channels[0]?.id ?? '';
  drawPeople();
  drawChannels();
  drawMessages();
  drawThread();
  showDialog(state.views, state.me, names);
  drawMenu();
  notice();
  renderSteps(state, fillFromGuide);
  toastNew();
}

function fillFromGuide(text) {
  toggleSidebar(false);
  fill(text);
}

function current() {
  return state.channels.find((each) => each.id === channelId);
}

function drawPeople() {
  const box = byId('people');
  const key = JSON.stringify([state.me, state.people]);
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  box.replaceChildren(
    ...state.people.map((person) =>
      el(
        'button',
        {
          type: 'button',
          role: 'radio',
          class: 'person',
          test: `person-${person.id}`,
          'aria-checked': String(person.id === state.me),
          'aria-label': `${person.realName}, ${person.role}${person.isGone ? ', deactivated' : ''}`,
          on: { click: () => become(person.id) },
        },
        avatar(person.id, person.realName),
        el('span', { text: person.realName.split(' ')[0] }),
      ),
    ),
  );
  const mine = state.people.find((each) => each.id === state.me);
  byId('you-are').replaceChildren('You are ', el('strong', { text: mine.realName.split(' ')[0] }), ` (${mine.role})`);
}

function become(id) {
  me = id;
  sessionStorage.setItem('me', id);
  void load();
}

function isUnread(channel) {
  const newest = channel.messages.findLast((each) => !each.thread_ts || each.thread_ts === each.ts)?.ts ?? '';
  return newest > (lastRead.get(`${state.me} ${channel.id}`) ?? '');
}

function drawChannels() {
  byId('team').textContent = state.team;
  const open = current();
  if (open) lastRead.set(`${state.me} ${open.id}`, open.messages.at(-1)?.ts ?? '');
  const rows = state.channels.map((channel) => {
    const unread = channel.id !== channelId && isUnread(channel);
    return el(
      'li',
      {},
      el(
        'button',
        {
          type: 'button',
          class: `channel-row${channel.id === channelId ? ' active' : ''}${unread ? ' unread' : ''}`,
          test: `channel-${channel.name}`,
          'aria-current': channel.id === channelId ? 'page' : undefined,
          'aria-label': `${channel.isDirect ? '' : '#'}${channel.name}${unread ? ', unread' : ''}`,
          on: { click: () => openChannel(channel.id) },
        },
        el('span', { class: 'hash', 'aria-hidden': 'true', text: channel.isDirect ? '●' : '#' }),
        channel.name,
        unread && el('span', { class: 'dot', 'aria-hidden': 'true' }),
      ),
    );
  });
  const key = JSON.stringify(rows.map((row) => row.innerHTML));
  if (byId('channels').dataset.key !== key) byId('channels').replaceChildren(...rows);
  byId('channels').dataset.key = key;
}

function openChannel(id) {
  [channelId, threadTs] = [id, ''];
  toggleSidebar(false);
  draw();
  byId('messages').scrollTop = byId('messages').scrollHeight;
}

const byTime = (messages) => messages.toSorted((one, other) => (one.ts < other.ts ? -1 : 1));

function drawMessages() {
  const channel = current();
  if (!channel) return;
  byId('channel-title').textContent = channel.isDirect ? channel.name : `# ${channel.name}`;
  byId('channel-topic').textContent = channel.topic;
  byId('composer-input').placeholder = `Message ${channel.isDirect ? '' : '#'}${channel.name}, or /ir`;
  byId('composer-input').setAttribute('aria-label', `Message ${channel.name}`);
  const own = state.ephemerals.filter((each) => each.channel === channel.id && !each.thread_ts);
  const top = channel.messages.filter(
    (each) => !each.thread_ts || each.thread_ts === each.ts || each.subtype === 'thread_broadcast',
  );
  drawList(byId('messages'), byTime([...top, ...own]), { names, me: state.me, channel: channel.id, openThread });
}

function openThread(ts) {
  threadTs = ts;
  drawThread();
  byId('thread-title').focus();
  byId('thread-messages').scrollTop = byId('thread-messages').scrollHeight;
  notice();
  renderSteps(state, fillFromGuide);
}

function drawThread() {
  const channel = current();
  const parent = channel?.messages.find((each) => each.ts === threadTs);
  byId('thread').hidden = !parent;
  byId('app').classList.toggle('with-thread', parent !== undefined);
  if (!parent) byId('thread-messages').replaceChildren();
  if (!parent) return;
  byId('thread-channel').textContent = channel.isDirect ? channel.name : `#${channel.name}`;
  byId('thread-input').placeholder = 'Reply…';
  const below = channel.messages.filter((each) => each.thread_ts === threadTs && each.ts !== threadTs);
  const own = state.ephemerals.filter((each) => each.channel === channel.id && each.thread_ts === threadTs);
  const view = { names, me: state.me, channel: channel.id, thread: threadTs, inThread: true };
  drawList(byId('thread-messages'), [parent, ...byTime([...below, ...own])], view);
}

function closeThread() {
  threadTs = '';
  drawThread();
  byId('composer-input').focus();
}

function notice() {
  const channel = current();
  const buttons =
    channel?.messages.flatMap((each) => (each.blocks ?? []).flatMap((block) => block.elements ?? [])) ?? [];
  if (buttons.some((each) => each.action_id === 'pivot')) noticed(state, 'finding');
  const isPicture = (each) =>
    each.thread_ts === threadTs && each.files?.some((file) => file.mimetype.startsWith('image/'));
  if (threadTs !== '' && channel?.messages.some(isPicture)) noticed(state, 'pictures');
}

/** What only this person sees, where it is not on the screen: in a thread or channel that is not open. */
function toastNew() {
  for (const message of state.ephemerals) {
    if (toasted.has(message.ts)) continue;
    toasted.add(message.ts);
    const isShown = message.channel === channelId && (!message.thread_ts || message.thread_ts === threadTs);
    const isOld = Date.now() - timeOf(message.ts).getTime() > 20_000;
    if (isShown || isOld) continue;
    toast(`${authorName(message, names)}, only to you: ${message.text}`, () => {
      openChannel(message.channel);
      if (message.thread_ts) openThread(message.thread_ts);
    });
  }
}

function drawMenu() {
  const list = byId('happen-list');
  byId('happen-button').hidden = state.actions.length === 0;
  if (list.childElementCount === state.actions.length) return;
  list.replaceChildren(
    ...state.actions.map((action) => {
      const node = el(
        'button',
        { type: 'button', test: `action-${action.id}` },
        el('strong', { text: action.label }),
        action.hint && el('span', { class: 'muted', text: action.hint }),
      );
      node.addEventListener('click', async () => {
        node.setAttribute('aria-busy', 'true');
        const result = await post(`actions/${action.id}`, { userId: state.me });
        node.removeAttribute('aria-busy');
        toggleMenu(false);
        toast(result.says ?? result.error ?? 'Done.');
      });
      return node;
    }),
  );
}

function toggleMenu(isOpen) {
  byId('happen-list').hidden = !isOpen;
  byId('happen-button').setAttribute('aria-expanded', String(isOpen));
}

function toggleSidebar(isOpen) {
  byId('app').classList.toggle('with-sidebar', isOpen);
  byId('shade').hidden = !isOpen;
  byId('menu-button').setAttribute('aria-expanded', String(isOpen));
}

/** `#C123/1763676000.123456` from a permalink. */
function goToHash() {
  const [id, ts] = location.hash.slice(1).split('/');
  const channel = state?.channels.find((each) => each.id === id);
  if (!channel) return;
  openChannel(id);
  const message = channel.messages.find((each) => each.ts === ts);
  if (message?.thread_ts) openThread(message.thread_ts);
  document.querySelector(`article[data-ts="${CSS.escape(ts ?? '')}"]`)?.scrollIntoView({ block: 'center' });
}

setUpComposer(() => ({ me: state.me, channel: channelId, commands: state.commands }), load);
setUpThreadComposer(() => ({ me: state.me, channel: channelId, thread: threadTs, say: toast }), load);
byId('thread-close').addEventListener('click', closeThread);
byId('happen-button').addEventListener('click', () => toggleMenu(byId('happen-list').hidden));
byId('menu-button').addEventListener('click', () => toggleSidebar(!byId('app').classList.contains('with-sidebar')));
byId('shade').addEventListener('click', () => toggleSidebar(false));
document.addEventListener('click', (event) => {
  if (!event.target.closest('.happen')) toggleMenu(false);
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || document.querySelector('dialog[open]')) return;
  if (!byId('happen-list').hidden) toggleMenu(false);
  else if (byId('app').classList.contains('with-sidebar')) toggleSidebar(false);
  else if (threadTs && event.target.id !== 'composer-input') closeThread();
});
window.addEventListener('hashchange', goToHash);
await load();
goToHash();
const events = new EventSource('/demo/events');
events.onmessage = load;
events.onerror = () => banner('The workspace does not answer. Trying again.');
