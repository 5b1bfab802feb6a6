import pg from 'pg';
import type { ClaimedRun, DueCursor, NewJob, StorageAdapter, Unstarted } from '../../lib/index.js';
import { tableNames, type TableNames } from '../../lib/typeorm/sql/table.names.js';
import { newJob } from './engine.js';
import { newStorage } from './postgres.subject.js';
import { databaseUrl, freshSchema } from './schema.js';

/** Of each of the tables that the tests fill. A million takes ten seconds; a walk through the table is plain with fewer. */
const future = Number(process.env.CHRONIS_PLAN_RUNS ?? 100_000);
const schedules = 5_000;
const busy = 1_000;

/**
 * The tables of a scheduler that has been at work: many one-offs of later, schedules, runs that workers hold, a dead one among them, runs that
 * wait for others, one of each schedule, and at the head of the queue some that are due, every other for a handler that nobody has.
 */
export class GrownTables {
  /** Those that are never read from one end to the other. */
  static readonly hot: readonly string[] = ['run', 'cursor', 'job', 'job_stat'];
  readonly client = new pg.Client(databaseUrl());
  readonly names: TableNames;
  /** Runs that `worker` holds. */
  recurring: Unstarted[] = [];
  oneOffs: Unstarted[] = [];
  /** The id of a run that is open. */
  open = '';
  /** Due; a run of each is held, and another one waits for its end. */
  cursors: DueCursor[] = [];
  private readonly schema = freshSchema('grown');
  private readonly storage: StorageAdapter = newStorage({ schema: this.schema });

  constructor() {
    this.names = tableNames(this.schema, '', true);
  }

  /** `analyzed`: the statistics that the server has are of this time. They stay, as autovacuum is off. */
  async fill(analyzed: 'when empty' | 'when small'): Promise<void> {
    const { storage, client } = this;
    await storage.init();
    await client.connect();
    await this.ofEach((table) => `alter table ${table} set (autovacuum_enabled = off)`);
    if (analyzed === 'when empty') await this.analyze();
    for (const id of ['worker', 'busy', 'dead']) await this.register(id);
    await this.keep(10);
    const longRunning = (await this.hold('busy', busy)).map(({ id }) => id);
    await storage.renew('busy', 3_600_000, busy, longRunning);
    await this.hold('dead', 10);
    await this.leaveOpen();
    await this.addSchedules();
    await this.addWaiting();
    this.recurring = await storage.heldBy('worker');
    const oneOffs = await this.hold('worker', 10);
    this.oneOffs = oneOffs.map(({ id: runId, fence, worker }) => ({ runId, fence, worker }));
    await this.addOneOffs(10, -120_000, { handler: 'gone' });
    await storage.deferStranded();
    await this.addOneOffs(100, -120_000);
    await this.addOneOffs(100, -120_000, { handler: 'nobody' });
    if (analyzed === 'when small') await this.analyze();
    await this.addFuture();
    const { worker } = this.names;
    await client.query(
      `update ${worker} set lease_until = now() - interval '1 second' where id = 'dead';
       update ${worker} set handlers = handlers || '{gone}' where id = 'busy'`,
    );
  }

  analyze(): Promise<void> {
    return this.ofEach((table) => `analyze ${table}`);
  }

  async drop(): Promise<void> {
    await this.storage.close();
    await this.client.query(`drop schema "${this.schema}" cascade`);
    await this.client.end();
  }

  private async ofEach(statement: (table: string) => string): Promise<void> {
    const { run, cursor, job, job_stat } = this.names;
    await this.client.query([run, cursor, job, job_stat].map(statement).join(';'));
  }

  private async register(id: string): Promise<void> {
    const about = {
      retention: null,
      generation: null,
      host: 'host',
      pid: 1,
      version: '0',
      zoneData: '2026a',
    };
    await this.storage.register({ id, name: id, ...about, ...capability }, 3_600_000);
  }

  private async addOneOffs(count: number, dueInMs: number, given: Partial<NewJob> = {}): Promise<void> {
    const now = await this.storage.now();
    const jobs = Array.from({ length: count }, (_, i) =>
      newJob(now, { app: 'test', nextAt: now + dueInMs + i, ...given }),
    );
    await this.storage.insertJobs(jobs, 'raise');
  }

