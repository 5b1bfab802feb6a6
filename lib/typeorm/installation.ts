import { TransactionNotSupportedError } from '../model/errors.js';
import type { AdapterConnection } from './adapter.connection.js';
import { sqlStateOf } from './sql.errors.js';
import { readInstallIdSql } from './sql/read.install.id.sql.js';

const noRight = '42501';

/** No such table or schema, or no right to read it; anything else says nothing about the place. */
function isUnseen(error: unknown): boolean {
  return /^(42|3F)/.test(sqlStateOf(error) ?? '');
}

/** Proves that a transaction which somebody else began is on the database of the jobs, by an id in their schema. */
export class Installation {
  /** Yields the id as `value`. */
  readonly readSql: string;
  private id: Promise<string> | null = null;

  constructor(private readonly connection: AdapterConnection) {
    this.readSql = readInstallIdSql(connection.settings.tables);
  }

  /** To be done before anybody is in a transaction: who is must not wait for a second connection. Tables that somebody else brings (`migrate: 'off'`) may come later. */
  async readAhead(): Promise<void> {
    try {
      await this.ownId();
    } catch (error) {
      if (!isUnseen(error)) throw error;
    }
  }

  /** `read` reads the id, as `value`, by the other connection. Gives the row it was in. Throws TransactionNotSupportedError. */
  async assertSame<Row extends { value: string | null }>(
    call: 'ctx.transaction()' | 'manager',
    read: () => Promise<Row[]>,
  ): Promise<Row> {
    const { schemaText } = this.connection.settings.tables;
    const id = await this.ownId();
    let found: Row[];
    try {
      found = await read();
    } catch (cause) {
      if (!isUnseen(cause)) throw cause;
      const why =
        sqlStateOf(cause) === noRight
          ? 'its user may not read them. Grant it the rights, or give one whose user has them.'
          : 'it is on another database, or they are gone. Give one on the database of the jobs; where it is, the next start says what is missing.';
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

  private ownId(): Promise<string> {
    return (this.id ??= this.readOwn());
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
