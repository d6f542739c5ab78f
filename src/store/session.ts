/** One connection to PostgreSQL, which is given up when it leads nowhere. */
import pg from 'pg';

/** SQLSTATE read_only_sql_transaction. */
const readOnly = '25006';

/**
 * The driver stops waiting for a late answer, but keeps the connection: the pool would hand it out again, and every statement
 * after the late one would wait behind it. Where a server or a network went away without a word, that is for as long as the
 * system believes in the connection, which can be hours. A server that only reads (the standby that a name led to during a
 * failover) answers well, and would be asked for ever too.
 */
export class Session extends pg.Client {
  constructor(...config: ConstructorParameters<typeof pg.Client>) {
    super(...config);
    const ask = this.query.bind(this) as (...words: unknown[]) => unknown;
    const asking = (...words: unknown[]): unknown => {
      const answer = ask(...words);
      if (answer instanceof Promise) answer.catch((error: unknown) => this.giveUp(error));
      return answer;
    };
    this.query = asking as typeof this.query;
  }

  /** What else the server itself says leaves the connection as good as it was. */
  private giveUp(error: unknown): void {
    if (error instanceof pg.DatabaseError && error.code !== readOnly) return;
    void this.end();
  }
}
