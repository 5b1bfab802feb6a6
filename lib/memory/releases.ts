import {
  appear,
  releasesKept,
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

/** The set of a request; it appears unless it is carried, or was within the grace. Not kept yet. */
export function releaseFor(
  tables: MemoryTables,
  now: EpochMs,
  { app, setHash, declarations, graceMs }: SyncRequest,
): Release {
  const releases = releasesOf(tables, app);
  const known = releases.find((release) => release.setHash === setHash);
  const generation = known?.generation ?? Math.max(0, ...releases.map((each) => each.generation)) + 1;
  const carried = carriedSets(tables, now, app, graceMs);
  if (known && carried.some((set) => set.generation === generation)) return { ...known };
  const place = Math.max(0, ...releases.map((release) => release.place)) + 1;
  const appeared = appear(declarations, carried, place);
  return { generation, setHash, place, declarations: appeared, syncedBeside: null, outranked: [] };
}

/** Those that were never seen again go, whatever else there was since: see `releasesKept`. */
export function keepRelease(tables: MemoryTables, app: string, release: Release): void {
  const others = releasesOf(tables, app).filter(({ generation }) => generation !== release.generation);
  const all = [...others, release];
  const [first] = all.toSorted((one, other) => other.place - one.place).slice(releasesKept - 1);
  const carried = new Set(
    Array.from(tables.workers.values(), (worker) => (worker.app === app ? worker.generation : null)),
  );
  const kept = all.filter(
    (each) => first === undefined || each.place >= first.place || carried.has(each.generation),
  );
  tables.releases.set(
    app,
    kept.toSorted((one, other) => one.generation - other.generation),
  );
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
  const release = releasesOf(tables, app).find((each) => each.generation === generation);
  return release !== undefined && release.syncedBeside !== signature(tables, now, app);
}

export function declaredJobs(tables: MemoryTables, app: string): JobRow[] {
  return [...tables.jobs.values()].filter((job) => job.source === 'code' && job.app === app);
}

function releasesOf({ releases }: MemoryTables, app: string): readonly Release[] {
  return releases.get(app) ?? [];
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
