import { isOnce } from '../model/trigger.js';
import type { ConflictPolicy, InsertResult, JobStore, NewJob } from '../ports/storage.adapter.js';
import type { JoinableTransaction } from '../ports/run.transaction.js';
import type { Wake } from '../ports/wake.signal.js';
import type { Inserted, Insertion } from './job.inserter.js';
import { knownOptions } from './option.checks.js';

/** Which transaction a call is part of. @publicApi */
export interface ManagerOption {
  /**
   * A transaction on the database of the jobs: TypeORM's `EntityManager` inside of one, or a `SqlExecutor` that sends statements in one of another library. What the call
   * does is committed with it, or rolled back with it. null: none, whatever the context says. @default the one of `withTransaction` or of the module's `transactionContext`; else none
   */
  manager?: JoinableTransaction | null;
}

/** The option of a call that has no other one. */
export function onlyManager(options: ManagerOption, call: string): ManagerOption {
  return knownOptions(options, ['manager'], `the last argument of ${call}`);
}

/** The stored jobs as one call works with them: on their own, or within a transaction of the caller. */
export interface JobAccess {
  readonly jobs: JobStore;
  /** Stores one job. */
  readonly insert: (job: NewJob, onConflict: ConflictPolicy) => Promise<InsertResult>;
  /** Stores many, in their order; one result for each. Does not reject. */
  readonly insertAll: (insertions: readonly Insertion[]) => Promise<Inserted[]>;
  /** Whether it is a transaction of the caller, so that nothing is certain before its commit. */
  readonly isJoined: boolean;
  /** To be told what was changed, so that this process looks at it as soon as it can be seen. */
  readonly changed: (wake?: Wake) => void;
}

/** As a time of what is due now, whatever the clock of the storage says. */
const longAgo = 0;

/** Tells when the earliest of some jobs, stored just now, is due. They were created at run time, so a one-off is a run, and what recurs has a cursor. */
export function tellDue({ changed }: JobAccess, jobs: readonly NewJob[]): void {
  let [at, oneOffs] = [Infinity, 0];
  for (const { nextAt, trigger } of jobs) {
    at = Math.min(at, nextAt ?? (trigger.type === 'at' ? longAgo : Infinity));
    if (isOnce(trigger)) oneOffs++;
  }
  if (at === Infinity) return;
  if (oneOffs > 0 && oneOffs < jobs.length) changed({ kind: 'due', at });
  else changed({ kind: 'due', at, what: oneOffs > 0 ? 'run' : 'cursor' });
}
