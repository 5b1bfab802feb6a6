import type { ChronisSettings } from './chronis.settings.js';
import type { Exploration } from './discovery/declared.job.js';
import type { JobExplorer } from './discovery/job.explorer.js';
import { JobSynchronizer } from './discovery/job.synchronizer.js';
import { MissingJobs } from './discovery/missing.jobs.js';
import type { SyncRules } from './discovery/sync.plan.js';
import type { Engine } from './engine/engine.js';
import type { ChronisEvents } from './events/chronis.events.js';
import type { LockAdapter } from './ports/lock.adapter.js';
import type { StorageAdapter } from './ports/storage.adapter.js';

// How the parts are put together that have the stored jobs agree with the code; see chronis.factories.ts.

export function makeSynchronizer(
  storage: StorageAdapter,
  lock: LockAdapter,
  events: ChronisEvents,
  engine: Engine,
  explorer: JobExplorer,
  settings: ChronisSettings,
): JobSynchronizer {
  return new JobSynchronizer(
    {
      storage,
      lock,
      clock: settings.clock,
      events,
      random: Math.random,
      explore: () => explorer.explore(),
      workerId: () => engine.workerId,
      onChange: () => engine.wake(),
    },
    syncRulesOf(settings),
  );
}

export function makeMissingJobs(
  storage: StorageAdapter,
  lock: LockAdapter,
  events: ChronisEvents,
  explorer: JobExplorer,
  settings: ChronisSettings,
): MissingJobs {
  const explore = (): Exploration => explorer.explore();
  return new MissingJobs({ storage, lock, clock: settings.clock, events, explore }, syncRulesOf(settings));
}

function syncRulesOf({ orphans, previousApps, engine }: ChronisSettings): SyncRules {
  const { app, orphanGraceMs, calendars } = engine;
  return { app, previousApps, orphans, orphanGraceMs, calendars };
}
