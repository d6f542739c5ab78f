import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import type { Approval, ApprovalState, Step, Vote } from '../contracts/approval.ts';
import { UserError } from '../contracts/errors.ts';
import type { ApprovalsStore, Transition } from '../contracts/store.ts';
import { appendAudit } from './audit.ts';
import { asking, CallerError, type Database, iso, json, newId, optionalText, text } from './database.ts';
import { isFrozen } from './freeze.ts';
import type { Tables } from './tables.ts';
import { wishesStore } from './wishes.ts';

/** States in which something may still happen. */
const openStates: readonly ApprovalState[] = ['proposed', 'approved', 'applying'];

/** An undo that was carried out in part says more than one that nobody approved after it. */
const hasWritten = sql`exists (select from approval_steps s where s.approval_id = approvals.id and s.step->>'state' <> 'refused')`;

export function approvalsStore(db: Database): ApprovalsStore {
  return {
    ...wishesStore(db),

    markShown: (id, shown) =>
      asking(async () => {
        await db
          .updateTable('approvals')
          .set({ shown: text(shown) })
          .where('id', '=', text(id))
          .execute();
      }),

    notShown: (limit) =>
      asking(async () => {
        const rows = await db
          .selectFrom('approvals')
          .selectAll()
          .where((where) => where.or([where('shown', 'is', null), where('shown', '<>', where.ref('state'))]))
          .orderBy('number')
          .limit(limit)
          .execute();
        return withParts(db, rows);
      }),

    unwatched: (since, limit) =>
      asking(async () => {
        const rows = await db
          .selectFrom('approvals')
          .selectAll()
          .where('state', '=', 'verified')
          .where(sql<boolean>`plan->>'direction' = 'apply'`)
          .where(sql<boolean>`coalesce(watched->>'over', 'false') = 'false'`)
          .where(
            sql<boolean>`coalesce((watched->>'through')::timestamptz, sent_at, created_at) < ${since}::timestamptz`,
          )
          .orderBy('number')
          .limit(limit)
          .execute();
        return withParts(db, rows);
      }),

    propose: (input) => asking(() => db.transaction().execute((tx) => propose(tx, input))),

    get: (id) => asking(() => load(db, id)),

    ofRequest: (requestId) =>
      asking(async () => {
        const found = db.selectFrom('approvals').selectAll().where('request_id', '=', text(requestId));
        const row = await found.executeTakeFirst();
        return row === undefined ? undefined : (await withParts(db, [row]))[0];
      }),

    undoFor: (approvalId) =>
      asking(async () => {
        const row = await db
          .selectFrom('approvals')
          .selectAll()
          .where('undo_of', '=', text(approvalId))
          .orderBy(sql`state in ('proposed', 'approved', 'applying')`, 'desc')
          .orderBy(hasWritten, 'desc')
          .orderBy('number', 'desc')
          .limit(1)
          .executeTakeFirst();
        return row === undefined ? undefined : (await withParts(db, [row]))[0];
      }),

    open: () => asking(() => list(db, openStates, 1_000)),

    move: (id, decide) =>
      asking(() =>
        db.transaction().execute(async (tx) => {
          const approval = await load(tx, id, 'locked');
          if (approval === undefined) throw new UserError('There is no such approval.');
          const transition = decideSafely(decide, approval);
          const isKept = transition?.unlessFrozen === true && (await isFrozen(tx));
          if (transition === undefined || isKept) return { approval, moved: false };
          await store(tx, approval, transition);
          return { approval: (await load(tx, id)) ?? approval, moved: true };
        }),
      ),

    setStanding: (approvalId, standings) =>
      asking(async () => {
        if (standings.length === 0) return;
        await db
          .insertInto('standings')
          .values(
            standings.map((standing) => ({
              approval_id: text(approvalId),
              user_id: text(standing.userId),
              standing: json(standing),
            })),
          )
          .onConflict((conflict) =>
            conflict
              .columns(['approval_id', 'user_id'])
              .doUpdateSet((update) => ({ standing: sql<string>`${update.ref('excluded.standing')}` })),
          )
          .execute();
      }),

    standings: (approvalId) =>
      asking(async () => {
        const rows = await db
          .selectFrom('standings')
          .select('standing')
          .where('approval_id', '=', text(approvalId))
          .orderBy('user_id')
          .execute();
        return rows.map(({ standing }) => standing);
      }),

    inState: (states, limit) => asking(() => list(db, states, limit)),
  };
}

