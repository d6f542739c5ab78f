/** Block Kit into nodes, for the kinds that the app uses. A kind that is not drawn here says so where it stands. */

import { control } from './controls.js';
import { el } from './dom.js';
import { dateNode, emojiText, link, markup, mention } from './markup.js';

/**
 * `ctx`: `names` {me, person, channel, group}, `act(element, block, blockIndex, value)` returning a promise,
 * `picture(source, alt)`, `file(id)`.
 */
export function renderBlocks(blocks, ctx) {
  return blocks.map((block, index) => {
    const draw = kinds[block.type];
    const node = draw
      ? draw(block, ctx, index)
      : el('p', { class: 'unsupported', text: `This page cannot show a "${block.type}" block.` });
    node.dataset.blockId = block.block_id ?? '';
    return node;
  });
}

export function textObject(object, ctx) {
  if (!object) return [];
  if (object.type === 'mrkdwn') return markup(object.text, ctx.names);
  return object.text.split('\n').flatMap((line, i) => (i === 0 ? [line] : [el('br'), line]));
}

const kinds = {
  header: (block) => el('h3', { class: 'b-header', text: block.text.text }),
  divider: () => el('hr', { class: 'b-divider' }),
  section(block, ctx, index) {
    const body = el('div', { class: 'b-section-body' });
    if (block.text) body.append(el('div', { class: 'b-text' }, ...textObject(block.text, ctx)));
    if (block.fields) {
      body.append(
        el(
          'div',
          { class: 'b-fields' },
          ...block.fields.map((field) => el('div', { class: 'b-field' }, ...textObject(field, ctx))),
        ),
      );
    }
    const side =
      block.accessory &&
      (block.accessory.type === 'image'
        ? smallPicture(block.accessory, ctx)
        : control(block.accessory, block, index, ctx));
    return el('div', { class: 'b-section' }, body, side);
  },
  context: (block, ctx) =>
    el(
      'div',
      { class: 'b-context' },
      ...block.elements.map((each) =>
        each.type === 'image' ? smallPicture(each, ctx) : el('span', {}, ...textObject(each, ctx)),
      ),
    ),
  actions: (block, ctx, index) =>
    el('div', { class: 'b-actions' }, ...block.elements.map((each) => control(each, block, index, ctx))),
  image: (block, ctx) =>
    el(
      'figure',
      { class: 'b-image' },
      block.title && el('figcaption', { text: block.title.text }),
      ctx.picture(block, block.alt_text),
    ),
  rich_text: (block, ctx) => el('div', { class: 'b-rich' }, ...block.elements.map((each) => rich(each, ctx))),
  table: tableBlock,
  markdown: (block) => el('pre', { class: 'b-markdown', text: block.text }),
  input: (block, ctx, index) => control(block.element, block, index, ctx),
  alert: (block, ctx) =>
    el('div', { class: `b-alert ${block.level ?? 'default'}`, role: 'note' }, ...textObject(block.text, ctx)),
};

function smallPicture(image, ctx) {
  return el('span', { class: 'b-icon' }, ctx.picture(image, image.alt_text));
}

function rich(element, ctx) {
  if (element.type === 'rich_text_section') return el('div', { class: 'rt-section' }, ...leaves(element.elements, ctx));
  if (element.type === 'rich_text_quote') return el('blockquote', {}, ...leaves(element.elements, ctx));
  if (element.type === 'rich_text_preformatted') return el('pre', { tabindex: '0' }, ...leaves(element.elements, ctx));
  if (element.type === 'rich_text_list') {
    const items = element.elements.map((item) => el('li', {}, ...leaves(item.elements, ctx)));
    const list = el(
      element.style === 'ordered' ? 'ol' : 'ul',
      { class: 'rt-list', start: element.offset ? String(element.offset + 1) : undefined },
      ...items,
    );
    list.style.marginLeft = `${(element.indent ?? 0) * 24}px`;
    return list;
  }
  return el('p', { class: 'unsupported', text: `This page cannot show a "${element.type}" element.` });
}

function leaves(elements, ctx) {
  return elements.map((leaf) => styled(leafNode(leaf, ctx), leaf.style ?? {}));
}

function leafNode(leaf, { names }) {
  if (leaf.type === 'text') return el('span', { class: 'rt-text', text: leaf.text });
  if (leaf.type === 'link') return link(leaf.url, leaf.text ?? leaf.url);
  if (leaf.type === 'user') return mention(leaf.user_id, names);
  if (leaf.type === 'usergroup')
    return el('span', { class: 'mention', text: `@${names.group(leaf.usergroup_id) ?? leaf.usergroup_id}` });
  if (leaf.type === 'channel')
    return el('span', { class: 'mention', text: `#${names.channel(leaf.channel_id) ?? leaf.channel_id}` });
  if (leaf.type === 'date') return dateNode(leaf.timestamp, leaf.format, leaf.fallback ?? '');
  if (leaf.type === 'emoji') return el('span', { text: emojiText(leaf.name, leaf.unicode) });
  if (leaf.type === 'broadcast') return el('span', { class: 'mention mine', text: `@${leaf.range}` });
  if (leaf.type === 'color') return el('code', { text: leaf.value });
  return el('span', { class: 'unsupported', text: `[${leaf.type}]` });
}

function styled(node, style) {
  const tags = { code: 'code', bold: 'strong', italic: 'em', strike: 's', underline: 'u' };
  return Object.entries(tags).reduce((inner, [key, tag]) => (style[key] ? el(tag, {}, inner) : inner), node);
}

function tableBlock(block, ctx) {
  const settings = block.column_settings ?? [];
  const cells = (row, tag) =>
    row.map((cell, column) => {
      const inner = cell.type === 'rich_text' ? cell.elements.map((each) => rich(each, ctx)) : [cell.text];
      const node = el(
        tag,
        { scope: tag === 'th' ? 'col' : undefined, class: settings[column]?.is_wrapped ? 'wrap' : undefined },
        ...inner,
      );
      node.style.textAlign = settings[column]?.align ?? 'left';
      return node;
    });
  const [head, ...rest] = block.rows;
  const table = el(
    'table',
    {},
    el('thead', {}, el('tr', {}, ...cells(head, 'th'))),
    el('tbody', {}, ...rest.map((row) => el('tr', {}, ...cells(row, 'td')))),
  );
  return el('div', { class: 'b-table', tabindex: '0', role: 'region', 'aria-label': 'Table' }, table);
}
