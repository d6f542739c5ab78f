/** What the trails of an account would show in an incident. Judges what was read. */
import { few } from './answers.ts';
import type { Looked } from './looked.ts';
import type { Recorded } from './trail-selectors.ts';

export interface FoundTrail {
  readonly arn: string;
  readonly name: string;
  readonly multiRegion: boolean;
  readonly validation: boolean;
  readonly organization: boolean;
  readonly logging: Looked<{ readonly on: boolean; readonly deliveryError: string }>;
  readonly recorded: Looked<Recorded>;
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
        ? `${namesOf(wide)} not running`
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
  const recorded = running.flatMap((one) => (one.recorded.ok ? one.recorded.value.reads : []));
  const refused = running.flatMap((one) => (one.recorded.ok ? [] : [`${one.name}: ${one.recorded.reason}`]));
  const hasObjects = recorded.includes('AWS::S3::Object');
  return [
    check('trail', ...recording(running, refused)),
    check(
      'trail-delivery',
      errors.length === running.length ? 'no' : 'yes',
      errors.length > 0 ? errors.join('; ') : 'no error of delivery',
    ),
    check('trail-validation', ...validation(running)),
    hasObjects || refused.length === 0
      ? check(
          'data-events',
          hasObjects ? 'yes' : 'no',
          recorded.length > 0
            ? `reads are recorded of ${few([...new Set(recorded)], 4)}`
            : 'no reads of data are recorded',
        )
      : check('data-events', 'could-not-look', refused.join('; ')),
  ];
}

function namesOf(trails: readonly FoundTrail[]): string {
  return few(
    trails.map(({ name }) => name),
    4,
  );
}

/** What is proven unchanged has to be what an incident is looked for in: the management events, all of them. */
function validation(running: readonly FoundTrail[]): readonly ['yes' | 'no' | 'could-not-look', because: string] {
  const proven = running.filter((trail) => trail.validation);
  if (proven.length === 0) return ['no', 'log file validation is off'];
  const whole = proven.filter(({ recorded }) => recorded.ok && recorded.value.management === 'all');
  if (whole.length > 0) return ['yes', `${namesOf(whole)} validates`];
  const unseen = proven.flatMap(({ name, recorded }) => (recorded.ok ? [] : [`${name}: ${recorded.reason}`]));
  if (unseen.length > 0) return ['could-not-look', unseen.join('; ')];
  return ['no', `${namesOf(proven)} validates, but does not record all management events`];
}

/** A trail that runs and leaves the management events out, or their writes, would show nothing of an attack. */
function recording(
  running: readonly FoundTrail[],
  refused: readonly string[],
): readonly ['yes' | 'no' | 'could-not-look', because: string] {
  const whole = running.filter(({ recorded }) => recorded.ok && recorded.value.management === 'all');
  if (whole.length > 0) return ['yes', `${namesOf(whole)} running`];
  if (refused.length > 0) return ['could-not-look', refused.join('; ')];
  const some = running.some(({ recorded }) => recorded.ok && recorded.value.management === 'part');
  return ['no', `${namesOf(running)} running, but recording ${some ? 'a part of the' : 'no'} management events`];
}
