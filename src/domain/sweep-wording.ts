/** A sweep in words: what runs, where it is not expected, what it costs, who is new. */
import type { Line, Part } from '../contracts/message.ts';
import { bold, code, count, line, utc } from './phrases.ts';
import type { Sweep, SweptGroup } from './sweep.ts';

const shownGroups = 12;
const shownNew = 6;

/** `$3.06`, with the cents that matter. */
function dollars(amount: number): string {
  return `$${amount.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

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
  if (sweep.instances.length > 0) {
    const rest = sweep.instances.length - shownGroups;
    parts.push({
      kind: 'table',
      columns: ['Type', 'Region', 'Running', 'Stopped', 'Per hour', ''],
      rows: [
        ...sweep.instances.slice(0, shownGroups).map(rowOf),
        ...(rest > 0 ? [[`and ${count(rest, 'more line')}`, '', '', '', '', '']] : []),
      ],
    });
  }
  const facts = [
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
    line(bold('Nobody asked about: '), `${sweep.notLookedAt.slice(0, 12).join('; ').replace(/\.+$/, '')}.`),
  ];
  parts.push({ kind: 'list', items: facts });
  return parts;
}

function rowOf(one: SweptGroup): readonly string[] {
  const marks = [...(one.expected === false ? ['not expected here'] : []), ...(one.dear ? ['GPU or very large'] : [])];
  return [
    one.type,
    one.region,
    String(one.running),
    String(one.stopped),
    one.hourly === undefined ? 'unknown' : dollars(one.hourly),
    marks.join(', '),
  ];
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
  const id = odd?.instanceIds[0];
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
  return said.join(' and ');
}
