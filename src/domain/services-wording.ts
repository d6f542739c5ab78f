/** What exists now beside EC2, in words: the worst first, a line each, the rest in the file. */
import type { ReportFile } from '../contracts/investigation.ts';
import type { Line } from '../contracts/message.ts';
import { csvFile, few } from './answers.ts';
import { bold, count, line, utc } from './phrases.ts';
import { isOdd, type ServiceRead, type SweptThing } from './services-now.ts';
import type { Sweep } from './sweep.ts';

/** `$3.06`, with the cents that matter. */
export function dollars(amount: number): string {
  return `$${amount.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

/** By name: reads that found nothing worth telling, and those without a full answer. Why stands with the coverage. */
export function quietLines({ services }: Sweep): readonly Line[] {
  const quiet = services.filter(({ state }) => state === 'nothing-found').map(({ read }) => read);
  const open = services.filter(({ because }) => because !== undefined).map(({ read }) => read);
  return [
    ...(quiet.length > 0 ? [line(bold('Nothing to tell of: '), `${quiet.join(', ')}.`)] : []),
    ...(open.length > 0 ? [line(bold('No full answer from: '), `${open.join(', ')}.`)] : []),
  ];
}

/** Things that are the same but for their Region, as one. */
export function alikeThings(things: readonly SweptThing[]): readonly (readonly SweptThing[])[] {
  const key = (thing: SweptThing) => [thing.accountId, thing.read, thing.says, oddWords(thing).join()].join('\n');
  return [...Map.groupBy(things, key).values()];
}

/** One line for things that are the same but for their Region. */
export function thingsLine(same: readonly SweptThing[]): Line {
  const [thing] = same;
  if (thing === undefined) return line('');
  const regions = [...new Set(same.map(({ region }) => region))].filter((region) => region !== '');
  const where = regions.length === 0 ? '' : `, ${few(regions, 4)}`;
  const hourly = same.reduce((sum, one) => sum + (one.hourly ?? 0), 0);
  const facts = [
    ...(thing.hourly === undefined
      ? []
      : [`${dollars(hourly)} per hour${same.length > 1 ? ` in ${regions.length} Regions` : ''}`]),
    ...(thing.at === '' ? [] : [`${thing.isNew ? 'new, ' : ''}${utc(thing.at)}`]),
  ];
  const odd = oddWords(thing);
  return line(
    bold(`${thing.read}${where}: `),
    `${thing.says}${facts.length === 0 ? '' : `; ${facts.join('; ')}`}`,
    ...(odd.length === 0 ? [] : [bold(`; ${odd.join(', ')}`)]),
  );
}

function oddWords({ expected, marks }: SweptThing): readonly string[] {
  return [...(expected === false ? ['not expected here'] : []), ...marks];
}

/** What stands out, for the verdict; "" where nothing does. */
export function servicesRemark({ things }: Sweep): string {
  const odd = alikeThings(things.filter(isOdd));
  if (odd.length === 0) return '';
  const reads = [...new Set(odd.flat().map(({ read }) => read))];
  return `${count(odd.length, 'thing')} in other services ${odd.length === 1 ? 'stands' : 'stand'} out (${few(reads, 3)})`;
}

const machines: readonly ServiceRead[] = [
  'ECS tasks and services',
  'SageMaker notebooks',
  'SageMaker endpoints',
  'SageMaker training jobs',
  'SageMaker processing jobs',
  'SageMaker Studio apps',
  'Lightsail instances',
  'spot requests',
  'spot fleets',
  'EC2 fleets',
];

/** What to do about what stands out, in sentences. */
export function servicesPlan({ things }: Sweep): readonly string[] {
  const odd = things.filter(isOdd);
  const of = (...reads: readonly ServiceRead[]) => odd.filter(({ read }) => reads.includes(read));
  const run = of(...machines);
  const open = of('Lambda functions').filter(({ marks }) => marks.length > 0);
  return [
    ...(run.length > 0
      ? [
          `Ask who runs ${few(
            [...new Set(run.map(({ read, region }) => `the ${read} in ${region}`))],
            3,
          )}; if nobody knows them, keep what shows who made them, then stop them.`,
        ]
      : []),
    ...(of('service quota requests').length > 0
      ? ['Ask who wanted the higher limits; withdraw what nobody wanted, and ask AWS to lower what was granted.']
      : []),
    ...(of('SES sending', 'SES identities').length > 0
      ? ['Ask who sends mail from there; switch sending off where nobody does.']
      : []),
    ...(open.length > 0 ? ['Ask whether those functions shall be open to anybody.'] : []),
    ...(of('alternate contacts').length > 0
      ? [
          'Ask the owner of the account whether the contacts are his own, and put the right ones back: AWS writes to them, not to you.',
        ]
      : []),
  ];
}

/** Everything that the sweep found, one row each. It goes into the thread where the message, which holds `shown`, does not. */
export function sweepFile(sweep: Sweep, shown: number): ReportFile {
  const columns = 'account region what id says count at hourly_usd expected new marks'.split(' ');
  const instances = sweep.instances.map((one) => [
    ...[one.accountId, one.region, 'EC2 instances', one.instanceIds[0] ?? ''],
    ...[`${one.type}: ${one.running} running, ${one.stopped} stopped`, one.running + one.stopped, one.lastLaunch],
    ...[one.hourly?.toFixed(4) ?? '', wordOf(one.expected), '', one.dear ? 'GPU or very large' : ''],
  ]);
  const things = sweep.things.map((one) => [
    ...[one.accountId, one.region, one.read, one.id, one.says, one.count, one.at],
    ...[one.hourly?.toFixed(4) ?? '', wordOf(one.expected), one.isNew ? 'yes' : '', one.marks.join(', ')],
  ]);
  const isLong = sweep.things.length + sweep.instances.length > shown;
  return csvFile('sweep', 'What exists now, one row each.', columns, [...instances, ...things], isLong);
}

function wordOf(expected: boolean | undefined): string {
  return expected === undefined ? '' : expected ? 'yes' : 'no';
}
