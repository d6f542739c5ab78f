/** The app's modals: the top view of the person's stack, with the app's errors at its inputs. */
import { renderBlocks, textObject } from './blocks.js';
import { byId, el, post } from './dom.js';

let shown = { key: '', id: '' };
let values = new Map();

/** Shows the top view, or closes the dialog where there is none. Entries survive a redraw of the same view. */
export function showDialog(views, me, names) {
  const dialog = byId('modal');
  const view = views.at(-1);
  if (!view) {
    shown = { key: '', id: '' };
    if (dialog.open) dialog.close();
    return;
  }
  const key = JSON.stringify([view.id, view.hash, view.errors]);
  if (key === shown.key) return;
  if (view.id !== shown.id) values = new Map();
  shown = { key, id: view.id };
  dialog.replaceChildren(...contents(view, me, names));
  dialog.oncancel = (event) => {
    event.preventDefault();
    void post('view-close', { userId: me });
  };
  if (!dialog.open) dialog.showModal();
}

function contents(view, me, names) {
  const close = () => post('view-close', { userId: me });
  const submit = el(
    'button',
    { type: 'submit', class: 'b-button primary', test: 'dialog-submit' },
    el('span', { class: 'label', text: view.submit?.text ?? 'Submit' }),
  );
  const form = el(
    'form',
    {
      on: {
        async submit(event) {
          event.preventDefault();
          submit.setAttribute('aria-busy', 'true');
          await post('view-submit', { userId: me, values: Object.fromEntries(values) });
          submit.removeAttribute('aria-busy');
        },
      },
    },
    el(
      'div',
      { class: 'modal-body' },
      view.errors[''] && el('p', { class: 'b-alert error', role: 'alert', text: view.errors[''] }),
      ...body(view, me, names),
    ),
    el(
      'footer',
      {},
      el('button', {
        type: 'button',
        class: 'b-button',
        test: 'dialog-close',
        text: view.close?.text ?? 'Cancel',
        on: { click: close },
      }),
      view.submit && submit,
    ),
  );
  const head = el(
    'header',
    {},
    el('h2', { id: 'modal-title', text: view.title?.text ?? '' }),
    el(
      'button',
      { type: 'button', class: 'icon-button', 'aria-label': 'Close dialog', on: { click: close } },
      el('span', { 'aria-hidden': 'true', text: '✕' }),
    ),
  );
  return [head, form];
}

function body(view, me, names) {
  const act = (element, _block, blockIndex, value) =>
    post('view-action', { userId: me, actionId: element.action_id, blockIndex, value });
  const ctx = { names, values, act, picture: (_source, alt) => el('span', { class: 'unsupported', text: alt }) };
  const nodes = renderBlocks(view.blocks, ctx);
  return view.blocks.map((block, i) => {
    if (block.type !== 'input') return nodes[i];
    const problem = view.errors[block.block_id];
    return el(
      'div',
      { class: 'b-field-input' },
      el(
        'div',
        { class: 'b-label' },
        block.label.text,
        block.optional && el('span', { class: 'muted', text: ' (optional)' }),
      ),
      nodes[i],
      problem && el('p', { class: 'problem', role: 'alert', test: `dialog-error-${block.block_id}`, text: problem }),
      block.hint && el('p', { class: 'muted hint' }, ...textObject(block.hint, { names })),
    );
  });
}
