import { describe, expect, test } from 'vitest';
import type { StorageAdapter } from '../../lib/index.js';
import { addOneOff, claimOne, jobOf, ref, settle, settlementOf } from '../../lib/testing/laws/fixture.js';
import {
  after,
  assertStates,
  claimAll,
  claimIt,
  create,
  lasting,
  runIt,
} from '../../lib/testing/laws/wait.fixture.js';
import { newStorage } from '../support/postgres.subject.js';
import { storageForEachTest } from '../support/storage.for.each.test.js';

let schema: string;
let storage: StorageAdapter;
const other = storageForEachTest('waiting', (fresh) => ({ schema, storage } = fresh));

describe('a job that waits', () => {
  test('for one that ends at the moment in which it is created is let go, or refused with what that has ended as', async () => {
    const second = newStorage({ schema });
    await second.init();
    const worker = await lasting(storage);
    const ended = { created: 0, refused: 0 };
    for (let round = 0; round < 60; round++) {
      const [parent, child] = [`a-${round}`, `c-${round}`];
      await addOneOff(storage, { id: parent });
      const settlement = await settlementOf(storage, await claimIt(storage, worker, parent));
      const job = await after(storage, child, [parent]);
      const [created, settled] = await Promise.allSettled([
        second.insertJobs([job], 'raise'),
        storage.settle([settlement]),
      ]);
      expect(settled).toMatchObject({ status: 'fulfilled', value: { accepted: [settlement.runId] } });
      if (created.status === 'fulfilled') {
        ended.created++;
        await runIt(storage, worker, child);
      } else {
        ended.refused++;
        expect(String(created.reason)).toContain('has ended already, as succeeded');
        expect(await storage.getJob(ref(child))).toBeNull();
      }
    }
    expect(ended.created + ended.refused).toBe(60);
    await second.close();
  });

  test('for two that are settled by two servers at once is let go once', async () => {
    const second = newStorage({ schema });
    await second.init();
    const worker = await lasting(storage);
    for (let round = 0; round < 40; round++) {
      const [a, b, c] = ['a', 'b', 'c'].map((id) => `${id}-${round}`) as [string, string, string];
      await create(storage, { [a]: [], [b]: [], [c]: [a, b] });
      const runs = await claimAll(storage, worker);
      const [one, two] = await Promise.all([
        settlementOf(storage, runs.get(a)!),
        settlementOf(storage, runs.get(b)!),
      ]);
      const ends = await Promise.all([storage.settle([one]), second.settle([two])]);
      expect(ends.flatMap(({ accepted }) => accepted)).toEqual([one.runId, two.runId]);
      await runIt(storage, worker, c);
      expect((await storage.claim(worker, 10)).runs).toEqual([]);
    }
    await second.close();
  });

  test('for what a release has ended that knows nothing of it is told by the janitor', async () => {
    const worker = await lasting(storage);
    await create(storage, { a: [], b: [], c: ['a'], d: ['b'] });
    const runs = await claimAll(storage, worker);
    const { id } = runs.get('a')!;
    await other.query(`update "${schema}".run set blocks = false where id = ${id}`);
    await settle(storage, runs.get('a')!);
    await other.query(`delete from "${schema}".run where id = ${runs.get('b')!.id}`);
    await assertStates(storage, { c: 'waiting', d: 'waiting' });
    expect(await storage.flows!.reconcileFlows()).toBe(2);
    await runIt(storage, worker, 'c');
    await assertStates(storage, { c: null, d: null });
    await storage.flows!.reconcileFlows();
    await storage.flows!.reconcileFlows();
    expect((await other.query(`select 1 from "${schema}".run_wait`)).rows).toEqual([]);
  });

  test('costs others nothing: a one-off without "after" is created, claimed and settled by the statements that it was', async () => {
    const worker = await lasting(storage);
    await addOneOff(storage, { id: 'plain' });
    const run = await claimOne(storage, worker);
    await other.query(`begin; lock table "${schema}".run_wait in access exclusive mode`);
    await addOneOff(storage, { id: 'another' });
    await settle(storage, run);
    await runIt(storage, worker, 'another');
    await other.query('rollback');
    await expect(jobOf(storage, 'plain')).rejects.toThrow('should be there');
  });
});
