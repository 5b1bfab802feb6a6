import { CompiledQuery, type Kysely, type Transaction } from 'kysely';
import type { SqlExecutor, TransactionBegin } from 'nestjs-chronis';

/** For `db.transaction().execute((trx) => …)`. */
export function executorOf<DB>(trx: Transaction<DB>): SqlExecutor {
  return { query: (text, values) => trx.withoutPlugins().executeQuery(CompiledQuery.raw(text, values)) };
}

/** For `context.transaction(work, { begin: inKysely(db) })`. */
export function inKysely<DB>(db: Kysely<DB>): TransactionBegin<Transaction<DB>> {
  return (run) => db.transaction().execute((trx) => run(executorOf(trx), trx));
}
