import type {
  ChronisEventMap,
  ChronisEventName,
  ChronisEvents,
  Outcome,
  RunEvent,
  RunVerdict,
} from '../index.js';
import { BoundedValues } from './bounded.values.js';
import type { Instruments } from './catalogue.js';

const most = { handlers: 500, queues: 100, operations: 100, reasons: 20 };
const verdicts: readonly RunVerdict[] = ['succeeded', 'failed', 'timed_out', 'cancelled', 'lost'];
/** Of runs that died with another process: the events do not say. */
const unknown = '_unknown';
/** What a failing call was about: names of rows are left out. */
const aboutRow = /^(fire|settle run|release run|claim run|give back run|forget) .*/s;

/** Counts what the events of this process tell. */
export class EventMeter {
  private readonly handlers: BoundedValues;
  private readonly queues: BoundedValues;
  private readonly operations: BoundedValues;
  private readonly reasons: BoundedValues;
  /** Combinations whose series are there. */
  private readonly begun = new Set<string>();
  private readonly stops: (() => void)[] = [];

  constructor(
    private readonly instruments: Instruments,
    private readonly events: ChronisEvents,
  ) {
    const bounded = (label: string, count: number): BoundedValues =>
      new BoundedValues(count, () => instruments.metrics_series_dropped_total.record(1, { label }));
    this.handlers = bounded('handler', most.handlers);
    this.queues = bounded('queue', most.queues);
    this.operations = bounded('operation', most.operations);
    this.reasons = bounded('reason', most.reasons);
    this.listen();
  }

  /** No more is counted. */
  stop(): void {
    for (const stop of this.stops.splice(0)) stop();
  }

  handler(name: string): string {
    return this.handlers.of(name);
  }

  queue(name: string): string {
    return this.queues.of(name);
  }

  private listen(): void {
    const { instruments } = this;
    this.on('jobs.explored', ({ runs }) => {
      for (const run of runs) this.begin(run);
    });
    this.on('worker.started', ({ handlers, queues }) => this.beginAll(handlers, queues));
    this.on('run.started', (run) => {
      this.begin(run);
      instruments.run_lateness_seconds.record(Math.max(run.lateMs, 0) / 1_000, {
        queue: this.queue(run.queue),
      });
    });
    this.on('run.succeeded', (run) => this.ended(run, 'succeeded', 'ok'));
    this.on('run.failed', (run) => this.ended(run, 'failed', 'error'));
    this.on('run.timed_out', (run) => this.ended(run, 'timed_out', 'error'));
    this.on('run.cancelled', (run) => {
      this.counted(run, 'cancelled');
      if (run.hasBegun) this.attempted(run, 'cancelled');
    });
    this.on('run.lost', (run) => {
      this.ended(run, 'lost');
      instruments.lost_runs_total.record(1);
    });
    this.on('run.retrying', (run) => {
      this.attempted(run, 'failed', 'error');
      instruments.retries_total.record(1, { handler: this.handler(run.handler) });
    });
    this.on('run.snoozed', (run) => this.attempted(run, 'snoozed'));
    this.on('run.opened', (run) => this.attempted(run, 'opened'));
    this.on('run.handed-back', (run) => this.attempted(run, 'handed_back'));
    this.on('run.stale', () => instruments.stale_results_total.record(1));
    this.on('workers.released', (released) => this.released(released));
    this.on('worker.lease-lost', () => instruments.lease_losses_total.record(1));
    this.on('runs.lifted', ({ runs }) => instruments.lifted_runs_total.record(runs));
    this.on('gap.recorded', (gap) => this.notRun(gap));
    this.on('storage.answered', (answer) => this.answered(answer));
    this.on('storage.failing', ({ operation }) => {
      const about = this.operations.of(operation.replace(aboutRow, '$1'));
      instruments.storage_errors_total.record(1, { operation: about });
    });
    this.on('wake.unavailable', () => instruments.notify_connected.record(0));
    this.on('wake.recovered', () => instruments.notify_connected.record(1));
  }

  private on<N extends ChronisEventName>(name: N, listener: (event: ChronisEventMap[N]) => void): void {
    this.stops.push(this.events.on(name, listener));
  }

  /** The series of all verdicts, from 0 on: else the first failure would be no increase. */
  private begin({ handler, queue, origin }: Pick<RunEvent, 'handler' | 'queue' | 'origin'>): void {
    const labels = { handler: this.handler(handler), queue: this.queue(queue), origin };
    const key = JSON.stringify([labels.handler, labels.queue, origin]);
    if (this.begun.has(key)) return;
    this.begun.add(key);
    for (const verdict of verdicts) this.instruments.runs_total.record(0, { ...labels, verdict });
    const outcomes: readonly Outcome[] = ['succeeded', 'failed'];
    for (const outcome of outcomes)
      this.instruments.attempts_total.record(0, { handler: labels.handler, queue: labels.queue, outcome });
    this.instruments.retries_total.record(0, { handler: labels.handler });
  }

  /** What no declared job has made known: handlers of jobs that are created at run time. */
  private beginAll(handlers: readonly string[], queues: readonly string[]): void {
    const queue = queues.includes('default') ? 'default' : queues[0];
    const known = new Set([...this.begun].map((key) => (JSON.parse(key) as string[])[0]));
    if (queue === undefined) return;
    for (const handler of handlers) {
      // What the package runs by itself has series when it does.
      if (!known.has(handler) && !handler.startsWith('chronis.'))
        this.begin({ handler, queue, origin: 'at' });
    }
  }

  private ended(run: RunEvent & { durationMs: number }, verdict: RunVerdict, outcome?: 'ok' | 'error'): void {
    this.counted(run, verdict);
    this.attempted(run, verdict, outcome);
  }

  private counted(run: RunEvent, verdict: RunVerdict): void {
    this.begin(run);
    const { origin } = run;
    const labels = { handler: this.handler(run.handler), queue: this.queue(run.queue), origin, verdict };
    this.instruments.runs_total.record(1, labels);
  }

  private attempted(run: RunEvent & { durationMs: number }, outcome: Outcome, went?: 'ok' | 'error'): void {
    const handler = this.handler(run.handler);
    this.instruments.attempts_total.record(1, { handler, queue: this.queue(run.queue), outcome });
    if (went !== undefined)
      this.instruments.run_duration_seconds.record(run.durationMs / 1_000, { handler, outcome: went });
  }

  private released({ rerun, ended, gaveUp }: ChronisEventMap['workers.released']): void {
    this.instruments.lost_runs_total.record(rerun + ended);
    for (const { handler } of gaveUp) {
      const labels = { handler: this.handler(handler), queue: unknown, origin: unknown, verdict: 'lost' };
      this.instruments.runs_total.record(1, labels);
    }
  }

  private notRun({ handler, verdict, reason, count }: ChronisEventMap['gap.recorded']): void {
    const labels = { handler: this.handler(handler), verdict, reason: this.reasons.of(reason) };
    this.instruments.instants_not_run_total.record(count, labels);
  }

  private answered({ operation, count, claimed, tookMs }: ChronisEventMap['storage.answered']): void {
    const { instruments } = this;
    instruments.statement_duration_seconds.record(tookMs / 1_000, { statement: operation });
    if (operation === 'claim') instruments.claims_total.record(1);
    if (operation === 'settle') instruments.settle_batch_runs.record(count);
    if (claimed > 0) instruments.claimed_runs_total.record(claimed);
  }
}
