import assert from 'node:assert/strict';
import type {
  Attempt,
  Capability,
  ClaimedRun,
  Firing,
  FireResult,
  Gap,
  Job,
  NewJob,
  Pruned,
  Retention,
  Run,
  Settlement,
  StorageAdapter,
  Unstarted,
} from '../../index.js';

export const second = 1_000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

export const namespace = 'default';
export const ref = (id: string): { namespace: string; id: string } => ({ namespace, id });

/** What the laws give when they create a job; `dueInMs` in place of an instant. */
export type Wanted = Partial<NewJob> & { dueInMs?: number | null };

/** A definition of a job that recurs every minute; due by default since a second. */
export async function recurring(storage: StorageAdapter, wanted: Wanted = {}): Promise<NewJob> {
  return definition(storage, { type: 'cron', expression: '* * * * *' }, wanted);
}

/** A definition of a one-off; due by default since a second. */
export async function oneOff(storage: StorageAdapter, wanted: Wanted = {}): Promise<NewJob> {
  const at = new Date((await storage.now()) + (wanted.dueInMs ?? -second)).toISOString();
  return definition(storage, { type: 'at', at }, wanted);
}

async function definition(
  storage: StorageAdapter,
  trigger: NewJob['trigger'],
  { dueInMs = -second, ...given }: Wanted,
): Promise<NewJob> {
  return {
    id: 'job',
    namespace,
    name: null,
    handler: 'work',
    queue: 'default',
    priority: 5,
    trigger,
    timeZone: 'UTC',
    payload: null,
    metadata: {},
    policies: {},
    source: 'api',
    app: null,
    definitionHash: 'hash',
    nextAt: dueInMs === null ? null : (await storage.now()) + dueInMs,
    ...given,
  };
}

export async function addRecurring(storage: StorageAdapter, wanted: Wanted = {}): Promise<Job> {
  return insert(storage, await recurring(storage, wanted));
}

export async function addOneOff(storage: StorageAdapter, wanted: Wanted = {}): Promise<Job> {
  return insert(storage, await oneOff(storage, wanted));
}

async function insert(storage: StorageAdapter, job: NewJob): Promise<Job> {
  const [result] = await storage.insertJobs([job], 'raise');
  assert.ok(result.status === 'created', `The job "${job.id}" should have been created.`);
  return result.job;
}

let workers = 0;

/** Registers a worker; by default it has the handler and the queue that the laws' jobs have, and is of the app that declares some. */
export async function startWorker(
  storage: StorageAdapter,
  given: Partial<Parameters<StorageAdapter['register']>[0]> & { leaseMs?: number } = {},
): Promise<Capability> {
  const { leaseMs = minute, ...registration } = given;
  const worker = registrationOf(registration);
  await storage.register(worker, leaseMs);
  const { id: workerId, app, queues, handlers } = worker;
  return { workerId, app, queues, handlers };
}

export function registrationOf(
  given: Partial<Parameters<StorageAdapter['register']>[0]> = {},
): Parameters<StorageAdapter['register']>[0] {
  return {
    id: `worker-${++workers}-${Math.random().toString(36).slice(2)}`,
    name: 'instance',
    app: 'shop',
    generation: null,
    host: 'host',
    pid: 1,
    version: '1.0.0',
    zoneData: '2025b',
    queues: ['default'],
    handlers: ['work'],
    retention: null,
    ...given,
  };
}

/** Fires everything that is due, one birth for each cursor, the next time an hour later. */
export async function fireDue(
  storage: StorageAdapter,
  capability: Capability,
  { room = 100, ...change }: Partial<Firing> & { room?: number } = {},
): Promise<FireResult> {
  const { cursors } = await storage.dueCursors(capability, 1_000);
  const firings = cursors.map((cursor) => firingOf(cursor, change));
  return storage.fire(capability, firings, room);
}

/** The firing of one due cursor: a birth at its time, the next time an hour later. */
export function firingOf(
  cursor: { jobUid: string; nominalAt: number; revision: number; fired: number },
  change: Partial<Firing> = {},
): Firing {
  const { jobUid, nominalAt, revision, fired } = cursor;
  return {
    jobUid,
    nominalAt,
    revision,
    nextAt: nominalAt + hour,
    until: nominalAt,
    fired: fired + 1,
    overlap: 'skip',
    births: [{ nominalAt, dueAt: nominalAt, missed: 0 }],
    gaps: [],
    ...change,
  };
}

/** Fires the one cursor that is due, and returns its run, claimed by this worker. */
export async function fireOne(
  storage: StorageAdapter,
  capability: Capability,
  change: Partial<Firing> = {},
): Promise<ClaimedRun> {
  return only((await fireDue(storage, capability, change)).runs, 'run born claimed');
}

