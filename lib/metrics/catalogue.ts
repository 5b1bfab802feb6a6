import type { Instrument, MetricsBackend, MetricSpec } from './instruments.js';

type Kind = Omit<MetricSpec, 'name'>;

/** The value differs by process: add them up. */
const local = 'This process only: sum() over processes.';
/** The value is that of all processes, seen by each of them. */
const cluster = 'Of all processes, as each sees it: max() over processes.';

function counter(help: string, labels: readonly string[] = []): Kind {
  return { type: 'counter', help: `${help} ${local}`, labels };
}

function gauge(help: string, labels: readonly string[] = [], scope = local): Kind {
  return { type: 'gauge', help: `${help} ${scope}`, labels };
}

function histogram(help: string, labels: readonly string[], buckets: readonly number[]): Kind {
  return { type: 'histogram', help: `${help} ${local}`, labels, buckets };
}

const durations = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600];
const latenesses = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1_800];
const batches = [1, 2, 5, 10, 25, 50, 100, 250, 500];
const statements = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const ofJob = ['job_namespace', 'job_id'];

/** Everything that is measured, by name without the prefix. */
export const catalogue = {
  // Read first: who reads is noticed by it.
  scheduler_up: gauge('1: this process works by a lease, 0: it does not.'),
  runs_total: counter('Runs that got their verdict here.', ['handler', 'queue', 'origin', 'verdict']),
  attempts_total: counter('Attempts that ended here.', ['handler', 'queue', 'outcome']),
  run_duration_seconds: histogram(
    'How long attempts went on that succeeded (ok) or failed (error).',
    ['handler', 'outcome'],
    durations,
  ),
  run_lateness_seconds: histogram('How long after they were due runs began.', ['queue'], latenesses),
  runs_in_progress: gauge('Handlers that go on.', ['queue']),
  worker_slots: gauge('How many handlers may go on at once.'),
  worker_slots_busy: gauge('How many of the slots are taken.'),
  instants_not_run_total: counter('Due instants that did not run, as this process has found.', [
    'handler',
    'verdict',
    'reason',
  ]),
  claims_total: counter('Calls that asked for due runs.'),
  claimed_runs_total: counter('Runs that were handed to this process.'),
  settle_batch_runs: histogram('How many results went to the storage at once.', [], batches),
  statement_duration_seconds: histogram(
    'How long the storage took for a call of the loop.',
    ['statement'],
    statements,
  ),
  storage_errors_total: counter('Calls to the storage that failed, and were repeated.', ['operation']),
  lease_losses_total: counter('Leases that ended before they could be renewed.'),
  lost_runs_total: counter(
    'Runs that were taken back from dead processes, or were lost when this one stopped.',
  ),
  stale_results_total: counter('Results that came too late, and were refused.'),
  retries_total: counter('Attempts that failed and are followed by another one.', ['handler']),
  lifted_runs_total: counter('Overdue runs that got a higher priority.'),
  clock_offset_seconds: gauge('By how much the clock of the storage is ahead of that of this machine.'),
  event_loop_lag_seconds: gauge(
    'How late the event loop was since the last reading, at the 99th percentile.',
  ),
  notify_connected: gauge('1: changes by other processes are told at once, 0: they are found by polls.'),
  snapshot_timestamp_seconds: gauge('When the values that are of all processes were read last.'),
  snapshot_errors_total: counter('Times that they could not be read.'),
  metrics_series_dropped_total: counter('Values that were counted under _other, as a label has too many.', [
    'label',
  ]),
  build_info: gauge('1, with the versions of this process.', ['version', 'node', 'zone_data']),
  due_runs: gauge(
    'Runs that are due, and that no pause of a scope stops; up to 10,000 of each priority are counted.',
    ['queue'],
    cluster,
  ),
  oldest_due_timestamp_seconds: gauge(
    'Since when the first run or schedule is due that nobody has begun; 0: none is.',
    ['queue'],
    cluster,
  ),
  dead_letters: gauge(
    'Runs that gave up and are kept; up to 1,000 of one-offs and of recurring jobs are counted.',
    ['queue'],
    cluster,
  ),
  unclaimable_runs: gauge(
    'Due runs that were put off, as no live process can execute them; up to 1,000 are counted.',
    ['handler'],
    cluster,
  ),
  paused_scopes: gauge('Pauses of a handler, a queue, a namespace, or of everything.', ['kind'], cluster),
  workers: gauge(
    'Processes by state: live, or lost with runs that nobody has taken back.',
    ['state'],
    cluster,
  ),
  job_last_success_timestamp_seconds: gauge(
    'When the last attempt that succeeded began; 0: none is known.',
    ofJob,
    cluster,
  ),
  job_last_run_timestamp_seconds: gauge(
    'When the last attempt that has ended began; 0: none has.',
    ofJob,
    cluster,
  ),
  job_next_due_timestamp_seconds: gauge('When the job is due next; 0: it is not.', ofJob, cluster),
  job_overdue: gauge('1: its time has passed by more than lateAfter, and nothing has begun.', ofJob, cluster),
  job_paused: gauge(
    '1: a pause of the job, or of its handler, queue or namespace, keeps it from going on.',
    ofJob,
    cluster,
  ),
} as const satisfies Record<string, Kind>;

export type MetricName = keyof typeof catalogue;
export type Instruments = { readonly [N in MetricName]: Instrument };

/** All of them, in a back end. */
export function instrumentsOf(backend: MetricsBackend): Instruments {
  const made = Object.entries(catalogue).map(([name, kind]) => [name, backend.instrument({ name, ...kind })]);
  return Object.fromEntries(made) as Instruments;
}
