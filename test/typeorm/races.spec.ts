import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClaimedRun, StorageAdapter } from '../../lib/index.js';
import { accepts, addOneOff, addRecurring, claimOne, startWorker } from '../../lib/testing/laws/fixture.js';
import { databaseUrl } from '../support/schema.js';
import { storageForEachTest } from '../support/storage.for.each.test.js';

// Each test stops one statement in the middle by a lock of its own, lets another one happen, and then goes on.

const ref = { namespace: 'default', id: 'job' };
const watcher = new pg.Client(databaseUrl());
let schema: string;
let storage: StorageAdapter;
const other = storageForEachTest('races', (fresh) => ({ schema, storage } = fresh));

beforeAll(() => watcher.connect());
afterAll(() => watcher.end());

async function settle(run: ClaimedRun, retryInMs: number | null): Promise<string[]> {
  const now = await storage.now();
  const retryAt = retryInMs === null ? null : now + retryInMs;
  const outcome = retryInMs === null ? ('succeeded' as const) : ('failed' as const);
  const times = { startedAt: now, finishedAt: now, retryAt };
  const about = { runId: run.id, fence: run.fence, worker: run.worker, oneOff: run.jobUid === null };
  return accepts(storage, [{ ...about, outcome, ...times, error: null, result: null }]);
}

/** Again where it passes over a lock that others hold for longer than it waits, as they do on a busy machine. */
async function settleAtLast(run: ClaimedRun, retryInMs: number | null): Promise<string[]> {
  for (let tries = 1; ; tries++) {
    const accepted = await settle(run, retryInMs);
    if (accepted.length > 0 || tries === 100) return accepted;
  }
}

/** Resolves when somebody waits for a lock in this database's tables. */
async function somebodyWaits(): Promise<void> {
  while ((await countOfWaiting()) === 0);
}

async function countOfWaiting(): Promise<number> {
  const waiting = `select count(*)::int as count from pg_stat_activity
    where wait_event_type = 'Lock' and query like '%"${schema}"%'`;
  return (await watcher.query<{ count: number }>(waiting)).rows[0]!.count;
}

