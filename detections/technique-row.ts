/** One line of the technique table, which may stand for several calls. */
import type { Technique } from '#src/domain/sightings.ts';

/** Words are separated by blanks; tactics, whose names have blanks, by ` / `. */
export function row(
  services: string,
  events: string,
  technique: string,
  tactic: string,
  says: string,
  weight: Technique['weight'],
  only?: Technique['only'],
): readonly Technique[] {
  return events.split(' ').map((event) => ({
    sources: services.split(' ').map((service) => `${service}.amazonaws.com`),
    event,
    technique: technique.split(' '),
    tactic: tactic.split(' / '),
    says,
    weight,
    ...(only === undefined ? {} : { only }),
  }));
}
