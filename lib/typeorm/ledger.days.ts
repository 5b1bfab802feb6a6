import { createHash } from 'node:crypto';
import type { Database } from './database.js';
import { sqlStateOf } from './sql.errors.js';
import {
  dayMs,
  daysAhead,
  defaultPartition,
  fullIdentity,
  ledgerDay,
  startOfDay,
} from './sql/ledger.day.fragment.js';
import { ledgerPartitions } from './sql/ledger.partitions.fragment.js';
import type { TableNames } from './sql/table.names.js';

type Script = <Row>(text: string) => Promise<Row[]>;

/** The names of partitions, and whether each lacks the replica identity that ours give it: the release before makes days without one. */
type Partitions = ReadonlyMap<string, boolean>;
/** So many rows of a day move out of the default partition into one of their own; more would keep the workers waiting. They age out where they are. */
const mostMoved = 10_000;
/** The server's own limit for a statement, and how long this process waits for its answer. */
const statementMs = 3_000;
const deadlineMs = 5_000;
const retryMs = { soon: 300_000, later: 3_600_000 };
/** No lock in time. */
const locked = new Set(['55P03', '40P01']);
/** No right to change tables, rows of that day in the default partition, so many rows there that looking through them takes too long. */
const refused = new Set(['42501', '23514', '57014']);

/**
 * The ledger has a partition for each day (UTC) by the time the attempt ended. Rows of days that have none go to the
 * default partition, so nothing depends on the partitions being there but the speed of forgetting.
 *
 * Each day is a transaction of its own, so that one that is refused keeps no other from being made. Attaching a day looks through the default partition under a lock
 * that nobody can write or read there beside: a day that is refused is left alone for an hour, and no look takes longer than seconds.
 */
export class LedgerDays {
  /** When partitions that were refused are tried again. */
  private readonly retryAt = new Map<string, number>();

  constructor(private readonly t: TableNames) {}

  /** Makes today and the days to come, as far as they are missing, and gives all an identity. Returns what has gone wrong that is worth telling. */
  async create(database: Database, now: number, known?: Partitions): Promise<unknown[]> {
    const { t } = this;
    const existing = known ?? (await partitions(t, (text) => database.plain(text)));
    const errors: unknown[] = [];
    // The furthest first: nothing can be in the way of it yet.
    for (let ahead = daysAhead; ahead >= 0; ahead--) {
      const day = startOfDay(now) + ahead * dayMs;
      const { name } = ledgerDay(t, day);
      if (existing.has(name)) continue;
      errors.push(...(await this.attempt(database, name, now, (run) => createDay(t, run, day))));
    }
    for (const [name, isBare] of existing) {
      if (!isBare) continue;
      const identify = async (run: Script): Promise<boolean> => {
        await run(fullIdentity(tableOf(t, name)));
        return true;
      };
      errors.push(...(await this.attempt(database, name, now, identify)));
    }
    return errors;
  }

  /** Drops the days that are over by the horizon as a whole, the oldest first, if there are some among the `known` partitions. */
  async drop(
    database: Database,
    now: number,
    horizon: number,
    known: Partitions,
  ): Promise<{ days: number; errors: unknown[] }> {
    const { t } = this;
    let days = 0;
    const errors: unknown[] = [];
    for (const name of [...known.keys()]
      .filter((name) => (dayOf(name) ?? Infinity) + dayMs <= horizon)
      .sort()) {
      const drop = async (run: Script): Promise<boolean> => {
        if (!(await partitions(t, run)).has(name)) return true;
        await run(`drop table ${tableOf(t, name)}`);
        days++;
        return true;
      };
      errors.push(...(await this.attempt(database, name, now, drop)));
    }
    return { days, errors };
  }

  /** `work` returns false for what cannot be done now. */
  private async attempt(
    database: Database,
    name: string,
    now: number,
    work: (run: Script) => Promise<boolean>,
  ): Promise<unknown[]> {
    if ((this.retryAt.get(name) ?? 0) > now) return [];
    this.retryAt.delete(name);
    try {
      const done = await alone(database, this.t, work);
      if (done !== true) this.retryAt.set(name, now + (done === null ? retryMs.soon : retryMs.later));
      return [];
    } catch (error) {
      const state = sqlStateOf(error) ?? '';
      this.retryAt.set(name, now + (locked.has(state) ? retryMs.soon : retryMs.later));
      return locked.has(state) || refused.has(state) ? [] : [error];
    }
  }
}

async function createDay(t: TableNames, run: Script, day: number): Promise<boolean> {
  const { name, isOfDay, create, move, attach } = ledgerDay(t, day);
  const there = await partitions(t, run);
  if (there.has(name)) return true;
  const strays = defaultPartition(t);
  // Nothing is in the way where somebody has taken it from the ledger.
  if (!there.has(strays.name)) {
    for (const statement of [...create, attach]) await run(statement);
    return true;
  }
  const [{ count }] = (await run<{ count: number }>(
    `select count(*)::int as count from (select from ${strays.table} where ${isOfDay} limit ${mostMoved + 1}) own`,
  )) as [{ count: number }];
  if (count > mostMoved) return false;
  for (const statement of [...create, ...(count > 0 ? move : []), attach]) await run(statement);
  return true;
}

async function partitions(t: TableNames, run: Script): Promise<Partitions> {
  const rows = await run<{ name: string; bare: boolean }>(ledgerPartitions(t));
  return new Map(rows.map(({ name, bare }) => [name, bare]));
}

/** One process at a time, and rather not now than make the workers wait. null: another one is at it, to whom it is left: hundreds may start at once. */
async function alone<T>(
  database: Database,
  t: TableNames,
  work: (run: Script) => Promise<T>,
): Promise<T | null> {
  const key = createHash('sha256').update(`chronis ledger ${t.attempt}`).digest().readBigInt64BE();
  let result: T | null = null;
  await database.script(async (run) => {
    await run(`set local lock_timeout = '1s'; set local statement_timeout = ${statementMs}`);
    const [{ mine }] = (await run<{ mine: boolean }>(`select pg_try_advisory_xact_lock(${key}) as mine`)) as [
      { mine: boolean },
    ];
    if (mine) result = await work(run);
  }, deadlineMs);
  return result;
}

function tableOf(t: TableNames, partition: string): string {
  return t.qualified(partition.slice(t.prefix.length));
}

function dayOf(name: string): number | null {
  const match = /attempt_(\d{4})(\d\d)(\d\d)$/.exec(name);
  return match && Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
}
