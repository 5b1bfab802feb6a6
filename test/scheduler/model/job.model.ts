/** What the model knows of a job. Its time is so far off that it never fires by itself. */
export interface ModelJob {
  kind: 'cron' | 'at';
  payload: number;
  priority: number;
  tag: string;
  /** The reason of a pause; undefined: not paused. */
  paused: string | undefined;
  /** Runs by hand that wait; of a one-off its only run. */
  waiting: number;
}

export interface ModelItem {
  id: string;
  kind: ModelJob['kind'];
  payload: number;
  priority: number;
  tag: string;
}

export type Conflict = 'raise' | 'ignore' | 'replace';

/** An error is known by the name of its class. */
export type Answer = { error: string } | { value: unknown };

const value = (given: unknown): Answer => ({ value: given });
const notFound: Answer = { error: 'JobNotFoundError' };

/** What the documentation says that the service does, in the smallest form: one map. */
export class JobModel {
  private readonly jobs = new Map<string, ModelJob>();

  create(item: ModelItem, onConflict: Conflict): Answer {
    const status = this.store(item, onConflict);
    if (status === 'conflict') return { error: 'JobAlreadyExistsError' };
    return value(this.view(item.id));
  }

  createMany(items: readonly ModelItem[], onConflict: Conflict): Answer {
    return value(
      items.map((item) => {
        const status = this.store(item, onConflict);
        return status === 'conflict' ? 'rejected' : status;
      }),
    );
  }

  upsert(item: ModelItem): Answer {
    return value(this.store(item, 'replace'));
  }

  get(id: string): Answer {
    return value(this.view(id));
  }

  update(id: string, change: Partial<Pick<ModelJob, 'payload' | 'priority' | 'tag'>>): Answer {
    return this.changed(id, (job) => Object.assign(job, change));
  }

  pause(id: string, reason: string): Answer {
    return this.changed(id, (job) => (job.paused ??= reason));
  }

  resume(id: string): Answer {
    return this.changed(id, (job) => (job.paused = undefined));
  }

  delete(id: string): Answer {
    return this.jobs.delete(id) ? value(null) : notFound;
  }

  cancel(id: string): Answer {
    const job = this.jobs.get(id);
    if (job === undefined) return notFound;
    const { waiting } = job;
    job.waiting = 0;
    if (job.kind === 'at') this.jobs.delete(id);
    return value(waiting);
  }

  runNow(id: string): Answer {
    const job = this.jobs.get(id);
    if (job === undefined) return notFound;
    if (job.kind === 'at') job.paused = undefined;
    else job.waiting++;
    return value(id);
  }

  runs(id: string): Answer {
    return value(this.jobs.get(id)?.waiting ?? 0);
  }

  query(filter: { kind?: ModelJob['kind']; tag?: string; paused?: true; idPrefix?: string }): Answer {
    const found = [...this.jobs].filter(
      ([id, job]) =>
        (filter.kind === undefined || job.kind === filter.kind) &&
        (filter.tag === undefined || job.tag === filter.tag) &&
        (filter.paused === undefined || job.paused !== undefined) &&
        (filter.idPrefix === undefined || id.startsWith(filter.idPrefix)),
    );
    return value(found.map(([id]) => id).sort());
  }

  private store(item: ModelItem, onConflict: Conflict): 'created' | 'existing' | 'replaced' | 'conflict' {
    const { id, ...definition } = item;
    const before = this.jobs.get(id);
    if (before !== undefined && onConflict === 'raise') return 'conflict';
    if (before !== undefined && onConflict === 'ignore') return 'existing';
    // A one-off is its run; what waits of a recurring job goes on, unless it becomes a one-off.
    const kept = before?.kind === 'cron' && item.kind === 'cron' ? before.waiting : 0;
    const waiting = item.kind === 'at' ? 1 : kept;
    this.jobs.set(id, { ...definition, paused: before?.paused, waiting });
    return before === undefined ? 'created' : 'replaced';
  }

  private changed(id: string, change: (job: ModelJob) => void): Answer {
    const job = this.jobs.get(id);
    if (job === undefined) return notFound;
    change(job);
    return value(this.view(id));
  }

  private view(id: string): unknown {
    const job = this.jobs.get(id);
    if (job === undefined) return null;
    const { waiting: _, ...seen } = job;
    return { id, ...seen, paused: job.paused ?? null };
  }
}
