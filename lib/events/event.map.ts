import type { ChangeableOption } from '../model/job.changes.js';
import type { JobRef, Pause } from '../model/job.js';
import type { JsonObject } from '../model/json.js';
import type { OverdueJob } from '../model/overdue.js';
import type { ScopeRef, StandingPause } from '../model/pause.js';
import type { RunOrigin } from '../model/run.js';
import type { Pruned, Retention } from '../model/retention.js';
import type { UnservedHandler } from '../model/unserved.handler.js';
import type { UnservedDefinition, UnservedStep } from '../model/unserved.step.js';
import type { GapVerdict, Outcome } from '../model/verdict.js';

/** Tables whose rows are waited for one by one. @publicApi */
export type LockableTable = 'run' | 'cursor' | 'job_stat' | 'job';

/** What may wait for a lock of somebody else. @publicApi */
export type LockedWork = 'results' | 'returns' | 'schedules';

/** Which run an event is about. @publicApi */
export interface RunEvent {
  runId: string;
  jobId: string;
  namespace: string;
  handler: string;
  queue: string;
  origin: RunOrigin;
  nominalAt: Date;
  attempt: number;
  workerId: string;
}

/** Where a job stands, and the first instant that it leaves out by that. @publicApi */
export interface JobAhead extends JobRef {
  nextRunAt: Date;
  leavesOut: Date;
}

