import { createHash } from 'node:crypto';
import { sqlStateOf, type Database } from './database.js';
import { ledgerPartitions } from './sql/ledger.partitions.fragment.js';
import type { TableNames } from './sql/table.names.js';

type Script = <Row>(text: string) => Promise<Row[]>;

const dayMs = 86_400_000;
const daysAhead = 2;
/** What may go wrong without harm: no right to change tables, no lock in time, rows of that day in the default partition. */
const harmless = new Set(['42501', '55P03', '40P01', '23514']);

/**
 * The ledger has a partition for each day (UTC) by the time the attempt ended. Rows of days that have none go to the
 * default partition, so nothing depends on the partitions being there but the speed of forgetting.
 */
export async function createLedgerDays(
  database: Database,
  t: TableNames,
  now: number,
  known?: ReadonlySet<string>,
): Promise<void> {
  const days: number[] = [];
  for (let day = startOfDay(now); day <= now + daysAhead * dayMs; day += dayMs) days.push(day);
  const existing = known ?? (await partitions(t, (text) => database.plain(text)));
  if (days.every((day) => existing.has(partitionName(t, day)))) return;
  await alone(database, t, async (run) => {
    const present = await partitions(t, run);
    for (const day of days.filter((day) => !present.has(partitionName(t, day)))) {
      const table = t.qualified(partitionName(t, day).slice(t.prefix.length));
      const [from, until] = [day, day + dayMs].map((at) => new Date(at).toISOString());
      // Attaching does not lock out readers and writers of the other days; creating it in place would.
      await run(`create table ${table} (like ${t.attempt} including defaults)`);
      await run(
        `alter table ${t.attempt} attach partition ${table} for values from ('${from}') to ('${until}')`,
      );
    }
  });
}

/** Drops the days that are over by then as a whole, if there are some among the `known` partitions. Returns how many. */
export async function dropLedgerDays(
  database: Database,
  t: TableNames,
  horizon: number,
  known: ReadonlySet<string>,
): Promise<number> {
  const isOver = (name: string): boolean => (dayOf(name) ?? Infinity) + dayMs <= horizon;
  if (![...known].some(isOver)) return 0;
  let dropped = 0;
  await alone(database, t, async (run) => {
    for (const name of [...(await partitions(t, run))].filter(isOver)) {
      await run(`drop table ${t.qualified(name.slice(t.prefix.length))}`);
      dropped++;
    }
  });
  return dropped;
}

async function partitions(t: TableNames, run: Script): Promise<Set<string>> {
  const rows = await run<{ name: string }>(ledgerPartitions(t));
  return new Set(rows.map(({ name }) => name));
}

/** One process at a time, and rather not now than make the workers wait. */
async function alone(database: Database, t: TableNames, work: (run: Script) => Promise<void>): Promise<void> {
  const key = createHash('sha256').update(`chronis ledger ${t.attempt}`).digest().readBigInt64BE();
  try {
    await database.script(async (run) => {
      await run(`set local lock_timeout = '1s'`);
      await run(`select pg_advisory_xact_lock(${key})`);
      await work(run);
    });
  } catch (error) {
    if (!harmless.has(sqlStateOf(error) ?? '')) throw error;
  }
}

function startOfDay(at: number): number {
  return Math.floor(at / dayMs) * dayMs;
}

function partitionName(t: TableNames, day: number): string {
  return `${t.prefix}attempt_${new Date(day).toISOString().slice(0, 10).replaceAll('-', '')}`;
}

function dayOf(name: string): number | null {
  const match = /attempt_(\d{4})(\d\d)(\d\d)$/.exec(name);
  return match && Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
}
