import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message, Part } from '../../../src/contracts/message.ts';
import { fallback, toSlack } from '../../../src/slack/blocks.ts';
import { problemsOf } from './block-rules.ts';
import { anyMessage, anyPart, attacks } from './messages.ts';

function message(...parts: readonly Part[]): Message {
  return { text: 'High finding in account prod.', parts };
}

function blocksOf(...parts: readonly Part[]) {
  return toSlack(message(...parts)).blocks;
}

const approve = { action: 'approve', value: 'a1', label: 'Approve', describe: 'Approve disabling the key' } as const;

describe('toSlack', () => {
  it('keeps every limit of Block Kit, and nothing live, for any message', () => {
    fc.assert(
      fc.property(anyMessage, (any) => {
        expect(problemsOf(toSlack(any))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('keeps every limit for any single part', () => {
    fc.assert(
      fc.property(anyPart, (part) => {
        expect(problemsOf(toSlack(message(part)))).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it('keeps the limits in the plain rendering too', () => {
    fc.assert(
      fc.property(anyMessage, (any) => {
        expect(problemsOf(fallback(any))).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });

  it('puts attacker-chosen text only where Slack parses no markup', () => {
    for (const text of attacks) {
      const shown = JSON.stringify(
        blocksOf(
          { kind: 'header', text },
          { kind: 'lines', lines: [[{ kind: 'text', text }]] },
          { kind: 'context', lines: [[{ kind: 'text', text }]] },
          { kind: 'table', columns: [text], rows: [[text]] },
        ),
      );
      expect(shown).not.toContain('"mrkdwn"');
      expect(shown).not.toContain('"broadcast"');
      expect(shown).not.toContain('"link"');
    }
  });

  it('writes facts as bold labels with values, one per line', () => {
    const blocks = blocksOf({
      kind: 'facts',
      facts: [
        { label: 'Account', value: [{ kind: 'text', text: 'prod' }] },
        { label: 'Key', value: [{ kind: 'code', text: 'AKIAIOSFODNN7EXAMPLE' }] },
      ],
    });

    expect(blocks).toEqual([
      {
        type: 'rich_text',
        elements: [
          {
            type: 'rich_text_section',
            elements: [
              { type: 'text', text: 'Account: ', style: { bold: true } },
              { type: 'text', text: 'prod' },
              { type: 'text', text: '\n' },
              { type: 'text', text: 'Key: ', style: { bold: true } },
              { type: 'text', text: 'AKIAIOSFODNN7EXAMPLE', style: { code: true } },
            ],
          },
        ],
      },
    ]);
  });

  it("shows an instant as UTC and in the viewer's own zone", () => {
    const blocks = blocksOf({ kind: 'lines', lines: [[{ kind: 'date', at: '2026-11-20T22:05:31.000Z' }]] });

    expect(blocks).toMatchObject([
      {
        elements: [
          {
            elements: [
              { text: '2026-11-20 22:05 UTC (' },
              { type: 'date', timestamp: 1_795_212_331, fallback: '2026-11-20 22:05 UTC' },
              { text: ')' },
            ],
          },
        ],
      },
    ]);
  });

  it('keeps the spaces between the inlines of a line', () => {
    const blocks = blocksOf({
      kind: 'lines',
      lines: [
        [
          { kind: 'text', text: 'Approved by ' },
          { kind: 'person', userId: 'U0APPROVER' },
          { kind: 'text', text: ' today' },
        ],
      ],
    });

    expect(blocks).toMatchObject([
      {
        elements: [
          { elements: [{ text: 'Approved by ' }, { type: 'user', user_id: 'U0APPROVER' }, { text: ' today' }] },
        ],
      },
    ]);
  });

  it('defangs addresses in prose and leaves identifiers as they are', () => {
    const text = JSON.stringify(
      blocksOf({
        kind: 'lines',
        lines: [[{ kind: 'text', text: 'called http://evil.example' }], [{ kind: 'code', text: '198.51.100.7' }]],
      }),
    );

    expect(text).toContain('hxxp://evil[.]example');
    expect(text).toContain('"198.51.100.7"');
  });

  it('makes a mention in a context line from a valid user id only', () => {
    const blocks = blocksOf({
      kind: 'context',
      lines: [
        [
          { kind: 'text', text: 'Approved by ' },
          { kind: 'person', userId: 'U0APPROVER' },
        ],
        [{ kind: 'person', userId: '!channel' }],
      ],
    });

    expect(blocks).toEqual([
      {
        type: 'context',
        elements: [
          { type: 'plain_text', text: 'Approved by', emoji: false },
          { type: 'mrkdwn', text: '<@U0APPROVER>', verbatim: true },
        ],
      },
      { type: 'context', elements: [{ type: 'plain_text', text: '!channel', emoji: false }] },
    ]);
  });

  it('puts two buttons of one action into two blocks', () => {
    const expand = { ...approve, action: 'expand' } as const;
    const blocks = blocksOf({ kind: 'buttons', buttons: [approve, expand, { ...expand, value: 'a2' }] });

    expect(blocks.map((block) => (block.type === 'actions' ? block.elements.length : 0))).toEqual([2, 1]);
  });

  it('keeps the buttons and the coverage of a message that is far too long, and says that it was cut', () => {
    const long = Array.from({ length: 900 }, (_, index) => [{ kind: 'text', text: `event number ${index}` } as const]);
    const { blocks } = toSlack(
      message(
        { kind: 'header', text: 'High finding' },
        { kind: 'lines', lines: long },
        { kind: 'table', columns: ['who'], rows: long.map((line) => [line[0]?.text ?? '']) },
        { kind: 'context', lines: [[{ kind: 'text', text: 'Not looked at: eu-west-3' }]] },
        { kind: 'buttons', buttons: [approve] },
      ),
    );

    const shown = JSON.stringify(blocks);
    expect(problemsOf({ text: 'x', blocks })).toEqual([]);
    expect(shown).toContain('Not looked at: eu-west-3');
    expect(shown).toContain('"action_id":"approve"');
    expect(shown).toContain('… cut here to fit Slack; a file in the thread');
    expect(blocks[0]?.type).toBe('header');
  });

  it('shows a second table as text, because Slack takes one per message', () => {
    const blocks = blocksOf(
      { kind: 'table', columns: ['a'], rows: [['1']] },
      { kind: 'table', columns: ['b'], rows: [['2']] },
    );

    expect(blocks.map((block) => block.type)).toEqual(['table', 'rich_text']);
    expect(JSON.stringify(blocks[1])).toContain('2');
  });

  it('never cuts an opaque id: a button whose value does not fit is left out, and the message says so', () => {
    const blocks = blocksOf({ kind: 'buttons', buttons: [{ ...approve, value: 'x'.repeat(2_001) }, approve] });

    expect(JSON.stringify(blocks)).not.toContain('xxx');
    expect(JSON.stringify(blocks)).toContain('cut here to fit Slack');
  });

  it('escapes the text and keeps it under the length at which Slack refuses an update', () => {
    const { text } = toSlack({ text: `<!channel> & ${'<'.repeat(5_000)}`, parts: [] });

    expect(text.length).toBeLessThanOrEqual(3_900);
    expect(text).toContain('&lt;');
    expect(text).not.toMatch(/[<>]/u);
  });
});
