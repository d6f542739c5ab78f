import type { NoiseStore } from '../contracts/noise.ts';
import { asking, type Database, iso, text } from './database.ts';

type Digests = Pick<NoiseStore, 'digest' | 'digestLines' | 'digestShown' | 'digestsBehind'>;

/** Digests and how far Slack shows them. */
export function digestsStore(db: Database): Digests {
  return {
    digest: (id) =>
      asking(async () => {
        const row = await db.selectFrom('digests').selectAll().where('id', '=', text(id)).executeTakeFirst();
        if (row === undefined) return undefined;
        const groups = await db
          .selectFrom('digest_lines')
          .select(['group_words', ({ fn }) => fn.countAll<string>().as('count')])
          .where('digest_id', '=', row.id)
          .where('number', '<=', row.total)
          .groupBy('group_words')
          .orderBy('count', 'desc')
          .orderBy('group_words')
          .execute();
        return {
          id: row.id,
          channel: row.channel,
          openedAt: iso(row.opened_at),
          total: row.total,
          shown: row.shown,
          groups: groups.map((each) => ({ group: each.group_words, count: Number(each.count) })),
        };
      }),

    digestLines: (id, from, limit) =>
      asking(async () => {
        const rows = await db
          .selectFrom('digest_lines')
          .select(['number', 'case_id', 'line'])
          .where('digest_id', '=', text(id))
          .where('number', '>=', from)
          .orderBy('number')
          .limit(limit)
          .execute();
        return rows.map((row) => ({ number: row.number, caseId: row.case_id, line: row.line }));
      }),

    digestShown: (id, shown) =>
      asking(async () => {
        await db.updateTable('digests').set({ shown }).where('id', '=', text(id)).where('shown', '<', shown).execute();
      }),

    digestsBehind: () =>
      asking(async () => {
        const rows = await db
          .selectFrom('digests')
          .select('id')
          .whereRef('shown', '<', 'total')
          .orderBy('opened_at')
          .limit(100)
          .execute();
        return rows.map(({ id }) => id);
      }),
  };
}
