import type { BinaryStorage, StorageAdapter } from '../index.js';
import type { BootNotes } from './boot.notes.js';

/** Of a storage, what changes nothing. All else is refused. */
const reads: ReadonlySet<string> = new Set<keyof StorageAdapter>([
  'kind',
  'shared',
  'wakeSignal',
  'eventChannel',
  'close',
  'now',
  'exactNow',
  'queryJobs',
  'queryRefs',
  'countJobs',
  'queryPauses',
  'stalePauses',
  'queryRuns',
  'queryAttempts',
  'queryFailures',
  'queryGaps',
  'queryWorkers',
  'takeStock',
  'queryRunSteps',
  'syncedSet',
  'reading',
]);
/** The same of what a storage has for workflows and definitions: reads, and listeners. */
const isRead = /^(get|list|query|count|unserved|laterRun|rollupState|read|on[A-Z])/;

/** A storage that is looked at, and changes nothing: neither at its opening nor later. Jobs that the hooks of an application make, change or delete are noted, and it is as good as done for who does it; all else that would change something is refused. */
export function planningStorage(storage: StorageAdapter, notes: BootNotes): StorageAdapter {
  const refused = (method: string): Promise<never> => notes.refuse(method);
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
        case 'getJob':
        case 'insertJobs':
        case 'updateJob':
        case 'deleteJob':
          return notes.jobsOver(target)[key];
        case 'joined':
          return typeof value === 'function' ? joined(target, notes) : value;
        case 'binaries':
          // To look for a program is to say that it is used.
          return typeof value === 'object' && value !== null ? asStoredBinaries(refused) : value;
        case 'bulkActions':
        case 'flows':
        case 'definitions':
        case 'overdue':
        case 'rollups':
        case 'runLogs':
        case 'runProgress':
          return typeof value === 'object' && value !== null ? readable(value, key, refused) : value;
        case 'lock':
          return readable(value as object, key, refused, /^(init|close|inspect)$/);
        default:
      }
      if (typeof value !== 'function') return value;
      return reads.has(key) ? value.bind(target) : () => refused(key);
    },
  });
}

type Refusing = (method: string) => Promise<never>;

/** In a transaction of the application, which is its own matter, nothing is changed either. */
function joined(storage: StorageAdapter, notes: BootNotes): StorageAdapter['joined'] {
  return async (manager) => {
    const jobs = await storage.joined!(manager);
    return jobs && planningStorage(jobs as StorageAdapter, notes);
  };
}

/** What a job names counts as stored. */
function asStoredBinaries(refused: Refusing): BinaryStorage {
  return {
    putBinary: () => refused('binaries.putBinary'),
    useBinary: async (sha256) => ({ sha256, size: 0, storedAt: 0, usedAt: 0 }),
    readBinary: () => refused('binaries.readBinary'),
  };
}

function readable(part: object, name: string, refused: Refusing, reading = isRead): object {
  return new Proxy(part, {
    get(target, key): unknown {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function' || typeof key === 'symbol') return value;
      return reading.test(key) ? value.bind(target) : () => refused(`${name}.${key}`);
    },
  });
}
