/** Amazon Lightsail: instances, which cost the same whether they run or not. Its bundles carry their prices. */
import { GetBundlesCommand, GetInstancesCommand } from '@aws-sdk/client-lightsail';
import { count } from '#src/domain/phrases.ts';
import { lightsailHourly } from '#src/domain/service-prices.ts';
import { listed, paged } from '../look.ts';
import { type Asker, idsKept, isoOf, latest, short, type Where } from './asker.ts';

export const lightsail: Asker = {
  read: 'Lightsail instances',
  permissions: ['lightsail:GetBundles', 'lightsail:GetInstances'],
  async ask(where) {
    const client = where.reader.lightsail(where.region);
    const all = await paged(async (pageToken) => {
      const page = await client.send(new GetInstancesCommand({ pageToken }), where.soon());
      return { items: listed(page.instances, 'instances'), next: page.nextPageToken };
    });
    if (all.length === 0) return { things: [], total: 0 };
    const told = await where.part(() => prices(where));
    const groups = Map.groupBy(all, (one) => [one.bundleId, one.blueprintId, one.state?.name].join('\n'));
    const things = [...groups.values()].map((same) => {
      const [one] = same;
      const bundle = one?.bundleId ?? '';
      const each = told.ok ? lightsailHourly(told.value.get(bundle)) : undefined;
      const { cpuCount = 0, ramSizeInGb = 0 } = one?.hardware ?? {};
      return {
        id: one?.arn ?? one?.name ?? '',
        ids: same.map(({ arn, name }) => arn ?? name ?? '').slice(0, idsKept),
        says: `${count(same.length, 'instance')} ${short(
          same
            .slice(0, 2)
            .map(({ name }) => name)
            .join(', '),
        )}${same.length > 2 ? ' …' : ''}, ${short(bundle, 40)} (${cpuCount} vCPU, ${ramSizeInGb} GB), ${short(one?.blueprintId, 40)}, ${short(one?.state?.name, 20)}`,
        count: same.length,
        at: latest(same.map(({ createdAt }) => isoOf(createdAt))),
        hourly: each === undefined ? undefined : each * same.length,
        ...(each === undefined ? { unpriced: `Lightsail ${short(bundle, 40)}` } : {}),
        marks: [],
        bound: true,
      };
    });
    // Without prices everything is still found: they stand as unknown.
    return { things, total: all.length };
  },
};

/** USD per month, by bundle. */
async function prices({ reader, region, soon }: Where): Promise<ReadonlyMap<string, number>> {
  const all = await paged(async (pageToken) => {
    const page = await reader
      .lightsail(region)
      .send(new GetBundlesCommand({ includeInactive: true, pageToken }), soon());
    return { items: listed(page.bundles, 'bundles'), next: page.nextPageToken };
  });
  return new Map(all.flatMap(({ bundleId, price }) => (bundleId && price !== undefined ? [[bundleId, price]] : [])));
}
