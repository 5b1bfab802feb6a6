import pg from 'pg';
import { describe, expect, test } from 'vitest';
import type {
  Capability,
  ClaimedRun,
  CursorPlan,
  NewJob,
  StorageAdapter,
  StoredDefinition,
  SyncPlan,
  SyncResult,
} from '../../lib/index.js';
import {
  addOneOff,
  addRecurring,
  claimOne,
  fireOne,
  firingOf,
  holdOf,
  minute,
  recurring,
  startWorker,
} from '../../lib/testing/laws/fixture.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl } from '../support/schema.js';
import { allTables } from '../../lib/typeorm/sql/table.names.js';
import { storageForEachTest } from '../support/storage.for.each.test.js';

// Somebody else has locked rows, for as long as a test takes. What would wait for them fails by its deadline.

const statementTimeoutMs = 2_000;
let schema: string;
let storage: StorageAdapter;
const other = storageForEachTest('locks', (fresh) => ({ schema, storage } = fresh), { statementTimeoutMs });

async function lockRows(table: string, where: string, strength = 'for update'): Promise<void> {
  await other.query('begin');
  const { rowCount } = await other.query(`select from "${schema}".${table} where ${where} ${strength}`);
  expect(rowCount).toBeGreaterThan(0);
}

const strengths = ['for update', 'for share'] as const;

/** Four sessions that write the statistics of a job all the time, as settlements do, so that there is always one that has them locked. Returns how to end it. */
async function keepBusy(jobId: string): Promise<() => Promise<void>> {
  let isBusy = true;
  const loops = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const client = new pg.Client(databaseUrl());
      await client.connect();
      const loop = async (): Promise<void> => {
        while (isBusy) {
          await client.query(
            `begin; update "${schema}".job_stat set run_count = run_count + 1
               where job_uid = (select uid from "${schema}".job where id = '${jobId}'); select pg_sleep(0.003); commit`,
          );
        }
        await client.end();
      };
      return { ended: loop() };
    }),
  );
  return async () => {
    isBusy = false;
    await Promise.all(loops.map(({ ended }) => ended));
  };
}

/** Ends the session that waits for what is locked here, as soon as there is one. */
async function endWhoWaits(): Promise<void> {
  for (let ended = 0; ended === 0;) {
    const { rowCount } = await other.query(
      'select pg_terminate_backend(pid) from pg_locks where not granted and pg_backend_pid() = any (pg_blocking_pids(pid))',
    );
    ended = rowCount!;
  }
}

/** A worker that is dead, with runs of so many one-offs. */
async function deadWorker(count: number): Promise<{ worker: Capability; runs: ClaimedRun[] }> {
  const worker = await startWorker(storage, { leaseMs: minute });
  for (let i = 0; i < count; i++) await addOneOff(storage, { id: `lost-${i}` });
  const { runs } = await storage.claim(worker, count);
  expect(runs).toHaveLength(count);
  await storage.unregister(worker.workerId);
  return { worker, runs };
}