/** Everything that Chronis tells, by name, in the process that saw it; to other instances only by `shareEvents`. @publicApi */
export interface ChronisEventMap {
  /** The decorators of the application were read; nothing is stored yet. Told again when a module that is loaded lazily brings more. */
  'jobs.explored': {
    /** How many jobs they declare. */
    jobs: number;
    handlers: readonly string[];
    /** What the runs of these jobs are of, each combination once. */
    runs: readonly { handler: string; queue: string; origin: 'schedule' | 'at' }[];
    /** Classes that several modules provide: their jobs run on the instance of the first. */
    repeated: readonly { className: string; used: string; ignored: string }[];
  };
  /**
   * The package was loaded from several places. Decorators, errors and references to handlers of any of them are understood; what is injected by a class of one, such as `SchedulerService`, is not what
   * another one provides.
   */
  'package.copies': { places: readonly string[] };
  /** Methods have `@UseGuards`, `@UseInterceptors` or `@UseFilters`, which are not applied to runs: neither they nor the module say anything of `useEnhancers`. */
  'enhancers.unapplied': { methods: readonly { place: string; decorators: readonly string[] }[] };
  /**
   * Methods get the RunContext where they seem to expect the payload: no parameter has `@Payload()`, and the first one is typed with a class (`type`; null: it is not), or there is `@UsePipes`, which is applied to such a parameter
   * only.
   */
  'payloads.unmarked': { methods: readonly { place: string; type: string | null; pipes: boolean }[] };
  /**
   * Nothing runs these methods: their decorators are those of `@nestjs/schedule` or `nestjs-chronis/schedule`, whose names are the same as those of `nestjs-chronis`, and no
   * `ScheduleModule.forRoot()` is there to read them; or, with `lazy`, their module was loaded after the boot, where that one reads them.
   */
  'schedules.foreign': { methods: readonly string[]; lazy: boolean };
  /**
   * Nothing runs these methods in this process: their classes are loaded and have decorators of this package, but no module provides them. Told by processes that run jobs, and not of classes that
   * `handlerOf()` was called for.
   */
  'classes.unprovided': { methods: readonly string[] };
  /**
   * Jobs or handlers of these methods have no name but `ClassName.method`, and the class has one that a bundler seems to have given: the next build may give it to another class, and so the
   * stored jobs to other code.
   */
  'names.minified': { methods: readonly string[] };
  /** A previous app has live workers, and jobs of methods that this app declares under other ids without saying so in `previousIds`: such a method runs in both apps. */
  'methods.doubled': {
    app: string;
    previousApp: string;
    /** Of the previous app. */
    jobs: readonly { namespace: string; id: string; handler: string }[];
  };
  /** `previousIds` name ids which the same code declares: these stay as they are, and nothing is renamed. */
  'renames.ignored': {
    renames: readonly {
      place: string;
      namespace: string;
      id: string;
      previousId: string;
      /** Class and method that declare the previous id. */
      declaredBy: string;
    }[];
  };
  /**
   * The start has stored jobs anew whose id is their `Class.method` (`id`), and the storage has jobs of the same schedule that this code does not declare (`previousId`), of the same class or the same method name: renamed, it seems,
   * which nothing says. They are two jobs; the old one fires as long as a process declares it.
   */
  'renames.unsaid': {
    app: string;
    renames: readonly { namespace: string; id: string; previousId: string }[];
  };
  /** These modules begin after the scheduler and end before it, so a job may run before they are ready or after they have closed. */
  'modules.boot-later': {
    modules: readonly string[];
    /** The module that has the scheduler: ChronisModule, or ScheduleModule of `nestjs-chronis/schedule`. */
    scheduler: string;
  };
  /** The module has `autoStart: false`: this process runs no jobs until `SchedulerService.start()`. */
  'scheduler.idle': { name: string; app: string };
  /** Nothing listens to the signal that ends processes, ten seconds after the start: it would end this one in the middle of its runs, which then wait for the end of its lease (`leaseMs`; null: the storage ends with the process). */
  'shutdown.unhooked': { signal: string; leaseMs: number | null };
  /** This process runs jobs from now on. */
  'scheduler.started': {
    name: string;
    app: string;
    storage: string;
    timeZone: string;
    queues: readonly string[];
    concurrency: number;
    /** When the next job that this process can run is due; null: none is. */
    nextAt: Date | null;
    /** Which one, and what the clock shows in its zone (`YYYY-MM-DD HH:MM:SS`); null: none, or a run that has no schedule. */
    nextJob: (JobRef & { timeZone: string; wallTime: string }) | null;
    /** That was due already: it has missed its time. */
    isDue: boolean;
  };
  /**
   * Declared jobs name a handler for `onSuccess` or `onFailure` that neither this process nor any live one has: such runs would wait until one has it. Told when the
   * scheduler has started.
   */
  'callbacks.unknown': {
    handler: string;
    callbacks: readonly (JobRef & { option: 'onSuccess' | 'onFailure'; place: string })[];
    /** A handler of a similar name; null: there is none. */
    meant: string | null;
  };
  /** At the start something is paused that this process would run: all, a namespace, one of its queues or handlers, and declared jobs, a hundred at most, of `@At` none. It stays so until it is resumed. */
  'pauses.standing': {
    pauses: readonly (ScopeRef & Pause)[];
    jobs: readonly (JobRef & Pause)[];
  };
  /**
   * Jobs of the app stand further ahead than the next instant of their schedule (`leavesOut`), and fire nothing before `nextRunAt`: they have fired by a clock that was ahead, and has been set right since. The first 100
   * jobs by id were looked at. Told soon after a start, and when the storage's clock has leapt back and is followed.
   */
  'schedules.ahead': { jobs: readonly JobAhead[] };
  /** Flows of the app that go on, or the latest versions of its definitions that are data, need handlers that this process lacks, as told at its start: the oldest thousand flows, and a thousand definitions, were looked at. What is due of them waits for a process that has the handler. */
  'workflows.unserved': {
    app: string;
    steps: readonly UnservedStep[];
    definitions: readonly UnservedDefinition[];
  };
  /** Jobs of the app that were made at run time need handlers or types of tasks that no live process of it has, as told at a start. They wait for a process that has them. */
  'handlers.unserved': { app: string; handlers: readonly UnservedHandler[] };
  /** The stored jobs were made to agree with what the code of the live workers declares. Told at the start, and when something has changed. */
  'jobs.synced': {
    app: string;
    generation: number;
    declared: number;
    created: JobRef[];
    changed: JobRef[];
    /** They do not fire: their methods run under other ids, which appeared later. */
    superseded: JobRef[];
    deleted: JobRef[];
    /** Declared jobs that `updateJob` or the like has changed, and in what: it stays over what the code says, until `resetJob`. */
    changedAtRunTime: (JobRef & { options: ChangeableOption[] })[];
    /** Declared by this process otherwise than they are: another live worker's code, which appeared later, holds as long as it is there. */
    outranked: JobRef[];
    /** Somebody else has locked them, so they stay as they are until that is over; told again then. */
    postponed: JobRef[];
    /** Their ids belong to jobs of other apps, or that were created at run time, so they are not stored. Only after the start, which is refused then. */
    taken: JobRef[];
  };
  /** A process that runs no jobs (`autoStart: false`) has looked whether those that its code declares are stored, and has stored what was missing. */
  'jobs.stored': {
    app: string;
    declared: number;
    /** They are orphaned until a worker that declares them comes. */
    created: JobRef[];
    /** Their ids belong to jobs of other apps, or that were created at run time, so they are not stored. */
    taken: JobRef[];
  };
  /** A file of a folder of job files is not in order, or has an id that another file has: what it said before (`keeps`) stays in force. `line` and `column` from 1 on; null: it is the file as a whole. Told once. */
  'files.broken': {
    directory: string;
    file: string;
    line: number | null;
    column: number | null;
    reason: string;
    keeps: JobRef[];
  };
  /** It is in order again. */
  'files.mended': { directory: string; file: string };
  /** A folder of job files cannot be read, or is suddenly empty: its `jobs` stay in force until it can, or has been empty for long enough. Told once. */
  'files.unreadable': { directory: string; reason: string; jobs: number };
  'files.readable': { directory: string };
  'job.orphaned': JobRef;
  /**
   * Instants of the job are left out, as a run of it has gone on for an hour or more (`runningMs`): it may hang. Told again every hour.
   */
  'job.held-up': JobRef & { runId: string; workerId: string | null; runningMs: number };
  /** Too many occurrences of the job have failed in a row (`pauseAfterFailures`). */
  'job.paused': JobRef & { reason: string };
  /** An instant of the job has not begun within its `lateAfter`. Told once for each, within about a minute, by one process. */
  'job.overdue': OverdueJob;
  /** What `job.overdue` has told is so no more: it has begun or has its verdict, or the job is paused, gone or without `lateAfter`. */
  'job.overdue.ended': OverdueJob;

