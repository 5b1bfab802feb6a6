import type { BinaryStorage, Job, JobRef, NewJob, StorageAdapter } from '../index.js';
import { FailedError } from './cli.errors.js';

/** What the boot of an application would have made or replaced, in its hooks. */
export type BootedJobs = (JobRef & { action: 'created' | 'replaced' })[];

/** Of a storage, what changes nothing. All else is refused. */
const reads: ReadonlySet<string> = new Set<keyof StorageAdapter>([
  'kind',
  'shared',
  'wakeSignal',
  'eventChannel',
  'close',
  'now',
  'exactNow',
  'getJob',
  'queryJobs',
  'queryRefs',
  'countJobs',
  'queryPauses',
  'queryRuns',
  'queryAttempts',
  'queryGaps',
  'queryWorkers',
  'takeStock',
  'queryRunSteps',
  'syncedSet',
]);
/** The same of what a storage has for workflows and definitions: reads, and listeners. */
const isRead = /^(get|query|count|unserved|laterRun|on[A-Z])/;

/** A storage that is looked at, and changes nothing: neither at its opening nor later. Jobs that the hooks of an application make are noted, and as good as made for who makes them. */
export function planningStorage(storage: StorageAdapter, booted: BootedJobs): StorageAdapter {
  return new Proxy(storage, {
    get(target, key): unknown {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof key === 'symbol' || key === 'constructor') return value;
      switch (key) {
        case 'init':
          return (failing?: (error: unknown, retryInMs: number) => void) => {
            target.onlyLook?.();
            return target.init(failing);
          };
        case 'syncDefinitions':
          // With nobody who carries the set, as a plan asks.
          return (request: Parameters<StorageAdapter['syncDefinitions']>[0]) =>
            request.workerId === null ? target.syncDefinitions(request) : refused(key);
        case 'insertJobs':
          return (jobs: readonly NewJob[], onConflict: string) =>
            insertNothing(target, jobs, onConflict, booted);
        case 'binaries':
          // To look for a program is to say that it is used.
          return typeof value === 'object' && value !== null ? asStoredBinaries : value;
        case 'flows':
        case 'definitions':
          return typeof value === 'object' && value !== null ? readable(value, key) : value;
        case 'lock':
          return readable(value as object, key, /^(init|close|inspect)$/);
        default:
      }
      if (typeof value !== 'function') return value;
      return reads.has(key) ? value.bind(target) : () => refused(key);
    },
  });
}

/** What a job names counts as stored. */
const asStoredBinaries: BinaryStorage = {
  putBinary: () => refused('binaries.putBinary'),
  useBinary: async (sha256) => ({ sha256, size: 0, storedAt: 0, usedAt: 0 }),
  readBinary: () => refused('binaries.readBinary'),
};

function readable(part: object, name: string, reading = isRead): object {
  return new Proxy(part, {
    get(target, key): unknown {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function' || typeof key === 'symbol') return value;
      return reading.test(key) ? value.bind(target) : () => refused(`${name}.${key}`);
    },
  });
}

function refused(method: string): Promise<never> {
  return Promise.reject(
    new FailedError(
      `A plan changes nothing, but something in the boot of the application does: it called ${method}() of the storage. Leave that out where process.env.CHRONIS_PLAN is set.`,
    ),
  );
}

async function insertNothing(
  storage: StorageAdapter,
  jobs: readonly NewJob[],
  onConflict: string,
  booted: BootedJobs,
): Promise<unknown[]> {
  const results: unknown[] = [];
  for (const job of jobs) {
    const { namespace, id } = job;
    const found = await storage.getJob({ namespace, id });
    if (found !== null && onConflict === 'ignore') results.push({ status: 'existing', job: found });
    else if (found !== null && onConflict !== 'replace') results.push({ status: 'conflict' });
    else {
      const action = found === null ? 'created' : 'replaced';
      booted.push({ namespace, id, action });
      results.push({ status: action, job: asStored(job) });
    }
  }
  return results;
}

/** As it would be once it is stored. */
function asStored({ nextAt, ...job }: NewJob): Job {
  const now = new Date();
  const nextRunAt = nextAt === null || nextAt === Infinity ? null : new Date(nextAt);
  const empty = { paused: null, pausedBy: null, orphanedAt: null, changed: null, waitsFor: null } as const;
  const counts = { runCount: 0, errorCount: 0, consecutiveFailures: 0, revision: 1 };
  const last = { lastRunAt: null, lastVerdict: null, lastError: null };
  return {
    ...job,
    state: 'pending',
    ...empty,
    nextRunAt,
    ...counts,
    ...last,
    createdAt: now,
    updatedAt: now,
  };
}