describe('a release', () => {
  test.each(strengths)(
    'passes over a run that somebody has locked %s, and comes back to it',
    async (strength) => {
      const { worker, runs } = await deadWorker(3);
      await lockRows('run', `id = ${runs[1]!.id}`, strength);
      const released = await storage.releaseLost();
      expect(released.runs.map(({ runId }) => runId).toSorted()).toEqual(
        [runs[0]!.id, runs[2]!.id].toSorted(),
      );
      expect(released.left).toEqual([runs[1]!.id]);
      expect(await storage.releaseLost(released.left)).toMatchObject({ workers: [], left: released.left });
      await other.query('rollback');
      expect(await storage.releaseLost(released.left)).toMatchObject({
        workers: [worker.workerId],
        runs: [{ runId: runs[1]!.id, verdict: null }],
        left: [],
      });
    },
  );

  test('leaves what it passed over to any worker, also when the one that did is gone', async () => {
    const { runs } = await deadWorker(1);
    await lockRows('run', `id = ${runs[0]!.id}`);
    expect((await storage.releaseLost()).left).toEqual([runs[0]!.id]);
    await other.query('rollback');
    expect((await storage.releaseLost()).runs.map(({ runId }) => runId)).toEqual([runs[0]!.id]);
  });

  test('gives up no run for want of company whose company an earlier release has taken back', async () => {
    const { runs } = await deadWorker(2);
    const left = runs[0]!.id;
    await other.query(`update "${schema}".run set lost_count = 2 where id = ${left}`);
    await lockRows('run', `id = ${left}`);
    expect(await storage.releaseLost()).toMatchObject({ runs: [{ runId: runs[1]!.id }], left: [left] });
    await other.query('rollback');
    expect((await storage.releaseLost()).runs).toMatchObject([{ runId: left, verdict: null }]);
  });

  test('tells what it has taken back, also when it loses its connection while it waits for the rest', async () => {
    const { worker, runs } = await deadWorker(2);
    const [locked, free] = runs.map(({ id }) => id);
    await lockRows('run', 'true');
    const { left } = await storage.releaseLost();
    await other.query('rollback');
    await lockRows('run', `id = ${locked}`);
    const released = storage.releaseLost(left);
    await endWhoWaits();
    expect(await released).toMatchObject({
      workers: [worker.workerId],
      runs: [{ runId: free }],
      left: [locked],
    });
  });

  test.each(strengths)(
    'passes over a worker whose row somebody has locked %s, with all its runs',
    async (strength) => {
      const dead = await deadWorker(1);
      const locked = await startWorker(storage, { leaseMs: minute });
      await addOneOff(storage, { id: 'locked' });
      const run = await claimOne(storage, locked);
      await storage.unregister(locked.workerId);
      await lockRows('worker', `id = '${locked.workerId}'`, strength);
      const { workers, left } = await storage.releaseLost();
      expect({ workers, left }).toEqual({ workers: [dead.worker.workerId], left: [] });
      await other.query('rollback');
      expect((await storage.releaseLost()).runs.map(({ runId }) => runId)).toEqual([run.id]);
    },
  );

  test.each(['job_stat', 'cursor'])(
    'passes over a run whose end somebody keeps from being written: %s',
    async (table) => {
      const worker = await startWorker(storage, { leaseMs: minute });
      await addRecurring(storage, { dueInMs: -minute });
      const run = await fireOne(storage, worker, { nextAt: Infinity });
      await addOneOff(storage, { id: 'one-off' });
      const oneOff = await claimOne(storage, worker);
      // As that of a job with a fixed delay.
      if (table === 'cursor') await other.query(`update "${schema}".cursor set delay_ms = 1000`);
      await storage.unregister(worker.workerId);
      await lockRows(table, 'true');
      const released = await storage.releaseLost();
      expect(released.runs.map(({ runId }) => runId)).toEqual([oneOff.id]);
      expect(released.left).toEqual([run.id]);
      await other.query('rollback');
      expect((await storage.releaseLost(released.left)).runs).toHaveLength(1);
    },
  );

  test('gets its turn at a run of a job of which there is always something locked', async () => {
    const worker = await startWorker(storage);
    await addRecurring(storage, { dueInMs: -minute, policies: { maxLost: 1 } });
    const run = await fireOne(storage, worker);
    await storage.unregister(worker.workerId);
    const endBusiness = await keepBusy('job');
    let { left } = await storage.releaseLost();
    for (let tries = 1; left.length > 0 && tries <= 3; tries++) ({ left } = await storage.releaseLost(left));
    await endBusiness();
    expect(left).toEqual([]);
    expect((await storage.queryRuns({}, {})).items).toMatchObject([{ id: run.id, state: 'lost' }]);
  });

  test('passes over a run for which a locked one waits', async () => {
    const worker = await startWorker(storage, { leaseMs: minute });
    await addRecurring(storage, { dueInMs: -2 * minute, policies: { maxLost: 1 } });
    const first = await fireOne(storage, worker, {
      overlap: 'queue',
      nextAt: (await storage.now()) - minute,
    });
    const { cursors } = await storage.dueCursors(worker, 1);
    await storage.fire(worker, [firingOf(cursors[0]!, { overlap: 'queue' })], 5);
    await storage.unregister(worker.workerId);
    await lockRows('run', 'blocked');
    expect(await storage.releaseLost()).toMatchObject({ runs: [], left: [first.id] });
    await other.query('rollback');
    expect((await storage.releaseLost([first.id])).runs).toMatchObject([
      { runId: first.id, verdict: 'lost' },
    ]);
    const next = await startWorker(storage);
    expect((await storage.claim(next, 5)).runs).toHaveLength(1);
  });
});

