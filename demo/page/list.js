/** A list of messages on the screen: only what changed is drawn again. */
import { dayName, el, timeOf } from './dom.js';
import { renderMessage } from './message.js';

/** Draws a list of messages, keeping the nodes of those that did not change, and the place where somebody reads. */
export function drawList(box, messages, view) {
  const wasAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 120;
  const isOther = box.dataset.view !== `${view.me} ${view.channel} ${view.thread ?? ''}`;
  box.dataset.view = `${view.me} ${view.channel} ${view.thread ?? ''}`;
  const old = new Map(isOther ? [] : [...box.children].map((node) => [node.dataset.key, node]));
  const nodes = [];
  let day = '';
  for (const message of messages) {
    const name = dayName(timeOf(message.ts));
    if (!view.inThread && name !== day) nodes.push(old.get(`day ${name}`) ?? divider(name));
    day = name;
    const key = JSON.stringify(message);
    const node = old.get(key) ?? renderMessage(message, view);
    node.dataset.key = key;
    nodes.push(node);
  }
  if (messages.length === 0) nodes.push(el('p', { class: 'empty', text: 'Nothing here yet.' }));
  const isSame = nodes.length === box.children.length && nodes.every((node, i) => node === box.children[i]);
  if (!isSame) box.replaceChildren(...nodes);
  const toEnd = () => {
    box.scrollTop = box.scrollHeight;
  };
  if ((wasAtEnd || isOther) && !isSame) {
    toEnd();
    for (const image of box.querySelectorAll('img.picture'))
      if (!image.complete) image.addEventListener('load', toEnd, { once: true });
  }
}

function divider(name) {
  const node = el('div', { class: 'day', role: 'separator' }, el('span', { text: name }));
  node.dataset.key = `day ${name}`;
  return node;
}