  /** A pause with an `until` has ended, by itself: what it was of goes on, as after a resume. Told by the process that has ended it. */
  'pause.ended': StandingPause & { origin: 'auto' };
  /** A pause of a recurring job or of a scope has stood for longer than `pausedTooLong`, and has no end: it may have been forgotten. Told once, by one process. */
  'pause.stale': StandingPause;

  'worker.started': {
    workerId: string;
    name: string;
    storage: string;
    queues: readonly string[];
    handlers: readonly string[];
    concurrency: number;
    zoneData: string;
  };
  /** This process stops, and waits for these runs: so long at most, then their signals fire. Not told where nothing runs. */
  'worker.draining': { workerId: string; runs: readonly RunEvent[]; timeoutMs: number };
  'worker.stopped': { workerId: string; finished: number; handedBack: number };
  /** The lease ended before it could be renewed: all handlers were told to stop, the process goes on as a new worker. */
  'worker.lease-lost': {
    workerId: string;
    runs: number;
    /** The process stops, so it does not go on as another worker. */
    isStopping: boolean;
  };
  /**
   * Processes of this machine that were killed, as by a watcher without shutdown hooks, keep their runs for as long as their leases go on (`leaseMs`); jobs whose runs must not overlap wait
   * for these. Told at the start.
   */
  'workers.killed': { workers: readonly { workerId: string; pid: number; leaseMs: number }[] };
  /** Runs of dead workers were taken back. `gaveUp`: those that are not executed again, as their workers have died too often, or they must not run twice. */
  'workers.released': {
    workers: readonly string[];
    rerun: number;
    ended: number;
    gaveUp: readonly { runId: string; namespace: string; jobId: string; handler: string }[];
  };
  /** The zone data of this process are newer than what next times were computed with: they were computed anew. */
  'schedules.recomputed': { from: string; to: string; moved: JobRef[] };
  /** Other live workers compute with other zone data. */
  'zone-data.differs': { own: string; others: readonly string[] };
  /** Live workers of other apps keep the record for another time (`keepLedger`, `keepHistory`): the longest holds for all. */
  'keep-ledger.differs': {
    app: string;
    own: Retention;
    others: readonly { app: string; retention: Retention }[];
  };
  /** The local wall clock differs from the storage's by this much at least. */
  'clock.offset': { offsetMs: number };
  /**
   * The storage's clock has leapt by ten seconds or more (`byMs`; below 0: back). `doubted`: the clock of this machine has not, so schedules go on by the time before, for ten
   * minutes at most · `followed`: schedules go by the new time · `reverted`: a clock that was doubted has come back.
   */
  'clock.leapt': { byMs: number; state: 'doubted' | 'followed' | 'reverted' };

