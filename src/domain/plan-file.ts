/** A plan that is longer than its card as a file: nobody is to approve what nobody can read. */
import type { Approval } from '../contracts/approval.ts';
import type { Attachment, Line, Part } from '../contracts/message.ts';
import { named } from './blanks.ts';
import { jsonText } from './json-text.ts';

export const planFilename = 'plan.json';

/** Below what Slack's messages hold, whatever else stands on the card: of one text, of one line of the calls, and of all together. */
const room = { text: 1_900, line: 2_900, all: 7_000 };

/** Whether Slack may have to leave out a part of the card. */
export function isBeyondCard(parts: readonly Part[]): boolean {
  return JSON.stringify(parts).length > room.all || parts.some(isCut);
}

function isCut(part: Part): boolean {
  if (part.kind === 'preformatted') return part.text.split('\n').some((line) => line.length > room.line);
  return linesOf(part).some((line) => line.some((piece) => 'text' in piece && piece.text.length > room.text));
}

function linesOf(part: Part): readonly Line[] {
  if (part.kind === 'lines' || part.kind === 'context') return part.lines;
  if (part.kind === 'facts') return part.facts.map(({ value }) => value);
  return part.kind === 'list' ? part.items : [];
}

/** Every call, list and command of the plan, whole. */
export function planFile({ caseId, plan, planHash, context }: Approval): Attachment {
  const calls = plan.calls.map(({ service, operation, region, input }) => ({
    ...{ call: `${service}:${operation}`, region, input: named(input) },
  }));
  const { responderRole, sessionPolicy, target, before } = plan;
  const { blastRadius, willNotStop, cli } = context;
  const whole = {
    caseId,
    planHash,
    calls,
    responderRole,
    sessionPolicy,
    target,
    before,
    blastRadius,
    willNotStop,
    cli,
  };
  return {
    filename: planFilename,
    title: planFilename,
    altText: 'The whole plan as JSON: every AWS call with its input, and every list of the card.',
    bytes: new TextEncoder().encode(`${jsonText(whole)}\n`),
  };
}
