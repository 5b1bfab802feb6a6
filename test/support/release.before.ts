import { readFileSync } from 'node:fs';
import pg from 'pg';
import type { NewJob } from '../../lib/index.js';
import { jobColumns } from '../../lib/typeorm/job.columns.js';
import { columns } from '../../lib/typeorm/rows.js';
import { schemaV1 } from '../../lib/typeorm/sql/schema.v1.sql.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { databaseUrl } from './schema.js';

interface Due {
  job_uid: string;
  nominal_at: number;
  revision: number;
  fired: number;
}

interface Taken {
  id: string;
  job_id: string;
  fence: number | null;
}

const queues = ['default'];
const handlers = ['work'];

/**
 * A worker of the release with schema version 1, by its own statements: the files of `release-before` are what it says to the server. Not by a build of it, which a fresh machine does not
 * have: what it does to tables that ours has made, and what ours does beside it, is decided by what the server makes of these statements.
 */
export class ReleaseBefore {
  private readonly client = new pg.Client(databaseUrl());

  constructor(
    private readonly schema: string,
    readonly workerId: string,
    readonly app: string,
  ) {}

  async open(): Promise<void> {
    await this.client.connect();
  }

  async close(): Promise<void> {
    await this.client.query(`drop schema "${this.schema}" cascade`);
    await this.leave();
  }

  async leave(): Promise<void> {
    await this.client.end();
  }

  /** Makes the tables as that release makes them. */
  async install(): Promise<void> {
    const t = tableNames(this.schema, '');
    const statements = [
      `create schema ${t.schema}`,
      `create table ${t.meta} (key text primary key, value text not null)`,
      `insert into ${t.meta} (key, value) values ('install_id', gen_random_uuid()::text), ('schema_version', '1'), ('compatible_with', '1')`,
      ...schemaV1(t),
    ];
    for (const statement of statements) await this.client.query(statement);
  }

  async register(): Promise<void> {
    const about = [this.app, null, 'host', 1, '0.1.0', '2025b', queues, handlers, 3_600_000];
    await this.say('register', this.workerId, 'before', ...about);
  }

  /** Jobs that are made at run time have no app there. */
  async createOneOff(job: NewJob): Promise<void> {
    await this.say('insert-one-offs', ...jobColumns([{ ...job, app: null }]), 'at');
  }

  async declare(job: NewJob): Promise<void> {
    const declared: NewJob = { ...job, source: 'code', app: this.app };
    await this.say('insert-recurring', ...jobColumns([declared]), [null], 1);
  }

  /** Gives the one stored job another declaration. */
  async redeclare(job: NewJob): Promise<void> {
    const [{ uid }] = await this.query<{ uid: string }>(`select uid from "${this.schema}".job`);
    const { namespace, id, timeZone, definitionHash } = job;
    const documents = [job.payload, job.metadata, job.policies].map((document) => JSON.stringify(document));
    const own = [job.name, job.handler, job.queue, job.priority, JSON.stringify(job.trigger), timeZone];
    await this.say('update-job', uid, namespace, id, ...own, ...documents, definitionHash, 1);
  }

  /** Fires what is due, an hour later again, and takes what is born. Returns the ids of the jobs. */
  async fire(room = 10): Promise<string[]> {
    const rows = await this.say<Due & { job_id: string }>('due-cursors', queues, handlers, 100, 0);
    const due = rows.filter(({ job_uid }) => job_uid !== null);
    const firings = due.map(({ job_uid: jobUid, nominal_at: nominalAt, revision, fired }) => {
      const moved = { nextAt: nominalAt + 3_600_000, until: nominalAt, fired: fired + 1, overlap: 'allow' };
      return { jobUid, nominalAt, revision, ...moved, dueAt: nominalAt, missed: 0 };
    });
    await this.say(
      'fire',
      ...[this.workerId, queues, handlers, room, 0],
      ...columns(firings, ['jobUid', 'nominalAt', 'revision', 'nextAt', 'until', 'fired', 'overlap']),
      ...columns(firings, ['jobUid', 'nominalAt', 'dueAt', 'missed']),
      ...Array<[]>(6).fill([]),
    );
    return due.map(({ job_id }) => job_id);
  }

  /** Claims what is due. Returns the ids of the jobs. */
  async claim(): Promise<string[]> {
    return (await this.take()).map(({ job_id }) => job_id);
  }

  /** Claims what is due; one-offs end well. Returns the ids of the jobs. */
  async work(): Promise<string[]> {
    const taken = await this.take();
    const now = Date.now();
    const times = [taken.map(() => now), taken.map(() => now), taken.map(() => null)];
    await this.say(
      'settle-one-offs',
      taken.map(({ id }) => id),
      taken.map(({ fence }) => fence ?? 1),
      ...times,
    );
    return taken.map(({ job_id }) => job_id);
  }

  private take(): Promise<Taken[]> {
    return this.say<Taken>('claim-from-one', this.workerId, queues, handlers, 100, 0);
  }

  async query<Row extends object>(text: string): Promise<Row[]> {
    return (await this.client.query<Row>(text)).rows;
  }

  private async say<Row extends object>(name: string, ...values: unknown[]): Promise<Row[]> {
    const file = new URL(`./release-before/${name}.sql`, import.meta.url);
    const text = readFileSync(file, 'utf8').replaceAll('"chronis"', `"${this.schema}"`);
    return (await this.client.query<Row>(text, [null, ...values])).rows;
  }
}
