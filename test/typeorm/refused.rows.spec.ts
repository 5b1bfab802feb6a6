import { describe, expect, test } from 'vitest';
import type { ClaimedRun, ClaimResult, Policies, Retention, StorageAdapter } from '../../lib/index.js';
import {
  addOneOff,
  holdOf,
  minute,
  runsOf,
  settlementOf,
  startWorker,
} from '../../lib/testing/laws/fixture.js';
import { newStorage } from '../support/postgres.subject.js';
import { storageForEachTest } from '../support/storage.for.each.test.js';

let schema: string;
let storage: StorageAdapter;
const other = storageForEachTest('refused', (fresh) => ({ schema, storage } = fresh));

const raise = (name: string, when: string, condition: string, table: string): Promise<unknown> =>
  other.query(
    `create function "${schema}".${name}() returns trigger language plpgsql as $$ begin if ${condition} then raise exception 'no'; end if; return coalesce(new, old); end $$;
     create trigger ${name} before ${when} on "${schema}".${table} for each row execute function "${schema}".${name}()`,
  );

/** Runs of a worker that has died, by their jobs. */
async function lostRuns(
  ids: readonly string[],
  policies: Partial<Policies> = {},
): Promise<Map<string, ClaimedRun>> {
  const worker = await startWorker(storage, { leaseMs: minute });
  for (const id of ids) await addOneOff(storage, { id, policies });
  const { runs } = await storage.claim(worker, ids.length);
  await storage.unregister(worker.workerId);
  return new Map(runs.map((run) => [run.jobId, run]));
}

describe('a number that somebody has spoilt by hand counts as the default', () => {
  const edit = (run: ClaimedRun, policies: unknown): Promise<unknown> =>
    other.query(`update "${schema}".run set policies = $1 where id = $2`, [JSON.stringify(policies), run.id]);

  test.each(['x', 1e12, -1, 1.5, {}, null])('maxLost: %j, when its worker has died', async (maxLost) => {
    await edit((await lostRuns(['a', 'b', 'c'])).get('b')!, { maxLost });
    const { runs, refused = [] } = await storage.releaseLost();
    expect(runs.map(({ jobId, verdict }) => `${jobId}: ${verdict}`).sort()).toEqual([
      'a: null',
      'b: null',
      'c: null',
    ]);
    expect(refused).toEqual([]);
  });

  test.each(['soon', 1e300, -1, {}])('keepMs: %j, when it has succeeded', async (keepMs) => {
    const worker = await startWorker(storage);
    for (const id of ['a', 'b', 'c']) await addOneOff(storage, { id, policies: { keepMs: minute } });
    const { runs } = await storage.claim(worker, 3);
    await edit(runs[1]!, { keepMs });
    const { accepted } = await storage.settle(
      await Promise.all(runs.map((run) => settlementOf(storage, run))),
    );
    expect(accepted).toHaveLength(3);
    const kept = { defaultMs: 60 * minute, byVerdict: {} };
    expect(await storage.prune(kept)).toMatchObject({ jobs: 1 });
  });
});

test('verdicts that the server refuses keep no others from being written, are named, and are written when they can', async () => {
  const worker = await startWorker(storage);
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'm', 'n']) await addOneOff(storage, { id });
  const { runs } = await storage.claim(worker, 8);
  await raise('refuse_verdict', 'insert', `new.job_id in ('b', 'e', 'f', 'n')`, 'attempt');
  // Some by the quick statement, and some by the other one.
  const settlements = await Promise.all(
    runs.map((run) =>
      settlementOf(
        storage,
        run,
        ['c', 'f', 'm', 'n'].includes(run.jobId) ? { outcome: 'failed', error: 'x' } : {},
      ),
    ),
  );
  const jobOf = (runId: string) => runs.find(({ id }) => id === runId)!.jobId;
  const { accepted, locked, refused = [] } = await storage.settle(settlements);
  expect(accepted.map(jobOf).sort()).toEqual(['a', 'c', 'd', 'm']);
  expect(locked).toEqual([]);
  expect(refused.map(({ runId }) => jobOf(runId)).sort()).toEqual(['b', 'e', 'f', 'n']);
  expect(String(refused[0]!.error)).toContain('no');
  await other.query(`drop trigger refuse_verdict on "${schema}".attempt`);
  const rest = settlements.filter(({ runId }) => !accepted.includes(runId));
  expect((await storage.settle(rest)).accepted.map(jobOf).sort()).toEqual(['b', 'e', 'f', 'n']);
});

