import { snapshotFormat } from '../memory/snapshot.js';
import type { Snapshot, StoredJob, StoredRun } from '../memory/stored.rows.js';
import type { RollupMark } from '../ports/storage.adapter.js';
import type { StoredTables } from './change.js';
import { joinFlows } from './stored.flows.js';

/** What is kept beside the rows. */
export interface About {
  lastNumber: number;
  zoneData: string | null;
  recordAsOf: number | null;
  /** Absent where nothing was counted. */
  rollupMark?: RollupMark;
}

/** Everything as the tables take it back: what follows from the rows, such as what waits, is found anew. */
export function snapshotOf(stored: StoredTables): Snapshot {
  const about: About = stored.about.get('storage') ?? { lastNumber: 0, zoneData: null, recordAsOf: null };
  const jobs: StoredJob[] = [...stored.jobs.values()].map((job) => ({ ...job, runs: [], deadLetters: [] }));
  const runs: StoredRun[] = inBirthOrder([...stored.runs.values()]);
  const byUid = new Map(jobs.map((job) => [job.uid, job]));
  for (const run of runs) {
    if (typeof run.job !== 'string' || run.detached) continue;
    const job = byUid.get(run.job);
    if (job && (run.verdict === null || job.kind === 'one-off')) job.runs.push(run.id);
  }
  const dead = runs.filter(
    ({ job, verdict, detached }) => typeof job === 'string' && verdict !== null && !detached,
  );
  for (const run of dead.sort((a, b) => a.finishedAt! - b.finishedAt!)) {
    const job = byUid.get(run.job as string);
    if (job?.kind === 'recurring') job.deadLetters.push(run.id);
  }
  return {
    format: snapshotFormat,
    ...about,
    jobs,
    runs,
    steps: [...stored.steps] as Snapshot['steps'],
    definitions: [...stored.definitions] as Snapshot['definitions'],
    binaries: [...stored.binaries.values()] as Snapshot['binaries'],
    rollups: [...stored.rollups] as Snapshot['rollups'],
    flows: joinFlows(stored.flows.values(), stored.flowSteps),
    signals: [...stored.signals] as Snapshot['signals'],
    waiting: runs
      .filter(isWaiting)
      .toSorted(byTime)
      .map(({ id }) => id),
    cursors: jobs.filter(({ cursorAt }) => typeof cursorAt === 'number').map(({ uid }) => uid),
    held: heldBy(runs),
    workers: [...stored.workers.values()],
    pauses: [...stored.pauses] as Snapshot['pauses'],
    releases: [...stored.releases] as Snapshot['releases'],
    audit: inBirthOrder([...stored.audit.values()]),
    overdue: [...stored.overdue] as Snapshot['overdue'],
    bulkActions: [...stored.bulkActions.values()] as Snapshot['bulkActions'],
    runLogs: [...stored.runLogs.values()] as Snapshot['runLogs'],
    runProgress: [...stored.runProgress.values()] as Snapshot['runProgress'],
    ledger: inOrder(stored.attempts),
    gaps: inOrder(stored.gaps),
    locks: [...stored.locks] as Snapshot['locks'],
  };
}

function isWaiting({ worker, verdict, held, blockedBy, dueAt, open }: StoredRun): boolean {
  const isFree = worker === null && verdict === null && !held && blockedBy.length === 0;
  return isFree && dueAt !== null && open?.deadline !== null;
}

function byTime(a: StoredRun, b: StoredRun): number {
  return a.dueAt! - b.dueAt! || Number(a.id) - Number(b.id);
}

function heldBy(runs: readonly StoredRun[]): Snapshot['held'] {
  const held = new Map<string, string[]>();
  for (const { worker, id } of runs) {
    if (worker === null) continue;
    const ids = held.get(worker);
    if (ids) ids.push(id);
    else held.set(worker, [id]);
  }
  return [...held];
}

/** Ids are numbers that grow. */
function inBirthOrder<T extends { id: string }>(rows: T[]): T[] {
  return rows.sort((a, b) => Number(a.id) - Number(b.id));
}

function inOrder<T>(rows: ReadonlyMap<string | number, T>): T[] {
  return [...rows].sort(([a], [b]) => Number(a) - Number(b)).map(([, row]) => row);
}
