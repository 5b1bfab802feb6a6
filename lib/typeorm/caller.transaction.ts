import { InvalidOptionError, TransactionNotSupportedError } from '../model/errors.js';
import type { Clock } from '../ports/clock.js';
import type { CallerConnection } from './caller.connection.js';
import type { Queries, Transaction } from './database.js';
import { refuseRows } from './executor.connection.js';
import type { Installation } from './installation.js';
import { leaveTransactionSql } from './sql/enter.transaction.sql.js';
import { readClockSql } from './sql/read.clock.sql.js';
import { readOnly, sqlStateOf } from './sql.errors.js';
import { behindLocks, type Change, type Run, type StatementScope } from './statement.runner.js';
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

/** Has work wait for what came before it. */
export type Line = <T>(work: () => Promise<T>) => Promise<T>;

/** What a step works with. */
interface Step extends Omit<Transaction, 'briefly' | 'limitWaiting' | 'renewClock'> {
  isolation: string;
  isReadOnly: boolean;
}

interface Entered {
  now: number;
  isolation: string;
  /** It was begun so; the server takes changes. */
  read_only: boolean;
  value: string | null;
  sample: { a_name?: unknown[] } | null;
}

/** Of a transaction that takes no changes while its server does. */
export const readOnlyProblem =
  'its transaction is read-only, as after "begin read only". Begin one that may write.';

const mostAttempts = 3;
const deadlock = '40P01';
/** There is no transaction; it has been said to whoever asked for one. */
const noTransaction = '25P01';
const readClock = readClockSql();

/**
 * A transaction that the caller began and will end. Each step stands behind a savepoint of its own: one that fails leaves nothing behind,
 * and the caller may go on. A deadlock is tried again from there, since the locks of the step are free then.
 */
export class CallerTransaction implements StatementScope {
  readonly run: Run = (statement, ...values) =>
    this.step((step) => step.run(this.needs.statements[statement], values));
  readonly queries: Queries = { run: (text, values) => this.step((step) => step.run(text, values)) };

  constructor(
    private readonly connection: CallerConnection,
    private readonly needs: CallerNeeds,
    /** One step at a time, or they would get between each other's savepoints. */
    private readonly inLine: Line,
  ) {}

  change<T>(work: (change: Change) => Promise<T>): Promise<T> {
    return this.step((step) => work(this.changeOf(step)));
  }

  together<T>(work: (scope: StatementScope) => Promise<T>): Promise<T> {
    return this.step((step) => {
      const run: Run = (statement, ...values) => step.run(this.needs.statements[statement], values);
      const scope: StatementScope = {
        run,
        queries: step,
        change: async (changing) => changing(this.changeOf(step)),
        together: (inner) => inner(scope),
      };
      return work(scope);
    });
  }

  /** Throws TransactionNotSupportedError. */
  private changeOf(step: Step): Change {
    // What workers did since the snapshot was taken would stay unseen: a run that is born meanwhile would outlive its job.
    if (step.isolation !== 'read committed') {
      throw new TransactionNotSupportedError(
        'manager',
        `its transaction is at the isolation level "${step.isolation}". Changing jobs that exist, workflows.retry(), or discarding what has failed, needs "read committed"; creating, reading, runNow of recurring jobs, retryRun() and retryFailed() do at every level.`,
      );
    }
    const readClock = () => step.readClock();
    const run: Run = (statement, ...values) => step.run(this.needs.statements[statement], values);
    return { run: behindLocks(run, readClock), readClock };
  }

  private step<T>(work: (step: Step) => Promise<T>): Promise<T> {
    return this.inLine(() => this.repeatedly(work));
  }

  private async repeatedly<T>(work: (step: Step) => Promise<T>): Promise<T> {
    const { connection } = this;
    for (let attempt = 1; ; attempt++) {
      await this.begin();
      let step: Step | null = null;
      try {
        step = await this.enter();
        const result = await work(step);
        await connection.script(leaveTransactionSql, 'release savepoint chronis_call');
        return result;
      } catch (error) {
        // Where this fails too the connection is gone, and the first error says why.
        await connection
          .script('rollback to savepoint chronis_call', 'release savepoint chronis_call')
          .catch(() => undefined);
        if (step?.isReadOnly && sqlStateOf(error) === readOnly)
          throw new TransactionNotSupportedError('manager', readOnlyProblem, { cause: error });
        if (attempt === mostAttempts || sqlStateOf(error) !== deadlock) throw connection.told(error);
      }
    }
  }

  private async begin(): Promise<void> {
    try {
      await this.connection.script('savepoint chronis_call');
    } catch (error) {
      if (sqlStateOf(error) !== noTransaction) throw error;
      throw new InvalidOptionError(
        'manager',
        'its transaction has ended before the call, or statements that it sends go to different connections. Await each call of the scheduler before the transaction ends.',
      );
    }
  }

  private async enter(): Promise<Step> {
    const { connection } = this;
    const { installation, enter, clock } = this.needs;
    const given = clock && Math.floor(clock.now());
    const {
      now,
      isolation,
      read_only: isReadOnly,
    } = await installation.assertSame('manager', async () => {
      const rows = await connection.query<Entered>(enter, [given]);
      if (typeof rows[0]?.now !== 'number' || rows[0].sample?.a_name?.[0] !== 1) refuseRows();
      return rows;
    });
    let time = now;
    return {
      isolation,
      isReadOnly,
      run: (text, values = []) => connection.query(text, [time, ...values]),
      readClock: async () => {
        const [{ now: later }] = await connection.query<{ now: number }>(readClock, [given]);
        return (time = later);
      },
    };
  }
}
