import type { EpochMs, Renewal, WorkerCondition } from '../ports/storage.adapter.js';
import { within } from './deadline.js';
import type { Run } from './statement.runner.js';

interface Renewed {
  now: EpochMs;
  /** null: the lease has ended. */
  lease_until: EpochMs | null;
  /** Where it stood before; null: no such worker. */
  stood_until: EpochMs | null;
  /** Which sets live workers of the app carry, in one text. */
  carried: string | null;
}

interface News {
  cancelled: string[];
  /** null: the worker carries no set. */
  out_of_sync: boolean | null;
}

/** What is known of a lease between two renewals. */
interface Lease {
  /** As `Renewed.carried`, at the last renewal. */
  carried: string | null;
  /** Renewals in a row without news. */
  quiet: number;
  /** Long runs that the storage does not know of yet. */
  toPark: Set<string>;
  /** The statement that is under way. */
  asking: Promise<void> | null;
  news: News | null;
  /** What kept the last one from being read. */
  failure: unknown;
}

/** A worker without runs, beside the same sets as before, asks for news with every so many renewals only. */
const quietRenewals = 3;
/** How long a renewal waits for the news: the lease must not depend on tables that somebody else may have locked as a whole. */
const patienceMs = 500;

/**
 * Renews leases, by a statement that touches the table of workers only. What a renewal tells besides comes by a statement of its own, which may wait or fail: then
 * it comes with a later renewal.
 */
export class Leases {
  private readonly leases = new Map<string, Lease>();

  async renew(
    run: Run,
    workerId: string,
    leaseMs: number,
    running: number,
    longRunning: readonly string[],
    reached: EpochMs | null,
    condition: WorkerCondition | null,
    givenUp: readonly string[] | null,
  ): Promise<Renewal> {
    const told = [condition?.clockOffsetMs ?? null, condition?.loopLagMs ?? null, givenUp];
    const [row] = await run<Renewed>('renew', workerId, leaseMs, running, reached, ...told);
    const { now, lease_until: leaseUntil, stood_until: stoodUntil } = row;
    const lease = this.leases.get(workerId) ?? newLease();
    if (leaseUntil === null) {
      this.leases.delete(workerId);
      return { now, leaseUntil, stoodUntil, cancelled: [], outOfSync: false };
    }
    this.leases.set(workerId, lease);
    for (const runId of longRunning) lease.toPark.add(runId);
    const isQuiet = running === 0 && lease.toPark.size === 0 && row.carried === lease.carried;
    lease.quiet = isQuiet ? lease.quiet + 1 : 0;
    if (lease.quiet % quietRenewals === 0) await this.ask(run, workerId, lease);
    const { news, failure } = lease;
    const outOfSync = news?.out_of_sync ?? false;
    // Then it asks again with the next renewal.
    const isSettled = !outOfSync && failure === undefined;
    Object.assign(lease, { carried: isSettled ? row.carried : null, news: null, failure: undefined });
    return { now, leaseUntil, stoodUntil, cancelled: news?.cancelled ?? [], outOfSync, failure };
  }

  forget(workerId: string): void {
    this.leases.delete(workerId);
  }

  /** Never rejects. Resolves when the news are there, or after a moment. */
  private async ask(run: Run, workerId: string, lease: Lease): Promise<void> {
    lease.asking ??= this.read(run, workerId, lease)
      .catch((error: unknown) => {
        lease.failure = error;
      })
      .finally(() => {
        lease.asking = null;
      });
    await within(patienceMs, lease.asking);
  }

  private async read(run: Run, workerId: string, lease: Lease): Promise<void> {
    const toPark = [...lease.toPark];
    if (toPark.length > 0) await run('park', workerId, toPark);
    for (const runId of toPark) lease.toPark.delete(runId);
    const [news] = await run<News>('readNews', workerId);
    lease.news = news;
  }
}

function newLease(): Lease {
  return {
    carried: null,
    quiet: -1,
    toPark: new Set(),
    asking: null,
    news: null,
    failure: undefined,
  };
}
