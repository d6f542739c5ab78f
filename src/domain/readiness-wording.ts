/** Readiness in words: what to fix, the worst first, then what could not be looked at and what is in order. */
import type { Part } from '../contracts/message.ts';
import { few } from './answers.ts';
import { bold, count, line } from './phrases.ts';
import { type Fix, type ReadinessCheck, unaskedReadiness } from './readiness.ts';

const shown = 15;

export function readinessParts(checks: readonly ReadinessCheck[], fixes: readonly Fix[]): readonly Part[] {
  const parts: Part[] = [];
  if (fixes.length > 0) {
    parts.push({ kind: 'lines', lines: [line(bold('To fix, the worst first'))] });
    parts.push({
      kind: 'list',
      ordered: true,
      items: fixes.slice(0, shown).map((one) => {
        const where =
          one.regions.length === 0
            ? ''
            : ` in ${one.regions.length > 3 ? count(one.regions.length, 'Region') : one.regions.join(', ')}`;
        return line(
          bold(one.fix),
          ` Account ${one.accountId}${where}: ${one.regions.length > 1 ? 'for example, ' : ''}${one.because}.`,
        );
      }),
    });
    if (fixes.length > shown)
      parts.push({ kind: 'lines', lines: [line(`and ${fixes.length - shown} more, in the file.`)] });
  }
  const byQuestion = [...Map.groupBy(checks, ({ question }) => question)];
  parts.push({
    kind: 'table',
    columns: ['Question', 'Yes', 'No', 'Could not look'],
    rows: byQuestion.map(([question, own]) => [
      question,
      ...(['yes', 'no', 'could-not-look'] as const).map((answer) =>
        String(own.filter((one) => one.answer === answer).length),
      ),
    ]),
  });
  parts.push({
    kind: 'lines',
    lines: [line(bold('Nobody asked about: '), `${few(unaskedReadiness, 10)}. This version has no client for them.`)],
  });
  return parts;
}
