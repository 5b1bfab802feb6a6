import assert from 'node:assert/strict';
import type {
  Capability,
  ClaimedRun,
  Job,
  JobState,
  NewJob,
  Settlement,
  StorageAdapter,
} from '../../index.js';
import { claimOne, day, oneOff, only, ref, settle, startWorker, type Wanted } from './fixture.js';

export type After = Omit<Extract<NewJob['trigger'], { type: 'after' }>, 'type' | 'jobs'>;

/** A one-off that is due since a second. */
export const free = (storage: StorageAdapter, id: string, wanted: Wanted = {}): Promise<NewJob> =>
  oneOff(storage, { id, ...wanted });

/** A one-off that waits for others. */
export const after = (
  storage: StorageAdapter,
  id: string,
  jobs: string[],
  given: After = {},
  wanted: Wanted = {},
): Promise<NewJob> =>
  oneOff(storage, { id, trigger: { type: 'after', jobs, ...given }, ...wanted, dueInMs: null });

/** Stores jobs by one call, of which some wait for others: `c: ['a', 'b']`, those without a list are due. */
export async function create(
  storage: StorageAdapter,
  graph: Record<string, string[]>,
  given: After = {},
  wanted: Wanted = {},
): Promise<Job[]> {
  const jobs: NewJob[] = [];
  for (const [id, parents] of Object.entries(graph)) {
    jobs.push(
      parents.length === 0
        ? await free(storage, id, wanted)
        : await after(storage, id, parents, given, wanted),
    );
  }
  return (await storage.insertJobs(jobs, 'raise')).map((result) => {
    assert.ok(result.status === 'created', 'All of them should have been created.');
    return result.job;
  });
}

export const lasting = (storage: StorageAdapter): Promise<Capability> =>
  startWorker(storage, { leaseMs: 400 * day });

/** Claims the one run that is due, which has to be of this job, and settles it. */
export async function runIt(
  storage: StorageAdapter,
  worker: Capability,
  id: string,
  given: Partial<Settlement> & { retryInMs?: number } = {},
): Promise<void> {
  await settle(storage, await claimIt(storage, worker, id), given);
}

export async function claimIt(storage: StorageAdapter, worker: Capability, id: string): Promise<ClaimedRun> {
  const run = await claimOne(storage, worker);
  assert.equal(run.jobId, id);
  return run;
}

/** Claims all that is due, by their ids. */
export async function claimAll(
  storage: StorageAdapter,
  worker: Capability,
): Promise<ReadonlyMap<string, ClaimedRun>> {
  const { runs } = await storage.claim(worker, 1_000);
  return new Map(runs.map((run) => [run.jobId, run]));
}

/** null: it is gone. */
export async function stateAt(storage: StorageAdapter, id: string): Promise<JobState | null> {
  return (await storage.getJob(ref(id)))?.state ?? null;
}

export async function assertStates(
  storage: StorageAdapter,
  states: Record<string, JobState | null>,
): Promise<void> {
  for (const [id, state] of Object.entries(states)) assert.equal(await stateAt(storage, id), state, id);
}

/** The last word of the ledger on a one-off. */
export async function lastOf(
  storage: StorageAdapter,
  jobId: string,
): Promise<{ outcome: string; error: string | null }> {
  const { items } = await storage.queryAttempts({ jobId }, { limit: 100 });
  const { outcome, error } = only(items.filter(({ final }) => final).slice(0, 1), `last word on "${jobId}"`);
  return { outcome, error };
}
