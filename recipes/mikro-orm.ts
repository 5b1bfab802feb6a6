import type { EntityManager } from '@mikro-orm/postgresql';
import { CompiledQuery, type Transaction } from 'kysely';
import type { SqlExecutor, TransactionBegin } from 'nestjs-chronis';

/** For `em.transactional((em) => …)`. What entities have changed is written at its end, or by `em.flush()`. */
export function executorOf(em: EntityManager): SqlExecutor {
  const trx = em.getTransactionContext<Transaction<unknown>>()!;
  return { query: (text, values) => trx.executeQuery(CompiledQuery.raw(text, values)) };
}

/** For `context.transaction(work, { begin: inMikroOrm(em) })`. */
export function inMikroOrm(em: EntityManager): TransactionBegin<EntityManager> {
  return (run) =>
    em.fork().transactional(async (tx) => {
      await run(executorOf(tx), tx);
    });
}