/** Claims the one run that is due. */
export async function claimOne(storage: StorageAdapter, capability: Capability): Promise<ClaimedRun> {
  return only((await storage.claim(capability, 100)).runs, 'claimed run');
}

/** What the laws know of a run in the hands of a worker. */
export type Held = Pick<ClaimedRun, 'id' | 'fence' | 'worker'> & Partial<Pick<ClaimedRun, 'jobUid'>>;

/** The proof that a run is in the hands of its worker. */
export const holdOf = ({ id, fence, worker }: Held): Unstarted => ({ runId: id, fence, worker });

/** A settlement: by default a success that began and ended now; of a one-off if the run that was claimed tells so. */
export async function settlementOf(
  storage: StorageAdapter,
  { jobUid, ...run }: Held,
  { retryInMs, ...given }: Partial<Settlement> & { retryInMs?: number } = {},
): Promise<Settlement> {
  const now = await storage.now();
  return {
    ...holdOf(run),
    outcome: 'succeeded',
    startedAt: now,
    finishedAt: now,
    retryAt: retryInMs === undefined ? null : now + retryInMs,
    error: null,
    result: null,
    oneOff: jobUid === null,
    ...given,
  };
}

/** Settles one run and asserts that it was accepted. */
export async function settle(
  storage: StorageAdapter,
  run: Held,
  given: Partial<Settlement> & { retryInMs?: number } = {},
): Promise<void> {
  const accepted = await accepts(storage, [await settlementOf(storage, run, given)]);
  assert.deepEqual(accepted, [run.id], 'The settlement should have been accepted.');
}

/** The ids of the runs whose settlement is accepted, once nobody has them locked. */
export async function accepts(
  storage: StorageAdapter,
  settlements: readonly Settlement[],
): Promise<string[]> {
  const all: string[] = [];
  for (let left = settlements; left.length > 0;) {
    const { accepted, locked } = await storage.settle(left);
    all.push(...accepted);
    left = left.filter(({ runId }) => locked.includes(runId));
  }
  return all;
}

/** Settles one run with a failure after which it is due again. */
export async function failWithRetry(storage: StorageAdapter, run: Held, retryInMs = -second): Promise<void> {
  await settle(storage, run, { outcome: 'failed', error: 'boom', retryInMs });
}

export async function jobOf(storage: StorageAdapter, id = 'job'): Promise<Job> {
  const job = await storage.getJob(ref(id));
  assert.ok(job, `The job "${id}" should be there.`);
  return job;
}

export async function attemptsOf(
  storage: StorageAdapter,
  filter: Parameters<StorageAdapter['queryAttempts']>[0] = {},
): Promise<Attempt[]> {
  return (await storage.queryAttempts(filter, { limit: 1_000 })).items;
}

export async function gapsOf(storage: StorageAdapter, jobId = 'job'): Promise<Gap[]> {
  return (await storage.queryGaps({ jobId }, { limit: 1_000 })).items;
}

export async function runsOf(storage: StorageAdapter, jobId = 'job'): Promise<Run[]> {
  const { items } = await storage.queryRuns({ jobId }, { limit: 1_000 });
  // Who has asked is not told by what else gives runs.
  return items.map(
    ({ requestedBy: _by, requestedAction: _action, note: _note, progress: _progress, ...run }) => run,
  );
}

/** The single element. */
export function only<T>(items: readonly T[], what: string): T {
  assert.equal(items.length, 1, `There should be exactly one ${what}, but there are ${items.length}.`);
  return items[0];
}

/** Does the same eight times at once, alternately over two adapters on the same data. */
export async function eightAtOnce<T>(
  adapters: readonly StorageAdapter[],
  act: (adapter: StorageAdapter, index: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all(Array.from({ length: 8 }, (_, index) => act(adapters[index % adapters.length], index)));
}

/** Asserts that two instants differ by no more than a few seconds: storages with a running clock move on meanwhile. */
export function assertNear(actual: Date | number | null, expected: number, what: string): void {
  assert.ok(actual !== null, `${what} should be set.`);
  const difference = Math.abs(new Date(actual).getTime() - expected);
  assert.ok(
    difference <= 5 * second,
    `${what} should be near ${new Date(expected).toISOString()}, but is ${difference} ms off.`,
  );
}

/** Prunes until there is no more. Returns what was forgotten in sum. */
export async function pruneAll(
  storage: StorageAdapter,
  byVerdict: Retention['byVerdict'] = {},
  defaultMs: number = day,
): Promise<Omit<Pruned, 'more' | 'withheldMs'>> {
  const sum = { attempts: 0, days: 0, gaps: 0, jobs: 0, deadLetters: 0 };
  for (let calls = 0; ; calls++) {
    assert.ok(calls < 1_000, 'Pruning should come to an end.');
    const { more, ...forgotten } = await storage.prune({ defaultMs, byVerdict });
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += forgotten[key];
    if (!more) return sum;
  }
}
