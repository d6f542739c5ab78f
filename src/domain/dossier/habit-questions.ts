/**
 * S4's questions on an identity (MISSION.md 4.3), each answered with evidence. Where there is too little to compare with, the
 * answer says so instead of calling everything new.
 */
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { isPrivateIp, parseIp, sourceOf } from '../address.ts';
import { count, utc } from '../phrases.ts';
import { succeeded } from '../principal.ts';
import { agentFamily } from '../use.ts';
import { distinct, type Habits, type HabitsInput, hourOf, serviceOf } from './habits.ts';

export type AnswerState = 'hits' | 'nothing-found' | 'not-looked-at';

export interface Answered {
  readonly id: string;
  readonly question: string;
  readonly state: AnswerState;
  readonly answer: string;
  /** Event ids, the first 20. */
  readonly evidence: readonly string[];
}

const dayMs = 86_400_000;
const shownIds = 20;

/** S4's questions on the identity, in the order of the text. */
export function answersOf(input: HabitsInput, habits: Habits): readonly Answered[] {
  const now = input.calls.filter(({ eventTime }) => eventTime >= habits.thisTime);
  return [
    offHours(now, habits),
    firstTime(input.calls, now, habits),
    cadence(input.calls, habits),
    place(now, habits, input),
    agent(now, habits),
    rightChanges(input),
    failedLogins(input),
  ].map((answer) => (answer.state === 'nothing-found' && !input.complete ? partly(answer) : answer));
}

/** What was looked at had nothing, but not everything was looked at. */
function partly(answer: Answered): Answered {
  return { ...answer, state: 'not-looked-at', answer: `${answer.answer} But not everything could be looked at.` };
}

const tooLittle = (habits: Habits): string =>
  `There is too little before ${utc(habits.thisTime)} to compare with (${count(habits.before.calls, 'call')} on ${count(habits.before.days, 'day')}): ask with a longer --since.`;

function offHours(now: readonly CloudTrailRecord[], habits: Habits): Answered {
  const base = { id: 'off-hours', question: 'Does it act outside its usual hours?' };
  if (now.length === 0) return { ...base, state: 'nothing-found', answer: 'It made no call.', evidence: [] };
  if (!habits.enough) return { ...base, state: 'not-looked-at', answer: tooLittle(habits), evidence: [] };
  const usual = new Set(habits.before.hours.flatMap((hour) => [(hour + 23) % 24, hour, (hour + 1) % 24]));
  const odd = now.filter((record) => !usual.has(hourOf(record)));
  const words = hourRanges(habits.before.hours);
  if (odd.length === 0)
    return { ...base, state: 'nothing-found', answer: `It acts at ${words} UTC, as before.`, evidence: [] };
  return {
    ...base,
    state: 'hits',
    answer: `${count(odd.length, 'call')} outside its usual hours (${words} UTC), first ${utc(odd[0]?.eventTime ?? '')}.`,
    evidence: ids(odd),
  };
}

function firstTime(calls: readonly CloudTrailRecord[], now: readonly CloudTrailRecord[], habits: Habits): Answered {
  const base = { id: 'first-time', question: 'Does it do what it has not done before?' };
  if (now.length === 0) return { ...base, state: 'nothing-found', answer: 'It made no call.', evidence: [] };
  if (!habits.enough) return { ...base, state: 'not-looked-at', answer: tooLittle(habits), evidence: [] };
  const known = new Set(calls.filter(({ eventTime }) => eventTime < habits.thisTime).map(callName));
  const fresh = now.filter((record) => !known.has(callName(record)));
  if (fresh.length === 0)
    return { ...base, state: 'nothing-found', answer: 'All its calls are of kinds that it made before.', evidence: [] };
  // A change tells more than another kind of reading.
  const names = distinct(
    fresh.toSorted((a, b) => Number(a.readOnly ?? true) - Number(b.readOnly ?? true)).map(callName),
  );
  return { ...base, state: 'hits', answer: `First time in the window: ${list(names, 5)}.`, evidence: ids(fresh) };
}

