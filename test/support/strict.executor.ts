import type pg from 'pg';
import type { SqlExecutor } from '../../lib/index.js';

/** What the strictest of libraries would take: one statement at a time, with text or null for each parameter, that the server expects as text. Gives nothing but rows. */
export class StrictExecutor implements SqlExecutor {
  private static prepared = 0;

  constructor(private readonly client: Pick<pg.ClientBase, 'query'>) {}

  async query(text: string, values: (string | null)[]): Promise<object[]> {
    for (const value of values)
      if (value !== null && typeof value !== 'string') throw new TypeError(`${typeof value} is not text.`);
    if (values.length === 0 || !text.includes('$')) return (await this.client.query<object>(text)).rows;
    const name = `strict_${StrictExecutor.prepared++}`;
    await this.client.query(`prepare ${name} as ${text}`);
    const { rows } = await this.client.query<{ types: string }>(
      `select parameter_types::text as types from pg_prepared_statements where name = $1`,
      [name],
    );
    await this.client.query(`deallocate ${name}`);
    if (!/^\{(text(,text)*)?\}$/.test(rows[0].types.replaceAll(/["\\]/g, '')))
      throw new TypeError(`Its parameters are of the types ${rows[0].types}: ${text}`);
    // Two statements at once are refused where there are values.
    return (await this.client.query<object>({ text, values })).rows;
  }
}

/** As applications begin transactions on a client of their own. */
export async function inTransaction<T>(
  client: Pick<pg.ClientBase, 'query'>,
  work: (executor: SqlExecutor) => Promise<T>,
): Promise<T> {
  await client.query('begin');
  try {
    const value = await work(new StrictExecutor(client));
    await client.query('commit');
    return value;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}
