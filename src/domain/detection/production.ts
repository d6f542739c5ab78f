/** Which instances are production (DOMAIN.md 8.3): from the config, since the tags of terminated instances are gone within the hour. */
import { z } from 'zod';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import type { Account } from '../inventory.ts';
import { accountOf } from '../principal.ts';
import type { Counts } from '../sigma/correlate.ts';

/** Plain data: it goes into the targets of investigations. */
export const Production = z
  .object({ instances: z.array(z.string()).readonly(), accounts: z.array(z.string()).readonly() })
  .readonly()
  .default({ instances: [], accounts: [] });
export type Production = z.output<typeof Production>;

export function productionOf(accounts: readonly Account[], instances: readonly string[]): Production {
  return { instances, accounts: accounts.filter(isProduction).map(({ id }) => id) };
}

/** Where the config names no production at all, every instance counts: a burst that nobody hears of is worse than one too many. */
export function productionCounts({ instances, accounts }: Production): Counts {
  const listed = new Set(instances.map((id) => id.toLowerCase()));
  const whole = new Set(accounts);
  const knowsAny = listed.size > 0 || whole.size > 0;
  return (field: string, value: string, record: CloudTrailRecord) =>
    field !== 'firebreak.productionInstance' ||
    !knowsAny ||
    listed.has(value.toLowerCase()) ||
    whole.has(accountOf(record));
}

function isProduction({ environment }: Account): boolean {
  return /^prod(uction)?$/i.test(environment ?? '');
}