function cadence(calls: readonly CloudTrailRecord[], habits: Habits): Answered {
  const base = { id: 'cadence', question: 'Is it as busy as usual?' };
  if (calls.length === 0) return { ...base, state: 'nothing-found', answer: 'It made no call.', evidence: [] };
  if (!habits.enough) return { ...base, state: 'not-looked-at', answer: tooLittle(habits), evidence: [] };
  const perHour = Map.groupBy(calls, ({ eventTime }) => eventTime.slice(0, 13));
  const hoursBefore = [...perHour]
    .filter(([hour]) => hour < habits.thisTime.slice(0, 13))
    .map(([, list]) => list.length);
  const usual = Math.max(...hoursBefore, 1);
  const [busiest, records = []] =
    [...perHour]
      .filter(([hour]) => hour >= habits.thisTime.slice(0, 13))
      .toSorted((a, b) => b[1].length - a[1].length)[0] ?? [];
  if (busiest === undefined || records.length <= usual * 2)
    return {
      ...base,
      state: 'nothing-found',
      answer: `Its busiest hour had ${count(records.length, 'call')}; before, up to ${usual}.`,
      evidence: [],
    };
  return {
    ...base,
    state: 'hits',
    answer: `${count(records.length, 'call')} in the hour from ${utc(`${busiest}:00:00Z`)}; before, never more than ${usual} an hour.`,
    evidence: ids(records),
  };
}

function place(now: readonly CloudTrailRecord[], habits: Habits, input: HabitsInput): Answered {
  const base = { id: 'place', question: 'Does it come from where it should?' };
  if (now.length === 0) return { ...base, state: 'nothing-found', answer: 'It made no call.', evidence: [] };
  const outside = now.filter(
    ({ sourceIPAddress: ip }) => parseIp(ip) !== undefined && !isPrivateIp(ip) && input.networkOf(ip) === undefined,
  );
  if (outside.length === 0)
    return {
      ...base,
      state: 'nothing-found',
      answer: 'It came from no public address but your own networks.',
      evidence: [],
    };
  const { expectedCountries: expected } = input;
  const wrong =
    expected === undefined
      ? []
      : outside.filter((record) => {
          const country = input.countryOf(record.sourceIPAddress);
          return country !== undefined && !expected.includes(country);
        });
  if (wrong.length > 0) {
    const countries = distinct(wrong.flatMap((record) => input.countryOf(record.sourceIPAddress) ?? []));
    return {
      ...base,
      state: 'hits',
      answer: `From ${list(countries, 5)}, where the inventory expects ${expected?.join(', ')}: ${list(distinct(wrong.map(sourceOf)), 4)}.`,
      evidence: ids(wrong),
    };
  }
  const fresh = outside.filter((record) => !habits.before.addresses.includes(sourceOf(record)));
  if (habits.enough && fresh.length > 0)
    return {
      ...base,
      state: 'hits',
      answer: `From addresses that it did not use before: ${list(distinct(fresh.map(sourceOf)), 4)}.`,
      evidence: ids(fresh),
    };
  const unknown = distinct(outside.map(({ sourceIPAddress }) => sourceIPAddress)).filter(
    (ip) => input.countryOf(ip) === undefined,
  );
  if (!habits.enough && (expected === undefined || unknown.length > 0))
    return {
      ...base,
      state: 'not-looked-at',
      answer: `${expected === undefined ? 'The inventory names no expected countries.' : `No country is known of ${list(unknown, 3)}.`} ${tooLittle(habits)}`,
      evidence: [],
    };
  return {
    ...base,
    state: 'nothing-found',
    answer: habits.enough ? 'From addresses that it used before.' : `From ${expected?.join(', ')}, as expected.`,
    evidence: [],
  };
}

