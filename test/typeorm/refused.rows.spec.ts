import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ClaimedRun, Policies, StorageAdapter } from '../../lib/index.js';
import { addOneOff, minute, settlementOf, startWorker } from '../../lib/testing/laws/fixture.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const other = new pg.Client(databaseUrl());
let schema: string;
let storage: StorageAdapter;
beforeAll(() => other.connect());
afterAll(() => other.end());
beforeEach(async () => {
  schema = freshSchema('refused');
  storage = newStorage({ schema });
  await storage.init();
});
afterEach(async () => {
  await storage.close();
  await other.query(`drop schema "${schema}" cascade`);
});

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

test('a release that is refused for all is told as one', async () => {
  await lostRuns(Array.from({ length: 40 }, (_, index) => `job ${index}`));
  await raise('refuse_release', 'update', 'new.worker is null', 'run');
  await expect(storage.releaseLost()).rejects.toThrow('no');
});