test('a day that the ledger has no place for is told as that, as no verdict is to blame for it, and all are written when it has one', async () => {
  const worker = await startWorker(storage);
  for (const id of ['a', 'b']) await addOneOff(storage, { id });
  const { runs } = await storage.claim(worker, 2);
  const settlements = await Promise.all(runs.map((run) => settlementOf(storage, run)));
  const day = `attempt_${new Date(settlements[0]!.finishedAt).toISOString().slice(0, 10).replaceAll('-', '')}`;
  await other.query(`drop table "${schema}".attempt_default, "${schema}".${day}`);
  await expect(storage.settle(settlements)).rejects.toThrow(
    /no partition of relation "attempt" found for row\. .*default partition.*chronis doctor/,
  );
  await other.query(`create table "${schema}".attempt_default partition of "${schema}".attempt default`);
  expect((await storage.settle(settlements)).accepted).toHaveLength(2);
});

test('a run whose release the server refuses keeps no other from coming back, is named, and comes back when it can', async () => {
  const lost = await lostRuns(['a', 'b', 'c', 'd', 'e']);
  await raise('refuse_release', 'update', `old.job_id in ('b', 'e') and new.worker is null`, 'run');
  for (let round = 0; round < 2; round++) {
    const { runs, left, workers, refused = [] } = await storage.releaseLost();
    expect(runs.map(({ jobId }) => jobId).sort()).toEqual(round === 0 ? ['a', 'c', 'd'] : []);
    expect({ left, workers: workers.length }).toEqual({ left: [], workers: round === 0 ? 1 : 0 });
    expect(refused.map(({ runId }) => runId).sort()).toEqual([lost.get('b')!.id, lost.get('e')!.id].sort());
    expect(String(refused[0]!.error)).toContain('no');
  }
  // It does not make anybody look again at once.
  const { leaseEndsAt } = await storage.nextWakeAt(await startWorker(storage));
  expect(leaseEndsAt).toBeNull();
  await other.query(`drop trigger refuse_release on "${schema}".run`);
  const { runs, refused } = await storage.releaseLost();
  expect(runs.map(({ jobId }) => jobId).sort()).toEqual(['b', 'e']);
  expect(refused).toBeUndefined();
});

test('one that was left is named as well, when it is tried alone', async () => {
  const [run] = (await lostRuns(['a'])).values();
  await raise('refuse_release', 'update', `old.job_id = 'a' and new.worker is null`, 'run');
  await storage.releaseLost();
  const { runs, left, refused = [] } = await storage.releaseLost([run!.id]);
  expect({ runs, left, refused: refused.map(({ runId }) => runId) }).toEqual({
    runs: [],
    left: [],
    refused: [run!.id],
  });
});

test('many whose release is refused keep no other from coming back', async () => {
  const ids = Array.from({ length: 40 }, (_, index) => `job ${index}`);
  await lostRuns([...ids, 'good']);
  await raise('refuse_release', 'update', `new.worker is null and new.job_id <> 'good'`, 'run');
  const back: string[] = [];
  for (let call = 0; call < 100 && back.length === 0; call++) {
    const result = await storage.releaseLost().catch(() => null);
    back.push(...(result?.runs ?? []).map(({ jobId }) => jobId));
  }
  expect(back).toEqual(['good']);
});

test('a release that is refused for all is told as one', async () => {
  await lostRuns(Array.from({ length: 40 }, (_, index) => `job ${index}`));
  await raise('refuse_release', 'update', 'new.worker is null', 'run');
  await expect(storage.releaseLost()).rejects.toThrow('no');
});

