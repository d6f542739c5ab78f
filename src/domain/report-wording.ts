/** An investigation's messages: progress while it runs, the headline, the body, and the coverage that every answer states. */
import type { Coverage, EvidenceProgress } from '../contracts/evidence.ts';
import type { Report } from '../contracts/investigation.ts';
import type { Button, Line, Message, Part } from '../contracts/message.ts';
import { bold, code, count, line, person, utc } from './phrases.ts';

export interface Running {
  readonly title: string;
  readonly subject: string;
  readonly requestedBy: string;
  readonly step: string;
  readonly progress: EvidenceProgress | undefined;
}

/** The one message that shows how far it is. */
export function progressMessage({ title, subject, requestedBy, step, progress }: Running): Message {
  const done =
    progress === undefined || progress.regions === 0
      ? 'starting'
      : `${progress.regionsDone} of ${count(progress.regions, 'Region')} done, ${count(progress.eventsRead, 'event')} read, ${count(progress.requests, 'request')}`;
  return {
    text: `${title} on ${subject} is running: ${done}.`,
    parts: [
      {
        kind: 'lines',
        lines: [
          line(bold(`${title}: `), code(subject)),
          line(`Running: ${done}.`),
          ...(step === '' ? [] : [line(step)]),
        ],
      },
      { kind: 'context', lines: [line('Asked by ', person(requestedBy))] },
    ],
  };
}

/** The same message when the answer is there. */
export function headlineMessage(
  input: {
    readonly title: string;
    readonly subject: string;
    readonly requestedBy: string;
    readonly report: Report;
    readonly inThread: boolean;
  },
  buttons: readonly Button[],
): Message {
  const { report } = input;
  const where = input.inThread ? 'Details below.' : 'Details in the thread.';
  return {
    text: `${report.headline} ${coverageSentence(report.coverage)}`,
    parts: [
      { kind: 'lines', lines: [line(bold(`${input.title}: `), code(input.subject)), line(report.headline)] },
      {
        kind: 'context',
        lines: [line(`${coverageSentence(report.coverage)} ${where}`), line('Asked by ', person(input.requestedBy))],
      },
      ...(buttons.length === 0 ? [] : [{ kind: 'buttons', buttons } satisfies Part]),
    ],
  };
}

/** The body in the thread: the story, then what was looked at, then what to type next. */
export function reportMessage(report: Report): Message {
  return {
    text: report.headline,
    parts: [
      ...report.parts,
      { kind: 'lines', lines: [line(bold('What was looked at'))] },
      { kind: 'list', items: coverageLines(report.coverage) },
      ...(report.next.length === 0
        ? []
        : ([
            { kind: 'lines', lines: [line(bold('Next'))] },
            { kind: 'list', ordered: true, items: report.next.map((command) => line(code(command))) },
          ] satisfies Part[])),
    ],
  };
}

/** One sentence that keeps "nothing there" apart from "not looked at". */
export function coverageSentence(coverage: Coverage): string {
  const events = coverage.sources.reduce((sum, source) => sum + source.events, 0);
  const places = `${count(coverage.accounts.length, 'account')}, ${count(coverage.regions.length, 'Region')}`;
  const span = `${utc(coverage.from)} to ${utc(coverage.to)}`;
  const isNow = coverage.from === coverage.to && events === 0;
  const what = isNow ? 'what is there now' : count(events, 'event');
  const basis = `Looked at ${what} in ${places}, ${isNow ? utc(coverage.to) : span}.`;
  return coverage.complete ? basis : `NOT COMPLETE. ${basis}`;
}

function coverageLines(coverage: Coverage): Line[] {
  const lines: Line[] = [line(coverageSentence(coverage))];
  const bad = coverage.sources.filter((source) => source.failed || source.truncated);
  for (const source of bad.slice(0, 8)) {
    lines.push(
      line(
        bold(source.failed ? 'Failed: ' : 'Cut short: '),
        `${source.name}${source.reason === undefined ? '' : `: ${source.reason}`}`,
      ),
    );
  }
  if (bad.length > 8) lines.push(line(`and ${bad.length - 8} more sources that failed or were cut short`));
  // What a source that did answer has to say of itself: its cost.
  for (const source of coverage.sources.filter((one) => !one.failed && !one.truncated && one.reason).slice(0, 3))
    lines.push(line(bold('Source: '), `${source.name}: ${source.reason}`));
  for (const file of coverage.badFiles.slice(0, 5))
    lines.push(line(bold('Bad file: '), `${file.path}: ${file.reason}`));
  if (coverage.badFiles.length > 5) lines.push(line(`and ${coverage.badFiles.length - 5} more bad files`));
  for (const gap of coverage.notLookedAt.slice(0, 6)) lines.push(line(bold('Not looked at: '), gap));
  if (coverage.notLookedAt.length > 6)
    lines.push(line(`and ${coverage.notLookedAt.length - 6} more things not looked at`));
  return lines;
}