describe('a give-back', () => {
  test.each(strengths)('passes over a run that somebody has locked %s, and says so', async (strength) => {
    const worker = await startWorker(storage);
    await addOneOff(storage, { id: 'a' });
    await addOneOff(storage, { id: 'b' });
    const { runs } = await storage.claim(worker, 2);
    const claims = runs.map(holdOf);
    await lockRows('run', `id = ${runs[0]!.id}`, strength);
    expect(await storage.giveBack(claims)).toEqual({ lost: [], left: [claims[0]] });
    expect((await storage.claim(worker, 2)).runs.map(({ id }) => id)).toEqual([runs[1]!.id]);
    await other.query('rollback');
    expect(await storage.giveBack(claims)).toEqual({ lost: [], left: [] });
    expect((await storage.claim(worker, 2)).runs.map(({ id }) => id)).toEqual([runs[0]!.id]);
  });
});

describe('a fire', () => {
  /** Two jobs that are due, each with a run that goes on. */
  async function twoBusy(worker: Capability, overlap: 'queue' | 'cancel-running') {
    for (const id of ['a', 'b']) await addRecurring(storage, { id, dueInMs: -2 * minute });
    const nextAt = (await storage.now()) - minute;
    const due = (await storage.dueCursors(worker, 2)).cursors;
    const first = await storage.fire(
      worker,
      due.map((cursor) => firingOf(cursor, { overlap, nextAt })),
      5,
    );
    expect(first.runs).toHaveLength(2);
    const again = (await storage.dueCursors(worker, 2)).cursors;
    return { runs: first.runs, firings: again.map((cursor) => firingOf(cursor, { overlap })) };
  }

  const cases = (['queue', 'cancel-running'] as const).flatMap((overlap) =>
    strengths.map((strength) => [overlap, strength] as const),
  );

  test.each(cases)(
    'with overlap %s leaves out the one job whose run somebody has locked %s',
    async (overlap, strength) => {
      const worker = await startWorker(storage);
      const { runs, firings } = await twoBusy(worker, overlap);
      const locked = runs.find(({ jobId }) => jobId === 'a')!;
      await lockRows('run', `id = ${locked.id}`, strength);
      const fired = await storage.fire(worker, firings, 5);
      expect(fired.moved).toEqual([runs.find(({ jobId }) => jobId === 'b')!.jobUid]);
      await other.query('rollback');
      const later = await storage.fire(worker, firings, 5);
      expect(later.moved).toEqual([locked.jobUid]);
      const states = (await storage.queryRuns({}, {})).items.map(({ jobId, state }) => `${jobId} ${state}`);
      expect(states.filter((state) => state.endsWith('blocked')).toSorted()).toEqual([
        'a blocked',
        'b blocked',
      ]);
    },
  );

  test('leaves out a cursor that somebody has locked', async () => {
    const worker = await startWorker(storage);
    for (const id of ['a', 'b']) await addRecurring(storage, { id, dueInMs: -2 * minute });
    const { cursors } = await storage.dueCursors(worker, 2);
    const a = cursors.find(({ jobId }) => jobId === 'a')!;
    await lockRows('cursor', `job_uid = ${a.jobUid}`);
    const fired = await storage.fire(
      worker,
      cursors.map((cursor) => firingOf(cursor)),
      5,
    );
    expect(fired.runs.map(({ jobId }) => jobId)).toEqual(['b']);
  });
});

describe('a renewal', () => {
  test('does not wait for a long run that somebody has locked', async () => {
    const worker = await startWorker(storage);
    await addOneOff(storage);
    const run = await claimOne(storage, worker);
    await lockRows('run', `id = ${run.id}`);
    expect((await storage.renew(worker.workerId, minute, 1, [run.id])).leaseUntil).not.toBeNull();
  });
});

