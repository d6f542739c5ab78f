/** A short notice at the lower edge that goes away by itself. */
import { byId, el } from './dom.js';

/** `go`, where given, becomes a button "Show". */
export function toast(text, go) {
  const node = el(
    'div',
    { class: 'toast', test: 'toast' },
    el('span', { text: text.length > 220 ? `${text.slice(0, 220)}…` : text }),
  );
  const away = () => node.remove();
  if (go)
    node.append(
      el('button', {
        type: 'button',
        class: 'b-button',
        text: 'Show',
        on: {
          click: () => {
            away();
            go();
          },
        },
      }),
    );
  node.append(
    el(
      'button',
      { type: 'button', class: 'icon-button', 'aria-label': 'Dismiss', on: { click: away } },
      el('span', { 'aria-hidden': 'true', text: '✕' }),
    ),
  );
  byId('toasts').append(node);
  setTimeout(away, 9000);
}
