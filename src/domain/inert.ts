/**
 * Text from outside, made harmless to show (DOMAIN.md 9.6). The one place for these rules: the Slack renderer, log lines
 * and file names all come here. User agents, session names, bucket names, tags and finding titles are attacker-chosen.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: ESC and CSI are what has to be found
const ansiSequence = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]/gu;
/** Every kind of space and line break, and the Braille blank, which looks like one. */
const whitespaceRun = /[\s\p{Z}\u0085\u2800]+/gu;
/** Controls, format characters (bidi, zero-width, tags, soft hyphen), private use, and letters that draw nothing. */
const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Default_Ignorable_Code_Point}]/gu;
const stackedMarks = /(\p{M}{3})\p{M}+/gu;
const joiner = '\u2060';

/** Removes what cannot be seen or changes the order of what is seen; every run of white space becomes one space. */
function strip(text: string): string {
  return text
    .toWellFormed()
    .replace(ansiSequence, '')
    .replace(whitespaceRun, ' ')
    .replace(invisible, '')
    .replace(whitespaceRun, ' ')
    .replace(stackedMarks, '$1')
    .trim();
}

function cut(text: string, max: number): string {
  const points = [...text];
  if (points.length <= max) return text;
  // The suffix belongs to the budget, so that cutting twice is cutting once.
  const kept = max - `…(${points.length} more)`.length;
  return `${points.slice(0, kept).join('').trimEnd()}…(${points.length - kept} more)`;
}

/** Puts U+2060 into everything that Slack could read as a mention, a link or a date token. */
function breakMarkup(text: string): string {
  return text.replace(/<(?=[^\s<])/gu, `<${joiner}`).replace(/@(?=(?:here|channel|everyone))/giu, `@${joiner}`);
}

/**
 * One line of harmless text: no control, bidi or zero-width characters, no ANSI, no new lines, no live `<!channel>`,
 * `<@U...>`, `<https://...|label>` or `@here`; at most `max` characters (no fewer than 30), cut with `…(n more)`. The word joiners that break
 * mentions are not counted. `inert(inert(x)) === inert(x)`. Source of the rule: DOMAIN.md 9.6 (3) and (4).
 */
export function inert(text: string, max = 200): string {
  return breakMarkup(cut(strip(text), Math.max(30, max)));
}

/** As `inert`, for a code span: a backtick would end it, so it becomes ʼ. Not defanged: identifiers must copy exactly. */
export function inertCode(text: string, max = 200): string {
  return inert(text, max).replaceAll('`', 'ʼ');
}

/** As `inert`, but keeps the line breaks, for preformatted text. Each line is made inert by itself; tabs become spaces. */
export function inertBlock(text: string, maxLines = 200, maxLineLength = 500): string {
  const lines = text.split(/\r\n|[\n\r\u0085\u2028\u2029]/u);
  const shown = lines.slice(0, maxLines).map((line) => {
    const indent = /^[ \t]*/u.exec(line)?.[0].replaceAll('\t', '  ').slice(0, 40) ?? '';
    return indent + inertCode(line, maxLineLength);
  });
  if (lines.length > maxLines) shown.push(`…(${lines.length - maxLines} more lines)`);
  return shown.join('\n');
}

const httpScheme = /http(s?):\/\//giu;
const otherScheme = /(?<!hxxps?):\/\//giu;
const barePseudoScheme = /\b(mailto|tel|javascript|data|slack):(?=\S)/giu;
const ipv4 = /(?<![\d.])(\d{1,3}\.\d{1,3}\.\d{1,3})\.(\d{1,3})(?![\d]|\.\d)/gu;
/** A dot between a label and a word that could be a top-level domain, in any script. */
const domainDot =
  /(?<=[\p{L}\p{N}_-])[.。．｡](?=(?:[\p{L}\p{N}_-]+[.。．｡])*(?:xn--[a-z0-9-]+|\p{L}{2,63})(?![\p{L}\p{N}]))/giu;

/**
 * Takes the sting out of URLs, domains and IPv4 addresses in prose, so that no client turns them into links:
 * `hxxps://evil[.]example`, `198.51.100[.]7`. Text that is to be copied belongs into a code span instead. Idempotent.
 */
export function defang(text: string): string {
  return text
    .replace(httpScheme, (_scheme, s: string) => `hxxp${s.toLowerCase()}://`)
    .replace(otherScheme, '[:]//')
    .replace(barePseudoScheme, '$1[:]')
    .replace(ipv4, '$1[.]$2')
    .replace(domainDot, '[.]');
}

/** Escapes for a mrkdwn string or the `text` of a message: `&` first, then `<` and `>` (DOMAIN.md 1.8). Apply exactly once. */
export function escapeMrkdwn(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
