import { sql } from 'kysely';
import type { HostStore, LiftWish } from '../contracts/host.ts';
import { appendAudit } from './audit.ts';
import { asking, type Database, json, text } from './database.ts';

const liftKey = 'lift';

export function hostStore(db: Database): HostStore {
  return {
    answer: (id, sentence, at) =>
      asking(async () => {
        await db
          .insertInto('host_answers')
          .values({ id: text(id), answer: text(sentence), at })
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute();
      }),

    answerTo: (id) =>
      asking(async () => {
        const found = db.selectFrom('host_answers').select('answer').where('id', '=', text(id));
        return (await found.executeTakeFirst())?.answer;
      }),

    wishLift: (wish) =>
      asking(() =>
        db.transaction().execute(async (tx) => {
          const value = json(wish);
          await tx
            .insertInto('settings')
            .values({ key: liftKey, value })
            .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
            .execute();
          const { userId, person, reason, at } = wish;
          await appendAudit(tx, { event: 'lift.ask', actor: userId, at, payload: { person, reason } });
        }),
      ),

    liftWish: () =>
      asking(async () => {
        const found = db.selectFrom('settings').select('value').where('key', '=', liftKey);
        return (await found.executeTakeFirst())?.value as LiftWish | undefined;
      }),

    countClick: (userId) =>
      asking(async () => {
        const { rows } = await sql<{ clicks: number }>`
          insert into clicks as counted (user_id, minute) values (${text(userId)}, date_trunc('minute', now()))
          on conflict (user_id, minute) do update set clicks = counted.clicks + 1
          returning clicks
        `.execute(db);
        const clicks = rows[0]?.clicks ?? 1;
        // The first click of a minute has time to forget the older ones.
        if (clicks === 1) await sql`delete from clicks where minute < now() - interval '1 hour'`.execute(db);
        return clicks;
      }),
  };
}
