import { randomUUID } from 'node:crypto';
import type { OnModuleDestroy } from '@nestjs/common';
import type { Clock, ManyStepOptions, TenantScheduler } from '../index.js';
import type { HttpAction } from './http.access.js';
import type { LiveChanges, Topic } from './live.changes.js';
import { HttpProblem, problemOf, type Problem } from './problem.js';

/** What it came to, as the scheduler tells. */
interface Outcome {
  matched: number;
  changed: number;
  failed: { id: string; problem: Problem }[];
}

/** One change of many, while it goes on and for a while after. */
export interface BulkAction {
  id: string;
  action: BulkWord;
  /** As it was frozen at the beginning. */
  filter: object;
  /** No more than so many are concerned. */
  expected: number;
  /** `aborted`: by somebody, or with the process. */
  state: 'running' | 'done' | 'aborted' | 'failed';
  /** Looked at so far. */
  matched: number;
  /** Of these those that are different now. */
  changed: number;
  /** What stood in the way of single ones; the first hundred. */
  failed: { id: string; problem: Problem }[];
  /** Why it could not go on. */
  problem: Problem | null;
  by: string | null;
  createdAt: Date;
  endedAt: Date | null;
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
/** Of this process. */
const mostRunning = 10;
const mostKept = 100;

interface Kept {
  shown: BulkAction;
  tenant: string | null;
  abort: AbortController;
  over: Promise<void>;
}

/**
 * Changes of many that this process does beside the requests that asked for them, and tells of. They end with the process: what is done is done, the audit has how much that was, and the same request again does the rest.
 */
export class BulkActions implements OnModuleDestroy {
  private readonly kept = new Map<string, Kept>();

  constructor(
    private readonly clock: Clock,
    private readonly live: LiveChanges,
  ) {}

  /** Begins it, or gives the one that has this id. Throws HttpProblem: too many go on. */
  begin(
    order: Pick<BulkAction, 'action' | 'filter' | 'expected' | 'by'> & { options: object },
    {
      scheduler,
      tenant,
      id = randomUUID(),
    }: { scheduler: TenantScheduler; tenant: string | null; id?: string },
  ): BulkAction {
    const there = this.kept.get(id);
    if (there !== undefined && there.tenant === tenant) return there.shown;
    const running = [...this.kept.values()].filter(({ shown }) => shown.state === 'running');
    if (running.length >= mostRunning)
      throw new HttpProblem(429, 'http.too-many-bulk-actions', `${mostRunning} bulk actions go on already.`, {
        'Retry-After': '5',
      });
    const { options, ...asked } = order;
    const shown: BulkAction = {
      id,
      ...asked,
      ...{ state: 'running', matched: 0, changed: 0, failed: [], problem: null },
      ...{ createdAt: new Date(this.clock.now()), endedAt: null },
    };
    const kept: Kept = { shown, tenant, abort: new AbortController(), over: Promise.resolve() };
    this.kept.set(id, kept);
    kept.over = this.run(kept, scheduler, options);
    return shown;
  }

  /** The newest first. */
  list(tenant: string | null): BulkAction[] {
    return [...this.kept.values()]
      .filter((each) => tenant === null || each.tenant === tenant)
      .map(({ shown }) => shown)
      .toReversed();
  }

  /** Throws HttpProblem: this process has none of this id. */
  get(id: string, tenant: string | null): BulkAction {
    return this.find(id, tenant).shown;
  }

  /** Ends it before its next step, and waits for that. Throws HttpProblem: this process has none of this id. */
  async abort(id: string, tenant: string | null): Promise<BulkAction> {
    const { abort, over, shown } = this.find(id, tenant);
    abort.abort();
    await over;
    return shown;
  }

  async onModuleDestroy(): Promise<void> {
    const all = [...this.kept.values()];
    for (const { abort } of all) abort.abort();
    await Promise.all(all.map(({ over }) => over));
  }

  private find(id: string, tenant: string | null): Kept {
    const kept = this.kept.get(id);
    if (kept !== undefined && (tenant === null || kept.tenant === tenant)) return kept;
    throw new HttpProblem(
      404,
      'http.no-bulk-action',
      'This process knows of no such bulk action: it is long over, or another process has it. The audit has what was done.',
    );
  }

  /** Never rejects. */
  private async run(
    { shown, tenant, abort }: Kept,
    scheduler: TenantScheduler,
    options: object,
  ): Promise<void> {
    const { topic, apply } = bulkActions[shown.action];
    const namespace = tenant === null ? null : `tenant:${tenant}`;
    const onStep: ManyStepOptions['onStep'] = (soFar) => {
      Object.assign(shown, soFar);
      this.live.note(topic, namespace);
    };
    try {
      const steps = { most: shown.expected, signal: abort.signal, onStep };
      Object.assign(shown, await apply(scheduler, shown.filter, { ...options, ...steps }));
      shown.state = abort.signal.aborted && shown.matched < shown.expected ? 'aborted' : 'done';
    } catch (error) {
      Object.assign(shown, { state: 'failed', problem: problemOf(error).problem });
    }
    shown.endedAt = new Date(this.clock.now());
    this.live.note('bulk-actions', namespace);
    this.forget();
  }

  private forget(): void {
    for (const [id, { shown }] of this.kept) {
      if (this.kept.size <= mostKept) return;
      if (shown.state !== 'running') this.kept.delete(id);
    }
  }
}
