/** What investigations are given beside logs and AWS. */
import type { Surroundings } from '../contracts/surroundings.ts';
import type { WorkerDeps } from './deps.ts';

export function surroundingsOf({
  addresses,
  accounts,
  store,
}: Pick<WorkerDeps, 'addresses' | 'accounts' | 'store'>): Surroundings {
  return { addresses, accounts, noticed: (ids) => store.enrichments.noticed(ids) };
}
