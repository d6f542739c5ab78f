import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defang, escapeMrkdwn, inert, inertBlock, inertCode } from '../../../src/domain/inert.ts';

/** Text as an attacker would write it: fragments of Slack's markup between arbitrary characters. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom(
        ...[
          '<!channel>',
          '<!here|x>',
          '<@U0123456>',
          '<#C012|x>',
          '<!subteam^S1>',
          '<!date^1^{date}|x>',
          '@here',
          '@Channel',
        ],
        ...[
          '<https://evil.example|bank>',
          'http://evil.example',
          '<',
          '>',
          '@',
          '!',
          '|',
          '&lt;',
          '`',
          '\u2060',
          '\u200b',
        ],
        ...[
          '\u0000',
          '\u001b[31m',
          '\u009b1m',
          '\u001b]8;;http://x\u0007',
          '\u202e',
          '\u2066',
          '\ufeff',
          '\r\n',
          '\u2028',
        ],
        ...['\ud800', '\u{e0041}', 'he', 're', 'a\u0301\u0301\u0301\u0301\u0301\u0301', '…(9 more)'],
      ),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

const live = /<[^\s\u2060<]|@(?:here|channel|everyone)/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
const unseen = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2061-\u2069\ufeff\u2028\u2029]/;

describe('inert text', () => {
  it('never holds a live mention, link or date, nor a character that cannot be seen', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 1, max: 300 }), (text, max) => {
        for (const shown of [inert(text, max), inertCode(text, max)]) {
          expect(shown).not.toMatch(live);
          expect(shown).not.toMatch(unseen);
          expect(shown.isWellFormed()).toBe(true);
        }
        expect(inertCode(text, max)).not.toContain('`');
      }),
      { numRuns: 1_000 },
    );
  });

  it('is made inert once: again changes nothing', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 1, max: 300 }), (text, max) => {
        const once = inert(text, max);
        expect(inert(once, max)).toBe(once);
        expect(inertCode(once, max)).toBe(inertCode(text, max));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is never longer than it may be, but for the joiners', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 30, max: 300 }), (text, max) => {
        expect([...inert(text, max).replaceAll('\u2060', '')].length).toBeLessThanOrEqual(max);
      }),
    );
  });

  it('says how much was cut', () => {
    const shown = inert('x'.repeat(1_000));
    expect(shown).toMatch(/^x+…\(\d+ more\)$/);
    expect(shown.indexOf('…') + Number(/\d+/.exec(shown)?.[0])).toBe(1_000);
    expect(inert('x'.repeat(200))).toBe('x'.repeat(200));
  });

  it('keeps ordinary text as it is', () => {
    for (const text of [
      'arn:aws:sts::111122223333:assumed-role/web/alice@example.com',
      'Größe 5 < 6 & 7 > 3',
      '日本語 😀',
    ]) {
      expect(inert(text)).toBe(text);
    }
  });

  it.each([
    ['a mention', '<!channel> hi', '<\u2060!channel> hi'],
    ['a mention put together by invisible letters', '@\u200bhe\u00adre', '@\u2060here'],
    ['colours', '\u001b[31mred\u001b[0m', 'red'],
    ['new lines', 'a\r\n\tb\u2028c', 'a b c'],
    ['a reversed name', 'report\u202efdp.exe', 'reportfdp.exe'],
    ['towers of marks', `a${'\u0301'.repeat(50)}`, `a${'\u0301'.repeat(3)}`],
  ])('takes the sting out of %s', (_what, text, expected) => {
    expect(inert(text)).toBe(expected);
  });

  it('ends no code span', () => {
    expect(inertCode('a`b` *c*')).toBe('aʼbʼ *c*');
  });

  it('keeps the lines of a block, each of them inert', () => {
    expect(inertBlock('a\n  <!here>\r\n\u001b[1mb`')).toBe('a\n  <\u2060!here>\nbʼ');
    expect(inertBlock('x\n'.repeat(300), 2)).toBe('x\nx\n…(299 more lines)');
  });
});

describe('defanged text', () => {
  it.each([
    ['http://evil.example/x', 'hxxp://evil[.]example/x'],
    ['HTTPS://Evil.Example', 'hxxps://Evil[.]Example'],
    ['ftp://evil.example', 'ftp[:]//evil[.]example'],
    ['1http://evil.example xftp://evil.example', '1hxxp://evil[.]example xftp[:]//evil[.]example'],
    ['mailto:a@evil.example', 'mailto[:]a@evil[.]example'],
    ['see 198.51.100.7.', 'see 198.51.100[.]7.'],
    ['www.evil.co.uk', 'www[.]evil[.]co[.]uk'],
    ['пример.рф and xn--e1afmkfd.xn--p1ai', 'пример[.]рф and xn--e1afmkfd[.]xn--p1ai'],
    ['evil。example', 'evil[.]example'],
    ['High 8.0, 2.5 hours. Done.', 'High 8.0, 2.5 hours. Done.'],
    ['version 1.2.3.4.5', 'version 1.2.3.4.5'],
  ])('%s becomes %s', (text, expected) => {
    expect(defang(text)).toBe(expected);
  });

  it('holds no address that a client would link, and defanging twice is defanging once', () => {
    const word = fc.stringMatching(/^[a-z]{1,8}$/);
    const url = fc
      .tuple(
        fc.constantFrom('http://', 'https://', '', 'www.', 'ftp://'),
        word,
        fc.constantFrom('com', 'example', 'co.uk', 'РФ'),
        word,
      )
      .map(([scheme, host, top, path]) => `${scheme}${host}.${top}/${path}`);
    fc.assert(
      fc.property(fc.array(fc.oneof(url, fc.ipV4(), hostile, word)), (words) => {
        const once = defang(words.join(' '));
        expect(defang(once)).toBe(once);
        expect(once).not.toMatch(/https?:\/\/|[a-z0-9]\.(?:com|example|uk)(?![\p{L}\p{N}])/iu);
      }),
      { numRuns: 500 },
    );
  });
});

describe('escaped text', () => {
  it('has & first, then < and >', () => {
    expect(escapeMrkdwn('<a&b> &lt;')).toBe('&lt;a&amp;b&gt; &amp;lt;');
  });

  it('has no angle bracket left, whatever came', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(escapeMrkdwn(text)).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
      }),
    );
  });
});