async function propose(tx: Transaction<Tables>, input: Parameters<ApprovalsStore['propose']>[0]): Promise<Approval> {
  const proposed = await tx
    .insertInto('approvals')
    .values({
      id: newId(),
      request_id: text(input.requestId),
      case_id: text(input.caseId),
      state: 'proposed',
      plan: json(input.plan),
      plan_hash: text(input.planHash),
      context: json(input.context),
      requester: json(input.requester),
      required: input.required,
      created_at: input.createdAt,
      expires_at: input.expiresAt,
      undo_of: optionalText(input.undoOf),
      channel: text(input.channel),
      thread_ts: optionalText(input.threadTs),
    })
    .onConflict((conflict) => conflict.column('request_id').doNothing())
    .returningAll()
    .executeTakeFirst();
  if (proposed === undefined) {
    const before = await tx
      .selectFrom('approvals')
      .selectAll()
      .where('request_id', '=', text(input.requestId))
      .executeTakeFirstOrThrow();
    return (await withParts(tx, [before]))[0] as Approval;
  }
  await appendAudit(tx, {
    event: 'plan',
    actor: input.requester.userId,
    caseId: input.caseId,
    approvalId: proposed.id,
    at: input.createdAt,
    payload: {
      person: input.requester.person,
      requestId: input.requestId,
      planHash: input.planHash,
      plan: input.plan,
      required: input.required,
      expiresAt: input.expiresAt,
      undoOf: input.undoOf,
    },
  });
  return approvalOf(proposed, [], []);
}

function decideSafely(
  decide: (approval: Approval) => Transition | undefined,
  approval: Approval,
): Transition | undefined {
  try {
    return decide(approval);
  } catch (thrown) {
    throw new CallerError(thrown);
  }
}

async function store(tx: Transaction<Tables>, approval: Approval, transition: Transition): Promise<void> {
  const { state, after, outcome, sentAt, watched, addVote, audit } = transition;
  if ([state, after, outcome, sentAt, watched].some((change) => change !== undefined)) {
    await tx
      .updateTable('approvals')
      .set({
        ...(state === undefined ? {} : { state }),
        ...(after === undefined ? {} : { after: json(after) }),
        ...(outcome === undefined ? {} : { outcome: text(outcome) }),
        ...(sentAt === undefined ? {} : { sent_at: sentAt }),
        ...(watched === undefined ? {} : { watched: json(watched) }),
      })
      .where('id', '=', approval.id)
      .execute();
  }
  if (addVote !== undefined) {
    await tx
      .insertInto('approval_votes')
      .values({ approval_id: approval.id, vote: json(addVote) })
      .execute();
  }
  if (transition.step !== undefined) await saveStep(tx, approval.id, transition.step);
  await appendAudit(tx, {
    ...audit,
    caseId: audit.caseId ?? approval.caseId,
    approvalId: audit.approvalId ?? approval.id,
  });
}

async function load(db: Kysely<Tables>, id: string, lock?: 'locked'): Promise<Approval | undefined> {
  const found = db.selectFrom('approvals').selectAll().where('id', '=', text(id));
  const row = await (lock === undefined ? found : found.forUpdate()).executeTakeFirst();
  return row === undefined ? undefined : (await withParts(db, [row]))[0];
}

/** Oldest first. */
async function list(db: Database, states: readonly ApprovalState[], limit: number): Promise<readonly Approval[]> {
  if (states.length === 0) return [];
  const rows = await db
    .selectFrom('approvals')
    .selectAll()
    .where('state', 'in', [...states])
    .orderBy('number')
    .limit(limit)
    .execute();
  return withParts(db, rows);
}

type Row = Selectable<Tables['approvals']>;
type VoteRow = { readonly approval_id: string; readonly vote: Vote };
type StepRow = { readonly approval_id: string; readonly step: Step };

async function withParts(db: Kysely<Tables>, rows: readonly Row[]): Promise<readonly Approval[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const votes = await db
    .selectFrom('approval_votes')
    .select(['approval_id', 'vote'])
    .where('approval_id', 'in', ids)
    .orderBy('number')
    .execute();
  const steps = await db
    .selectFrom('approval_steps')
    .select(['approval_id', 'step'])
    .where('approval_id', 'in', ids)
    .orderBy('index')
    .execute();
  return rows.map((row) => approvalOf(row, votes, steps));
}

async function saveStep(tx: Transaction<Tables>, approvalId: string, step: Step): Promise<void> {
  await tx
    .insertInto('approval_steps')
    .values({ approval_id: approvalId, index: step.index, step: json(step) })
    .onConflict((conflict) =>
      conflict
        .columns(['approval_id', 'index'])
        .doUpdateSet((update) => ({ step: sql<string>`${update.ref('excluded.step')}` })),
    )
    .execute();
}

function approvalOf(row: Row, votes: readonly VoteRow[], steps: readonly StepRow[]): Approval {
  return {
    id: row.id,
    caseId: row.case_id,
    state: row.state,
    plan: row.plan,
    planHash: row.plan_hash,
    context: row.context,
    requester: row.requester,
    required: row.required,
    votes: votes.filter(({ approval_id }) => approval_id === row.id).map(({ vote }) => vote),
    steps: steps.filter(({ approval_id }) => approval_id === row.id).map(({ step }) => step),
    createdAt: iso(row.created_at),
    expiresAt: iso(row.expires_at),
    ...(row.undo_of === null ? {} : { undoOf: row.undo_of }),
    channel: row.channel,
    ...(row.thread_ts === null ? {} : { threadTs: row.thread_ts }),
    ...(row.after === null ? {} : { after: row.after }),
    ...(row.outcome === null ? {} : { outcome: row.outcome }),
    ...(row.sent_at === null ? {} : { sentAt: iso(row.sent_at) }),
    ...(row.watched === null ? {} : { watched: row.watched }),
  };
}
