import type { DynamicModule, INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ChronisModule,
  parseDuration,
  getSchedulerToken,
  type SchedulerService,
  type Attempt,
  type AttemptFilter,
  type DurationInput,
  type InstantInput,
  type Job,
  type JobQuery,
  type Page,
  type SqlExecutor,
} from '../index.js';
import { ChronisTestingModule } from './chronis.testing.module.js';
import type { Execution } from './execution.js';
import { importsChronis } from './imports.chronis.js';
import { testInstant, type ManualClock } from './manual.clock.js';
import { knownOptions, passKeys, passOf, type PassOptions } from './pass.options.js';
import { assertSucceeded, reportOf, type RunJobOptions, type RunReport } from './run.report.js';
import { TestBench } from './test.bench.js';
import { ChronisTestingError } from './testing.errors.js';
import {
  applicationKeys,
  testingKeys,
  type ChronisTestingModuleOptions,
  type ChronisTestingOptions,
} from './testing.options.js';
import { dueAfter, isOpen } from './waiting.runs.js';

/**
 * An application under test whose time stands still until it is told to pass. Handlers then run in order, each at its nominal time and
 * awaited to its end; retries, timeouts, jitter and everything else that takes time take none. Needs no particular test runner.
 *
 * @example
 * const chronis = await ChronisTesting.create({ imports: [AppModule] });
 * await chronis.advanceBy('1d');
 * @publicApi
 */
export class ChronisTesting {
  private constructor(
    /** The application under test. */
    readonly app: INestApplicationContext,
    private readonly bench: TestBench,
    private readonly name?: string,
  ) {}

  /**
   * Boots an application of these modules and providers. A `ChronisModule` among them keeps its options, but gets the test's clock and
   * storage; if there is none it is added. Rejects with what stands in the way, and with ChronisTestingError,
   * InvalidOptionError, InvalidScheduleError (startAt, patienceMs).
   */
  static async create(options: ChronisTestingOptions = {}): Promise<ChronisTesting> {
    knownOptions(options, [...applicationKeys, ...testingKeys], 'ChronisTesting.create()');
    const { imports = [], providers = [], controllers = [], logger = false, ...testing } = options;
    const bench = new TestBench(testing);
    const own = (await importsChronis(imports)) ? [] : [ChronisModule.forRoot()];
    class AppUnderTest {}
    const root: DynamicModule = {
      module: AppUnderTest,
      imports: [ChronisTestingModule.of(bench), ...imports, ...own],
      providers,
      controllers,
    };
    const app = await NestFactory.createApplicationContext(root, { logger, abortOnError: false });
    return new ChronisTesting(app, bench);
  }

  /**
   * To import beside the application's modules where the test builds its own: `Test.createTestingModule({ imports: [ChronisTesting.module(),
   * AppModule] })`. After its `init()`, `ChronisTesting.of(app)` is what moves the time. Throws InvalidOptionError, InvalidScheduleError.
   */
  static module(options: ChronisTestingModuleOptions = {}): DynamicModule {
    return ChronisTestingModule.of(
      new TestBench(knownOptions(options, testingKeys, 'ChronisTesting.module()')),
    );
  }

  /** Of an application that imports `ChronisTesting.module()`. Throws ChronisTestingError. */
  static of(app: INestApplicationContext): ChronisTesting {
    try {
      return new ChronisTesting(app, app.get(TestBench, { strict: false }));
    } catch (cause) {
      const problem = 'The application does not import ChronisTesting.module(), so its time is the real one.';
      throw new ChronisTestingError(problem, { cause });
    }
  }

  /** The same test with the eyes of another instance of the module: its jobs, its ledger. Time is the same for all. Throws ChronisTestingError. */
  instance(name: string): ChronisTesting {
    return new ChronisTesting(this.app, this.bench, this.bench.instanceOf(name));
  }

  get clock(): ManualClock {
    return this.bench.clock;
  }

  /** Of the default instance, or of the only one. Throws ChronisTestingError. */
  get scheduler(): SchedulerService {
    return this.app.get(getSchedulerToken(this.bench.instanceOf(this.name)), { strict: false });
  }

  /**
   * Lets time pass, and with it everything that falls due, one instant after the other. Returns what was executed, in order of the ends.
   * Rejects with ChronisTestingError when a handler without timeout does not end; it is then the time at which that began.
   */
  async advanceBy(time: DurationInput, options?: PassOptions): Promise<Execution[]> {
    const ms = time === 0 ? 0 : parseDuration(time, 'time');
    const pass = passOf(options, 'advanceBy()');
    return this.executing('advanceBy', () => this.bench.time.advanceTo(this.clock.now() + ms, pass));
  }

  /**
   * The same until the clock shows this time: a Date, epoch milliseconds, or text as `at` takes it, in UTC where it names neither offset nor zone. Rejects with
   * InvalidScheduleError (no date), ChronisTestingError (past).
   */
  async advanceTo(date: InstantInput, options?: PassOptions): Promise<Execution[]> {
    const at = testInstant(date, 'date');
    const pass = passOf(options, 'advanceTo()');
    if (at < this.clock.now()) {
      const now = new Date(this.clock.now()).toISOString();
      throw new ChronisTestingError(
        `Time does not go back: it is ${now} already, later than ${new Date(at).toISOString()}.`,
      );
    }
    return this.executing('advanceTo', () => this.bench.time.advanceTo(at, pass));
  }

