import type { Queries, StatementTraits, Transaction, TransactionTraits } from './database.js';
import type { RunEnd, RunEnds } from '../ports/run.ends.js';
import { withPurpose } from './purposes.js';
import {
  arrayStatements,
  impatientStatements,
  preparedStatements,
  urgentStatements,
  type StatementName,
  type Statements,
} from './statements.js';

/** Runs a prepared statement with its values from $2 on. */
export interface Run {
  <Row>(statement: StatementName, ...values: readonly unknown[]): Promise<Row[]>;
  /** Notes the end of a run, to be told once the transaction is committed. Absent: nobody is told. */
  readonly noteEnd?: (end: RunEnd) => void;
}

/** A transaction that holds its locks, with the time at which it got them. */
export interface Change {
  run: Run;
  /** To be called again once further locks are held. */
  readonly readClock: () => Promise<number>;
}

/** One that was begun here. */
export interface OwnChange extends Change, Pick<Transaction, 'briefly' | 'limitWaiting'> {}

/** Where statements run: each by itself, or all in one transaction. */
export interface StatementScope {
  readonly run: Run;
  /** Several statements as one. */
  change<T>(work: (change: Change) => Promise<T>): Promise<T>;
  /** For statements whose text depends on what a caller filters by. */
  readonly queries: Queries;
  /** All that `work` does by the scope that it gets is done, or nothing. It may be called several times. */
  together<T>(work: (scope: StatementScope) => Promise<T>): Promise<T>;
}

/** A scope within a transaction, of which all that is done there is part. */
export function scopeWithin(change: Change, queries: Queries): StatementScope {
  const scope: StatementScope = {
    run: change.run,
    queries,
    change: (work) => work(change),
    together: (work) => work(scope),
  };
  return scope;
}

/** Where statements run, by themselves or together. */
interface Place extends Queries {
  transaction<T>(work: (transaction: Transaction) => Promise<T>, traits?: TransactionTraits): Promise<T>;
}

/** Statements of one set of tables, on one database. */
export class StatementRunner implements StatementScope {
  /** Each statement by itself. */
  readonly run: Run = (statement, ...values) => this.on(this.database())(statement, ...values);

  constructor(
    private readonly statements: Statements,
    /** Rejects where there is none (yet). */
    private readonly database: () => Place,
    private readonly ends: RunEnds | null = null,
  ) {}

  get queries(): Queries {
    return this.database();
  }

  /** See `Database.transaction`. */
  change<T>(work: (change: OwnChange) => Promise<T>, traits?: TransactionTraits): Promise<T> {
    return this.begin((change) => work(change), traits);
  }

  together<T>(work: (scope: StatementScope) => Promise<T>): Promise<T> {
    return this.begin((change, queries) => work(scopeWithin(change, queries)));
  }

  private async begin<T>(
    work: (change: OwnChange, queries: Queries) => Promise<T>,
    traits?: TransactionTraits,
  ): Promise<T> {
    const ends: RunEnd[] = [];
    const value = await this.database().transaction((transaction: Transaction) => {
      // Of an attempt that was rolled back nothing is told.
      ends.length = 0;
      const run = behindLocks(this.on(transaction), () => transaction.renewClock());
      const change: OwnChange = {
        run: Object.assign(run, { noteEnd: (one: RunEnd) => void ends.push(one) }),
        readClock: () => transaction.readClock(),
        briefly: async (lockMs, doing) => {
          const { length } = ends;
          const done = await transaction.briefly(lockMs, doing);
          if (done === null) ends.length = length;
          return done;
        },
        limitWaiting: (lockMs) => transaction.limitWaiting(lockMs),
      };
      return work(change, transaction);
    }, traits);
    if (ends.length > 0) await this.ends?.tell(ends);
    return value;
  }

  private on(queries: Queries): Run {
    return async (statement, ...values) => {
      try {
        return await queries.run(this.statements[statement], values, traitsOf(statement));
      } catch (error) {
        throw withPurpose(statement, error);
      }
    };
  }
}

/** The same for a transaction in which the time may have been read before others have written what it waits for: what it writes of flows comes after that. `renew`: reads it anew. */
export function behindLocks(run: Run, renew: () => Promise<unknown>): Run {
  return async (statement, ...values) => {
    const rows = await run<never>(statement, ...values);
    if (statement === 'lockFlows') await renew();
    return rows;
  };
}

function traitsOf(statement: StatementName): StatementTraits {
  const traits: StatementTraits = {};
  if (preparedStatements.has(statement)) traits.name = statement;
  if (impatientStatements.has(statement)) traits.haste = 'impatient';
  if (urgentStatements.has(statement)) traits.haste = 'urgent';
  if (arrayStatements.has(statement)) traits.rowMode = 'array';
  return traits;
}
