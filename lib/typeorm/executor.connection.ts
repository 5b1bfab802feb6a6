import { ChronisError, InvalidOptionError } from '../model/errors.js';
import type { SqlExecutor } from '../ports/run.transaction.js';
import type { CallerConnection } from './caller.connection.js';
import { answered } from './deadline.js';
import { foreignError } from './foreign.sql.error.js';
import { isWorthAnotherAttempt, translated } from './sql.errors.js';
import { textParameters, textValue } from './text.values.js';

/**
 * By a function of the application, through a library that is not known here. Libraries differ in how they send lists, JSON, booleans and numbers, and whether they take several
 * statements at once; text and one at a time is what all of them can.
 */
export class ExecutorConnection implements CallerConnection {
  constructor(
    private readonly executor: SqlExecutor,
    private readonly deadlineMs: number,
  ) {}

  async query<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    let answer: unknown;
    try {
      const sent = this.send(textParameters(text), values.map(textValue));
      answer = await answered(null, this.deadlineMs, sent);
    } catch (cause) {
      if (cause instanceof ChronisError) throw cause;
      throw translated(foreignError(cause));
    }
    return rowsOf(answer) as Row[];
  }

  async script(...texts: string[]): Promise<void> {
    for (const text of texts) await this.query(text);
  }

  told(error: unknown): unknown {
    if (!isWorthAnotherAttempt(error)) return error;
    const { cause } = error as ChronisError;
    return (cause as Error).cause ?? error;
  }

  private async send(text: string, values: (string | null)[]): Promise<unknown> {
    return this.executor.query(text, values);
  }
}

function rowsOf(answer: unknown): unknown[] {
  const rows: unknown = Array.isArray(answer) ? answer : (answer as { rows?: unknown } | null)?.rows;
  if (Array.isArray(rows)) return rows;
  return refuseRows();
}

/** A wrong row would be a wrong job. */
export function refuseRows(): never {
  throw new InvalidOptionError(
    'manager',
    'query() of a SqlExecutor has to resolve with the rows of its statement, or with an object that has them as "rows"; numbers, booleans and JSON read as pg does, and names left as they are. Leave out what changes results, such as a plugin for camel case.',
  );
}
