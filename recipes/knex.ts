import type { Knex } from 'knex';
import type { SqlExecutor, TransactionBegin } from 'nestjs-chronis';

/** For `knex.transaction((trx) => …)`. */
export function executorOf(trx: Knex.Transaction): SqlExecutor {
  return {
    query: (text, values) => {
      const bindings: Knex.Value[] = [];
      const raw = text.replaceAll('?', '\\?').replaceAll(/\$(\d+)/g, (_, n) => {
        bindings.push(values[n - 1]!);
        return '?';
      });
      return trx.raw(raw, bindings);
    },
  };
}

/** For `context.transaction(work, { begin: inKnex(knex) })`. */
export function inKnex(knex: Knex): TransactionBegin<Knex.Transaction> {
  return (run) => knex.transaction((trx) => run(executorOf(trx), trx));
}
