import { isDeepStrictEqual } from 'node:util';
import type { Job, JobRef, NewJob, StorageAdapter } from '../index.js';
import { FailedError } from './cli.errors.js';

/** What the boot of an application would have done to a job, in its hooks. */
export interface BootedJob extends JobRef {
  action: 'created' | 'replaced' | 'changed' | 'deleted';
}

type Jobs = Pick<StorageAdapter, 'getJob' | 'insertJobs' | 'updateJob' | 'deleteJob'>;

/** Notes what the hooks of an application would change, in place of changing it. */
export class BootNotes {
  readonly jobs: BootedJob[] = [];
  /** Why there is no plan: the first call that would have changed something else, also where the application has passed over its error; null: there was none. */
  refusal: FailedError | null = null;
  /** As the hooks have left them; null: deleted. */
  private readonly left = new Map<string, Job | null>();

  /** Rejects with FailedError. */
  refuse(method: string): Promise<never> {
    const error = new FailedError(
      `A plan changes nothing, but something in the boot of the application does: it called ${method}() of the storage. Leave that out where process.env.CHRONIS_PLAN is set.`,
    );
    this.refusal ??= error;
    return Promise.reject(error);
  }

  /** The jobs of a storage as they would be by then. */
  jobsOver(storage: Pick<StorageAdapter, 'getJob'>): Jobs {
    const getJob = async (ref: JobRef): Promise<Job | null> => {
      const left = this.left.get(keyOf(ref));
      return left === undefined ? storage.getJob(ref) : left;
    };
    return {
      getJob,
      insertJobs: async (jobs, onConflict) => {
        const results: Awaited<ReturnType<Jobs['insertJobs']>> = [];
        for (const job of jobs) {
          const found = await getJob(job);
          if (found !== null && onConflict === 'ignore') results.push({ status: 'existing', job: found });
          else if (found !== null && onConflict !== 'replace') results.push({ status: 'conflict' });
          else {
            const status = found === null ? 'created' : 'replaced';
            results.push({ status, job: this.note(status, asStored(job, found)) });
          }
        }
        return results;
      },
      updateJob: async (ref, patch, expectedRevision) => {
        const found = await getJob(ref);
        if (found === null) return 'not-found';
        if (expectedRevision !== undefined && expectedRevision !== found.revision) return 'stale';
        const { nextAt } = patch;
        const given = Object.entries(patch).filter(
          ([key, value]) => value !== undefined && !['nextAt', 'changed'].includes(key),
        );
        if (isSame(found, given)) return found;
        const nextRunAt = nextAt === undefined ? found.nextRunAt : timeOf(nextAt);
        return this.note('changed', {
          ...found,
          ...Object.fromEntries(given),
          nextRunAt,
          revision: found.revision + 1,
          updatedAt: new Date(),
        });
      },
      deleteJob: async (ref) => {
        const found = await getJob(ref);
        if (found === null) return false;
        this.note('deleted', found);
        this.left.set(keyOf(ref), null);
        return true;
      },
    };
  }

  private note(action: BootedJob['action'], job: Job): Job {
    const { namespace, id } = job;
    this.jobs.push({ namespace, id, action });
    this.left.set(keyOf(job), job);
    return job;
  }
}

function keyOf({ namespace, id }: JobRef): string {
  return JSON.stringify([namespace, id]);
}

/** What is said again at each start changes nothing. */
function isSame(job: Job, given: readonly [string, unknown][]): boolean {
  return given.every(([key, value]) => isDeepStrictEqual(asJson(value), asJson(Reflect.get(job, key))));
}

function asJson(value: unknown): unknown {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as unknown);
}

function timeOf(at: number | null): Date | null {
  return at === null || at === Infinity ? null : new Date(at);
}

/** As it would be once it is stored. */
function asStored({ nextAt, over, ...job }: NewJob, before: Job | null): Job {
  const schedule = { trigger: job.trigger, nextAt, ...(before && over?.(before)) };
  const now = new Date();
  const empty = { paused: null, pausedBy: null, orphanedAt: null, changed: null, waitsFor: null } as const;
  const counts = { runCount: 0, errorCount: 0, consecutiveFailures: 0, revision: 0 };
  const last = { lastRunAt: null, lastVerdict: null, lastError: null };
  const fresh = { state: 'pending', ...empty, ...counts, ...last, createdAt: now } as const;
  const { revision, ...history } = before ?? fresh;
  return {
    ...fresh,
    ...history,
    ...job,
    trigger: schedule.trigger,
    nextRunAt: timeOf(schedule.nextAt),
    revision: revision + 1,
    updatedAt: now,
  };
}
