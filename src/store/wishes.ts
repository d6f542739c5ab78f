/** What people asked for, before anything was decided: wishes for containment, and votes. Kept until they are handled. */
import type { ApprovalsStore } from '../contracts/store.ts';
import { appendAudit } from './audit.ts';
import { asking, type Database, json, newId, text } from './database.ts';

type Wishes = Pick<
  ApprovalsStore,
  'saveRequest' | 'request' | 'requestHandled' | 'saveVote' | 'vote' | 'voteHandled' | 'unhandled'
>;

export function wishesStore(db: Database): Wishes {
  return {
    saveRequest: (request) =>
      asking(async () => {
        const id = newId();
        await db.transaction().execute(async (tx) => {
          await tx
            .insertInto('containment_requests')
            .values({ id, request: json(request), received_at: request.at })
            .execute();
          await appendAudit(tx, {
            event: 'ask',
            actor: request.userId,
            at: request.at,
            caseId: request.caseId,
            approvalId: request.undoOf,
            payload: {
              ...{ requestId: id, action: request.action, words: request.words, channel: request.channel },
              ...(request.door !== undefined && { door: request.door, hostUser: request.hostUser ?? null }),
            },
          });
        });
        return id;
      }),

    requestHandled: (id, at) =>
      asking(async () => {
        await db.updateTable('containment_requests').set({ handled_at: at }).where('id', '=', text(id)).execute();
      }),

    request: (id) =>
      asking(async () => {
        const found = db.selectFrom('containment_requests').select('request').where('id', '=', text(id));
        return (await found.executeTakeFirst())?.request;
      }),

    saveVote: (vote, code) =>
      asking(async () => {
        const id = newId();
        await db.transaction().execute(async (tx) => {
          await tx
            .insertInto('vote_requests')
            .values({ id, vote: json(vote), received_at: vote.at })
            .execute();
          if (code === undefined) return;
          await tx
            .insertInto('vote_codes')
            .values({ vote_id: id, code: text(code) })
            .execute();
        });
        return id;
      }),

    vote: (id) =>
      asking(async () => {
        const found = db
          .selectFrom('vote_requests')
          .select('vote')
          .where('id', '=', text(id))
          .where('handled_at', 'is', null);
        return (await found.executeTakeFirst())?.vote;
      }),

    voteHandled: (id, at) =>
      asking(async () => {
        await db.updateTable('vote_requests').set({ handled_at: at }).where('id', '=', text(id)).execute();
      }),

    unhandled: (olderThan, limit) =>
      asking(async () => {
        const of = (table: 'containment_requests' | 'vote_requests') =>
          db
            .selectFrom(table)
            .select('id')
            .where('handled_at', 'is', null)
            .where('received_at', '<', new Date(olderThan))
            .orderBy('received_at')
            .limit(limit)
            .execute();
        const [requests, votes] = await Promise.all([of('containment_requests'), of('vote_requests')]);
        return { requests: requests.map(({ id }) => id), votes: votes.map(({ id }) => id) };
      }),
  };
}
