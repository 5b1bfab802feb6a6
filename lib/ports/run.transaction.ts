/**
 * What a storage gives to `ctx.transaction`: empty here, so that the main door needs no database library. The door of an adapter declares
 * `manager` and `dataSource`; importing `nestjs-chronis/typeorm` anywhere makes them TypeORM's. @publicApi
 */
export interface TransactionTypes {}

/** What writes inside of the transaction; an `EntityManager` with `nestjs-chronis/typeorm`. @publicApi */
export type TransactionManager = TransactionTypes extends { manager: infer Manager } ? Manager : unknown;

/**
 * Sends statements within a transaction of any library: a client of pg as it is, and of other libraries a function of a line or two. Make one for each
 * transaction; all that it sends has to go to the connection on which that was begun. @publicApi
 */
export interface SqlExecutor {
  /**
   * Sends one statement, with `$1` for the first of its values, which are text or null. Resolves with its rows, or with an object that has them as `rows`: by the names
   * that the statement gives to the columns, with numbers, booleans and JSON read as pg does by default.
   */
  query(
    text: string,
    values: (string | null)[],
  ): PromiseLike<readonly unknown[] | { readonly rows: readonly unknown[] }>;
}

/** What calls of the scheduler take as `{ manager }`: a transaction that the application has begun. @publicApi */
export type JoinableTransaction = TransactionManager | SqlExecutor;

/** @publicApi */
export interface TransactionOptions {
  /**
   * Where the transaction begins; must be on the storage's own database.
   * @default the application's DataSource that the storage was made from; else a pool of the storage, for raw queries
   */
  dataSource?: TransactionTypes extends { dataSource: infer Source } ? Source : unknown;
}

/**
 * Begins a transaction of another library, calls `run` in it, and commits when that resolves, or rolls back when it rejects. Resolves only when it is committed, and rejects when it
 * is rolled back; where it resolves and the verdict is not there, `ctx.transaction` rejects with TransactionNotSupportedError. `manager` is what the work gets: the
 * transaction as that library knows it. @publicApi
 */
export type TransactionBegin<M> = (
  run: (executor: SqlExecutor, manager: M) => Promise<void>,
) => PromiseLike<unknown>;

/** For `ctx.transaction` with a library other than TypeORM. @publicApi */
export interface BegunTransactionOptions<M> {
  /** How it begins, at `read committed`, on the storage's own database. */
  begin: TransactionBegin<M>;
}

/** Both, as a storage gets them. */
export type AnyTransactionOptions = TransactionOptions & Partial<BegunTransactionOptions<TransactionManager>>;

/** The work of a transaction; what it returns becomes the result of the run. @publicApi */
export type TransactionWork<T> = (manager: TransactionManager) => T | Promise<T>;