  /** A handler is about to be called. `lagMs`: after the nominal time · `lateMs`: after it was due, which is that time when it begins for the first time, and else what its retry, its sleep or its hand-back has set. */
  'run.started': RunEvent & { lagMs: number; lateMs: number };
  /**
   * It has lost its worker `lostCount` times, and would be given up by the next loss, so it is executed alone: nothing else begins in this process until it has ended, for `atMostMs` at most. Told when it begins.
   */
  'run.isolated': RunEvent & { lostCount: number; atMostMs: number };
  'run.succeeded': RunEvent & { durationMs: number };
  /** An attempt failed and another one follows. `fingerprint`: what failures of one kind have in common, see `Attempt.fingerprint`; absent: it has none. */
  'run.retrying': RunEvent & { durationMs: number; error: unknown; fingerprint?: string; retryAt: Date };
  /** The run gave up. */
  'run.failed': RunEvent & { durationMs: number; error: unknown; fingerprint?: string };
  'run.timed_out': RunEvent & { durationMs: number; error: unknown; fingerprint?: string };
  /** Somebody asked to end it, and it has ended. `hasBegun`: a worker has had it; false: it was cancelled before it could begin. `durationMs`: of the attempt, or of how long it was open; 0 where it waited. */
  'run.cancelled': RunEvent & { durationMs: number; hasBegun: boolean };
  /** The handler wants to be called again later, or sleeps; the attempt does not count. `until` null: it waits for a signal alone. */
  'run.snoozed': RunEvent & { durationMs: number; until: Date | null };
  /** The handler has ended and left it open: its verdict comes from outside, or at the deadline; null: it has none. */
  'run.opened': RunEvent & { durationMs: number; deadline: Date | null };
  /** `retryIf` or `backoff` of a handler, or the delay of a RetryAfterError, was of no use; the job's own policy was followed. */
  'retry-rule.failed': RunEvent & { rule: 'retryIf' | 'backoff' | 'RetryAfterError'; error: unknown };
  /** It had not ended when this process stopped, and must not run twice (`recovery: 'abandon'`). What is lost with its process is counted by `workers.released`. */
  'run.lost': RunEvent & { durationMs: number };
  'run.handed-back': RunEvent & { durationMs: number };
  /** The handler threw after its transaction had committed the verdict, which stands. */
  'run.threw-after-commit': RunEvent & { error: unknown };
  /** It has succeeded, and what its handler returned is not on record: it is more than 65,536 characters, or JSON cannot say it. Of a workflow as a whole it is told in the process that has ended its last step. `reason` stands in the `error` of the attempt. */
  'run.result-dropped': RunEvent & { reason: string };
  /** How far it is, as its handler told last by `context.progress()`: once a second at most, and when the storage has it. */
  'run.progress': RunEvent & { fraction: number; details: JsonObject | null; at: Date };
  /** The storage has refused, three times, how far these runs are: what they told is not with them. The runs themselves go on. */
  'run-progress.dropped': { runIds: readonly string[]; error: unknown };
  /** The storage has refused, three times, what these runs have logged: so many lines are not in their logs. The runs themselves go on. */
  'run-log.dropped': { runIds: readonly string[]; lines: number; error: unknown };
  /** A result came too late: the run was given up, or had another owner by then, and nothing was written. */
  'run.stale': RunEvent;
  /** The storage cannot store what the handler returned or threw: a note is in its place. The verdict stands. */
  'run.unstorable': RunEvent & { error: unknown };
  /** The worker has stopped before the result could be written: the run counts as lost, and is executed again unless its `recovery` is `abandon`. */
  'run.unsettled': RunEvent & {
    /** What was to be written. */
    outcome: Outcome;
    /** It may be on record all the same: a call went without an answer. */
    isUnclear: boolean;
    /** Its `recovery` is `rerun`. */
    executedAgain: boolean;
  };

