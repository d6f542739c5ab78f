/** Buttons, menus and inputs of Block Kit. `ctx.act` sends what was done and resolves when the app has answered. */
import { byId, el } from './dom.js';

const menus = ['static_select', 'users_select', 'channels_select', 'conversations_select'];

/** The node of one interactive element. In a dialog, `ctx.values` collects entries and `ctx.act` is for buttons only. */
export function control(element, block, index, ctx) {
  if (element.type === 'button') return button(element, block, index, ctx);
  if (menus.includes(element.type)) return menu(element, block, index, ctx);
  if (element.type === 'radio_buttons' || element.type === 'checkboxes') return boxes(element, block, index, ctx);
  if (/_text_input$|^number_input$|^datepicker$/.test(element.type)) return textInput(element, block, ctx);
  return el('span', { class: 'unsupported', text: `This page cannot show a "${element.type}" element.` });
}

function button(element, block, index, ctx) {
  const node = el(
    'button',
    {
      type: 'button',
      class: `b-button ${element.style ?? ''}`,
      test: `button-${element.action_id}`,
      'data-action-id': element.action_id,
      'aria-label': element.accessibility_label,
    },
    el('span', { class: 'label', text: element.text.text }),
  );
  node.addEventListener('click', async () => {
    if (node.getAttribute('aria-busy') === 'true') return;
    if (element.confirm && !(await confirmed(element.confirm))) return;
    node.setAttribute('aria-busy', 'true');
    await ctx.act(element, block, index);
    node.removeAttribute('aria-busy');
  });
  return node;
}

/** Slack's confirm dialog. Resolves true when the person agrees. */
function confirmed(asks) {
  const dialog = byId('confirm');
  return new Promise((resolve) => {
    const end = (answer) => () => {
      dialog.close();
      resolve(answer);
    };
    dialog.replaceChildren(
      el('header', {}, el('h2', { id: 'confirm-title', text: asks.title?.text ?? 'Are you sure?' })),
      el('div', { class: 'modal-body', text: asks.text.text }),
      el(
        'footer',
        {},
        el('button', {
          type: 'button',
          class: 'b-button',
          test: 'confirm-deny',
          text: asks.deny?.text ?? 'Cancel',
          on: { click: end(false) },
        }),
        el('button', {
          type: 'button',
          class: `b-button ${asks.style ?? 'primary'}`,
          test: 'confirm-yes',
          text: asks.confirm?.text ?? 'Yes',
          on: { click: end(true) },
        }),
      ),
    );
    dialog.oncancel = () => resolve(false);
    dialog.showModal();
  });
}

function choices(element, ctx) {
  if (element.type === 'users_select') return ctx.names.people().map((each) => [each.id, each.realName]);
  if (/^(?:channels|conversations)_select$/.test(element.type))
    return ctx.names.channels().map((each) => [each.id, `#${each.name}`]);
  const options = element.options ?? (element.option_groups ?? []).flatMap((group) => group.options);
  return options.map((option) => [option.value, option.text.text]);
}

function entry(block, element, ctx, value) {
  ctx.values?.set(block.block_id, value);
  if (!ctx.values || block.dispatch_action) ctx.act(element, block, undefined, value);
}

function labelOf(element, block) {
  return block.label?.text ?? element.placeholder?.text ?? 'Choose';
}

function menu(element, block, index, ctx) {
  const initial =
    ctx.values?.get(block.block_id) ??
    element.initial_option?.value ??
    element.initial_user ??
    element.initial_channel ??
    '';
  const options = choices(element, ctx).map(([value, text]) =>
    el('option', { value, text, selected: value === initial }),
  );
  const node = el(
    'select',
    { class: 'b-select', test: `select-${element.action_id}`, 'aria-label': labelOf(element, block) },
    el('option', { value: '', text: element.placeholder?.text ?? 'Choose an option' }),
    ...options,
  );
  if (initial) ctx.values?.set(block.block_id, initial);
  node.addEventListener('change', () => {
    if (ctx.values && block.type === 'input') entry(block, element, ctx, node.value);
    else if (node.value) ctx.act(element, block, index, node.value);
  });
  return node;
}

function boxes(element, block, index, ctx) {
  const isRadio = element.type === 'radio_buttons';
  const name = `${block.block_id}-${element.action_id}`;
  const initial =
    ctx.values?.get(block.block_id) ??
    element.initial_option?.value ??
    (element.initial_options ?? []).map((each) => each.value).join(',');
  if (initial) ctx.values?.set(block.block_id, initial);
  const group = el('div', {
    class: 'b-boxes',
    role: isRadio ? 'radiogroup' : 'group',
    'aria-label': labelOf(element, block),
  });
  for (const option of element.options) {
    const box = el('input', {
      type: isRadio ? 'radio' : 'checkbox',
      name,
      value: option.value,
      checked: initial.split(',').includes(option.value),
    });
    group.append(el('label', {}, box, ` ${option.text.text}`));
  }
  group.addEventListener('change', () => {
    const value = [...group.querySelectorAll('input:checked')].map((box) => box.value).join(',');
    if (ctx.values && block.type === 'input') entry(block, element, ctx, value);
    else ctx.act(element, block, index, value);
  });
  return group;
}

function textInput(element, block, ctx) {
  const value = ctx.values?.get(block.block_id) ?? element.initial_value ?? element.initial_date ?? '';
  const attributes = {
    class: 'b-input',
    test: `input-${element.action_id}`,
    placeholder: element.placeholder?.text,
    maxlength: element.max_length ? String(element.max_length) : undefined,
    'aria-label': block.label?.text ?? 'Text',
    autofocus: element.focus_on_load,
  };
  const node = element.multiline
    ? el('textarea', { ...attributes, rows: '4' })
    : el('input', { ...attributes, type: element.type === 'datepicker' ? 'date' : 'text' });
  node.value = value;
  if (value) ctx.values?.set(block.block_id, value);
  node.addEventListener('input', () => ctx.values?.set(block.block_id, node.value));
  return node;
}