test('a call that has waited for a locked table until its deadline says so by its code', async () => {
  const hasty = newStorage({ schema, statementTimeoutMs: 200 });
  await hasty.init();
  await other.query(`begin; lock table "${schema}".run in access exclusive mode`);
  const asked = hasty.queryRuns({}, {});
  await expect(asked).rejects.toMatchObject({ code: 'CHRONIS_STORAGE_BUSY', name: 'StorageBusyError' });
  await hasty.close();
});

test('calls that wait for a locked row leave the jobs a connection, and say what they have waited for', async () => {
  const small = newStorage({ schema, statementTimeoutMs: 600, poolSize: 2 });
  await small.init();
  const worker = await startWorker(small);
  await addRecurring(small, { id: 'locked' });
  await addOneOff(small, { id: 'free' });
  await lockRows('job', `id = 'locked'`);
  const ref = { namespace: 'default', id: 'locked' };
  const calls = Promise.allSettled(
    Array.from({ length: 4 }, () => small.pauseJob(ref, { reason: 'busy', by: null })),
  );
  // Comes after them, and is done before any of them.
  expect((await small.claim(worker, 1)).runs).toHaveLength(1);
  const messages = (await calls).map((call) => (call.status === 'rejected' ? String(call.reason) : 'done'));
  await small.close();
  expect(messages.join()).toMatch(/while (locking|updating) tuple .* in relation "job"/);
  expect(messages.join()).toContain('since somebody has locked what it changes');
  expect(messages.join()).not.toContain('raise poolSize');
});

describe('a lease', () => {
  test('lives on while all that the process does waits for a table that somebody has locked', async () => {
    const small = newStorage({ schema, statementTimeoutMs, poolSize: 2 });
    await small.init();
    const worker = await startWorker(small);
    await other.query(`begin; lock table "${schema}".run in access exclusive mode`);
    const ended: string[] = [];
    const waiting = Promise.allSettled([
      small.dueCursors(worker, 1).finally(() => ended.push('due cursors')),
      small.nextWakeAt(worker).finally(() => ended.push('next wake')),
      small.queryRuns({}, {}).finally(() => ended.push('runs')),
    ]);
    await small.renew(worker.workerId, minute, 0);
    ended.push('renewal');
    await other.query('rollback');
    await waiting;
    await small.close();
    expect(ended.indexOf('renewal')).toBeLessThan(2);
  });

  // The leases themselves are in the table that is left out.
  test.each(allTables.filter((table) => table !== 'worker'))(
    'lives on while somebody has locked the table %s as a whole',
    async (table) => {
      const worker = await startWorker(storage);
      await addOneOff(storage);
      const run = await claimOne(storage, worker);
      await other.query(`begin; lock table "${schema}"."${table}" in access exclusive mode`);
      for (let beat = 0; beat < 3; beat++) {
        expect(
          (await storage.renew(worker.workerId, minute, 1, beat ? [] : [run.id])).leaseUntil,
        ).not.toBeNull();
      }
      await startWorker(storage);
      await other.query('rollback');
      await storage.cancelRun(run.id);
      await expect
        .poll(async () => (await storage.renew(worker.workerId, minute, 1)).cancelled)
        .toEqual([run.id]);
      const { rows } = await other.query(`select parked_by from "${schema}".run where id = ${run.id}`);
      expect(rows).toEqual([{ parked_by: worker.workerId }]);
    },
  );
});

