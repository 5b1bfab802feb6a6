/**
 * What a storage gives to `ctx.transaction`: empty here, so that the main door needs no database library. The door of an adapter declares
 * `manager` and `dataSource`; importing `nestjs-chronis/typeorm` anywhere makes them TypeORM's. @publicApi
 */
export interface TransactionTypes {}

/** What writes inside of the transaction; an `EntityManager` with `nestjs-chronis/typeorm`. @publicApi */
export type TransactionManager = TransactionTypes extends { manager: infer Manager } ? Manager : unknown;

/** @publicApi */
export interface TransactionOptions {
  /**
   * Where the transaction begins; must be on the storage's own database.
   * @default the application's DataSource that the storage was made from; else a pool of the storage, for raw queries
   */
  dataSource?: TransactionTypes extends { dataSource: infer Source } ? Source : unknown;
}

/** The work of a transaction; what it returns becomes the result of the run. @publicApi */
export type TransactionWork<T> = (manager: TransactionManager) => T | Promise<T>;
