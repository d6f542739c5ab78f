/** Which source answers for flows and lookups: the lake where it covers the question, else Athena, else what the lake has. */
import { asError } from '../../contracts/errors.ts';
import type { Coverage } from '../../contracts/evidence.ts';
import type { Found, NetworkLogs } from '../../contracts/network.ts';
import { networkGaps } from './gaps.ts';
import { type LakeNetworkOptions, openLakeNetwork } from './lake.ts';
import type { NetworkKind } from './pages.ts';

/** `athena`: undefined where the config names no table of that kind. */
export function planNetwork(
  options: LakeNetworkOptions,
  athena: Partial<Pick<NetworkLogs, 'flows' | 'lookups'>>,
): NetworkLogs {
  const lake = openLakeNetwork(options);
  async function ask<Group>(
    kind: NetworkKind,
    fromLake: () => Promise<Found<Group>>,
    fromAthena: (() => Promise<Found<Group>>) | undefined,
  ): Promise<Found<Group>> {
    let gaps: readonly string[];
    try {
      gaps = await networkGaps(kind, options);
    } catch (error) {
      options.log.warn({ error: asError(error) }, 'the network side of the lake could not be looked into');
      gaps = ['the lake could not be looked into'];
    }
    if (gaps.length === 0 || fromAthena === undefined) return fromLake();
    options.log.info({ gaps: gaps.slice(0, 3) }, 'the lake does not cover the question, Athena is asked');
    const asked = await fromAthena();
    if (!asked.coverage.sources.some((source) => source.failed)) return asked;
    // Athena could not: what the lake has is better than nothing, and the answer says both.
    const rest = await fromLake();
    return { groups: rest.groups, coverage: withFailure(rest.coverage, asked.coverage) };
  }
  return {
    flows: (question) =>
      ask(
        'flows',
        () => lake.flows(question),
        athena.flows && (() => athena.flows?.(question) ?? lake.flows(question)),
      ),
    lookups: (question) =>
      ask(
        'dns',
        () => lake.lookups(question),
        athena.lookups && (() => athena.lookups?.(question) ?? lake.lookups(question)),
      ),
  };
}

function withFailure(lake: Coverage, athena: Coverage): Coverage {
  return { ...lake, complete: false, sources: [...athena.sources, ...lake.sources] };
}