describe('a settle with a retry', () => {
  test('that waits for a cancel under way ends the run', async () => {
    await addOneOff(storage);
    const run = await claimOne(storage, await startWorker(storage));
    await other.query(`begin; update "${schema}".run set cancel_requested = true where id = ${run.id}`);
    const settled = settleAtLast(run, 1_000);
    await somebodyWaits();
    await other.query('commit');
    expect(await settled).toEqual([run.id]);
    const { items } = await storage.queryAttempts({}, {});
    expect(items).toMatchObject([{ runId: run.id, outcome: 'failed', final: true }]);
    expect(await storage.getJob(ref)).toMatchObject({ state: 'failed' });
  });

  test('that waits for a pause under way leaves the run held', async () => {
    await addOneOff(storage);
    const capability = await startWorker(storage);
    const run = await claimOne(storage, capability);
    await other.query(`begin; select from "${schema}".run where id = ${run.id} for update`);
    const paused = storage.pauseJob(ref, { reason: 'audit', by: null });
    await somebodyWaits();
    const settled = settleAtLast(run, -1_000);
    await other.query('commit');
    expect(await paused).not.toBeNull();
    expect(await settled).toEqual([run.id]);
    expect((await storage.claim(capability, 10)).runs).toEqual([]);
    await storage.resumeJob(ref, () => ({ nextAt: null, gap: null }));
    expect((await claimOne(storage, capability)).id).toBe(run.id);
  });

  test('that waits for a delete under way ends the run, and leaves nothing', async () => {
    await addOneOff(storage);
    const run = await claimOne(storage, await startWorker(storage));
    await other.query(`begin; select from "${schema}".run where id = ${run.id} for update`);
    const deleted = storage.deleteJob(ref);
    await somebodyWaits();
    const settled = settleAtLast(run, 1_000);
    await other.query('commit');
    expect(await deleted).toBe(true);
    expect(await settled).toEqual([run.id]);
    expect((await storage.queryRuns({}, {})).items).toEqual([]);
    expect((await storage.queryAttempts({ finalOnly: true }, {})).items).toHaveLength(1);
  });

  test('of a fixed delay gives the next time, also when a fire is about to wait for it', async () => {
    const trigger = { type: 'interval', every: 60_000, mode: 'fixed-delay' } as const;
    await addRecurring(storage, { trigger });
    const capability = await startWorker(storage);
    await storage.runNow(ref);
    const run = await claimOne(storage, capability);
    const { cursors } = await storage.dueCursors(capability, 10);
    const [{ jobUid, nominalAt, revision }] = cursors as [(typeof cursors)[0]];
    // The fire records a gap, as the run goes on: here it is stopped, holding the cursor. The lock of a table would stop it before it holds anything.
    await other.query(`
      create function "${schema}".hold() returns trigger language plpgsql as $$
      begin perform pg_advisory_xact_lock(hashtext('${schema}')); return new; end $$;
      create trigger hold before insert on "${schema}".gap for each row execute function "${schema}".hold()`);
    await other.query(`begin; select pg_advisory_xact_lock(hashtext('${schema}'))`);
    const births = [{ nominalAt, dueAt: nominalAt, missed: 0 }];
    const firing = {
      jobUid,
      nominalAt,
      revision,
      nextAt: Infinity,
      until: nominalAt,
      fired: 1,
      overlap: 'skip' as const,
      births,
      gaps: [],
    };
    const fired = storage.fire(capability, [firing], 10);
    await somebodyWaits();
    const settled = settleAtLast(run, null);
    while ((await countOfWaiting()) < 2);
    await other.query('commit');
    expect((await fired).moved).toEqual([jobUid]);
    expect(await settled).toEqual([run.id]);
    expect((await storage.getJob(ref))!.nextRunAt).not.toBeNull();
  });
});

describe('a worker', () => {
  test('cannot renew its lease when it has been released meanwhile, however early it asked', async () => {
    const { workerId } = await startWorker(storage);
    await other.query(`begin; update "${schema}".worker set released_at = now() where id = '${workerId}'`);
    const renewed = storage.renew(workerId, 60_000, 0);
    await somebodyWaits();
    await other.query('commit');
    expect((await renewed).leaseUntil).toBeNull();
  });

  test('whose claim was committed after its release leaves runs that are found', async () => {
    await addOneOff(storage);
    const late = await startWorker(storage);
    const run = await claimOne(storage, late);
    await other.query(`delete from "${schema}".worker where id = $1`, [late.workerId]);
    const next = await startWorker(storage);
    const released = await storage.releaseLost();
    expect(released.runs).toMatchObject([{ runId: run.id, worker: late.workerId, verdict: null }]);
    expect((await claimOne(storage, next)).fence).toBeGreaterThan(run.fence);
  });
});

describe('a conflict between transactions', () => {
  /** The first writes to the table of locks fail with this SQLSTATE. */
  async function failFirst(times: number, state: string): Promise<void> {
    await other.query(`
      create sequence "${schema}".tries;
      create function "${schema}".fail() returns trigger language plpgsql as $$ begin
        if nextval('"${schema}".tries') <= ${times} then raise exception 'no' using errcode = '${state}'; end if;
        return new;
      end $$;
      create trigger fail before insert on "${schema}".lock for each row execute function "${schema}".fail()`);
  }

  test.each(['40001', '40P01', '55P03'])('%s is tried again by itself', async (state) => {
    await failFirst(3, state);
    expect(await storage.lock.acquire('key', 'me', 1_000)).not.toBeNull();
  });

  test('is not tried for ever', async () => {
    await failFirst(1_000, '40001');
    await expect(storage.lock.acquire('key', 'me', 1_000)).rejects.toThrow('PostgreSQL: no');
  });

  test('of another kind is the caller’s', async () => {
    await failFirst(1, 'P0001');
    await expect(storage.lock.acquire('key', 'me', 1_000)).rejects.toThrow('PostgreSQL: no');
    expect(await storage.lock.acquire('key', 'me', 1_000)).not.toBeNull();
  });
});

