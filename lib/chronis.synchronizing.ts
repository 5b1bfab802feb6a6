import type { ChronisSettings } from './chronis.settings.js';
import type { Exploration } from './discovery/declared.job.js';
import type { DeclaredJob } from './discovery/declared.job.js';
import type { JobExplorer } from './discovery/job.explorer.js';
import type { JobLists } from './discovery/job.lists.js';
import { JobSynchronizer } from './discovery/job.synchronizer.js';
import { MissingJobs } from './discovery/missing.jobs.js';
import type { SyncRules } from './discovery/sync.plan.js';
import type { Engine } from './engine/engine.js';
import type { ChronisEvents } from './events/chronis.events.js';
import type { LockAdapter } from './ports/lock.adapter.js';
import type { StorageAdapter } from './ports/storage.adapter.js';
import { refKey } from './scheduler/job.identity.js';

// How the parts are put together that have the stored jobs agree with the code; see chronis.factories.ts.

export function makeSynchronizer(
  storage: StorageAdapter,
  lock: LockAdapter,
  events: ChronisEvents,
  engine: Engine,
  explorer: JobExplorer,
  settings: ChronisSettings,
  lists: JobLists,
): JobSynchronizer {
  return new JobSynchronizer(
    {
      storage,
      lock,
      clock: settings.clock,
      events,
      random: Math.random,
      explore: () => withLists(explorer.explore(), lists.jobs),
      lists,
      workerId: () => engine.workerId,
      onChange: () => engine.wake(),
    },
    syncRulesOf(settings, lists),
  );
}

/** What code declares is its own: also that of a module which was loaded after a list had the id. */
export function withLists(code: Exploration, listed: readonly DeclaredJob[]): Exploration {
  if (listed.length === 0) return code;
  const keys = new Set(code.jobs.map(({ definition }) => refKey(definition)));
  const others = listed.filter(({ definition }) => !keys.has(refKey(definition)));
  return { ...code, jobs: [...code.jobs, ...others] };
}

export function makeMissingJobs(
  storage: StorageAdapter,
  lock: LockAdapter,
  events: ChronisEvents,
  explorer: JobExplorer,
  settings: ChronisSettings,
  lists: JobLists,
): MissingJobs {
  const explore = (): Exploration => explorer.explore();
  return new MissingJobs(
    { storage, lock, clock: settings.clock, events, explore },
    syncRulesOf(settings, lists),
  );
}

export function syncRulesOf({ orphans, previousApps, engine }: ChronisSettings, lists: JobLists): SyncRules {
  const { app, orphanGraceMs, calendars } = engine;
  return { app, previousApps, orphans, orphanGraceMs, calendars, lists };
}
