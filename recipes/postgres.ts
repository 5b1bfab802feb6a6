import type { SqlExecutor, TransactionBegin } from 'nestjs-chronis';
import type { Sql, TransactionSql } from 'postgres';

/** For `sql.begin((tx) => …)`. */
export function executorOf(tx: TransactionSql): SqlExecutor {
  return { query: (text, values) => tx.unsafe(text, values) };
}

/** For `context.transaction(work, { begin: inPostgres(sql) })`. */
export function inPostgres(sql: Sql): TransactionBegin<TransactionSql> {
  return (run) => sql.begin((tx) => run(executorOf(tx), tx));
}