  private async hold(workerId: string, count: number, given: Partial<NewJob> = {}): Promise<ClaimedRun[]> {
    await this.addOneOffs(count, -count, given);
    const held: ClaimedRun[] = [];
    while (held.length < count) {
      const { runs } = await this.storage.claim({ workerId, ...capability }, count - held.length);
      held.push(...runs);
    }
    return held;
  }

  /** One-offs that are over, and whose time is as well. */
  private async keep(count: number): Promise<void> {
    const runs = await this.hold('worker', count, { policies: { keepMs: 0.001 } });
    const now = await this.storage.now();
    const times = { startedAt: now, finishedAt: now, retryAt: null };
    const ended = { outcome: 'succeeded' as const, ...times, error: null, result: null };
    await this.storage.settle(
      runs.map(({ id: runId, fence, worker }) => ({ runId, fence, worker, ...ended })),
    );
  }

  private async leaveOpen(): Promise<void> {
    const [run] = await this.hold('worker', 1);
    const { id: runId, fence, worker } = run!;
    const now = await this.storage.now();
    const times = { startedAt: now, finishedAt: now, retryAt: now + 3_600_000 };
    await this.storage.settle([
      { runId, fence, worker, outcome: 'opened', ...times, error: null, result: null },
    ]);
    this.open = runId;
  }

  /** The first ones fire twice: one run is held, the other waits for its end. */
  private async addSchedules(): Promise<void> {
    const now = await this.storage.now();
    const jobs = Array.from({ length: schedules }, (_, i) =>
      newJob(now, {
        app: 'test',
        trigger: { type: 'interval', every: 60_000 },
        nextAt: now - 60_000 + i * 1_000,
      }),
    );
    await this.storage.insertJobs(jobs, 'raise');
    const worker = { workerId: 'worker', ...capability };
    for (let fired = 0; fired < 2; fired++) {
      const due = (await this.storage.dueCursors(worker, 10)).cursors;
      const firings = due.map(({ jobUid, nominalAt, revision }) => {
        const births = [{ nominalAt, dueAt: nominalAt, missed: 0 }];
        const next = { nextAt: nominalAt + 1, until: nominalAt, fired, overlap: 'queue' as const };
        return { jobUid, nominalAt, revision, births, gaps: [], ...next };
      });
      await this.storage.fire(worker, firings, 10);
    }
    this.cursors = (await this.storage.dueCursors(worker, 10)).cursors;
  }

  /** What waits for the end of another run at the first schedule waits at all others too. */
  private async addWaiting(): Promise<void> {
    const { run, job } = this.names;
    const columns = await this.columnsOfRun();
    const ofJob = new Map([
      ['job_uid', 'j.uid'],
      ['job_id', 'j.id'],
    ]);
    const values = columns.map((column) => ofJob.get(column) ?? `r.${column}`);
    const { rowCount } = await this.client.query(
      `insert into ${run} (${columns.join()}) select ${values.join()}
       from ${run} r join ${job} j on j.uid <> all (array(select job_uid from ${run} where blocked))
       where r.id = (select min(id) from ${run} where blocked)`,
    );
    if (rowCount !== schedules - this.cursors.length) throw new Error(`${rowCount} runs wait.`);
  }

  private async columnsOfRun(): Promise<string[]> {
    const { rows } = await this.client.query<{ column: string }>(
      `select quote_ident(column_name) as column from information_schema.columns
       where table_schema = $1 and table_name = 'run' and column_name <> 'id' and is_identity = 'NO' and is_generated = 'NEVER'`,
      [this.schema],
    );
    return rows.map(({ column }) => column);
  }

  /** Copies of one. */
  private async addFuture(): Promise<void> {
    const now = await this.storage.now();
    await this.storage.insertJobs(
      [newJob(now, { app: 'test', id: 'later', nextAt: now + 3_600_000 })],
      'raise',
    );
    const columns = await this.columnsOfRun();
    const values = columns.map((column) => {
      if (column === 'job_id') return `r.job_id || '-' || n`;
      return column === 'due_at' ? `r.due_at + n * interval '1 millisecond'` : `r.${column}`;
    });
    await this.client.query(
      `insert into ${this.names.run} (${columns.join()}) select ${values.join()}
       from ${this.names.run} r cross join generate_series(1, ${future}) n where r.job_id = 'later'`,
    );
  }
}

const capability = { app: 'test', queues: ['default'], handlers: ['work'] };
