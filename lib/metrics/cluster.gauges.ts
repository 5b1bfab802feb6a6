import { other } from './bounded.values.js';
import type { Instruments } from './catalogue.js';
import type { EventMeter } from './event.meter.js';
import type { MetricsSettings } from './metrics.options.js';
import { keyOf, type Snapshot } from './snapshot.js';

/** What is told of a job, or of all that there is no room for: then the worst. */
interface JobValues {
  lastSuccess: number;
  lastRun: number;
  nextDue: number;
  overdue: number;
  paused: number;
}

/** Sets the gauges of what is of all processes. */
export class ClusterGauges {
  constructor(
    private readonly instruments: Instruments,
    private readonly meter: EventMeter,
    private readonly settings: MetricsSettings,
  ) {}

  set(snapshot: Snapshot): void {
    const { instruments } = this;
    instruments.snapshot_timestamp_seconds.record(snapshot.takenAt / 1_000);
    instruments.clock_offset_seconds.record(snapshot.offsetMs / 1_000);
    if (snapshot.stock !== null) this.setStock(snapshot.stock);
    this.setJobs(snapshot);
  }

  private setStock({ queues, unclaimable, workers, pauses }: NonNullable<Snapshot['stock']>): void {
    const { instruments, meter } = this;
    const summed = new Map<string, { due: number; dead: number; oldest: number }>();
    for (const { queue, due, deadLetters, oldestDueAt } of queues) {
      const label = meter.queue(queue);
      const sum = summed.get(label) ?? { due: 0, dead: 0, oldest: Infinity };
      summed.set(label, {
        due: sum.due + due,
        dead: sum.dead + deadLetters,
        oldest: Math.min(sum.oldest, oldestDueAt ?? Infinity),
      });
    }
    // What was there and is gone is 0, so that alerts end.
    for (const queue of this.queuesSeen)
      if (!summed.has(queue)) summed.set(queue, { due: 0, dead: 0, oldest: Infinity });
    for (const [queue, { due, dead, oldest }] of summed) {
      this.queuesSeen.add(queue);
      instruments.due_runs.record(due, { queue });
      instruments.dead_letters.record(dead, { queue });
      instruments.oldest_due_timestamp_seconds.record(oldest === Infinity ? 0 : oldest / 1_000, { queue });
    }
    instruments.unclaimable_runs.clear();
    const stranded = new Map<string, number>();
    for (const { handler, runs } of unclaimable) {
      const label = meter.handler(handler);
      stranded.set(label, (stranded.get(label) ?? 0) + runs);
    }
    for (const [handler, runs] of stranded) instruments.unclaimable_runs.record(runs, { handler });
    for (const kind of ['all', 'namespace', 'queue', 'handler'] as const)
      instruments.paused_scopes.record(pauses.find((pause) => pause.kind === kind)?.scopes ?? 0, { kind });
    instruments.workers.record(workers.live, { state: 'live' });
    instruments.workers.record(workers.lost, { state: 'lost' });
  }

  private readonly queuesSeen = new Set<string>();

  private setJobs({ jobs, overdue, takenAt, offsetMs }: Snapshot): void {
    const { instruments, settings } = this;
    const now = takenAt + offsetMs;
    const names = [
      'last_success_timestamp_seconds',
      'last_run_timestamp_seconds',
      'next_due_timestamp_seconds',
      'overdue',
      'paused',
    ] as const;
    for (const name of names) instruments[`job_${name}`].clear();
    let rest: JobValues | null = null;
    for (const [nth, { job, lastSuccessAt }] of jobs.entries()) {
      const dueAt = job.nextRunAt?.getTime() ?? null;
      const isPaused = job.pausedBy !== null;
      const isLate = dueAt !== null && !isPaused && dueAt + settings.lateAfterMs < now;
      const values: JobValues = {
        lastSuccess: (lastSuccessAt ?? 0) / 1_000,
        lastRun: (job.lastRunAt?.getTime() ?? 0) / 1_000,
        nextDue: (dueAt ?? 0) / 1_000,
        overdue: Number((job.policies.lateAfterMs ?? null) === null ? isLate : overdue.has(keyOf(job))),
        paused: Number(isPaused),
      };
      if (nth < settings.mostJobs) this.setJob(job.namespace, job.id, values);
      else rest = rest === null ? values : worse(rest, values);
    }
    if (rest === null) return;
    instruments.metrics_series_dropped_total.record(jobs.length - settings.mostJobs, { label: 'job_id' });
    this.setJob(other, other, rest);
  }

  private setJob(namespace: string, id: string, values: JobValues): void {
    const { instruments } = this;
    const labels = { job_namespace: namespace, job_id: id };
    instruments.job_last_success_timestamp_seconds.record(values.lastSuccess, labels);
    instruments.job_last_run_timestamp_seconds.record(values.lastRun, labels);
    instruments.job_next_due_timestamp_seconds.record(values.nextDue, labels);
    instruments.job_overdue.record(values.overdue, labels);
    instruments.job_paused.record(values.paused, labels);
  }
}

function worse(a: JobValues, b: JobValues): JobValues {
  return {
    lastSuccess: Math.min(a.lastSuccess, b.lastSuccess),
    lastRun: Math.min(a.lastRun, b.lastRun),
    nextDue: Math.min(a.nextDue, b.nextDue),
    overdue: Math.max(a.overdue, b.overdue),
    paused: Math.max(a.paused, b.paused),
  };
}
