/** The messages of a digest: the head that counts, and the pages in its thread that name every alert. */
import type { Message } from '../contracts/message.ts';
import type { Digest, DigestLine } from '../contracts/noise.ts';
import { bold, code, count, date, line, text } from './phrases.ts';

/** Lines on one page: at most 140 characters each, so that a page stays below what Slack takes (DOMAIN.md 1.8). */
export const linesPerPage = 80;
const groupsShown = 25;

export function digestHead(digest: Digest): Message {
  const { total, groups, openedAt } = digest;
  const sentence = `Alert storm: ${count(total, 'alert')} came too fast for a card each.`;
  const rest = groups.slice(groupsShown);
  const more = rest.reduce((sum, group) => sum + group.count, 0);
  return {
    text: `${sentence} They are counted here, and every one is listed in the thread.`,
    parts: [
      { kind: 'header', text: `Alert storm · ${count(total, 'alert')}` },
      {
        kind: 'lines',
        lines: [line(bold(sentence), ' Since ', date(openedAt), '. Every one is listed in the thread.')],
      },
      {
        kind: 'list',
        items: [
          ...groups.slice(0, groupsShown).map((group) => line(bold(`${group.count} × `), text(group.group))),
          ...(rest.length === 0
            ? []
            : [line(text(`${count(rest.length, 'more group')} with ${count(more, 'alert')}`))]),
        ],
      },
      {
        kind: 'context',
        lines: [
          line(
            'Open one with ',
            code('/ir open IR-123'),
            '. A critical, a crown jewel and what is new in the account still comes as a card.',
          ),
        ],
      },
    ],
  };
}

/** `page` counts from 0. */
export function digestPage(page: number, lines: readonly DigestLine[]): Message {
  const from = page * linesPerPage + 1;
  const words = `Alerts ${from} to ${from + lines.length - 1} of this digest.`;
  return {
    text: words,
    parts: [
      { kind: 'lines', lines: [line(words)] },
      { kind: 'preformatted', text: lines.map((each) => `${each.caseId} · ${each.line}`).join('\n') },
    ],
  };
}
