import pg from 'pg';
import type { SeededRandom } from '../simulation/seeded.random.js';
import type { PostgresServer } from '../support/postgres.js';
import { notes, type ChaosOptions } from './chaos.options.js';
import { WorkerProcess } from './worker.process.js';

/** When the recurring jobs are due: the same for all workers of a run. */
export interface Period {
  startAt: number;
  endAt: number;
}

/** The workers, the server, and the notes about what was done to them. */
export class Cluster {
  readonly workers: WorkerProcess[] = [];
  readonly crashes: string[] = [];
  release = 1;
  serverIsDown = false;
  private serial = 0;
  private readonly noted: Promise<void>[] = [];

  constructor(
    readonly server: PostgresServer,
    readonly options: ChaosOptions,
    private readonly period: Period,
  ) {}

  /** Every second worker has its wall clock off by minutes, to either side. */
  async add(): Promise<WorkerProcess> {
    const number = ++this.serial;
    const worker = await WorkerProcess.start(
      {
        url: this.server.url,
        name: `worker-${number}`,
        release: this.release,
        clockOffsetMs: [0, 240_000, 0, -420_000][number % 4]!,
        leaseMs: this.options.leaseMs,
        ...this.period,
      },
      this.server.port,
    );
    this.workers.push(worker);
    return worker;
  }

  /** Ends one and puts another in its place at once. */
  async replace(worker: WorkerProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    worker.busy = true;
    this.workers.splice(this.workers.indexOf(worker), 1);
    const gone = worker.end(signal);
    await Promise.all([gone, this.addUntilItWorks()]);
  }

  async end(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.end('SIGTERM')));
    await Promise.all(this.noted);
  }

  /** One that nothing else is being done to until it is not busy any more, as soon as another is left to do the work. */
  async victim(random: SeededRandom): Promise<WorkerProcess> {
    for (let waited = 0; waited < 30_000; waited += 50) {
      const free = this.workers.filter((worker) => !worker.busy);
      if (free.length > 1) {
        const worker = random.pick(free);
        worker.busy = true;
        return worker;
      }
      await pause(50);
    }
    throw new Error(`For 30 s less than two workers were well:\n${this.crashes.join('\n')}`);
  }

  watchForCrashes(): void {
    for (const worker of this.workers) {
      if (worker.crash === null || this.crashes.includes(worker.crash)) continue;
      this.crashes.push(worker.crash);
      worker.busy = true;
    }
  }

  /** Writes down a fault, as soon as the database is there to write to. */
  note(fault: { kind: string; pid: number | null; at: number; until: number }): void {
    const id = this.noted.length + 1;
    this.options.tell(`${fault.kind}${fault.pid === null ? '' : ` of ${fault.pid}`}`);
    this.noted.push(
      untilDone(() =>
        this.query(`insert into ${notes}.fault values ($1, $2, $3, $4, $5) on conflict do nothing`, [
          id,
          fault.kind,
          fault.pid,
          new Date(fault.at),
          new Date(fault.until),
        ]),
      ),
    );
  }

  /** On a connection of its own. */
  async query<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.server.url, connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Row>(text, values)).rows;
    } finally {
      await client.end();
    }
  }

  private async addUntilItWorks(): Promise<void> {
    await untilDone(() => this.add());
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function untilDone(act: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await act();
      return;
    } catch (error) {
      if (attempt === 50) throw error;
      await pause(200);
    }
  }
}
