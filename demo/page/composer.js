/** The message box: sends, grows, and proposes commands while somebody types a slash. */
import { byId, el, post } from './dom.js';

let chosen = 0;
let proposals = [];

/** `where()` gives {me, channel, commands}; `after()` is called when something was sent. */
export function setUpComposer(where, after) {
  const input = byId('composer-input');
  const send = async () => {
    const text = input.value.trim();
    if (text === '') return;
    const { me, channel } = where();
    input.value = '';
    grow(input);
    propose([]);
    await post(text.startsWith('/') ? 'slash' : 'message', { userId: me, channel, text });
    after();
  };
  byId('composer').addEventListener('submit', (event) => {
    event.preventDefault();
    void send();
  });
  input.addEventListener('input', () => {
    grow(input);
    const typed = input.value;
    propose(
      typed.startsWith('/')
        ? where().commands.filter((each) => each.text.startsWith(typed) && each.text.trim() !== typed.trim())
        : [],
    );
  });
  input.addEventListener('keydown', (event) => {
    if (proposals.length > 0 && ['ArrowDown', 'ArrowUp'].includes(event.key)) {
      event.preventDefault();
      chosen = (chosen + (event.key === 'ArrowDown' ? 1 : -1) + proposals.length) % proposals.length;
      propose(proposals, chosen);
    } else if (proposals.length > 0 && (event.key === 'Tab' || event.key === 'Enter')) {
      event.preventDefault();
      fill(proposals[chosen].text);
    } else if (proposals.length > 0 && event.key === 'Escape') {
      propose([]);
    } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      void send();
    }
  });
  input.addEventListener('blur', () => setTimeout(() => propose([]), 150));
  byId('slash-button').addEventListener('click', () => fill('/ir '));
}

/** The box under a thread. Slack takes no commands there and says so. */
export function setUpThreadComposer(where, after) {
  const input = byId('thread-input');
  const send = async () => {
    const text = input.value.trim();
    if (text === '') return;
    const { me, channel, thread, say } = where();
    if (text.startsWith('/')) {
      say(`${text.split(' ')[0]} is not supported in threads. Sorry!`);
      return;
    }
    input.value = '';
    grow(input);
    await post('message', { userId: me, channel, text, threadTs: thread });
    after();
  };
  byId('thread-composer').addEventListener('submit', (event) => {
    event.preventDefault();
    void send();
  });
  input.addEventListener('input', () => grow(input));
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    void send();
  });
}

/** Puts a text into the box and the cursor behind it. */
export function fill(text) {
  const input = byId('composer-input');
  input.value = text;
  grow(input);
  input.focus();
  input.dispatchEvent(new Event('input'));
}

function grow(input) {
  input.style.height = 'auto';
  input.style.height = `${Math.min(input.scrollHeight, 160)}px`;
}

function propose(list, at = 0) {
  const input = byId('composer-input');
  const box = byId('hints');
  proposals = list;
  chosen = at;
  box.hidden = list.length === 0;
  input.setAttribute('aria-expanded', String(list.length > 0));
  if (list.length > 0) input.setAttribute('aria-activedescendant', `hint-${at}`);
  else input.removeAttribute('aria-activedescendant');
  box.replaceChildren(
    ...list.map((each, i) =>
      el(
        'div',
        {
          id: `hint-${i}`,
          role: 'option',
          class: 'hint-row',
          test: `command-hint-${i}`,
          'aria-selected': String(i === at),
          on: {
            pointerdown: (event) => {
              event.preventDefault();
              fill(each.text);
            },
          },
        },
        el('strong', { text: each.text.trim() }),
        el('span', { class: 'muted', text: each.hint }),
      ),
    ),
  );
}
