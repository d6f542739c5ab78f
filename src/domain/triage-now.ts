/**
 * What exists now, put to the questions of a triage that it answers: a quota request or a task that was started in the window is an
 * answer, whatever the log says. That nothing is there now says nothing about the past, so it never closes a question.
 */
import { few } from './answers.ts';
import { count } from './phrases.ts';
import type { NowAnswer, ServiceRead } from './services-now.ts';
import type { Sweep } from './sweep.ts';
import type { TriageAnswer } from './triage-answers.ts';

/** By the id of the step. */
const answeredBy: Readonly<Record<string, readonly ServiceRead[]>> = {
  instances: ['Lightsail instances', 'spot requests', 'spot fleets', 'EC2 fleets'],
  containers: ['ECS tasks and services'],
  'quota-requests': ['service quota requests', 'support cases'],
  'mail-abuse': ['SES sending', 'SES identities'],
  'notebooks-and-models': [
    'SageMaker notebooks',
    'SageMaker endpoints',
    'SageMaker training jobs',
    'SageMaker processing jobs',
    'SageMaker Studio apps',
  ],
  contacts: ['alternate contacts'],
};

/** The answers, each with what exists now where a service was asked for it. */
export function withNow(answers: readonly TriageAnswer[], sweep: Sweep): readonly TriageAnswer[] {
  if (sweep.state === 'not-looked-at') return answers;
  return answers.map((answer) => {
    const reads = answeredBy[answer.id];
    if (reads === undefined) return answer;
    const now = nowOf(reads, sweep);
    return { ...answer, now, state: now.things.some(({ isNew }) => isNew) ? 'hits' : answer.state };
  });
}

/** The sweep has them all. */
const thingsKept = 50;

function nowOf(reads: readonly ServiceRead[], sweep: Sweep): NowAnswer {
  const own = sweep.services.filter(({ read }) => reads.includes(read));
  const things = sweep.things.filter(({ read }) => reads.includes(read));
  const open = own.filter(({ because }) => because !== undefined);
  const gaps = open.map(({ read, because }) => `${read}: ${because}`);
  const isLooked = own.every(({ state }) => state !== 'not-looked-at');
  return {
    state: things.length > 0 ? 'found' : isLooked ? 'nothing-found' : 'not-looked-at',
    things: things.slice(0, thingsKept),
    open: open.map(({ read }) => read),
    ...(gaps.length > 0 ? { because: gaps.join('; ') } : {}),
  };
}

/** For the end of an answer's line: what is there now, by name and place; "" where there is nothing to tell. */
export function nowText(now: NowAnswer | undefined): string {
  if (now === undefined) return '';
  const open = now.open.length === 0 ? '' : `no full answer from ${now.open.join(', ')}`;
  if (now.things.length === 0) return open === '' ? '' : `now: ${open}`;
  const places = [...Map.groupBy(now.things, ({ read }) => read)].map(([read, own]) => {
    const regions = [...new Set(own.map(({ region }) => region))].filter((region) => region !== '');
    if (regions.length === 0) return read;
    return `${read} in ${regions.length > 2 ? count(regions.length, 'Region') : regions.join(' and ')}`;
  });
  const fresh = now.things.filter(({ isNew }) => isNew).length;
  return `now: ${few(places, 3)}${fresh === 0 ? '' : `, ${fresh} of them new in the window`}${open === '' ? '' : `; ${open}`}`;
}