test('many deletes, pauses, settles and fires of the same jobs end without an error', async () => {
  const capability = await startWorker(storage);
  const ids = Array.from({ length: 20 }, (_, i) => `job-${i}`);
  for (const id of ids) {
    await addRecurring(storage, {
      id,
      trigger: { type: 'interval', every: 1_000, mode: id.endsWith('3') ? 'fixed-delay' : 'fixed-rate' },
    });
  }
  const round = async (offset: number): Promise<void> => {
    const { cursors } = await storage.dueCursors(capability, 100);
    const firings = cursors.map(({ jobUid, nominalAt, revision }) => ({
      jobUid,
      nominalAt,
      revision,
      nextAt: nominalAt + 10,
      until: nominalAt,
      fired: 1,
      overlap: 'allow' as const,
      gaps: [],
      births: [{ nominalAt, dueAt: nominalAt, missed: 0 }],
    }));
    const { runs } = await storage.fire(capability, offset % 2 ? firings : firings.toReversed(), 100);
    const jobRef = { ...ref, id: ids[offset % ids.length]! };
    await Promise.all([
      Promise.all(runs.map((run) => settle(run, offset % 3 === 0 ? -1_000 : null))),
      storage.pauseJob(jobRef, { reason: null, by: null }),
      storage.cancelJob(jobRef),
      storage.runNow(jobRef),
      storage.resumeJob(jobRef, (_, now) => ({ nextAt: now, gap: null })),
      storage.deleteJob({ ...ref, id: ids[(offset * 7) % ids.length]! }),
    ]);
  };
  await Promise.all(Array.from({ length: 12 }, (_, i) => round(i)));
  expect(await storage.countJobs({})).toBeLessThan(ids.length);
});

test('a run that was put off while a worker registered that can execute it is brought back by the next round', async () => {
  await addOneOff(storage);
  const capability = await startWorker(storage);
  // As if the deferral had begun before the registration was committed, and was committed after it had looked.
  const later = `now() + interval '1 minute'`;
  await other.query(`update "${schema}".run set due_at = ${later}, deferred_until = ${later}`);
  expect((await storage.claim(capability, 10)).runs).toEqual([]);
  expect(await storage.deferStranded()).toEqual([]);
  await claimOne(storage, capability);
});

test('two runs that end at the same moment let go of the one that waits for both', async () => {
  const nextAt = (await storage.now()) - 1_000;
  await addRecurring(storage, { trigger: { type: 'cron', expression: '* * * * *' }, nextAt });
  const capability = await startWorker(storage);
  const fire = async (overlap: 'allow' | 'queue'): Promise<ClaimedRun[]> => {
    const { cursors } = await storage.dueCursors(capability, 1);
    const { jobUid, nominalAt, revision, fired } = cursors[0]!;
    const births = [{ nominalAt, dueAt: nominalAt, missed: 0 }];
    const moved = { jobUid, nominalAt, revision, nextAt: nominalAt + 1, until: nominalAt, fired: fired + 1 };
    return (await storage.fire(capability, [{ ...moved, overlap, births, gaps: [] }], 10)).runs;
  };
  const blocking = [...(await fire('allow')), ...(await fire('allow'))];
  expect(blocking).toHaveLength(2);
  expect(await fire('queue')).toEqual([]);
  // Each has ended its own run, and has not looked yet whether another one is left.
  await other.query(`begin; select from "${schema}".job_stat for update`);
  let passedOver = 0;
  const untilAccepted = async (run: ClaimedRun): Promise<void> => {
    while ((await settle(run, null)).length === 0) passedOver++;
  };
  const ends = Promise.all(blocking.map(untilAccepted));
  while (passedOver < 2 && (await countOfWaiting()) < 2);
  await other.query('commit');
  await ends;
  expect((await storage.claim(capability, 10)).runs).toHaveLength(1);
});
