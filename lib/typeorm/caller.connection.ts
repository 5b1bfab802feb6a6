import { QueryFailedError, type QueryRunner } from 'typeorm';
import { InvalidOptionError, StorageError } from '../model/errors.js';
import { columnParsers } from './column.parsers.js';
import { answered } from './deadline.js';
import { isWorthAnotherAttempt, translated } from './sql.errors.js';

/** What statements go through in a transaction that somebody else began. */
export interface CallerConnection {
  query<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Statements without values and rows, in this order. */
  script(...texts: string[]): Promise<void>;
  /** How the caller is told of an error of these: in the words of its library, where it finds out by them that the transaction is worth another attempt. */
  told(error: unknown): unknown;
}

interface Client {
  query(config: object): Promise<{ rows: unknown[] }>;
}

/** By the connection of a TypeORM transaction itself: an application may have its own ideas of how TypeORM and pg read columns. */
export class ManagerConnection implements CallerConnection {
  constructor(
    private readonly runner: QueryRunner,
    private readonly deadlineMs: number,
  ) {}

  async query<Row>(text: string, values?: readonly unknown[]): Promise<Row[]> {
    const client = (await this.runner.connect()) as Client;
    // The connection may serve somebody else by now.
    if (this.runner.isReleased || !this.runner.isTransactionActive) {
      throw new InvalidOptionError(
        'manager',
        'its transaction has ended while the call was under way. Await each call of the scheduler before the transaction ends.',
      );
    }
    try {
      const query = client.query({ text, values, types: columnParsers });
      const { rows } = await answered(client, this.deadlineMs, query);
      return rows as Row[];
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      if (cause instanceof Error && isWorthAnotherAttempt(cause))
        throw new QueryFailedError(text, [...(values ?? [])], cause);
      throw translated(cause);
    }
  }

  /** In one go: it has no values. */
  async script(...texts: string[]): Promise<void> {
    await this.query(texts.join('; '));
  }

  told(error: unknown): unknown {
    return error;
  }
}
