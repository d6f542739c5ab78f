/** A triage in words: the verdict, each question with its answer, who stands out, and a plan. */
import type { Coverage } from '../contracts/evidence.ts';
import type { Line, Part } from '../contracts/message.ts';
import { unfinished } from './answers.ts';
import { bold, code, count, line, upperFirst, utc } from './phrases.ts';
import { labelOf } from './pivot-actors.ts';
import { type HuntStory, nameOfStory } from './sigma/stories.ts';
import type { TriageAnswer } from './triage-answers.ts';
import { nowText } from './triage-now.ts';

const maxSuspects = 6;

/** The verdict, in one sentence. It is never "clean". */
export function triageHeadline(
  answers: readonly TriageAnswer[],
  suspects: readonly HuntStory[],
  coverage: Coverage,
  /** What GuardDuty reports and what the sweep found odd. */
  remarks: readonly string[] = [],
): string {
  const remark = remarks.join('; ');
  const hits = answers.filter(({ state }) => state === 'hits').length;
  const open = answers.filter(({ state }) => state === 'not-looked-at').length;
  if (hits === 0 && open === answers.length) return 'The triage could not answer: too little could be looked at.';
  const left = open === 0 ? '' : `, ${open} not answered`;
  const found = `${hits} of ${count(answers.length, 'question')} ${hits === 1 ? 'has' : 'have'} hits${left}`;
  const [first] = suspects;
  if (first === undefined) {
    const inLog = hits > 0 ? 'No grave match in the log' : 'Nothing was found in the log';
    if (remark !== '')
      return `${upperFirst(remark)}. ${inLog} of what was looked at${hits + open > 0 ? `; ${found}` : ''}${unfinished(coverage)}.`;
    if (hits > 0) return `Nothing grave was found in what was looked at; ${found}${unfinished(coverage)}.`;
    return `Nothing was found in what was looked at${unfinished(coverage)}.`;
  }
  const others = suspects.length > 1 ? ` and ${count(suspects.length - 1, 'other')}` : '';
  return `Suspicious: ${nameOfStory(first)}${others}; ${found}${remark && `; ${remark}`}${unfinished(coverage)}.`;
}

export function triageParts(
  answers: readonly TriageAnswer[],
  suspects: readonly HuntStory[],
  plan: readonly string[],
): readonly Part[] {
  const parts: Part[] = [
    {
      kind: 'table',
      columns: ['Question', 'Answer'],
      rows: answers.map((answer) => [answer.question, answerText(answer)]),
    },
  ];
  if (suspects.length > 0) {
    parts.push({ kind: 'lines', lines: [line(bold('Who stands out'))] });
    parts.push({ kind: 'list', items: suspects.slice(0, maxSuspects).map(suspectLine) });
  }
  parts.push({ kind: 'lines', lines: [line(bold('Plan'))] });
  parts.push({ kind: 'list', ordered: true, items: plan.map((sentence) => line(sentence)) });
  return parts;
}

function answerText(answer: TriageAnswer): string {
  const now = nowText(answer.now);
  if (answer.events === 0 && answer.state === 'hits') return upperFirst(now);
  return `${logText(answer)}${now === '' ? '' : `. ${upperFirst(now)}`}`;
}

function logText({ state, events, failed, excepted, calls, principals }: TriageAnswer): string {
  const held = excepted > 0 ? `; ${count(excepted, 'event')} excepted` : '';
  if (state === 'not-looked-at') return `not looked at in full${held}`;
  if (state === 'nothing-found') return `nothing found in what was looked at${held}`;
  const what = calls.slice(0, 3).map((one) => `${one.call.split(':').at(-1)} ×${one.events.toLocaleString('en-US')}`);
  const more = calls.length > what.length ? `, ${calls.length - what.length} more calls` : '';
  const who = principals.slice(0, 2).map(labelOf);
  const others = principals.length > who.length ? ` and ${principals.length - who.length} more` : '';
  const denied = failed > 0 ? `, ${failed.toLocaleString('en-US')} failed` : '';
  return `${count(events, 'event')}${denied}: ${what.join(', ')}${more}${who.length > 0 ? `. By ${who.join(', ')}${others}` : ''}${held}`;
}

function suspectLine(story: HuntStory): Line {
  const telling = story.deeds.slice(0, 3).map(({ rule }) => rule.title);
  const from = story.ips.length > 0 ? `, from ${story.ips.slice(0, 2).join(' and ')}` : '';
  return line(
    bold(`${story.level}: ${nameOfStory(story)}`),
    ` ${telling.join('; ')}. ${utc(story.first)}${from} `,
    code(story.deeds[0]?.eventIds[0] ?? ''),
  );
}

/** What to do now, in the order of S0 and S3: see the whole story, keep evidence, then contain. */
export function triagePlan(
  answers: readonly TriageAnswer[],
  suspects: readonly HuntStory[],
  keys: readonly string[],
  coverage: Coverage,
): readonly string[] {
  const hit = new Set(answers.filter(({ state }) => state === 'hits').map(({ id }) => id));
  const plan: string[] = [];
  if (!coverage.complete)
    plan.push('Look at what was not looked at (below), or ask again over it: its absence proves nothing.');
  const named = suspects.filter(({ principal }) => principal !== '').slice(0, 3);
  if (named.length > 0) plan.push(`Pivot on ${named.map(nameOfStory).join(', ')} to see all that belongs to it.`);
  if (hit.has('cover-up')) plan.push('Switch logging and detection on again first, so that the rest is seen.');
  if (keys.length > 0)
    plan.push(
      `Disable, not delete, ${keys.length === 1 ? 'the key' : 'the keys'} ${keys.join(', ')}; sessions minted before live on.`,
    );
  if (suspects.length > 0 && hit.has('session-tokens'))
    plan.push('End the sessions too: tokens outlive a disabled key.');
  if (suspects.length > 0 && hit.has('instances'))
    plan.push('Snapshot suspicious instances before stopping them, all siblings of the same launch included.');
  if (suspects.length > 0 && (hit.has('users') || hit.has('access-keys') || hit.has('roles-and-policies'))) {
    plan.push('Go through the users, keys, roles and policies made: each is a way back in.');
  }
  if (hit.has('member-accounts'))
    plan.push('List the accounts of the organisation and look for addresses of a foreign domain.');
  if (hit.has('contacts')) plan.push('Read the contacts of the account and put the right ones back.');
  if (suspects.length > 0)
    plan.push('Open a support case with AWS, and tell insurer and counsel where the contract asks for it.');
  plan.push(
    suspects.length > 0
      ? 'Widen to 90 days, then ask again after containment.'
      : 'Widen the window (7, 15, 90 days) before calling it over.',
  );
  return plan;
}