test('a run that the server does not let be given back keeps no other from it, and is named', async () => {
  const worker = await startWorker(storage);
  for (const id of ['a', 'b', 'c', 'd']) await addOneOff(storage, { id });
  const { runs } = await storage.claim(worker, 4);
  await raise('refuse_return', 'update', `old.job_id = 'c' and new.worker is null`, 'run');
  const { left, lost, refused = [] } = await storage.giveBack(runs.map(holdOf));
  const bad = holdOf(runs.find(({ jobId }) => jobId === 'c')!);
  expect({ left, lost }).toEqual({ left: [], lost: [] });
  expect(refused).toMatchObject([
    {
      ...bad,
      retryInMs: minute,
      error: { message: expect.stringMatching(/^PostgreSQL cannot give back a run: no\. /) },
    },
  ]);
  expect(await storage.heldBy(worker.workerId)).toEqual([bad]);
  await other.query(`drop trigger refuse_return on "${schema}".run`);
  expect(await storage.giveBack([bad])).toEqual({ left: [], lost: [] });
  expect(await storage.heldBy(worker.workerId)).toEqual([]);
});

describe('a waiting run whose claim the server refuses', () => {
  const jobsOf = ({ runs }: ClaimResult): string[] => runs.map(({ jobId }) => jobId);

  test.each([
    ['one queue', ['default']],
    ['several queues', ['default', 'other']],
  ])(
    'keeps no other from being claimed, in the order of claims, and is named once: %s',
    async (_, queues) => {
      await addOneOff(storage, { id: 'bad', priority: 0 });
      const [bad] = await runsOf(storage, 'bad');
      for (const [id, priority] of [
        ['late', 9],
        ['a', 5],
        ['soon', 1],
        ['b', 5],
        ['c', 5],
      ] as const)
        await addOneOff(storage, { id, priority });
      // One more attempt than the column holds.
      await other.query(`update "${schema}".run set attempt = 2147483647 where job_id = 'bad'`);
      const worker = await startWorker(storage, { queues });
      const first = await storage.claim(worker, 3);
      expect(first.refused).toMatchObject([{ runId: bad!.id, retryInMs: minute }]);
      expect(jobsOf(first)).toEqual(['soon', 'a']);
      expect(first.now).not.toBeNull();
      expect(first.runs.map(({ fence, attempt, worker: by }) => [fence, attempt, by])).toEqual(
        first.runs.map(() => [1, 1, worker.workerId]),
      );
      const second = await storage.claim(worker, 3);
      expect(second.refused).toBeUndefined();
      expect(jobsOf(second)).toEqual(['b', 'c', 'late']);
      expect((await storage.claim(worker, 3)).runs).toEqual([]);
      const { accepted } = await storage.settle(
        await Promise.all([...first.runs, ...second.runs].map((run) => settlementOf(storage, run))),
      );
      expect(accepted).toHaveLength(5);
      // Somebody else gets it at once when it is mended, this one within a minute.
      await other.query(`update "${schema}".run set attempt = 0 where job_id = 'bad'`);
      const next = newStorage({ schema });
      await next.init();
      expect(jobsOf(await next.claim(worker, 3))).toEqual(['bad']);
      await next.close();
    },
  );

  test('is passed over beside what no claim hands out: not due, of nobody, paused, at most once', async () => {
    await addOneOff(storage, { id: 'bad' });
    await addOneOff(storage, { id: 'later', dueInMs: 10 * minute });
    await addOneOff(storage, { id: 'early', dueInMs: minute });
    await addOneOff(storage, { id: 'once', dueInMs: minute, policies: { recovery: 'abandon' } });
    await addOneOff(storage, { id: 'elsewhere', queue: 'other' });
    await addOneOff(storage, { id: 'nobody', handler: 'nobody' });
    await other.query(`update "${schema}".run set attempt = 2147483647 where job_id = 'bad'`);
    const worker = await startWorker(storage);
    expect(jobsOf(await storage.claim(worker, 10, 5 * minute))).toEqual(['early']);
    await addOneOff(storage, { id: 'more' });
    expect(jobsOf(await storage.claim(worker, 10, 5 * minute))).toEqual(['more']);
    // A lease that is over gets nothing.
    await addOneOff(storage, { id: 'again' });
    await storage.unregister(worker.workerId);
    expect(jobsOf(await storage.claim(worker, 10))).toEqual([]);
  });

  test('among many that are refused is told as one failure, and what is behind them is claimed', async () => {
    for (let index = 0; index < 40; index++) await addOneOff(storage, { id: `job ${index}`, priority: 1 });
    await addOneOff(storage, { id: 'behind', priority: 9 });
    await raise('refuse_claim', 'update', `new.worker is not null and new.job_id <> 'behind'`, 'run');
    const worker = await startWorker(storage);
    await expect(storage.claim(worker, 20)).rejects.toThrow('no');
    const claimed: string[] = [];
    for (let call = 0; call < 10; call++) {
      const result = await storage.claim(worker, 20).catch(() => null);
      if (result !== null) claimed.push(...jobsOf(result));
    }
    expect(claimed).toEqual(['behind']);
  });
});

