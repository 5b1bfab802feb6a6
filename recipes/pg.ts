import type { TransactionBegin } from 'nestjs-chronis';
import type { Pool, PoolClient } from 'pg';

/** `work` in a transaction; its client is a SqlExecutor as it is. */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const value = await work(client);
    await client.query('commit');
    return value;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

/** For `context.transaction(work, { begin: inPg(pool) })`. */
export function inPg(pool: Pool): TransactionBegin<PoolClient> {
  return (run) => inTransaction(pool, (client) => run(client, client));
}
