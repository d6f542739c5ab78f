/** Slack's own limits for a message (DOMAIN.md 1.8 and 1.9), written down a second time so that the renderer is not its own judge. */

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

const liveMarkup = /<[@!#][^>]*>|<(?:https?|mailto|tel):[^>]*>/u;
const ownMention = /^<@[UW][A-Z0-9]{2,20}>$/u;
/** Controls and format characters, but for the line break and the word joiner that breaks mentions. */
const unseen = /(?![\n\u2060])[\p{Cc}\p{Cf}]/u;

class Report {
  readonly problems: string[] = [];
  tables = 0;

  check(holds: boolean, problem: string): undefined {
    if (!holds) this.problems.push(problem);
  }

  plainText(value: unknown, max: number, where: string): undefined {
    if (!isObject(value)) return this.check(false, `${where}: no text object`);
    this.check(value.type === 'plain_text', `${where}: is ${String(value.type)}, not plain_text`);
    this.check(value.emoji === false, `${where}: emoji names would be parsed`);
    this.text(value.text, max, where);
  }

  text(value: unknown, max: number, where: string): undefined {
    if (typeof value !== 'string') return this.check(false, `${where}: no string`);
    this.check(value.length >= 1, `${where}: empty`);
    this.check(value.length <= max, `${where}: ${value.length} characters, at most ${max}`);
    this.check(value.isWellFormed(), `${where}: half a surrogate pair`);
    this.check(!unseen.test(value), `${where}: invisible or control characters`);
    this.check(!/@(?:here|channel|everyone)/iu.test(value), `${where}: a broadcast mention that is not broken`);
  }

  richElement(element: unknown, where: string): undefined {
    if (!isObject(element)) return this.check(false, `${where}: no element`);
    switch (element.type) {
      case 'text':
        return this.text(element.text, 12_000, `${where} text`);
      case 'user':
        return this.check(/^[UW][A-Z0-9]{2,20}$/u.test(String(element.user_id)), `${where}: odd user id`);
      case 'date':
        this.check(Number.isSafeInteger(element.timestamp), `${where}: odd timestamp`);
        return this.text(element.fallback, 100, `${where} fallback`);
      case 'link':
        this.check(String(element.url).startsWith('https://'), `${where}: link is not https`);
        return this.check(String(element.url).length <= 3_000, `${where}: link too long`);
      default:
        return this.check(false, `${where}: element ${String(element.type)}`);
    }
  }

  richText(block: Json, where: string): undefined {
    const elements = list(block.elements);
    this.check(elements.length >= 1, `${where}: no elements`);
    for (const element of elements) {
      if (!isObject(element)) {
        this.check(false, `${where}: no element`);
        continue;
      }
      const inner = list(element.elements);
      this.check(inner.length >= 1, `${where}: empty ${String(element.type)}`);
      if (element.type === 'rich_text_list') {
        this.check(element.style === 'bullet' || element.style === 'ordered', `${where}: list style`);
        for (const section of inner) {
          this.check(isObject(section) && section.type === 'rich_text_section', `${where}: list item`);
          for (const part of list((section as Json).elements)) this.richElement(part, `${where} item`);
        }
      } else if (element.type === 'rich_text_section' || element.type === 'rich_text_preformatted') {
        for (const part of inner) this.richElement(part, where);
      } else this.check(false, `${where}: ${String(element.type)}`);
    }
  }

  actions(block: Json, where: string): undefined {
    const elements = list(block.elements);
    this.check(elements.length >= 1 && elements.length <= 25, `${where}: ${elements.length} elements`);
    const ids = new Set<unknown>();
    for (const button of elements) {
      if (!isObject(button)) {
        this.check(false, `${where}: no button`);
        continue;
      }
      this.check(button.type === 'button', `${where}: ${String(button.type)}`);
      this.plainText(button.text, 75, `${where} button`);
      const id = String(button.action_id);
      this.check(id.length >= 1 && id.length <= 255, `${where}: action_id length`);
      this.check(!ids.has(id), `${where}: action_id ${id} twice in one block`);
      ids.add(id);
      const value = String(button.value ?? '');
      this.check(value.length >= 1 && value.length <= 2_000, `${where}: value of ${value.length} characters`);
      if ('style' in button) this.check(['primary', 'danger'].includes(String(button.style)), `${where}: style`);
      if ('accessibility_label' in button) this.text(button.accessibility_label, 75, `${where} accessibility_label`);
    }
  }

  context(block: Json, where: string): undefined {
    const elements = list(block.elements);
    this.check(elements.length >= 1 && elements.length <= 10, `${where}: ${elements.length} elements`);
    for (const element of elements) {
      if (isObject(element) && element.type === 'mrkdwn')
        this.check(ownMention.test(String(element.text)), `${where}: mrkdwn other than a mention of our own`);
      else this.plainText(element, 2_000, where);
    }
  }

  table(block: Json, where: string): undefined {
    this.tables += 1;
    const rows = list(block.rows);
    this.check(rows.length >= 1 && rows.length <= 100, `${where}: ${rows.length} rows`);
    const widths = new Set(rows.map((row) => list(row).length));
    this.check(widths.size === 1, `${where}: rows of different length`);
    let characters = 0;
    for (const row of rows) {
      this.check(list(row).length >= 1 && list(row).length <= 20, `${where}: ${list(row).length} columns`);
      for (const cell of list(row)) {
        if (!isObject(cell) || cell.type !== 'raw_text') this.check(false, `${where}: cell is not raw_text`);
        else {
          this.text(cell.text, 1_000, `${where} cell`);
          characters += String(cell.text).length;
        }
      }
    }
    this.check(characters <= 10_000, `${where}: ${characters} characters in cells`);
    this.check(list(block.column_settings).length <= 20, `${where}: column settings`);
  }

  block(block: unknown, where: string): undefined {
    if (!isObject(block)) return this.check(false, `${where}: no block`);
    switch (block.type) {
      case 'header':
        return this.plainText(block.text, 150, where);
      case 'section':
        return this.plainText(block.text, 3_000, where);
      case 'rich_text':
        return this.richText(block, where);
      case 'actions':
        return this.actions(block, where);
      case 'context':
        return this.context(block, where);
      case 'table':
        return this.table(block, where);
      case 'divider':
        return undefined;
      default:
        return this.check(false, `${where}: block ${String(block.type)}`);
    }
  }
}

/** Every rule that the message breaks, one sentence each; empty when Slack would take it and nothing in it is live. */
export function problemsOf(message: { readonly text: string; readonly blocks: readonly unknown[] }): readonly string[] {
  const report = new Report();
  report.check(message.text.length >= 1, 'text: empty');
  report.check(message.text.length <= 3_900, `text: ${message.text.length} characters`);
  report.check(!/[<>]/u.test(message.text), 'text: an angle bracket that is not escaped');
  report.check(!liveMarkup.test(message.text), 'text: live markup');
  report.check(!/&(?!amp;|lt;|gt;)/u.test(message.text), 'text: an ampersand that is not escaped');
  report.check(message.blocks.length <= 50, `${message.blocks.length} blocks`);
  const size = JSON.stringify(message.blocks).length;
  report.check(size <= 12_000, `${size} characters of block JSON`);
  for (const [index, block] of message.blocks.entries()) report.block(block, `block ${index}`);
  report.check(report.tables <= 1, `${report.tables} tables`);
  return report.problems;
}
