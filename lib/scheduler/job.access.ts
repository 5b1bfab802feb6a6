import type { ConflictPolicy, InsertResult, JobStore, NewJob } from '../ports/storage.adapter.js';
import type { TransactionManager } from '../ports/run.transaction.js';
import type { Wake } from '../ports/wake.signal.js';

/** Which transaction a call is part of. @publicApi */
export interface ManagerOption {
  /**
   * An `EntityManager` inside a transaction on the database of the jobs: what the call does is committed with it, or rolled back with it. null: none,
   * whatever the context says. @default the one of `withTransaction` or of the module's `transactionContext`; else none
   */
  manager?: TransactionManager | null;
}

/** The stored jobs as one call works with them: on their own, or within a transaction of the caller. */
export interface JobAccess {
  readonly jobs: JobStore;
  /** Stores one job. */
  readonly insert: (job: NewJob, onConflict: ConflictPolicy) => Promise<InsertResult>;
  /** To be told what was changed, so that this process looks at it as soon as it can be seen. */
  readonly changed: (wake?: Wake) => void;
}

/** Tells when the earliest of some jobs, stored just now, is due. They were created at run time, so a one-off is a run, and what recurs has a cursor. */
export function tellDue({ changed }: JobAccess, jobs: readonly NewJob[]): void {
  const at = Math.min(...jobs.map(({ nextAt }) => nextAt ?? Infinity));
  if (at === Infinity) return;
  const oneOffs = jobs.filter(({ trigger }) => trigger.type === 'at').length;
  if (oneOffs > 0 && oneOffs < jobs.length) changed({ kind: 'due', at });
  else changed({ kind: 'due', at, what: oneOffs > 0 ? 'run' : 'cursor' });
}
