/** A sweep in words: what runs, where it is not expected, what it costs, who is new. */
import type { Line, Part } from '../contracts/message.ts';
import { bold, code, count, line, utc } from './phrases.ts';
import { isOdd } from './services-now.ts';
import { alikeThings, dollars, quietLines, servicesPlan, servicesRemark, thingsLine } from './services-wording.ts';
import type { Sweep, SweptGroup } from './sweep.ts';

/** Instances of one type and things of other services, together: more does not read well on a phone. */
export const sweptShown = 10;
const shownNew = 6;

export function sweepParts(sweep: Sweep): readonly Part[] {
  const head: Part = { kind: 'lines', lines: [line(bold('What exists now'))] };
  if (sweep.state === 'not-looked-at')
    return [head, { kind: 'lines', lines: [line(`Not looked at: ${sweep.because ?? 'no reason told'}.`)] }];
  const running = sweep.instances.reduce((sum, one) => sum + one.running, 0);
  const lines: Line[] = [
    line(
      `${count(running, 'instance')} running in ${count(new Set(sweep.instances.filter((one) => one.running > 0).map(({ region }) => region)).size, 'Region')} of ${sweep.regionsLookedAt} looked at. `,
      bold(`Estimate: ${dollars(sweep.hourly)} per hour`),
      ` (${sweep.prices}${sweep.unpriced.length > 0 ? `; no price known for ${sweep.unpriced.slice(0, 5).join(', ')}` : ''}).`,
    ),
    ...(sweep.unexpectedRegions.length > 0
      ? [line(bold('Where nothing is expected: '), sweep.unexpectedRegions.join(', '))]
      : []),
  ];
  const parts: Part[] = [head, { kind: 'lines', lines }];
  const found = worstFirst(sweep);
  const rest = found.length - sweptShown;
  const facts = [
    ...found.slice(0, sweptShown),
    ...(rest > 0 ? [line(`and ${rest} more, in the file sweep.csv`)] : []),
    ...quietLines(sweep),
    ...sweep.scalingGroups
      .filter(({ most }) => most > 0)
      .slice(0, shownNew)
      .map((one) =>
        line(bold('Auto Scaling: '), code(one.name), ` in ${one.region} wants ${one.wanted}, at most ${one.most}`),
      ),
    ...sweep.identities
      .slice(0, shownNew)
      .map((one) =>
        line(
          bold(one.kind === 'user' ? 'New user: ' : 'New key: '),
          code(one.id),
          ` (${one.of}), made ${utc(one.madeAt)}`,
        ),
      ),
    ...(sweep.identities.length > shownNew
      ? [line(`and ${sweep.identities.length - shownNew} more users and keys made in the window`)]
      : []),
    ...sweep.memberAccounts
      .slice(0, shownNew)
      .map((one) =>
        line(bold('Account: '), code(one.id), ` ${one.name}, ${one.email}, ${one.state}, joined ${utc(one.joinedAt)}`),
      ),
    line(bold('Not looked at: '), `${sweep.notLookedAt.slice(0, 8).join('; ').replace(/\.+$/, '')}.`),
  ];
  parts.push({ kind: 'list', items: facts });
  return parts;
}

/** What stands out, then what costs most; instances and things of other services mixed. */
function worstFirst({ instances, things }: Sweep): readonly Line[] {
  return [
    ...instances.map((one) => ({
      ...{ odd: one.running > 0 && (one.expected === false || one.dear), hourly: one.hourly ?? 0, isNew: false },
      line: groupLine(one),
    })),
    ...alikeThings(things).map((same) => ({
      odd: same.some(isOdd),
      hourly: same.reduce((sum, one) => sum + (one.hourly ?? 0), 0),
      isNew: same.some(({ isNew }) => isNew),
      line: thingsLine(same),
    })),
  ]
    .toSorted((a, b) => Number(b.odd) - Number(a.odd) || b.hourly - a.hourly || Number(b.isNew) - Number(a.isNew))
    .map((one) => one.line);
}

/** A line each, not a table: a phone shows six columns badly. */
function groupLine(one: SweptGroup): Line {
  const marks = [...(one.expected === false ? ['not expected here'] : []), ...(one.dear ? ['GPU or very large'] : [])];
  const cost = one.hourly === undefined ? 'price unknown' : `${dollars(one.hourly)} per hour`;
  return line(
    bold(`${one.type}, ${one.region}: `),
    `${one.running} running, ${one.stopped} stopped; ${cost}`,
    ...(marks.length === 0 ? [] : [bold(`; ${marks.join(', ')}`)]),
  );
}

/** What the sweep adds to the plan, in sentences. */
export function sweepPlan(sweep: Sweep): readonly string[] {
  const dear = sweep.instances.filter((one) => one.dear && one.running > 0);
  const elsewhere = sweep.instances.filter((one) => one.expected === false && one.running > 0);
  const ids = [...new Set([...elsewhere, ...dear].flatMap(({ instanceIds }) => instanceIds))];
  return [
    ...(ids.length > 0
      ? [
          `Ask who made ${ids.slice(0, 3).join(', ')}${ids.length > 3 ? ` and ${ids.length - 3} more instances` : ''}: they are ${elsewhere.length > 0 ? 'where nothing is expected' : 'dear'}; if nobody knows them, snapshot them, then stop them.`,
        ]
      : []),
    ...servicesPlan(sweep),
    ...(sweep.identities.length > 0
      ? [`Ask who wanted the ${count(sweep.identities.length, 'user or key', 'users and keys')} made in the window.`]
      : []),
    ...(sweep.state === 'looked'
      ? [
          `Look by hand at what was not asked about: ${sweep.notLookedAt.slice(0, 4).join(', ')} and others (listed above).`,
        ]
      : []),
  ];
}

/** What to type next. */
export function sweepNext(sweep: Sweep): readonly string[] {
  const odd = sweep.instances.find((one) => (one.expected === false || one.dear) && one.running > 0);
  const thing = sweep.things.find((one) => isOdd(one) && one.id.startsWith('arn:') && !/\s/.test(one.id));
  const id = odd?.instanceIds[0] ?? thing?.id;
  return id === undefined ? [] : [`/ir who-created ${id}`];
}

/** What is odd about what runs, for the verdict; "" where nothing is. */
export function sweepRemark(sweep: Sweep): string {
  const running = (groups: readonly SweptGroup[]): number => groups.reduce((sum, one) => sum + one.running, 0);
  const elsewhere = running(sweep.instances.filter((one) => one.expected === false));
  const dear = running(sweep.instances.filter((one) => one.dear));
  const said = [
    ...(elsewhere > 0
      ? [`${count(elsewhere, 'instance')} ${elsewhere === 1 ? 'runs' : 'run'} where nothing is expected`]
      : []),
    ...(dear > 0 ? [`${count(dear, 'GPU or very large instance')} ${dear === 1 ? 'runs' : 'run'} now`] : []),
  ];
  return [said.join(' and '), servicesRemark(sweep)].filter((words) => words !== '').join('; ');
}
