import { join } from 'node:path';
import pg from 'pg';
import type { SeededRandom } from '../simulation/seeded.random.js';
import type { Applicant } from './applicant.js';
import { role, type ChaosOptions, type Period } from './chaos.options.js';
import type { Database } from './databases.js';
import type { FaultNote } from './evidence.js';
import type { ScarceRoom } from './faults/scarce.room.js';
import { pause } from './pause.js';
import type { Pooler } from './pooler.js';
import { Turn } from './turn.js';
import { WorkerProcess } from './worker.process.js';

/** All workers have something done to them, so that a fault finds no victim. */
export class NobodyIsWell extends Error {}

/** What is done to a cluster may need more than its workers. */
export interface Surroundings {
  database: Database;
  /** Every third worker goes through it; null: there is none. */
  pooler: Pooler | null;
  /** The small disk that the tables are on; null: they are where all is. */
  room: ScarceRoom | null;
  /** Where the workers write down their executions. */
  folder: string;
  /** What creates jobs, when it is there. */
  applicant: Applicant | null;
}

/** From the loading of the code to the first job. */
const bootMs = 7_000;

/** The workers, the server, and the notes about what was done to them. */
export class Cluster {
  /** Those that work. */
  readonly workers: WorkerProcess[] = [];
  /** With those that are starting: what is done to the network is done to them as well, and they hold runs before they have said that they work. */
  readonly processes = new Set<WorkerProcess>();
  readonly crashes: string[] = [];
  readonly faults: FaultNote[] = [];
  release = 1;
  /** Something has the whole server; others of the kind wait. */
  private readonly server = new Turn();
  /** Changes of jobs, and what none may be made beside. */
  readonly changing = new Turn();
  private serial = 0;
  private ending = false;
  private loading = 0;
  private told: (period: Period) => void = () => undefined;
  /** Known when the first workers have loaded. */
  readonly period = new Promise<Period>((resolve) => (this.told = resolve));

  constructor(
    readonly surroundings: Surroundings,
    readonly options: ChaosOptions,
    private readonly seconds: number,
  ) {}

  get database(): Database {
    return this.surroundings.database;
  }

  /** Every second worker has its wall clock off by minutes, to either side. */
  async add(): Promise<WorkerProcess> {
    const number = ++this.serial;
    const { pooler, folder, database } = this.surroundings;
    const throughPooler = pooler !== null && number % 3 === 0;
    const url = new URL(database.url);
    url.username = role;
    const worker = await WorkerProcess.begin(
      {
        url: url.href,
        listenUrl: throughPooler ? url.href : null,
        name: `worker-${number}`,
        release: this.release,
        clockOffsetMs: [0, 240_000, 0, -420_000][number % 4]!,
        leaseMs: this.options.leaseMs,
        executions: join(folder, `worker-${number}.jsonl`),
      },
      throughPooler ? pooler.port : database.port,
    );
    this.processes.add(worker);
    void worker.ended.then(() => this.processes.delete(worker));
    // It may have moved meanwhile.
    this.pointToDatabase();
    await worker.works(() => this.begin());
    this.workers.push(worker);
    void worker.ended.then(() => (worker.poisoned ? this.replacePoisoned(worker) : undefined));
    return worker;
  }

  /** Ends one and puts another in its place at once. */
  async replace(worker: WorkerProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    worker.busy = true;
    this.workers.splice(this.workers.indexOf(worker), 1);
    const gone = worker.end(signal);
    await Promise.all([gone, this.addUntilItWorks()]);
    if (worker.crash !== null) this.crashes.push(worker.crash);
  }

  async end(): Promise<void> {
    this.ending = true;
    await Promise.all(this.workers.map((worker) => worker.end('SIGTERM')));
    this.watchForCrashes();
  }

  /** The workers that are not behind a pooler find the database where it is now. */
  pointToDatabase(): void {
    for (const { proxy, options } of this.processes)
      if (options.listenUrl === null) proxy.pointTo(this.database.port);
    this.surroundings.applicant?.pointTo(this.database.port);
  }

  /** One that nothing else is being done to until it is not busy any more, as soon as another is left to do the work. */
  async victim(random: SeededRandom): Promise<WorkerProcess> {
    for (let waited = 0; waited < 60_000; waited += 50) {
      const free = this.workers.filter((worker) => !worker.busy);
      if (free.length > 1) {
        const worker = random.pick(free);
        worker.busy = true;
        return worker;
      }
      await pause(50);
    }
    throw new NobodyIsWell(`For 60 s less than two workers were well:\n${this.crashes.join('\n')}`);
  }

  /** Whether another is left to do the work of this one, which nothing is being done to. */
  canSpare(worker: WorkerProcess): boolean {
    return !worker.busy && this.workers.some((other) => other !== worker && !other.busy);
  }

  /** What concerns the whole server happens one after another; what has its turn only when all is over does not happen any more. */
  alone(act: () => Promise<void>): Promise<void> {
    return this.server.take(async () => {
      if (Date.now() < (await this.period).endAt) await act();
    });
  }

  watchForCrashes(): void {
    for (const worker of this.workers) {
      if (worker.crash === null || this.crashes.includes(worker.crash)) continue;
      this.crashes.push(worker.crash);
      worker.busy = true;
    }
  }

  /** Writes down a fault; the caller may correct it while it lasts. */
  note(fault: FaultNote): FaultNote {
    this.options.tell(`${fault.kind}${fault.pid === null ? '' : ` of ${fault.pid}`}${fault.what ?? ''}`);
    this.faults.push(fault);
    return fault;
  }

  /** On a connection of its own. */
  async query<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.connected(async (client) => (await client.query<Row>(text, values)).rows);
  }

  /** The connection ends with `act`. */
  async connected<T>(act: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.database.url, connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await act(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** The period begins a moment after as many workers as there shall be have loaded. */
  private begin(): Promise<Period> {
    if (++this.loading === this.options.workers) {
      const startAt = Math.ceil(Date.now() / 1_000) * 1_000 + bootMs;
      this.told({ startAt, endAt: startAt + this.seconds * 1_000 });
    }
    return this.period;
  }

  private async replacePoisoned(worker: WorkerProcess): Promise<void> {
    const at = Date.now();
    this.note({ kind: 'poisoned', pid: worker.pid, at, until: at });
    worker.busy = true;
    worker.proxy.close();
    const index = this.workers.indexOf(worker);
    if (index < 0 || this.ending) return;
    this.workers.splice(index, 1);
    await this.addUntilItWorks();
  }

  private async addUntilItWorks(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.add();
        return;
      } catch (error) {
        // Nobody needs it any more.
        if (this.ending) return;
        if (attempt === 50) throw error;
        await pause(200);
      }
    }
  }
}
