import type { JobRef } from '../../lib/model/job.js';
import type { Trigger } from '../../lib/index.js';
import { HandlerRegistry } from '../../lib/engine/handler.registry.js';
import type { Clock } from '../../lib/ports/clock.js';
import type { StorageAdapter } from '../../lib/ports/storage.adapter.js';
import { HandlerDirectory } from '../../lib/scheduler/handler.directory.js';
import { JobUpdater } from '../../lib/scheduler/job.updater.js';
import { planResume } from '../../lib/scheduler/resume.plan.js';
import { StorageNow } from '../../lib/scheduler/storage.now.js';
import { every, managed } from './jobs.js';
import type { SeededRandom } from './seeded.random.js';
import type { SimulatedDatabase } from './simulated.database.js';

/** In force from `at` of the database's clock until the next one of the job; `trigger`: null: the job is deleted. */
export interface Change {
  jobId: string;
  at: number;
  trigger: Trigger | null;
}

const begin = Date.UTC(2026, 0, 1);
const defaults = { timeZone: 'UTC', payloadLimit: 1_000_000, calendars: {} };

/** Makes, changes, pauses, resumes or deletes one of the managed jobs as the service does, and notes it. Nothing while the database takes no changes. */
export async function changeAtRandom(
  database: SimulatedDatabase,
  world: Clock,
  random: SeededRandom,
  changes: Change[],
): Promise<void> {
  if (!database.writable) return;
  const { adapter } = database;
  const ref = { namespace: 'default', id: random.pick(managed) };
  const draw = random.next();
  const job = await adapter.getJob(ref);
  if (job === null) {
    const ms = random.pick([1_000, 2_000, 5_000]);
    await adapter.insertJobs([every(database.clock.now(), ref.id, ms, begin, { overlap: 'allow' })], 'raise');
  } else if (job.paused !== null) {
    await adapter.resumeJob(ref, (standing, now) => planResume(ref.namespace, standing, now, {}));
  } else if (draw < 0.5) {
    const updater = new JobUpdater(defaults, handlersOf(adapter), new StorageNow(adapter, world));
    const trigger = {
      type: 'interval' as const,
      every: random.pick([1_000, 1_500, 3_000]),
      endAt: new Date(begin + 90_000),
    };
    const access = { jobs: adapter, changed: () => undefined };
    await updater.update(ref, { trigger, allowUnknownHandler: true }, access as never);
  } else if (draw < 0.8) {
    await adapter.pauseJob(ref, { reason: null, by: null });
  } else {
    await adapter.deleteJob(ref);
  }
  await note(database, ref, changes);
}

/** Ends all pauses, so that what waits for it can come to its end. */
export async function resumeAll(database: SimulatedDatabase, changes: Change[]): Promise<void> {
  for (const id of managed) {
    const ref = { namespace: 'default', id };
    await database.adapter.resumeJob(ref, (standing, now) => planResume(ref.namespace, standing, now, {}));
    await note(database, ref, changes);
  }
}

async function note(database: SimulatedDatabase, ref: JobRef, changes: Change[]): Promise<void> {
  const job = await database.adapter.getJob(ref);
  changes.push({ jobId: ref.id, at: database.clock.now(), trigger: job?.trigger ?? null });
}

/** Of a process that runs none, and takes what it is given. */
function handlersOf(storage: StorageAdapter): HandlerDirectory {
  const local = new HandlerRegistry();
  return new HandlerDirectory({
    local,
    app: 'default',
    storage,
    works: () => false,
    allowsUnknown: true,
  });
}
