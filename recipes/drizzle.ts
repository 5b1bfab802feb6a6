import { sql, type SQL } from 'drizzle-orm';
import type { SqlExecutor, TransactionBegin } from 'nestjs-chronis';

/** For `db.transaction((tx) => …)`. */
export function executorOf(tx: { execute(query: SQL): PromiseLike<any> }): SqlExecutor {
  return {
    query: (text, values) => {
      const parts = text.split(/\$(\d+)/);
      return tx.execute(
        sql.join(parts.map((part, i) => (i % 2 === 0 ? sql.raw(part) : sql.param(values[Number(part) - 1])))),
      );
    },
  };
}

/** For `context.transaction(work, { begin: inDrizzle(db) })`. */
export function inDrizzle<Tx extends Parameters<typeof executorOf>[0]>(db: {
  transaction(work: (tx: Tx) => Promise<void>): Promise<void>;
}): TransactionBegin<Tx> {
  return (run) => db.transaction((tx) => run(executorOf(tx), tx));
}
