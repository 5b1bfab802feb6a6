import type { EpochMs } from '../ports/storage.adapter.js';
import type { Database } from './database.js';
import { createLedgerDays, dropLedgerDays } from './ledger.days.js';
import type { TableNames } from './sql/table.names.js';
import type { Run } from './statement.runner.js';

const rowsPerRound = 5_000;
/** Of a day that will soon be dropped as a whole, deleting rows one by one is waste: just enough to be exact where there are few. */
const rowsOfBrokenDay = 1_000;
const twoDaysMs = 2 * 86_400_000;

/** Forgets what is older than it is kept, in steps of bounded size; whether there is more to do. */
export async function prune(run: Run, database: Database, t: TableNames, ledgerMs: number): Promise<boolean> {
  const [{ now }] = await run<{ now: EpochMs }>('readTime');
  const horizon = now - ledgerMs;
  await createLedgerDays(database, t, now);
  await dropLedgerDays(database, t, horizon);
  const counts = [
    await run<{ count: number }>('forgetUndated', horizon, rowsPerRound),
    await run<{ count: number }>('forgetGaps', horizon, rowsPerRound),
    await run<{ count: number }>('forgetKept', rowsPerRound),
    await run<{ count: number }>('forgetDead', horizon, rowsPerRound),
  ];
  const inDays = ledgerMs >= twoDaysMs;
  counts.push(
    await run<{ count: number }>('forgetAttempts', horizon, inDays ? rowsOfBrokenDay : rowsPerRound),
  );
  await run('forgetWorkers', horizon);
  return counts.some(([{ count }]) => count === rowsPerRound);
}
