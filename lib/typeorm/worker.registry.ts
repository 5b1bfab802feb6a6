import { StorageError } from '../model/errors.js';
import type { EpochMs, Renewal, WorkerInfo, WorkerRegistration } from '../ports/storage.adapter.js';
import type { Run, StatementRunner } from './statement.runner.js';

interface WorkerRow extends Omit<WorkerInfo, 'zoneData' | 'startedAt' | 'leaseUntil'> {
  zone_data: string;
  started_at: EpochMs;
  lease_until: EpochMs;
}

interface Renewed {
  now: EpochMs;
  lease_until: EpochMs | null;
  cancelled: string[];
  /** null: the worker carries no set. */
  out_of_sync: boolean | null;
}

/** How many deferred runs are recalled in one step; the janitor sees to the others. */
export const recalledPerStep = 10_000;

export function register(
  statements: StatementRunner,
  worker: WorkerRegistration,
  leaseMs: number,
): Promise<{ now: EpochMs; leaseUntil: EpochMs }> {
  return statements.change(({ run }) => registerBy(run, worker, leaseMs));
}

/** As a part of a transaction. */
export async function registerBy(
  run: Run,
  worker: WorkerRegistration,
  leaseMs: number,
): Promise<{ now: EpochMs; leaseUntil: EpochMs }> {
  const { id, name, app, generation, host, pid, version, zoneData, queues, handlers, retention } = worker;
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
  );
  if (!row) throw new StorageError(`The worker ${id} has lost its lease: its id cannot be used again.`);
  await run('recallDeferred', recalledPerStep);
  return { now: row.now, leaseUntil: row.lease_until };
}

export function updateWorker(
  statements: StatementRunner,
  workerId: string,
  { handlers, generation }: Pick<WorkerRegistration, 'handlers' | 'generation'>,
): Promise<void> {
  return statements.change(async ({ run }) => {
    await run('updateWorker', workerId, handlers, generation);
    await run('recallDeferred', recalledPerStep);
  });
}

export async function renew(
  run: Run,
  workerId: string,
  leaseMs: number,
  running: number,
  longRunning: readonly string[],
): Promise<Renewal> {
  const [row] = await run<Renewed>('renew', workerId, leaseMs, running);
  if (row.lease_until !== null && longRunning.length > 0) await run('park', workerId, longRunning);
  const { now, lease_until: leaseUntil, cancelled, out_of_sync: outOfSync } = row;
  return { now, leaseUntil, cancelled, outOfSync: outOfSync ?? false };
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
  }));
}
