import type { BackfillOrder, BackfillReport } from '../ports/backfill.js';
import type { EpochMs } from '../ports/storage.adapter.js';
import { bearRun, release } from './runs.js';
import type { JobRow, MemoryTables, RunRow } from './tables.js';

/** Runs for past instants of a recurring job, beside its schedule. */
export function backfill(
  tables: MemoryTables,
  now: EpochMs,
  job: JobRow,
  { instants, overlap, includeSucceeded, dryRun }: BackfillOrder,
): BackfillReport {
  const report: BackfillReport = { runIds: [], created: [], active: 0, succeeded: 0, scheduled: 0 };
  const [active, succeeded] = [activeInstants(job), includeSucceeded ? null : succeededInstants(tables, job)];
  const end = scheduledFrom(job);
  let last = overlap === 'queue' ? lastInQueue(job) : null;
  for (const nominalAt of instants) {
    if (nominalAt >= end) report.scheduled++;
    else if (active.has(nominalAt)) report.active++;
    else if (succeeded?.has(nominalAt)) report.succeeded++;
    else {
      report.created.push(nominalAt);
      if (dryRun) continue;
      const run = bearRun(tables, job, { origin: 'backfill', nominalAt, dueAt: now }, last ? [last] : []);
      run.inQueue = overlap === 'queue';
      report.runIds.push(run.id);
      // Also while the job is paused, as it was asked for by hand.
      release(tables, run);
      if (run.inQueue) last = run;
    }
  }
  return report;
}

/** From where on instants are the schedule's own: where the cursor stands, or, of an orphan, would return to. */
function scheduledFrom({ cursorAt, orphanedAt, openGap }: JobRow): EpochMs {
  return cursorAt ?? (orphanedAt === null ? null : openGap?.from.getTime()) ?? Infinity;
}

function activeInstants({ runs }: JobRow): Set<EpochMs> {
  return new Set([...runs].filter(({ origin }) => origin !== 'manual').map(({ nominalAt }) => nominalAt));
}

function succeededInstants(tables: MemoryTables, { definition: { id, namespace } }: JobRow): Set<EpochMs> {
  const found = tables.ledger.filter(
    (row) => row.jobId === id && row.namespace === namespace && row.final && row.outcome === 'succeeded',
  );
  return new Set(found.map(({ nominalAt }) => nominalAt.getTime()));
}

function lastInQueue({ runs }: JobRow): RunRow | null {
  return [...runs].findLast(({ inQueue }) => inQueue) ?? null;
}
