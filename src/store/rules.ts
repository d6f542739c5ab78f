import type { Transaction } from 'kysely';
import type { RuleChange, RulesStore } from '../contracts/rules.ts';
import { appendAudit } from './audit.ts';
import { asking, type Database, json, newId, text } from './database.ts';
import type { Tables } from './tables.ts';

export function rulesStore(db: Database): RulesStore {
  return {
    settled: () =>
      asking(async () => {
        const disabled = await db.selectFrom('disabled_rules').selectAll().orderBy('number').execute();
        const exceptions = await db.selectFrom('rule_exceptions').selectAll().orderBy('number').execute();
        return {
          disabled: disabled.map(({ rule, reason, set_by }) => ({ rule, reason, by: set_by })),
          exceptions: exceptions.map(({ id, exception, set_by }) => ({ ...exception, id, by: set_by })),
        };
      }),

    change: (change, by, at) =>
      asking(() =>
        db.transaction().execute(async (tx) => {
          const result = await changed(tx, change, by, at);
          if (result.done) {
            const { kind, ...rest } = change;
            const payload = { ...rest, ...(result.id === undefined ? {} : { id: result.id }) };
            await appendAudit(tx, { event: `rule-${kind}`, actor: by, at, payload });
          }
          return result;
        }),
      ),
  };
}

async function changed(
  tx: Transaction<Tables>,
  change: RuleChange,
  by: string,
  at: string,
): Promise<{ done: boolean; id?: string }> {
  switch (change.kind) {
    case 'disable': {
      const row = await tx
        .insertInto('disabled_rules')
        .values({ rule: text(change.rule), reason: text(change.reason), set_by: text(by), at })
        .onConflict((conflict) => conflict.column('rule').doNothing())
        .returning('rule')
        .executeTakeFirst();
      return { done: row !== undefined };
    }
    case 'enable': {
      const { numDeletedRows } = await tx
        .deleteFrom('disabled_rules')
        .where('rule', '=', text(change.rule))
        .executeTakeFirst();
      return { done: numDeletedRows > 0n };
    }
    case 'except': {
      const id = newId();
      const exception = json(change.exception);
      await tx
        .insertInto('rule_exceptions')
        .values({ id, exception, set_by: text(by), at })
        .execute();
      return { done: true, id };
    }
    case 'end-exception': {
      const { numDeletedRows } = await tx
        .deleteFrom('rule_exceptions')
        .where('id', '=', text(change.id))
        .executeTakeFirst();
      return { done: numDeletedRows > 0n };
    }
  }
}