  /** Executes what is due now, and what that makes due; no time passes. */
  async runDue(options?: PassOptions): Promise<Execution[]> {
    const pass = passOf(options, 'runDue()');
    return this.executing('runDue', () => this.bench.time.quiet(pass));
  }

  /**
   * Runs one job now, whatever its schedule says, and waits for the verdict. Time passes only for retries, snoozes and timeouts, with all that
   * falls due meanwhile. Rejects with JobNotFoundError; ChronisTestingError when nobody executes it, or it is left open.
   */
  async run(id: string, options: RunJobOptions = {}): Promise<RunReport> {
    const { time } = this.bench;
    const { namespace, throws = false, patienceMs } = knownOptions(options, runKeys, 'run()');
    const pass = passOf({ patienceMs }, 'run()');
    const report = await time.exclusively('run', async () => {
      const before = this.bench.activity.count;
      const { id: runId, jobId } = await this.scheduler.runNow(
        id,
        namespace === undefined ? {} : { namespace },
      );
      await time.quiet(pass);
      for (;;) {
        const [run] = (await this.scheduler.getRuns({ runId })).items;
        if (run === undefined || !isOpen(run)) break;
        await time.advanceTo(dueAfter([run], this.clock), pass);
      }
      const [final] = (await this.scheduler.getAttempts({ runId, finalOnly: true })).items;
      const executions = this.bench.activity.since(before).filter((execution) => execution.runId === runId);
      return reportOf({ id: runId, jobId }, final, executions);
    });
    if (throws) assertSucceeded(report);
    return report;
  }

  /**
   * Lets time pass until every run has its verdict: those that are due, one-offs of the future, retries, and what they set off. Recurring jobs
   * run meanwhile; their next instants are not waited for, nor is what was opened. Rejects with ChronisTestingError when runs remain after `within`, or nobody executes them.
   */
  async drain(options: PassOptions & { within?: DurationInput } = {}): Promise<Execution[]> {
    const { time } = this.bench;
    const { within = '366d', ...passing } = knownOptions(options, [...passKeys, 'within'], 'drain()');
    const pass = passOf(passing, 'drain()');
    const until = this.clock.now() + parseDuration(within, 'within');
    return this.executing('drain', async () => {
      await time.quiet(pass);
      for (;;) {
        const state: ('waiting' | 'blocked' | 'running')[] = ['waiting', 'blocked', 'running'];
        const open = await everyPage((cursor) => this.scheduler.getRuns({ state, limit: 1_000, cursor }));
        if (open.length === 0) return;
        const next = dueAfter(open, this.clock);
        if (next > until) {
          const jobs = [...new Set(open.map(({ jobId }) => `"${jobId}"`))].join(', ');
          throw new ChronisTestingError(
            `Runs of ${jobs} remain, the next of them due at ${new Date(next).toISOString()}. Allow more time by { within }.`,
          );
        }
        await time.advanceTo(next, pass);
      }
    });
  }

  /**
   * One transaction of all that calls of the scheduler with a `{ manager }`, the one that `work` gets or whatever stands in for one, do within `work`, in memory: seen when `work` has resolved, gone if it rejects. For code that
   * begins its transactions by a double, which calls this: `{ transaction: (work) => chronis.transaction(() => work(manager)) }`. One of TypeORM on a database in memory needs
   * none: it ends as that ends. Rejects with ChronisTestingError where the storage of the test has transactions itself.
   */
  async transaction<T>(work: (manager: SqlExecutor) => T | Promise<T>): Promise<T> {
    return this.bench.memoryOf(this.bench.instanceOf(this.name)).inTransaction(work);
  }

  /** The record of all attempts, the oldest first; of one job by its id. */
  async ledger(filter: AttemptFilter | string = {}): Promise<Attempt[]> {
    const query = typeof filter === 'string' ? { jobId: filter } : filter;
    const rows = await everyPage((cursor) => this.scheduler.getAttempts({ ...query, limit: 1_000, cursor }));
    return rows.toReversed();
  }

  /** All jobs that meet the conditions. */
  jobs(query: Omit<JobQuery, 'limit' | 'cursor'> = {}): Promise<Job[]> {
    return everyPage((cursor) => this.scheduler.queryJobs({ ...query, limit: 1_000, cursor }));
  }

  /** Closes the application. Time passes where it waits for handlers that time was let pass for. */
  close(): Promise<void> {
    return this.bench.time.passUntil(this.app.close());
  }

  private executing(operation: string, work: () => Promise<void>): Promise<Execution[]> {
    const { time, activity } = this.bench;
    return time.exclusively(operation, async () => {
      const before = activity.count;
      await work();
      return activity.since(before);
    });
  }
}

const runKeys = ['namespace', 'throws', 'patienceMs'];

async function everyPage<T>(page: (cursor?: string) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const next = await page(cursor);
    items.push(...next.items);
    cursor = next.cursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}
