import type { TenantScheduler } from '../index.js';
import type { HttpAction } from './http.access.js';
import type { Topic } from './live.changes.js';
import { problemOf, type Problem } from './problem.js';

/** What it came to, as the scheduler tells. */
interface Outcome {
  matched: number;
  changed: number;
  /** What stood in the way of single ones; the first hundred. */
  failed: { id: string; problem: Problem }[];
}

export type BulkWord = keyof typeof bulkActions;
/** Conditions, checked by what takes them. */
type Filter = any;

const ofJobs = (call: (scheduler: TenantScheduler, filter: Filter, options: Filter) => Promise<any>) => ({
  topic: 'jobs' as const,
  count: async (scheduler: TenantScheduler, filter: Filter) => {
    const { matched, first } = await call(scheduler, filter, { dryRun: true, all: true });
    return { matched: Number(matched), sample: first as object[] };
  },
  apply: async (scheduler: TenantScheduler, filter: Filter, options: Filter) => {
    const { matched, changed, failed } = await call(scheduler, filter, { all: true, ...options });
    const shown = (failed as { ref: { id: string }; error: unknown }[]).slice(0, mostFailed);
    return {
      matched,
      changed,
      failed: shown.map(({ ref, error }) => ({ id: ref.id, problem: problemOf(error).problem })),
    } as Outcome;
  },
});

const ofRuns = (call: (scheduler: TenantScheduler, filter: Filter, options: Filter) => Promise<any>) => ({
  topic: 'runs' as const,
  count: async (scheduler: TenantScheduler, filter: Filter) => {
    const { found } = await call(scheduler, filter, { dryRun: true });
    const state = filter.state ?? ['failed', 'timed_out', 'lost'];
    const { items } = await scheduler.getRuns({ ...filter, state, limit: mostSample });
    const sample = items.map(({ id, jobId, namespace }) => ({ id, jobId, namespace }));
    return { matched: Number(found), sample };
  },
  apply: async (scheduler: TenantScheduler, filter: Filter, options: Filter) => {
    const { found, changed } = await call(scheduler, filter, options);
    return { matched: found, changed, failed: [] } as Outcome;
  },
});

/** By the word of the request. `needs`: what has to be allowed; `takes`: beside the filter. */
export const bulkActions = {
  pause: { needs: 'pauseMany', takes: ['reason', 'until'], ...ofJobs((s, f, o) => s.pauseMany(f, o)) },
  resume: { needs: 'resumeMany', takes: ['fromNow'], ...ofJobs((s, f, o) => s.resumeMany(f, o)) },
  cancel: { needs: 'cancelMany', takes: [], ...ofJobs((s, f, o) => s.cancelMany(f, o)) },
  delete: { needs: 'deleteMany', takes: [], ...ofJobs((s, f, o) => s.deleteMany(f, o)) },
  retry: { needs: 'retryFailed', takes: ['spread'], ...ofRuns((s, f, o) => s.retryFailed(f, o)) },
  discard: { needs: 'discardFailed', takes: [], ...ofRuns((s, f, o) => s.discardFailed(f, o)) },
} as const satisfies Record<string, { needs: HttpAction; takes: readonly string[]; topic: Topic }>;

const mostSample = 10;
const mostFailed = 100;