describe('the janitor', () => {
  test('passes over what somebody has locked', async () => {
    await addOneOff(storage, { id: 'stranded', handler: 'nobody', dueInMs: -10 * minute });
    await addOneOff(storage, { id: 'overdue', dueInMs: -10 * minute });
    const worker = await startWorker(storage);
    await lockRows('run', 'true');
    expect(await storage.deferStranded()).toEqual([]);
    expect(await storage.liftOverdue()).toBe(0);
    await other.query('rollback');
    expect(await storage.deferStranded()).toHaveLength(1);
    expect(await storage.liftOverdue()).toBeGreaterThan(0);
    await lockRows('run', 'deferred_until is not null');
    await storage.updateWorker(worker.workerId, { handlers: ['work', 'nobody'], generation: null });
  });

  test('takes a lock whose row somebody has locked for one that is taken', async () => {
    expect(await storage.lock.acquire('key', 'me', minute)).not.toBeNull();
    await lockRows('lock', 'true');
    expect(await storage.lock.acquire('key', 'me', minute)).toBeNull();
    expect(await storage.lock.acquire('another', 'me', minute)).not.toBeNull();
    await other.query('rollback');
    expect(await storage.lock.acquire('key', 'me', minute)).not.toBeNull();
  });
});

describe('zone data', () => {
  const later: CursorPlan = ({ nextAt }) => nextAt + minute;

  test.each(strengths)(
    'that are noted already wait for nobody who has the note locked %s',
    async (strength) => {
      await storage.recomputeCursors('2026a', later);
      await lockRows('meta', 'true', strength);
      expect(await storage.recomputeCursors('2026a', later)).toEqual({ from: null, moved: [] });
    },
  );

  test('that are newer are left to another start where somebody has locked the note', async () => {
    await addRecurring(storage);
    await storage.recomputeCursors('2026a', later);
    await lockRows('meta', 'true');
    expect(await storage.recomputeCursors('2026b', later)).toEqual({ from: null, moved: [] });
    await other.query('rollback');
    expect(await storage.recomputeCursors('2026b', later)).toMatchObject({
      from: '2026a',
      moved: [{ id: 'job' }],
    });
  });

  test('that are newer pass over a cursor that somebody has locked, and are not noted before it is moved', async () => {
    for (const id of ['a', 'b']) await addRecurring(storage, { id });
    await storage.recomputeCursors('2026a', later);
    const planned = new Set<string>();
    const once: CursorPlan = ({ id, nextAt }) => {
      const isMoved = planned.has(id);
      planned.add(id);
      return isMoved ? nextAt : nextAt + minute;
    };
    await lockRows('cursor', `job_uid = (select uid from "${schema}".job where id = 'a')`);
    const first = await storage.recomputeCursors('2026b', once);
    expect(first).toMatchObject({ from: '2026a', moved: [{ id: 'b' }] });
    await other.query('rollback');
    expect(await storage.recomputeCursors('2026b', once)).toMatchObject({
      from: '2026a',
      moved: [{ id: 'a' }],
    });
    expect(await storage.recomputeCursors('2026b', once)).toEqual({ from: null, moved: [] });
  });
});

describe('what is forgotten', () => {
  const days = 86_400_000;

  async function attemptsOfLongAgo(outcome: string): Promise<void> {
    await other.query(
      `insert into "${schema}".attempt (run_id, namespace, job_id, handler, queue, origin, nominal_at, attempt, fence, outcome, final, finished_at)
       select n, 'default', 'old', 'work', 'default', 'at', now(), 1, 1, '${outcome}', true, now() - interval '2 hours'
       from generate_series(1, 3) n`,
    );
  }

  test('is all but the attempt that somebody has locked', async () => {
    await attemptsOfLongAgo('succeeded');
    await lockRows('attempt', 'run_id = 1');
    const retention = { defaultMs: 60 * minute, byVerdict: {} };
    expect(await storage.prune(retention)).toMatchObject({ attempts: 2 });
    await other.query('rollback');
    expect(await storage.prune(retention)).toMatchObject({ attempts: 1 });
  });

  test('of an outcome that is kept for a shorter time is looked at again where something was locked', async () => {
    await attemptsOfLongAgo('snoozed');
    await lockRows('attempt', 'run_id = 1');
    const retention = { defaultMs: 30 * days, byVerdict: { snoozed: 30 * minute } };
    expect(await storage.prune(retention)).toMatchObject({ attempts: 2, more: false });
    await other.query('rollback');
    expect(await storage.prune(retention)).toMatchObject({ attempts: 1 });
  });
});

