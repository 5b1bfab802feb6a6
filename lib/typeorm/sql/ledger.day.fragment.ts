import type { TableNames } from './table.names.js';

export const dayMs = 86_400_000;
/** Workers make the partitions of so many days ahead. */
export const daysAhead = 2;

/** A day (UTC) of the ledger: its partition, and the statements that make it. */
export interface LedgerDay {
  /** `2026-12-01` */
  date: string;
  /** Of the partition, without quotes and schema. */
  name: string;
  /** The same, quoted, with schema. */
  table: string;
  /** Which rows of the ledger are of the day. */
  isOfDay: string;
  /** A table beside the ledger, with its columns. */
  create: readonly string[];
  /** Moves the rows of the day out of the default partition into the table. */
  move: readonly string[];
  /** Makes the table a partition. In one transaction with `move`. */
  attach: string;
}

/** `day`: when it begins, in ms. */
export function ledgerDay(t: TableNames, day: number): LedgerDay {
  const [from, until] = [day, day + dayMs].map((at) => new Date(at).toISOString()) as [string, string];
  const date = from.slice(0, 10);
  const own = `attempt_${date.replaceAll('-', '')}`;
  const table = t.qualified(own);
  const strays = defaultPartition(t).table;
  const isOfDay = `finished_at >= '${from}' and finished_at < '${until}'`;
  return {
    date,
    name: `${t.prefix}${own}`,
    table,
    isOfDay,
    create: [`create table ${table} (like ${t.attempt} including defaults)`, fullIdentity(table)],
    move: [
      // In the order in which attaching takes them; from here on nobody writes another row of that day.
      `lock table only ${t.attempt} in share update exclusive mode`,
      `lock table ${strays} in access exclusive mode`,
      `with own as (delete from ${strays} where ${isOfDay} returning *) insert into ${table} select * from own`,
    ],
    // Attaching does not lock out readers and writers of the other days; creating it in place would.
    attach: `alter table ${t.attempt} attach partition ${table} for values from ('${from}') to ('${until}')`,
  };
}

/** A publication for all tables needs it, and a partition does not have it of its parent. */
export function fullIdentity(table: string): string {
  return `alter table ${table} replica identity full`;
}

/** What takes the rows of days that have no partition of their own. */
export function defaultPartition(t: TableNames): Pick<LedgerDay, 'name' | 'table' | 'create' | 'attach'> {
  const own = 'attempt_default';
  const table = t.qualified(own);
  return {
    name: `${t.prefix}${own}`,
    table,
    create: [`create table ${table} partition of ${t.attempt} default`, fullIdentity(table)],
    attach: `alter table ${t.attempt} attach partition ${table} default`,
  };
}

export function startOfDay(at: number): number {
  return Math.floor(at / dayMs) * dayMs;
}
