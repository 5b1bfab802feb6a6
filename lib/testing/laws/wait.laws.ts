import assert from 'node:assert/strict';
import type { Settlement } from '../../index.js';
import { lawsOf } from '../law.js';
import { claimOne, hour, jobOf, minute, ref, runsOf, settle } from './fixture.js';
import { assertStates, claimAll, claimIt, create, lasting, runIt, stateAt } from './wait.fixture.js';

const failed: Partial<Settlement> = { outcome: 'failed', error: 'boom' };

export const waitLaws = lawsOf('jobs that wait for others', {
  'are due when all that they wait for have succeeded, and not before': async ({ storage }) => {
    await create(storage, { a: [], b: [], c: ['a', 'b'], d: ['c'] });
    const worker = await lasting(storage);
    const runs = await claimAll(storage, worker);
    assert.deepEqual([...runs.keys()].toSorted(), ['a', 'b']);
    await settle(storage, runs.get('b')!);
    assert.equal((await storage.claim(worker, 10)).runs.length, 0);
    await settle(storage, runs.get('a')!);
    await runIt(storage, worker, 'c');
    await runIt(storage, worker, 'd');
    await assertStates(storage, { a: null, b: null, c: null, d: null });
  },

  'tell what they wait for': async ({ storage }) => {
    const jobs = await create(storage, { a: [], b: [], c: ['b', 'a'] });
    assert.deepEqual(
      jobs.map(({ waitsFor }) => waitsFor),
      [null, null, ['b', 'a']],
    );
    assert.deepEqual((await jobOf(storage, 'c')).waitsFor, ['b', 'a']);
    const worker = await lasting(storage);
    const runs = await claimAll(storage, worker);
    await settle(storage, runs.get('b')!);
    const { state, waitsFor, nextRunAt, trigger } = await jobOf(storage, 'c');
    assert.deepEqual(
      { state, waitsFor, nextRunAt, trigger },
      { state: 'waiting', waitsFor: ['a'], nextRunAt: null, trigger: { type: 'after', jobs: ['b', 'a'] } },
    );
    const found = await storage.queryJobs({ state: 'waiting', triggerType: 'after' }, { limit: 10 });
    assert.deepEqual(
      found.items.map(({ id }) => id),
      ['c'],
    );
    const [run] = await runsOf(storage, 'c');
    assert.equal(run!.dueAt, null);
    await settle(storage, runs.get('a')!);
    const freed = await jobOf(storage, 'c');
    assert.deepEqual([freed.state, freed.waitsFor], ['pending', null]);
    assert.notEqual(freed.nextRunAt, null);
  },

  'need as many as they say': async ({ storage }) => {
    for (const need of [1, 2]) {
      const name = (id: string): string => `${id}${need}`;
      const graph = { [name('a')]: [], [name('b')]: [], [name('c')]: [name('a'), name('b')] };
      await create(storage, graph, { need });
      const worker = await lasting(storage);
      const runs = await claimAll(storage, worker);
      await settle(storage, runs.get(name('a'))!);
      assert.equal(await stateAt(storage, name('c')), need === 1 ? 'pending' : 'waiting');
      if (need === 1) await runIt(storage, worker, name('c'));
      await settle(storage, runs.get(name('b'))!);
      const left = await claimAll(storage, worker);
      assert.deepEqual([...left.keys()], need === 1 ? [] : [name('c')], 'It is let go once.');
      for (const run of left.values()) await settle(storage, run);
    }
  },

  'begin their delay after they were let go': async ({ storage, clock }) => {
    await create(storage, { a: [], c: ['a'] }, { delay: hour });
    const worker = await lasting(storage);
    await runIt(storage, worker, 'a');
    assert.equal((await storage.claim(worker, 10)).runs.length, 0);
    const { nextRunAt } = await jobOf(storage, 'c');
    assert.ok(Math.abs(nextRunAt!.getTime() - (await storage.now()) - hour) < minute);
    if (!clock) return;
    await clock.advance(hour);
    await runIt(storage, worker, 'c');
  },

  'wait on under "block" while what failed may be retried, and are due when that succeeds': async ({
    storage,
  }) => {
    await create(storage, { a: [], c: ['a'], d: ['c'] });
    const worker = await lasting(storage);
    const dead = await claimIt(storage, worker, 'a');
    await settle(storage, dead, failed);
    await assertStates(storage, { a: 'failed', c: 'waiting', d: 'waiting' });
    assert.deepEqual((await jobOf(storage, 'c')).waitsFor, ['a']);
    const [again] = await storage.retryRuns([dead.id]);
    const second = await claimIt(storage, worker, 'a');
    assert.equal(second.id, again!.id);
    await settle(storage, second, failed);
    await assertStates(storage, { a: 'failed', c: 'waiting' });
    await storage.runNow(ref('a'));
    await runIt(storage, worker, 'a');
    await runIt(storage, worker, 'c');
    await runIt(storage, worker, 'd');
  },

  'wait for what is retried by hand, as for what has not ended': async ({ storage }) => {
    const worker = await lasting(storage);
    for (const otherwise of ['run', 'cancel'] as const) {
      const [again, other, child] = [`${otherwise}-a`, `${otherwise}-b`, `${otherwise}-c`];
      const given = otherwise === 'cancel' ? { otherwise, need: 1 } : { otherwise };
      await create(storage, { [again]: [], [other]: [], [child]: [again, other] }, given);
      const runs = await claimAll(storage, worker);
      await settle(storage, runs.get(again)!, failed);
      await storage.retryRuns([runs.get(again)!.id]);
      await settle(storage, runs.get(other)!, failed);
      await assertStates(storage, { [child]: 'waiting' });
      await runIt(storage, worker, again);
      await runIt(storage, worker, child);
    }
  },

  'do not mind an attempt after which there is another one': async ({ storage }) => {
    await create(storage, { a: [], c: ['a'] }, { otherwise: 'cancel' });
    const worker = await lasting(storage);
    await runIt(storage, worker, 'a', { ...failed, retryInMs: -1 });
    assert.equal(await stateAt(storage, 'c'), 'waiting');
    await runIt(storage, worker, 'a');
    await runIt(storage, worker, 'c');
  },

  'are cancelled under "cancel" by the first failure that leaves too few, and so on': async ({ storage }) => {
    await create(storage, { a: [], b: [], c: ['a', 'b'], d: ['c'] }, { otherwise: 'cancel' });
    const worker = await lasting(storage);
    const runs = await claimAll(storage, worker);
    await settle(storage, runs.get('a')!, failed);
    await assertStates(storage, { a: 'failed', c: null, d: null });
    await settle(storage, runs.get('b')!);
    assert.equal((await storage.claim(worker, 10)).runs.length, 0);
  },

  'run under "run" when all have ended, however': async ({ storage }) => {
    await create(storage, { a: [], b: [], c: ['a', 'b'] }, { otherwise: 'run' });
    const worker = await lasting(storage);
    const runs = await claimAll(storage, worker);
    await settle(storage, runs.get('a')!, failed);
    assert.equal(await stateAt(storage, 'c'), 'waiting');
    await settle(storage, runs.get('b')!, failed);
    await runIt(storage, worker, 'c');
  },

  'are let go once by what ends together': async ({ storage }) => {
    await create(storage, { a: [], b: [], c: ['a', 'b'] }, { otherwise: 'run' });
    const worker = await lasting(storage);
    const runs = await claimAll(storage, worker);
    await storage.cancelJob(ref('c'));
    assert.equal(await stateAt(storage, 'c'), null);
    for (const run of runs.values()) await settle(storage, run);
    assert.equal((await storage.claim(worker, 10)).runs.length, 0);
  },

  'are held by a pause, also when they are let go meanwhile': async ({ storage }) => {
    await create(storage, { a: [], c: ['a'] });
    const worker = await lasting(storage);
    await storage.pauseJob(ref('c'), { reason: null, by: null });
    await assertStates(storage, { c: 'paused' });
    assert.deepEqual((await jobOf(storage, 'c')).waitsFor, ['a']);
    await storage.resumeJob(ref('c'), () => ({ nextAt: null, gap: null }));
    await assertStates(storage, { c: 'waiting' });
    await storage.pauseJob(ref('c'), { reason: null, by: null });
    await runIt(storage, worker, 'a');
    assert.equal((await jobOf(storage, 'c')).waitsFor, null);
    assert.equal((await storage.claim(worker, 10)).runs.length, 0);
    await storage.resumeJob(ref('c'), () => ({ nextAt: null, gap: null }));
    await runIt(storage, worker, 'c');
  },

  'wait no more when they are run by hand, or get a time': async ({ storage }) => {
    await create(storage, { a: [], c: ['a'], d: ['a'] });
    const worker = await lasting(storage);
    const parent = await claimIt(storage, worker, 'a');
    await storage.runNow(ref('c'));
    await runIt(storage, worker, 'c');
    const at = (await storage.now()) - 1;
    const trigger = { type: 'at' as const, at: new Date(at).toISOString() };
    await storage.updateJob(ref('d'), { trigger, nextAt: at });
    assert.deepEqual((await jobOf(storage, 'd')).waitsFor, null);
    const given = await claimOne(storage, worker);
    await settle(storage, parent, failed);
    await settle(storage, given);
    assert.equal((await storage.claim(worker, 10)).runs.length, 0);
  },

  'have their own record, retries and dead letters': async ({ storage }) => {
    await create(storage, { a: [], c: ['a'], d: ['c'] });
    const worker = await lasting(storage);
    await runIt(storage, worker, 'a');
    const dead = await claimIt(storage, worker, 'c');
    await settle(storage, dead, failed);
    await assertStates(storage, { c: 'failed', d: 'waiting' });
    await storage.retryRuns([dead.id]);
    await runIt(storage, worker, 'c');
    await runIt(storage, worker, 'd');
  },
});
