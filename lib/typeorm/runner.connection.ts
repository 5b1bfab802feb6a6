import { QueryFailedError, type QueryRunner } from 'typeorm';
import type { CallerConnection } from './caller.connection.js';
import { columnParsers } from './column.parsers.js';

export interface Client {
  query(config: object): Promise<{ rows: unknown[] }>;
}

/** Of a transaction that was begun for a handler. `own` waits for an answer, but not for ever. */
export function connectionOf(
  runner: QueryRunner,
  client: Client,
  own: <T>(sent: Promise<T>) => Promise<T>,
): CallerConnection {
  return {
    query: (text, values) => own(readBy(client, text, values)),
    script: async (...texts) => void (await own(runner.query(texts.join('; ')))),
    told: (error) => error,
  };
}

/** By the connection itself: an application may have its own ideas of how TypeORM and pg read columns. */
async function readBy<Row>(client: Client, text: string, values: readonly unknown[] = []): Promise<Row[]> {
  try {
    const { rows } = await client.query({ text, values, types: columnParsers });
    return rows as Row[];
  } catch (cause) {
    throw cause instanceof Error ? new QueryFailedError(text, [...values], cause) : cause;
  }
}
