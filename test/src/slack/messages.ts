/** Any Message at all, with the strings that attackers choose. */
import fc from 'fast-check';
import { buttonActions, type Inline, type Line, type Message, type Part } from '../../../src/contracts/message.ts';

export const attacks = [
  '<!channel> pay here',
  '<!here>',
  '@here @channel @everyone',
  '<@U0ATTACK1> approved this',
  '<https://evil.example|console.aws.amazon.com>',
  'https://evil.example/login?x=1&y=2',
  '*bold* _it_ ~no~ `code` ```fence``` :rotating_light:',
  '<!date^1763676000^{date_num}|now>',
  '<!subteam^S012345>',
  '\u202ereversed\u202c \u2066x\u2069 zero\u200bwidth \u0000nul \u001b[31mred\u001b[0m',
  'line\nbreak\r\nand\ttab',
  '\ud800 half',
  '&lt;!channel&gt; & < >',
  '=cmd|calc',
  'a'.repeat(5_000),
  '"\\'.repeat(2_000),
  '',
  '   ',
] as const;

const anyText = fc.oneof(
  fc.constantFrom(...attacks),
  fc.string({ maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.array(fc.constantFrom(...attacks), { maxLength: 4 }).map((parts) => parts.join(' ')),
);

const anyInline: fc.Arbitrary<Inline> = fc.oneof(
  fc.record({ kind: fc.constant('text' as const), text: anyText, bold: fc.boolean() }),
  fc.record({ kind: fc.constant('code' as const), text: anyText }),
  fc.record({ kind: fc.constant('person' as const), userId: fc.oneof(anyText, fc.constant('U0RESPONDER')) }),
  fc.record({
    kind: fc.constant('date' as const),
    at: fc.oneof(anyText, fc.constant('2026-11-20T22:05:00Z'), fc.constant('+275760-09-13T00:00:00.000Z')),
  }),
  fc.record({
    kind: fc.constant('link' as const),
    url: fc.oneof(anyText, fc.constant('https://example.org/case?id=1&x=|<>')),
    label: anyText,
  }),
);

const anyLine: fc.Arbitrary<Line> = fc.array(anyInline, { maxLength: 14 });
const lines = fc.array(anyLine, { maxLength: 12 });

export const anyPart: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ kind: fc.constant('header' as const), text: anyText }),
  fc.record({ kind: fc.constant('lines' as const), lines }),
  fc.record({
    kind: fc.constant('facts' as const),
    facts: fc.array(fc.record({ label: anyText, value: anyLine }), { maxLength: 10 }),
  }),
  fc.record({ kind: fc.constant('list' as const), items: lines, ordered: fc.boolean() }),
  fc.record({
    kind: fc.constant('table' as const),
    columns: fc.array(anyText, { maxLength: 24 }),
    rows: fc.array(fc.array(anyText, { maxLength: 24 }), { maxLength: 130 }),
  }),
  fc.record({ kind: fc.constant('preformatted' as const), text: anyText }),
  fc.record({ kind: fc.constant('context' as const), lines }),
  fc.record({
    kind: fc.constant('buttons' as const),
    buttons: fc.array(
      fc.record(
        {
          action: fc.constantFrom(...buttonActions),
          value: anyText,
          label: anyText,
          describe: anyText,
          style: fc.constantFrom('primary' as const, 'danger' as const),
        },
        { requiredKeys: ['action', 'value', 'label', 'describe'] },
      ),
      { maxLength: 40 },
    ),
  }),
  fc.constant({ kind: 'divider' as const }),
);

export const anyMessage: fc.Arbitrary<Message> = fc.record({
  text: anyText,
  parts: fc.array(anyPart, { maxLength: 70, size: 'max' }),
});