function agent(now: readonly CloudTrailRecord[], habits: Habits): Answered {
  const base = { id: 'agent', question: 'Does it use the programs that it usually does?' };
  if (now.length === 0) return { ...base, state: 'nothing-found', answer: 'It made no call.', evidence: [] };
  if (!habits.enough) return { ...base, state: 'not-looked-at', answer: tooLittle(habits), evidence: [] };
  const fresh = now.filter(({ userAgent }) => !habits.before.agents.includes(agentFamily(userAgent)));
  if (fresh.length === 0)
    return { ...base, state: 'nothing-found', answer: `As before: ${list(habits.now.agents, 3)}.`, evidence: [] };
  return {
    ...base,
    state: 'hits',
    answer: `New: ${list(distinct(fresh.map(({ userAgent }) => agentFamily(userAgent))), 4)}; before: ${list(habits.before.agents, 3)}. A caller names its program as it likes.`,
    evidence: ids(fresh),
  };
}

function rightChanges({ changes }: HabitsInput): Answered {
  const base = { id: 'right-changes', question: 'Were its rights or credentials changed lately?' };
  if (changes.length === 0)
    return {
      ...base,
      state: 'nothing-found',
      answer: 'No change of its rights or credentials in the window.',
      evidence: [],
    };
  const last = changes.at(-1);
  return {
    ...base,
    state: 'hits',
    answer: `${count(changes.length, 'change')}: ${list(distinct(changes.map(({ eventName }) => eventName)), 5)}; last ${utc(last?.eventTime ?? '')}.`,
    evidence: ids(changes),
  };
}

function isSignIn({ eventName }: CloudTrailRecord): boolean {
  return (
    eventName === 'ConsoleLogin' ||
    eventName === 'CheckMfa' ||
    eventName === 'Authenticate' ||
    eventName === 'UserAuthentication'
  );
}

/** Failed sign-ins, and those that a success followed within a day. */
function failedLogins({ calls, changes }: HabitsInput): Answered {
  const base = { id: 'failed-logins', question: 'Did sign-ins fail before one succeeded?' };
  const signIns = [...calls, ...changes].filter(isSignIn).toSorted((a, b) => (a.eventTime < b.eventTime ? -1 : 1));
  if (signIns.length === 0)
    return { ...base, state: 'nothing-found', answer: 'No sign-in at the console in the window.', evidence: [] };
  const failed = signIns.filter((record) => !succeeded(record));
  if (failed.length === 0)
    return {
      ...base,
      state: 'nothing-found',
      answer: `${count(signIns.length, 'sign-in')}, none failed.`,
      evidence: [],
    };
  const success = signIns.find(
    (record) =>
      record.eventName === 'ConsoleLogin' &&
      succeeded(record) &&
      failed.some(
        ({ eventTime }) =>
          eventTime <= record.eventTime && Date.parse(record.eventTime) - Date.parse(eventTime) <= dayMs,
      ),
  );
  if (success === undefined)
    return {
      ...base,
      state: 'hits',
      answer: `${count(failed.length, 'failed sign-in')}, last ${utc(failed.at(-1)?.eventTime ?? '')}; no success after it.`,
      evidence: ids(failed),
    };
  const earlier = failed.filter(({ eventTime }) => eventTime <= success.eventTime);
  const mfa = success.additionalEventData?.MFAUsed;
  return {
    ...base,
    state: 'hits',
    answer: `${count(earlier.length, 'failed sign-in')}, then a success at ${utc(success.eventTime)}${mfa === 'Yes' ? ' with MFA' : mfa === 'No' ? ' WITHOUT MFA' : ''}.`,
    evidence: ids([...earlier, success]),
  };
}

function callName(record: CloudTrailRecord): string {
  return `${serviceOf(record)}:${record.eventName}`;
}

/** `08-11, 14`. */
function hourRanges(hours: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const hour of hours) {
    const last = ranges.at(-1);
    if (last && last[1] === hour - 1) last[1] = hour;
    else ranges.push([hour, hour]);
  }
  const two = (hour: number) => String(hour).padStart(2, '0');
  return ranges.map(([from, to]) => (from === to ? two(from) : `${two(from)}-${two(to)}`)).join(', ');
}

function list(items: readonly string[], shown: number): string {
  return items.length <= shown
    ? items.join(', ')
    : `${items.slice(0, shown).join(', ')} and ${items.length - shown} more`;
}

function ids(records: readonly CloudTrailRecord[]): readonly string[] {
  return distinct(records.map(({ eventID }) => eventID)).slice(0, shownIds);
}
