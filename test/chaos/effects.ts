import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { RunContext } from '../../lib/index.js';
import { notes, type Manner } from './chaos.options.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Leaves the effects of a worker's handlers, as an application would. */
export class Effects {
  private readonly pool: pg.Pool;

  constructor(url: string) {
    this.pool = new pg.Pool({
      connectionString: url,
      max: 4,
      query_timeout: 2_000,
      connectionTimeoutMillis: 2_000,
    });
    this.pool.on('error', () => undefined);
  }

  async leave(context: RunContext): Promise<void> {
    const { runId, job, nominalAt, attempt } = context;
    const values = [runId, job.id, nominalAt, process.pid];
    switch (job.id.split('-')[0] as Manner) {
      case 'plain':
        return this.insert(context.signal, 'plain_effect (run_id, job_id, nominal_at, pid, id)', [
          ...values,
          randomUUID(),
        ]);
      case 'unique':
        return this.insert(context.signal, 'unique_effect (run_id, job_id, nominal_at, pid)', values);
      case 'transaction':
        await context.transaction((manager) =>
          manager.query(
            `insert into ${notes}.transaction_effect (run_id, job_id, nominal_at, pid, attempt) values ($1, $2, $3, $4, $5)`,
            [...values, attempt],
          ),
        );
    }
  }

  /** Until it is certain, or the handler is told to stop: a database that is away is no failure of the job. */
  private async insert(signal: AbortSignal, target: string, values: unknown[]): Promise<void> {
    const places = values.map((_, i) => `$${i + 1}`).join(', ');
    for (;;) {
      try {
        await this.pool.query(
          `insert into ${notes}.${target} values (${places}) on conflict do nothing`,
          values,
        );
        return;
      } catch {
        signal.throwIfAborted();
        await pause(100);
        signal.throwIfAborted();
      }
    }
  }
}