describe('a sync', () => {
  const declaredJob = (id: string, change: Partial<NewJob> = {}): Promise<NewJob> =>
    recurring(storage, { id, source: 'code', app: 'shop', ...change });

  const sync = (plan: (stored: readonly StoredDefinition[]) => SyncPlan['changes']): Promise<SyncResult> =>
    storage.syncDefinitions({
      app: 'shop',
      setHash: 'set',
      workerId: 'nobody',
      declarations: [],
      graceMs: 10 * minute,
      previousApps: [],
      plan: (stored) => ({ changes: plan(stored), outranked: [] }),
    });

  async function two(): Promise<NewJob[]> {
    const jobs = [await declaredJob('a'), await declaredJob('b')];
    await sync(() => jobs.map((job) => ({ kind: 'insert', job })));
    return jobs;
  }

  test('with nothing to change waits for nobody', async () => {
    await two();
    await lockRows('job', 'true');
    expect(await sync(() => [])).toMatchObject({ status: 'synced', changes: [], postponed: [] });
  });

  const tables = ['job', 'cursor', 'run', 'job_stat'] as const;
  const cases = tables.flatMap((table) => strengths.map((strength) => [table, strength] as const));

  test.each(cases)('postpones the job of which somebody has locked %s %s', async (table, strength) => {
    const jobs = await two();
    const { jobUid } = (await storage.dueCursors(await startWorker(storage), 2)).cursors.find(
      ({ jobId }) => jobId === 'a',
    )!;
    await storage.runNow(jobs[0]!);
    const plan = (stored: readonly StoredDefinition[]): SyncPlan['changes'] =>
      stored
        .filter(({ definitionHash }) => definitionHash !== 'new')
        .map(({ uid, id }) => {
          const job = { ...jobs.find((one) => one.id === id)!, definitionHash: 'new', priority: 1 };
          return { kind: 'update', uid, job, moveCursor: false };
        });
    await lockRows(table, `${table === 'job' ? 'uid' : 'job_uid'} = ${jobUid}`, strength);
    const first = await sync(plan);
    expect(first).toMatchObject({ changes: [{ job: { id: 'b' } }], postponed: [{ id: 'a' }], conflicts: [] });
    await other.query('rollback');
    expect(await sync(plan)).toMatchObject({ changes: [{ job: { id: 'a' } }], postponed: [] });
    expect((await storage.getJob(jobs[0]!))?.priority).toBe(1);
  });

  const rest = {
    'the row that holds its id': `origin = 'reserved' and job_id = 'a'`,
    'a dead letter': 'dead_of is not null',
  };
  const kinds = Object.keys(rest).flatMap((row) =>
    (['update', 'delete'] as const).map((kind) => [kind, row] as const),
  );

  test.each(kinds)('postpones the %s of a job of which somebody has locked %s', async (kind, row) => {
    const jobs = await two();
    await other.query(
      `insert into "${schema}".run (namespace, job_id, keyed, origin, handler, queue, priority, nominal_at, dead_of, verdict)
       select namespace, id, false, 'schedule', handler, queue, 5, now(), uid, 'failed' from "${schema}".job where id = 'a'`,
    );
    const plan = (stored: readonly StoredDefinition[]): SyncPlan['changes'] =>
      stored.flatMap(({ uid, id }) => {
        if (id !== 'a') return [];
        if (kind === 'delete') return { kind, uid };
        const job = { ...jobs[0]!, id: 'renamed', definitionHash: 'new', handler: 'other' };
        return { kind, uid, job, moveCursor: false };
      });
    await lockRows('run', rest[row as keyof typeof rest]);
    expect(await sync(plan)).toMatchObject({ changes: [], postponed: [{ id: 'a' }] });
    await other.query('rollback');
    expect(await sync(plan)).toMatchObject({ changes: [{ kind }], postponed: [] });
    expect(await storage.getJob(jobs[0]!)).toBeNull();
  });

  /** An id that a transaction takes which is still open. */
  async function takeId(id: string): Promise<void> {
    await other.query('begin');
    await other.query(
      `insert into "${schema}".run (namespace, job_id, keyed, origin, handler, queue, priority, nominal_at)
       values ('default', $1, true, 'reserved', '', '', 0, now())`,
      [id],
    );
  }

  test('postpones an id that a transaction which is still open has inserted, and stores the others', async () => {
    const jobs = [await declaredJob('c'), await declaredJob('new'), await declaredJob('d')];
    const plan = (stored: readonly StoredDefinition[]): SyncPlan['changes'] =>
      jobs
        .filter(({ id }) => !stored.some((known) => known.id === id))
        .map((job) => ({ kind: 'insert', job }));
    await takeId('new');
    expect(await sync(plan)).toMatchObject({
      changes: [{ job: { id: 'c' } }, { job: { id: 'd' } }],
      postponed: [{ id: 'new' }],
      conflicts: [],
    });
    await other.query('rollback');
    expect(await sync(plan)).toMatchObject({ changes: [{ job: { id: 'new' } }], postponed: [] });
  });

  test('postpones a rename to an id that a transaction which is still open has inserted', async () => {
    const jobs = await two();
    const plan = (stored: readonly StoredDefinition[]): SyncPlan['changes'] =>
      stored.flatMap(({ uid, id }) =>
        id === 'a' ? { kind: 'update', uid, job: { ...jobs[0]!, id: 'new' }, moveCursor: false } : [],
      );
    await takeId('new');
    expect(await sync(plan)).toMatchObject({ changes: [], postponed: [{ id: 'a' }], conflicts: [] });
    await other.query('rollback');
    expect(await sync(plan)).toMatchObject({ changes: [{ job: { id: 'new' } }], postponed: [] });
  });

  test.each(strengths)(
    'of a set that is carried waits for nobody who has locked its row %s',
    async (strength) => {
      const jobs = await two();
      const worker = await startWorker(storage, { app: 'shop' });
      const { rows } = await other.query<{ generation: number }>(
        `select generation from "${schema}".release`,
      );
      await storage.updateWorker(worker.workerId, { handlers: ['work'], generation: rows[0]!.generation });
      await lockRows('release', 'true', strength);
      expect(
        await sync((stored) =>
          stored.flatMap(({ uid, id }) =>
            id === 'a' ? { kind: 'update', uid, job: { ...jobs[0]!, priority: 1 }, moveCursor: false } : [],
          ),
        ),
      ).toMatchObject({ changes: [{ kind: 'update' }], postponed: [] });
      expect((await storage.getJob(jobs[0]!))?.priority).toBe(1);
    },
  );

  test('gets its turn at a job of which there is always something locked', async () => {
    const jobs = await two();
    const endBusiness = await keepBusy('a');
    const plan = (stored: readonly StoredDefinition[]): SyncPlan['changes'] =>
      stored.flatMap(({ uid, id, definitionHash }) =>
        id === 'a' && definitionHash !== 'new'
          ? {
              kind: 'update',
              uid,
              job: { ...jobs[0]!, definitionHash: 'new', priority: 1 },
              moveCursor: false,
            }
          : [],
      );
    for (let tries = 1; tries <= 3; tries++) await sync(plan);
    await endBusiness();
    expect((await storage.getJob(jobs[0]!))?.priority).toBe(1);
  });

  test('tells what it has done, also when it loses its connection while it waits for the rest', async () => {
    const jobs = await two();
    const plan = (stored: readonly StoredDefinition[]): SyncPlan['changes'] =>
      stored.map(({ uid, id }) => {
        const job = { ...jobs.find((one) => one.id === id)!, priority: 1 };
        return { kind: 'update', uid, job, moveCursor: false };
      });
    await lockRows('job', `id = 'a'`);
    const synced = sync(plan);
    await endWhoWaits();
    expect(await synced).toMatchObject({ changes: [{ job: { id: 'b' } }], postponed: [{ id: 'a' }] });
  });

  test('of what nobody declares any more passes over a job that somebody has locked', async () => {
    await two();
    await startWorker(storage, { app: 'shop' });
    await lockRows('job', `id = 'a'`, 'for share');
    expect(await storage.orphanUndeclared('shop', 0)).toEqual([{ namespace: 'default', id: 'b' }]);
    await other.query('rollback');
    expect(await storage.orphanUndeclared('shop', 0)).toEqual([{ namespace: 'default', id: 'a' }]);
  });
});
