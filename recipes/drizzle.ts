import { sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { SqlExecutor, TransactionBegin } from 'nestjs-chronis';

export type Tx = Parameters<Parameters<NodePgDatabase['transaction']>[0]>[0];

/** For `db.transaction((tx) => …)`. */
export function executorOf(tx: Tx): SqlExecutor {
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
export function inDrizzle(db: NodePgDatabase): TransactionBegin<Tx> {
  return (run) => db.transaction((tx) => run(executorOf(tx), tx));
}
