import { QueryFailedError, type QueryRunner } from 'typeorm';
import { InvalidOptionError, StorageError, TransactionNotSupportedError } from '../model/errors.js';
import type { Clock } from '../ports/clock.js';
import { columnParsers } from './column.parsers.js';
import type { Queries, Transaction } from './database.js';
import { isWorthAnotherAttempt, sqlStateOf, translated } from './sql.errors.js';
import { answered } from './deadline.js';
import type { Installation } from './installation.js';
import { leaveTransactionSql } from './sql/enter.transaction.sql.js';
import { readClockSql } from './sql/read.clock.sql.js';
import type { Change, Run, StatementScope } from './statement.runner.js';
import type { Statements } from './statements.js';

/** What statements in transactions of callers need. */
export interface CallerNeeds {
  statements: Statements;
  /** See `enterTransactionSql`. */
  enter: string;
  installation: Installation;
  /** In place of the database's clock. */
  clock: Clock | null;
  deadlineMs: number;
}

/** What a step works with. */
interface Step extends Omit<Transaction, 'briefly' | 'limitWaiting'> {
  isolation: string;
}

interface Entered {
  now: number;
  isolation: string;
  value: string | null;
}

interface Client {
  query(config: object): Promise<{ rows: unknown[] }>;
}

const mostAttempts = 3;
const deadlock = '40P01';
const readClock = readClockSql();

/**
 * A transaction that the caller began and will end. Each step stands behind a savepoint of its own: one that fails leaves nothing behind,
 * and the caller may go on. A deadlock is tried again from there, since the locks of the step are free then.
 */
export class CallerTransaction implements StatementScope {
  readonly run: Run = (statement, ...values) =>
    this.step((step) => step.run(this.needs.statements[statement], values));
  readonly queries: Queries = { run: (text, values) => this.step((step) => step.run(text, values)) };
  /** One step at a time, or they would get between each other's savepoints. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly runner: QueryRunner,
    private readonly needs: CallerNeeds,
  ) {}

  change<T>(work: (change: Change) => Promise<T>): Promise<T> {
    return this.step((step) => {
      // What workers did since the snapshot was taken would stay unseen: a run that is born meanwhile would outlive its job.
      if (step.isolation !== 'read committed') {
        throw new TransactionNotSupportedError(
          'manager',
          `its transaction is at the isolation level "${step.isolation}". Changing jobs that exist needs "read committed"; creating, reading, runNow of recurring jobs and retries do at every level.`,
        );
      }
      return work({
        run: (statement, ...values) => step.run(this.needs.statements[statement], values),
        readClock: () => step.readClock(),
      });
    });
  }

  private step<T>(work: (step: Step) => Promise<T>): Promise<T> {
    const result = this.last.then(() => this.repeatedly(work));
    this.last = result.catch(() => undefined);
    return result;
  }

  private async repeatedly<T>(work: (step: Step) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      await this.query('savepoint chronis_call');
      try {
        const result = await work(await this.enter());
        await this.query(`${leaveTransactionSql}; release savepoint chronis_call`);
        return result;
      } catch (error) {
        // Where this fails too the connection is gone, and the first error says why.
        await this.query('rollback to savepoint chronis_call; release savepoint chronis_call').catch(
          () => undefined,
        );
        if (attempt === mostAttempts || sqlStateOf(error) !== deadlock) throw error;
      }
    }
  }

  private async enter(): Promise<Step> {
    const { installation, enter, clock } = this.needs;
    const given = clock && Math.floor(clock.now());
    const read = () => this.query<Entered>(enter, [given]);
    const { now, isolation } = await installation.assertSame('manager', read);
    let time = now;
    return {
      isolation,
      run: (text, values = []) => this.query(text, [time, ...values]),
      readClock: async () => {
        const [{ now: later }] = await this.query<{ now: number }>(readClock, [given]);
        return (time = later);
      },
    };
  }

  /** By the connection itself: an application may have its own ideas of how TypeORM and pg read columns. */
  private async query<Row>(text: string, values?: readonly unknown[]): Promise<Row[]> {
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
      const { rows } = await answered(client, this.needs.deadlineMs, query);
      return rows as Row[];
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      // In the words of TypeORM, by which an application finds out that its transaction is worth another attempt.
      if (cause instanceof Error && isWorthAnotherAttempt(cause))
        throw new QueryFailedError(text, [...(values ?? [])], cause);
      throw translated(cause);
    }
  }
}
