import {
  appear,
  type CarriedSet,
  type ChangedJob,
  type EpochMs,
  type SyncedSet,
  type SyncRequest,
} from '../ports/storage.adapter.js';
import { keyOf, type JobRow, type MemoryTables, type Release, type WorkerRow } from './tables.js';

/** The sets of an app that workers carry, or did within the grace. `leaving`: a worker that goes over to another set now. */
export function carriedSets(
  tables: MemoryTables,
  now: EpochMs,
  app: string,
  graceMs: number,
  leaving: string | null = null,
): (CarriedSet & { generation: number })[] {
  return releasesOf(tables, app).flatMap(({ generation, place, declarations }) => {
    const until = carriedUntil(tables, app, generation, ({ id, leaseUntil }) =>
      id === leaving ? Math.min(leaseUntil, now) : leaseUntil,
    );
    if (until <= now - graceMs) return [];
    return { generation, place, declarations, carriedUntil: until > now ? null : until };
  });
}

/** The set of a request with its number; it appears unless it is carried, or was within the grace. Not kept yet. */
export function releaseFor(
  tables: MemoryTables,
  now: EpochMs,
  { app, setHash, declarations, graceMs }: SyncRequest,
): { generation: number; release: Release } {
  const releases = tables.releases.get(app) ?? [];
  const nth = releases.findIndex((release) => release.setHash === setHash);
  const generation = nth < 0 ? releases.length + 1 : nth + 1;
  const carried = carriedSets(tables, now, app, graceMs);
  if (carried.some((set) => set.generation === generation))
    return { generation, release: { ...releases[nth]! } };
  const place = Math.max(0, ...releases.map((release) => release.place)) + 1;
  const appeared = appear(declarations, carried, place);
  return {
    generation,
    release: { setHash, place, declarations: appeared, syncedBeside: null, outranked: [] },
  };
}

export function keepRelease(tables: MemoryTables, app: string, generation: number, release: Release): void {
  tables.releases.set(app, (tables.releases.get(app) ?? []).toSpliced(generation - 1, 1, release));
}

/** Which sets live workers carry, in one text. `and`: a generation that counts as carried. */
export function signature(
  tables: MemoryTables,
  now: EpochMs,
  app: string,
  and: number | null = null,
): string {
  return releasesOf(tables, app)
    .filter(({ generation }) => generation === and || carriedUntil(tables, app, generation) > now)
    .map(({ generation, place }) => `${generation}:${place}`)
    .join();
}

export function syncedSet(
  tables: MemoryTables,
  now: EpochMs,
  { app, setHash, graceMs }: Pick<SyncRequest, 'app' | 'setHash' | 'graceMs'>,
): SyncedSet | null {
  const known = releasesOf(tables, app).find((release) => release.setHash === setHash);
  if (!known || carriedUntil(tables, app, known.generation) <= now - graceMs) return null;
  const { generation, declarations, outranked, syncedBeside } = known;
  const elsewhere = new Set(outranked.map(keyOf));
  const own = new Set(declaredJobs(tables, app).map(({ definition }) => keyOf(definition)));
  // Somebody may have deleted a job.
  if (declarations.map(keyOf).some((key) => !own.has(key) && !elsewhere.has(key))) return null;
  return syncedBeside === signature(tables, now, app, generation)
    ? { generation, outranked: structuredClone([...outranked]), changed: changedJobs(tables, app) }
    : null;
}

function changedJobs(tables: MemoryTables, app: string): ChangedJob[] {
  return declaredJobs(tables, app).flatMap(({ definition: { namespace, id }, changed: changes }) =>
    changes === null ? [] : structuredClone({ namespace, id, changes }),
  );
}

/** Notes beside which sets a release was synced; null: something is left to do. What was synced beside others before is not any more. */
export function noteSynced(tables: MemoryTables, app: string, release: Release, beside: string | null): void {
  tables.note('releases', app);
  for (const each of tables.releases.get(app)!) {
    if (each === release) each.syncedBeside = beside;
    else if (each.syncedBeside !== beside) each.syncedBeside = null;
  }
}

/** Whether the set that a worker carries was synced beside other sets than live workers carry. */
export function isOutOfSync(tables: MemoryTables, now: EpochMs, workerId: string): boolean {
  const { app, generation } = tables.workers.get(workerId)!;
  const release = generation === null ? undefined : tables.releases.get(app)?.[generation - 1];
  return release !== undefined && release.syncedBeside !== signature(tables, now, app);
}

export function declaredJobs(tables: MemoryTables, app: string): JobRow[] {
  return [...tables.jobs.values()].filter((job) => job.source === 'code' && job.app === app);
}

function releasesOf(tables: MemoryTables, app: string): (Release & { generation: number })[] {
  return (tables.releases.get(app) ?? []).map((release, nth) => ({ ...release, generation: nth + 1 }));
}

/** When the lease of the last worker ends or ended that carries the generation. */
function carriedUntil(
  tables: MemoryTables,
  app: string,
  generation: number,
  untilOf = ({ leaseUntil }: Pick<WorkerRow, 'id' | 'leaseUntil'>): EpochMs => leaseUntil,
): EpochMs {
  let until = -Infinity;
  for (const worker of tables.workers.values()) {
    if (worker.app !== app || worker.generation !== generation) continue;
    until = Math.max(until, untilOf(worker));
  }
  return until;
}
