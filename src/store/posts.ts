import type { ButtonsStore } from '../contracts/buttons.ts';
import type { PostsStore } from '../contracts/store.ts';
import { asking, type Database, indexed, json, newId, text } from './database.ts';

export function postsStore(db: Database): PostsStore {
  return {
    claim: (key, channel, at) =>
      asking(async () => {
        const claimed = await db
          .insertInto('posts')
          .values({ key: text(key), channel: text(channel), delivery_id: newId(), claimed_at: at })
          .onConflict((conflict) => conflict.column('key').doNothing())
          .returning('delivery_id')
          .executeTakeFirst();
        if (claimed !== undefined) return { state: 'new', deliveryId: claimed.delivery_id };
        const before = await db
          .selectFrom('posts')
          .select(['delivery_id', 'ts'])
          .where('key', '=', text(key))
          .executeTakeFirstOrThrow();
        if (before.ts === null) return { state: 'unsure', deliveryId: before.delivery_id };
        return { state: 'posted', ts: before.ts, deliveryId: before.delivery_id };
      }),

    release: (key) =>
      asking(async () => {
        await db.deleteFrom('posts').where('key', '=', text(key)).where('ts', 'is', null).execute();
      }),

    posted: (key, ts, channel) =>
      asking(async () => {
        await db
          .updateTable('posts')
          .set({ ts: text(ts), ...(channel === undefined ? {} : { channel: text(channel) }) })
          .where('key', '=', text(key))
          .execute();
      }),

    get: (key) =>
      asking(async () => {
        const row = await db
          .selectFrom('posts')
          .select(['channel', 'ts'])
          .where('key', '=', text(key))
          .executeTakeFirst();
        return row === undefined || row.ts === null ? undefined : { channel: row.channel, ts: row.ts };
      }),

    gone: (key, ts) =>
      asking(async () => {
        await db.deleteFrom('posts').where('key', '=', text(key)).where('ts', '=', text(ts)).execute();
      }),
  };
}

export function buttonsStore(db: Database): ButtonsStore {
  return {
    // The first meaning stays: what a person saw when the card was posted is what the click means.
    mint: (key, meaning) =>
      asking(async () => {
        const row = await db
          .insertInto('buttons')
          .values({ id: newId(), key: indexed(key), meaning: json(meaning) })
          .onConflict((conflict) =>
            conflict.column('key').doUpdateSet((update) => ({ key: update.ref('excluded.key') })),
          )
          .returning('id')
          .executeTakeFirstOrThrow();
        return row.id;
      }),

    meaning: (id) =>
      asking(async () => {
        const row = await db.selectFrom('buttons').select('meaning').where('id', '=', text(id)).executeTakeFirst();
        return row?.meaning;
      }),
  };
}
