/** What the trails of an account would show in an incident. Judges what was read. */
import { few } from './answers.ts';
import type { Looked } from './looked.ts';

export interface FoundTrail {
  readonly arn: string;
  readonly name: string;
  readonly multiRegion: boolean;
  readonly validation: boolean;
  readonly organization: boolean;
  readonly logging: Looked<{ readonly on: boolean; readonly deliveryError: string }>;
  /** Kinds of data events that it records: `AWS::S3::Object`, ... */
  readonly dataEvents: Looked<readonly string[]>;
}

const ids = ['trail', 'trail-delivery', 'trail-validation', 'data-events'] as const;

/** The questions about trails: only one that covers all Regions and runs counts. `check` makes the answer of one question. */
export function trailChecks<Check>(
  trails: Looked<readonly FoundTrail[]>,
  check: (id: (typeof ids)[number], answer: 'yes' | 'no' | 'could-not-look', because: string) => Check,
): readonly Check[] {
  if (!trails.ok) return ids.map((id) => check(id, 'could-not-look', trails.reason));
  const wide = trails.value.filter(({ multiRegion }) => multiRegion);
  const running = wide.filter(({ logging }) => logging.ok && logging.value.on);
  const unseen = wide.flatMap(({ name, logging }) => (logging.ok ? [] : [`${name}: ${logging.reason}`]));
  if (running.length === 0) {
    const why =
      wide.length > 0
        ? `${few(
            wide.map(({ name }) => name),
            4,
          )} not running`
        : trails.value.length > 0
          ? 'no trail covers all Regions'
          : 'there is no trail';
    const [answer, because] =
      unseen.length > 0 ? (['could-not-look', unseen.join('; ')] as const) : (['no', why] as const);
    return ids.map((id) => check(id, answer, because));
  }
  const errors = running.flatMap(({ name, logging }) =>
    logging.ok && logging.value.deliveryError !== '' ? [`${name}: ${logging.value.deliveryError}`] : [],
  );
  const proven = running.filter(({ validation }) => validation);
  const recorded = running.flatMap(({ dataEvents }) => (dataEvents.ok ? dataEvents.value : []));
  const refused = running.flatMap(({ name, dataEvents }) => (dataEvents.ok ? [] : [`${name}: ${dataEvents.reason}`]));
  const hasObjects = recorded.includes('AWS::S3::Object');
  return [
    check(
      'trail',
      'yes',
      `${few(
        running.map(({ name }) => name),
        4,
      )} running`,
    ),
    check(
      'trail-delivery',
      errors.length === running.length ? 'no' : 'yes',
      errors.length > 0 ? errors.join('; ') : 'no error of delivery',
    ),
    check(
      'trail-validation',
      proven.length > 0 ? 'yes' : 'no',
      proven.length > 0
        ? `${few(
            proven.map(({ name }) => name),
            4,
          )} validates`
        : 'log file validation is off',
    ),
    hasObjects || refused.length === 0
      ? check(
          'data-events',
          hasObjects ? 'yes' : 'no',
          recorded.length > 0 ? `recorded: ${few([...new Set(recorded)], 4)}` : 'no data events are recorded',
        )
      : check('data-events', 'could-not-look', refused.join('; ')),
  ];
}