  /** Due runs that no live worker of their app (null: of any) has both handler and queue for: they are looked at again 30 s later. */
  'runs.deferred': { app: string | null; handler: string; queue: string; runs: number };
  /**
   * Jobs that do not fire, as no live worker of their app (null: of any) serves their queue. Told ten seconds after the start of those that the code of the process declares; later, within a minute or two, of all that are due, and
   * again every ten minutes.
   */
  'jobs.unserved': {
    app: string | null;
    queue: string;
    /** A hundred at most. */
    jobs: readonly (JobRef & { handler: string })[];
    /** Those that this process serves. */
    queues: readonly string[];
  };
  /** Runs that were due for more than a minute got a higher priority, so that they do not starve. */
  'runs.lifted': { runs: number };
  /** What was kept long enough was deleted, see `keepLedger`. `days`: those that were dropped from the ledger as a whole. */
  'record.pruned': Omit<Pruned, 'more' | 'withheldMs' | 'refused'>;
  /** The storage's clock is far ahead of the time that has passed since the record was pruned, so nothing is deleted until that has caught up, by an hour a minute. Told once. */
  'record.withheld': { aheadMs: number };

  /** Due instants that did not run. */
  'gap.recorded': JobRef & {
    handler: string;
    from: Date;
    until: Date;
    verdict: GapVerdict;
    count: number;
    reason: string;
  };
  /** The next time of a job could not be computed; it is left alone until its definition changes. */
  'schedule.failed': JobRef & { error: unknown };

  /**
   * The storage has answered a call of the loop, which went on for `tookMs`: `look`, `fire` (`count` jobs), `claim` (runs), `settle` (results), or `renew`. `claimed`: runs that it has put into the hands of this
   * worker. So frequent that it is put together only where somebody listens.
   */
  'storage.answered': {
    operation: 'look' | 'fire' | 'claim' | 'settle' | 'renew';
    count: number;
    claimed: number;
    tookMs: number;
  };
  /** The storage is open, and something of what was acknowledged may be missing. Told at a start. */
  'storage.doubtful': { reason: string };
  /** A call to the storage failed and will be repeated. */
  'storage.failing': { operation: string; error: unknown; retryInMs: number };
  'storage.recovered': { operation: string; failures: number };
  /**
   * Somebody else has kept rows locked for some seconds, so that `work` waits: `results` of runs, `returns` of runs that are not begun here, `schedules` that are due. All else goes on. Told
   * once for each lock, at most four times a minute. `tables`: whose rows it may be, of that job or run. `rows`: how many results, runs or schedules wait. `first`: the run, or the job and its instant, that has waited longest.
   */
  'rows.locked': {
    work: LockedWork;
    tables: readonly LockableTable[];
    rows: number;
    lockedMs: number;
    first: string;
  };
  /** That is over: all of it is done. Not told by a process that stops before. */
  'rows.unlocked': { work: LockedWork; tables: readonly LockableTable[]; lockedMs: number };
  /** The storage has lost commits that it had confirmed, as after a failover to a server that was behind, or a restore: the last renewal of this worker's lease among them. */
  'storage.went-back': { workerId: string };
  /** Changes by others are seen by polling only. */
  'wake.unavailable': { error: unknown };
  /** Changes by others are told at once again. */
  'wake.recovered': Record<string, never>;
  /** Handlers that block the event loop for longer than the lease lose their runs to others. */
  'beat.unavailable': { error: unknown };
  /** Events could not be told to other instances (`shareEvents`), and are lost there; told once until it works again. */
  'sharing.failing': { events: number; error: unknown };
  /**
   * Something that must not fail has thrown: a part of the engine itself, a clock or a source of random numbers that it was given, or a callback of the storage. What had ended by it
   * has been begun anew.
   */
  'engine.failed': { part: string; error: unknown };
  /** A listener of an event threw; `abort`: one of a handler's `context.signal`. */
  'listener.failed': { eventName: string; error: unknown };
}

export type ChronisEventName = keyof ChronisEventMap;
