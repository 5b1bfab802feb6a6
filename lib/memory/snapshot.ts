import { InvalidOptionError } from '../model/errors.js';
import { storedFlow } from './flow.snapshot.js';
import { fill, idsOf, storedJob, storedRun, type Snapshot } from './stored.rows.js';
import { MemoryTables } from './tables.js';

/** Raised when what is written changes: a snapshot of another format is refused, never guessed at. */
export const snapshotFormat = 2;

/** Everything that the tables hold, as JSON. */
export function takeSnapshot(
  tables: MemoryTables,
  {
    ledger,
    binaries,
    rollups,
    runLogs,
    runProgress,
    overdue,
    bulkActions,
  }: Pick<
    MemoryTables,
    'ledger' | 'binaries' | 'rollups' | 'runLogs' | 'runProgress' | 'overdue' | 'bulkActions'
  > = tables,
): string {
  const snapshot: Record<keyof Snapshot, unknown> = {
    format: snapshotFormat,
    lastNumber: tables.lastNumber,
    zoneData: tables.zoneData,
    recordAsOf: tables.recordAsOf,
    jobs: [...tables.jobs.values()].map(storedJob),
    runs: [...tables.runs.values()].map(storedRun),
    steps: [...tables.steps],
    definitions: [...tables.definitions],
    binaries: [...binaries.values()],
    rollups: [...rollups],
    rollupMark: tables.rollupMark,
    flows: Array.from(tables.flows.values(), storedFlow),
    signals: [...tables.signals],
    waiting: idsOf(tables.waiting.items()),
    cursors: Array.from(tables.cursors.items(), ({ uid }) => uid),
    held: Array.from(tables.held, ([worker, runs]) => [worker, idsOf(runs)]),
    workers: [...tables.workers.values()],
    pauses: [...tables.pauses],
    releases: [...tables.releases],
    audit: [...tables.audit.values()],
    runLogs: [...runLogs.values()],
    runProgress: [...runProgress.values()],
    overdue: [...overdue],
    bulkActions: [...bulkActions.values()],
    ledger,
    gaps: tables.gaps,
    locks: [...tables.locks],
  };
  return JSON.stringify(snapshot);
}

/** Tables as they were. Throws InvalidOptionError for what `takeSnapshot` did not make. */
export function restoreTables(text: string, recordLimit: number): MemoryTables {
  try {
    return restored(parsed(text), recordLimit);
  } catch (cause) {
    const problem = `${(cause as Error).message} Give what snapshot() returned, unchanged.`;
    throw Object.assign(new InvalidOptionError('snapshot', problem), { cause });
  }
}

/** The same once more, for changes that may come to nothing. What is on record, and programs, are never changed, so both have them in common. */
export function copyOf(tables: MemoryTables): MemoryTables {
  const copy = restored(
    parsed(
      takeSnapshot(tables, {
        ledger: [],
        binaries: new Map(),
        rollups: new Map(),
        runLogs: new Map(),
        runProgress: new Map(),
        overdue: new Map(),
        bulkActions: new Map(),
      }),
    ),
    tables.recordLimit,
  );
  for (const row of tables.ledger) copy.ledger.push(row);
  for (const [sha256, binary] of tables.binaries) copy.binaries.set(sha256, binary);
  for (const [key, rollup] of tables.rollups) copy.rollups.set(key, rollup);
  for (const [key, row] of tables.overdue) copy.overdue.set(key, row);
  for (const [runId, log] of tables.runLogs) copy.runLogs.set(runId, log);
  for (const [id, row] of tables.bulkActions) copy.bulkActions.set(id, row);
  for (const [runId, row] of tables.runProgress) copy.runProgress.set(runId, row);
  return copy;
}

function parsed(text: string): Snapshot {
  const snapshot = JSON.parse(text) as Partial<Snapshot> | null;
  if (snapshot?.format === snapshotFormat) return snapshot as Snapshot;
  throw new RangeError(
    `has the format ${JSON.stringify(snapshot?.format)}; this version reads ${snapshotFormat}.`,
  );
}

function restored(snapshot: Snapshot, recordLimit: number): MemoryTables {
  const tables = new MemoryTables(recordLimit, snapshot.lastNumber);
  fill(tables, snapshot);
  return tables;
}
