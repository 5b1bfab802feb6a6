import { StorageError } from '../model/errors.js';
import type { EpochMs, WorkerInfo, WorkerRegistration } from '../ports/storage.adapter.js';
import { within } from './deadline.js';
import type { Run, StatementRunner } from './statement.runner.js';

interface WorkerRow extends Omit<WorkerInfo, 'zoneData' | 'startedAt' | 'leaseUntil' | 'condition'> {
  clock_offset_ms: number | null;
  loop_lag_ms: number | null;
  zone_data: string;
  started_at: EpochMs;
  lease_until: EpochMs;
}

/** How many deferred runs are recalled in one step; the janitor sees to the others. */
export const recalledPerStep = 10_000;
const recallPatienceMs = 1_000;

export async function register(
  { run }: StatementRunner,
  worker: WorkerRegistration,
  leaseMs: number,
): Promise<{ now: EpochMs; leaseUntil: EpochMs }> {
  const registered = await registerBy(run, worker, leaseMs);
  await recallDeferred(run);
  return registered;
}

/** As a part of a transaction; `recallDeferred` has to follow it. Touches the table of workers only, as a renewal does. */
export async function registerBy(
  run: Run,
  worker: WorkerRegistration,
  leaseMs: number,
): Promise<{ now: EpochMs; leaseUntil: EpochMs }> {
  const { id, name, app, generation, host, pid, version, zoneData, queues, handlers, retention, slots } =
    worker;
  const [row] = await run<{ now: EpochMs; lease_until: EpochMs }>(
    'register',
    id,
    name,
    app,
    generation,
    host,
    pid,
    version,
    zoneData,
    queues,
    handlers,
    leaseMs,
    retention && JSON.stringify(retention),
    slots ?? null,
  );
  if (!row) throw new StorageError(`The worker ${id} has lost its lease: its id cannot be used again.`);
  return { now: row.now, leaseUntil: row.lease_until };
}

export async function updateWorker(
  { run }: StatementRunner,
  workerId: string,
  { handlers, generation }: Pick<WorkerRegistration, 'handlers' | 'generation'>,
): Promise<void> {
  await run('updateWorker', workerId, handlers, generation);
  await recallDeferred(run);
}

/**
 * What was deferred and a live worker can execute is due. Never rejects, and waits for a moment only: the table of runs may be locked as a whole, and what is not done here
 * the janitor does.
 */
export async function recallDeferred(run: Run): Promise<void> {
  await within(recallPatienceMs, run('recallDeferred', recalledPerStep));
}

export async function queryWorkers(run: Run): Promise<WorkerInfo[]> {
  return (await run<WorkerRow>('queryWorkers')).map((row) => ({
    id: row.id,
    name: row.name,
    app: row.app,
    generation: row.generation,
    host: row.host,
    pid: row.pid,
    version: row.version,
    zoneData: row.zone_data,
    queues: row.queues,
    handlers: row.handlers,
    startedAt: new Date(row.started_at),
    leaseUntil: new Date(row.lease_until),
    running: row.running,
    retention: row.retention,
    slots: row.slots,
    condition:
      row.clock_offset_ms === null || row.loop_lag_ms === null
        ? null
        : { clockOffsetMs: row.clock_offset_ms, loopLagMs: row.loop_lag_ms },
  }));
}
