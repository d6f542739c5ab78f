/** What an investigation may ask beside CloudTrail. Each part says in its own coverage what it could not look at. */
import type { AthenaQuestions } from './athena.ts';
import type { NetworkLogs, People } from './network.ts';

export interface OtherSources {
  readonly network: NetworkLogs;
  readonly people: People;
  /** Undefined where the config names no Athena. */
  readonly athena?: AthenaQuestions | undefined;
}
