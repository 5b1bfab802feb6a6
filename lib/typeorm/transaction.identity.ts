import type { CallerConnection } from './caller.connection.js';
import { refuseRows } from './executor.connection.js';
import { identifyTransactionSql } from './sql/identify.transaction.sql.js';

/** Which transaction statements of this connection are in: the same for all executors of one; null: each is in one of its own, or goes to a connection of its own. */
export async function identifyTransaction(connection: CallerConnection): Promise<string | null> {
  const first = await identify(connection);
  return first === (await identify(connection)) ? first : null;
}

async function identify(connection: CallerConnection): Promise<string> {
  const [row] = await connection.query<{ value: string }>(identifyTransactionSql);
  return typeof row?.value === 'string' ? row.value : refuseRows();
}
