import { TransactionNotSupportedError } from '../model/errors.js';
import type { AdapterConnection } from './adapter.connection.js';
import { sqlStateOf } from './sql.errors.js';
import { readInstallIdSql } from './sql/read.install.id.sql.js';

const noRight = '42501';

/** Proves that a transaction which somebody else began is on the database of the jobs, by an id in their schema. */
export class Installation {
  /** Yields the id as `value`. */
  readonly readSql: string;
  private id: Promise<string> | null = null;

  constructor(private readonly connection: AdapterConnection) {
    this.readSql = readInstallIdSql(connection.settings.tables);
  }

  /** `read` reads the id, as `value`, by the other connection. Gives the row it was in. Throws TransactionNotSupportedError. */
  async assertSame<Row extends { value: string | null }>(
    call: 'ctx.transaction()' | 'manager',
    read: () => Promise<Row[]>,
  ): Promise<Row> {
    const { schemaText } = this.connection.settings.tables;
    const id = await (this.id ??= this.readOwn());
    let found: Row[];
    try {
      found = await read();
    } catch (cause) {
      const state = sqlStateOf(cause) ?? '';
      // No such table or schema, or no right to read it; anything else says nothing about the place.
      if (!/^(42|3F)/.test(state)) throw cause;
      // It says so if the tables are gone from the database of the jobs itself.
      await this.readOwn();
      const why =
        state === noRight
          ? 'its user may not read them. Grant it the rights, or give one whose user has them.'
          : 'it is on another database. Give one on the database of the jobs.';
      const problem = `its connection does not see the tables of the jobs (schema "${schemaText}"): ${why}`;
      throw new TransactionNotSupportedError(call, problem, { cause });
    }
    const [row] = found;
    if (row?.value === id) return row;
    throw new TransactionNotSupportedError(
      call,
      `its connection is on another database, which has jobs of its own in the schema "${schemaText}". Give one on the database of the jobs.`,
    );
  }

  /** After this the tables may be others. */
  forget(): void {
    this.id = null;
  }

  private async readOwn(): Promise<string> {
    try {
      const [row] = await this.connection.database().plain<{ value: string }>(this.readSql);
      return row.value;
    } catch (error) {
      this.id = null;
      throw error;
    }
  }
}
