import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import type { OnApplicationShutdown, OnModuleDestroy } from '@nestjs/common';
import {
  packageVersion,
  type ChronisEvents,
  type Clock,
  type SchedulerService,
  type StorageAdapter,
} from '../index.js';
import { instrumentsOf, type Instruments } from './catalogue.js';
import { ClusterGauges } from './cluster.gauges.js';
import { EventMeter } from './event.meter.js';
import type { MetricsRegistry, MetricsSettings } from './metrics.options.js';
import type { PrometheusBackend } from './prometheus.backend.js';
import { Snapshots } from './snapshot.js';

const lagResolutionMs = 20;

/** What is measured. */
interface Measured {
  scheduler: SchedulerService;
  events: ChronisEvents;
  storage: StorageAdapter;
  clock: Clock;
}

/**
 * The metrics of this process. Inject it for an endpoint of your own: `text()` with `contentType`, or `registry`, which may be merged with others.
 *
 * Reading never asks the storage: what is of all processes is read beside, at most every 15 s, and only while somebody reads. @publicApi
 */
export class ChronisMetrics implements OnModuleDestroy, OnApplicationShutdown {
  private readonly instruments: Instruments;
  private readonly meter: EventMeter;
  private readonly snapshots: Snapshots;
  private readonly stopReading: () => void;
  private readonly lag: IntervalHistogram;

  /** @internal */
  constructor(
    private readonly backend: PrometheusBackend,
    private readonly measured: Measured,
    settings: MetricsSettings,
  ) {
    const { events, scheduler, storage, clock } = measured;
    this.instruments = instrumentsOf(backend);
    this.meter = new EventMeter(this.instruments, events);
    const gauges = new ClusterGauges(this.instruments, this.meter, settings);
    this.snapshots = new Snapshots({
      ...{ scheduler, storage, clock, jobs: settings.jobs },
      onTaken: (snapshot) => gauges.set(snapshot),
      onFailed: () => this.instruments.snapshot_errors_total.record(1),
    });
    this.lag = monitorEventLoopDelay({ resolution: lagResolutionMs });
    this.lag.enable();
    const versions = { version: packageVersion, node: process.version, zone_data: process.versions.tz ?? '' };
    this.instruments.build_info.record(1, versions);
    if (storage.wakeSignal !== undefined) this.instruments.notify_connected.record(1);
    this.stopReading = backend.onRead(() => this.read());
  }

  /** The registry of prom-client that has the metrics: that of the option, or their own. */
  get registry(): MetricsRegistry {
    return this.backend.registry;
  }

  /** Of `text()`, for the header. */
  get contentType(): string {
    return this.backend.contentType;
  }

  /** What Prometheus reads; of a registry of the application's all that is in it. Answers at once, whatever the storage does. */
  text(): Promise<string> {
    return this.backend.text();
  }

  /** Reads what is of all processes now: for scripts and tests, which read once. Never rejects. */
  refresh(): Promise<void> {
    return this.snapshots.take();
  }

  /** @internal */
  onModuleDestroy(): void {
    this.snapshots.close();
  }

  /** @internal What runs end with is counted until then. */
  onApplicationShutdown(): void {
    this.setLocal();
    this.stopReading();
    this.meter.stop();
    this.lag.disable();
  }

  private read(): void {
    this.snapshots.noteReader();
    this.setLocal();
  }

  private setLocal(): void {
    const { instruments, meter, lag } = this;
    const { state, lease, running, runningIn, concurrency } = this.measured.scheduler.status();
    const isUp = state === 'working' && lease !== null;
    instruments.scheduler_up.record(Number(isUp));
    instruments.worker_slots.record(state === 'working' || state === 'draining' ? concurrency : 0);
    instruments.worker_slots_busy.record(running);
    const sums = new Map<string, number>();
    for (const { queue, runs } of runningIn) {
      const label = meter.queue(queue);
      sums.set(label, (sums.get(label) ?? 0) + runs);
    }
    for (const [queue, runs] of sums) instruments.runs_in_progress.record(runs, { queue });
    // What the histogram counts is the whole time between two of its timers.
    const lateMs = Number.isFinite(lag.percentile(99)) ? lag.percentile(99) / 1e6 - lagResolutionMs : 0;
    instruments.event_loop_lag_seconds.record(Math.max(lateMs, 0) / 1_000);
    lag.reset();
  }
}