describe('an old row that the server does not let go keeps no other from being forgotten, and is told once', () => {
  const kept: Retention = { defaultMs: 60 * minute, byVerdict: {} };
  const addAttempts = (count: number, job: string): Promise<unknown> =>
    other.query(
      `insert into "${schema}".attempt (run_id, namespace, job_id, handler, queue, origin, nominal_at, attempt, fence, outcome, final, finished_at)
       select n, 'default', '${job}', 'work', 'default', 'at', now(), 1, 1, 'failed', true, now() - interval '5 hours' + n * interval '1 second' from generate_series(1, ${count}) n`,
    );
  const addGaps = (count: number): Promise<unknown> =>
    other.query(
      `insert into "${schema}".gap (job_uid, namespace, job_id, verdict, from_at, until_at, count, reason)
       select 1, 'default', 'old', 'skipped', now() - interval '5 hours', now() - interval '5 hours' + n * interval '1 second', 1, 'overlap' from generate_series(1, ${count}) n`,
    );
  const countOf = async (table: string): Promise<number> => {
    const { rows } = await other.query<{ n: number }>(`select count(*)::int as n from "${schema}".${table}`);
    return rows[0]!.n;
  };

  test.each([
    ['attempt', 'attempts of run', 'old.run_id in (1, 7, 8, 300)', kept, () => addAttempts(300, 'old')],
    [
      'attempt',
      'attempts of run',
      'old.run_id in (1, 7, 8, 300)',
      { defaultMs: 9 * 60 * minute, byVerdict: { failed: minute } },
      () => addAttempts(300, 'old'),
    ],
    ['gap', 'gap', 'old.id in (1, 7, 8, 300)', kept, () => addGaps(300)],
  ] as const)('%s', async (table, kind, condition, retention, add) => {
    await add();
    await raise('refuse_delete', 'delete', condition, table);
    const told: string[] = [];
    for (let round = 0; round < 4; round++) {
      const { refused = [] } = await storage.prune(retention);
      told.push(...refused.map(({ row }) => row));
    }
    expect(told.sort()).toEqual([1, 300, 7, 8].map((id) => `${kind} ${id}`));
    expect(await countOf(table)).toBe(4);
    // Somebody else comes back to them at once, this one in ten minutes.
    await other.query(`drop trigger refuse_delete on "${schema}".${table}`);
    const next = newStorage({ schema });
    await next.init();
    while ((await next.prune(retention)).more);
    await next.close();
    expect(await countOf(table)).toBe(0);
  });

  test('a run that was kept', async () => {
    const worker = await startWorker(storage);
    for (const id of ['a', 'b', 'c', 'd']) await addOneOff(storage, { id, policies: { keepMs: 1 } });
    const { runs } = await storage.claim(worker, 4);
    await storage.settle(await Promise.all(runs.map((run) => settlementOf(storage, run))));
    await raise('refuse_delete', 'delete', `old.job_id = 'b'`, 'run');
    const { refused = [], jobs } = await storage.prune(kept);
    expect(jobs).toBe(3);
    const b = runs.find(({ jobId }) => jobId === 'b')!;
    expect(refused).toMatchObject([
      {
        row: `run ${b.id}`,
        error: { message: expect.stringMatching(/^PostgreSQL cannot delete .*: no\. /) },
      },
    ]);
  });

  test('but for all of them, which is told as one failure', async () => {
    await addAttempts(100, 'old');
    await raise('refuse_delete', 'delete', 'true', 'attempt');
    await expect(storage.prune(kept)).rejects.toThrow('no');
  });
});
