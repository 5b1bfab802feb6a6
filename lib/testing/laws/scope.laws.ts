import assert from 'node:assert/strict';
import type { NewGap, ScopeRef, StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  assertNear,
  claimOne,
  day,
  failWithRetry,
  fireDue,
  fireOne,
  firingOf,
  gapsOf,
  hour,
  jobOf,
  minute,
  namespace,
  only,
  recurring,
  ref,
  runsOf,
  second,
  settle,
  startWorker,
} from './fixture.js';

const pause = { reason: 'audit', by: 'ops' };
const scopes: ScopeRef[] = [
  { kind: 'handler', name: 'work' },
  { kind: 'queue', name: 'default' },
  { kind: 'namespace', name: namespace },
  { kind: 'all', name: '' },
];
const [handler, queue] = scopes;

/** Goes on after an hour; the time between is a gap. */
const inAnHour = ({ pausedFrom }: { pausedFrom: number }, now: number): { nextAt: number; gap: NewGap } => {
  const gap = { from: pausedFrom, until: now, verdict: 'paused', count: 3, reason: 'pause' } as const;
  return { nextAt: now + hour, gap };
};

async function nothingToDo(
  storage: StorageAdapter,
  worker: Awaited<ReturnType<typeof startWorker>>,
): Promise<void> {
  assert.deepEqual((await storage.dueCursors(worker, 10)).cursors, []);
  assert.deepEqual((await storage.claim(worker, 10)).runs, []);
  const { cursorAt, runAt } = await storage.nextWakeAt(worker);
  assert.deepEqual({ cursorAt, runAt }, { cursorAt: null, runAt: null });
}

export const scopeLaws = lawsOf('pause of a scope', {
  'keeps its jobs from firing and its runs from being claimed, until it is resumed': async ({ storage }) => {
    const worker = await startWorker(storage);
    for (const scope of scopes) {
      const ids = { recurring: `recurring ${scope.kind}`, oneOff: `one-off ${scope.kind}` };
      await addRecurring(storage, { id: ids.recurring });
      await addOneOff(storage, { id: ids.oneOff });
      await storage.pauseScope(scope, pause);
      await nothingToDo(storage, worker);
      assert.equal(await storage.resumeScope(scope, inAnHour), true);
      const { cursorAt, runAt } = await storage.nextWakeAt(worker);
      assert.ok(cursorAt !== null && runAt !== null, `What ${scope.kind} stopped should go on.`);
      await settle(storage, await claimOne(storage, worker));
      assert.equal(await storage.deleteJob(ref(ids.recurring)), true);
    }
  },

  'stops nothing else': async ({ storage }) => {
    await addRecurring(storage, { id: 'recurring' });
    await addOneOff(storage, { id: 'one-off' });
    const worker = await startWorker(storage, { queues: ['default', 'other'], handlers: ['work', 'else'] });
    await storage.pauseScope({ kind: 'handler', name: 'else' }, pause);
    await storage.pauseScope({ kind: 'queue', name: 'other' }, pause);
    await storage.pauseScope({ kind: 'namespace', name: 'elsewhere' }, pause);
    // Names of one kind mean nothing to another.
    await storage.pauseScope({ kind: 'queue', name: 'work' }, pause);
    await storage.pauseScope({ kind: 'handler', name: 'default' }, pause);
    const { cursorAt, runAt } = await storage.nextWakeAt(worker);
    assert.ok(cursorAt !== null && runAt !== null);
    only((await fireDue(storage, worker, { room: 0 })).moved, 'moved cursor');
    assert.equal((await storage.claim(worker, 10)).runs.length, 2);
  },

  'among several namespaces stops only its own': async ({ storage }) => {
    const worker = await startWorker(storage);
    for (const name of ['a', 'b', 'c']) {
      await addRecurring(storage, { id: 'recurring', namespace: name });
      await addOneOff(storage, { id: 'one-off', namespace: name });
    }
    await storage.pauseScope({ kind: 'namespace', name: 'b' }, pause);
    const { cursors } = await storage.dueCursors(worker, 10);
    assert.deepEqual(cursors.map((cursor) => cursor.namespace).sort(), ['a', 'c']);
    const { runs } = await storage.claim(worker, 10);
    assert.deepEqual(runs.map((run) => run.namespace).sort(), ['a', 'c']);
  },

  'holds for jobs that come later, or are changed to belong to it': async ({ storage }) => {
    await storage.pauseScope(handler, pause);
    const worker = await startWorker(storage, { handlers: ['work', 'else'] });
    await addRecurring(storage, { id: 'later' });
    await addOneOff(storage, { id: 'later one-off' });
    await addRecurring(storage, { id: 'moved', handler: 'else' });
    await storage.updateJob(ref('moved'), { handler: 'work' });
    await nothingToDo(storage, worker);
  },

  'holds for runs that are made by hand, and for retries': async ({ storage }) => {
    await addRecurring(storage, { id: 'recurring', dueInMs: hour });
    await addOneOff(storage, { id: 'one-off' });
    const worker = await startWorker(storage);
    const running = await claimOne(storage, worker);
    await storage.pauseScope(queue, pause);
    await storage.runNow(ref('recurring'));
    await failWithRetry(storage, running);
    await nothingToDo(storage, worker);
    await storage.resumeScope(queue, inAnHour);
    assert.equal((await storage.claim(worker, 10)).runs.length, 2);
  },

  'lets what is running come to its end': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const run = await fireOne(storage, worker);
    await storage.pauseScope({ kind: 'all', name: '' }, pause);
    assert.equal((await jobOf(storage)).state, 'running');
    await settle(storage, run);
    assert.equal((await jobOf(storage)).lastVerdict, 'succeeded');
  },

  'refuses a firing that was planned before': async ({ storage }) => {
    const worker = await startWorker(storage);
    for (const scope of scopes) {
      const { nextRunAt } = await addRecurring(storage, { id: scope.kind });
      const { cursors } = await storage.dueCursors(worker, 10);
      await storage.pauseScope(scope, pause);
      const result = await storage.fire(
        worker,
        cursors.map((cursor) => firingOf(cursor)),
        10,
      );
      assert.deepEqual(result.moved, [], scope.kind);
      assert.deepEqual((await jobOf(storage, scope.kind)).nextRunAt, nextRunAt);
      await storage.resumeScope(scope, ({ pausedFrom }) => ({ nextAt: pausedFrom, gap: null }));
      await storage.deleteJob(ref(scope.kind));
    }
  },

  'is listed with who and why, and stays when it is paused again': async ({ storage, clock, open }) => {
    const first = await storage.pauseScope(handler, pause);
    assert.equal(first.kind, 'handler');
    assert.equal(first.name, 'work');
    assert.equal(first.reason, 'audit');
    assert.equal(first.by, 'ops');
    assertNear(first.at, await storage.now(), 'The time of the pause');
    await clock.advance(minute);
    const again = await storage.pauseScope(handler, { reason: 'else', by: null });
    assert.deepEqual(again, first);
    await clock.advance(minute);
    const other = await storage.pauseScope({ kind: 'all', name: '' }, { reason: null, by: null });
    assert.deepEqual(await (await open()).queryPauses(), [first, other]);
    assert.equal(await storage.resumeScope(handler, inAnHour), true);
    assert.deepEqual(await storage.queryPauses(), [other]);
    assert.equal(await storage.resumeScope(handler, inAnHour), false);
  },

  'on its resume moves the cursors that fell due, and notes what they missed': async ({ storage, clock }) => {
    const before = await addRecurring(storage, { id: 'due', dueInMs: minute });
    const later = await addRecurring(storage, { id: 'later', dueInMs: 2 * hour });
    const worker = await startWorker(storage, { leaseMs: day });
    await storage.pauseScope(handler, pause);
    await clock.advance(hour);
    const now = await storage.now();
    const asked: unknown[] = [];
    await storage.resumeScope(handler, (job, at) => {
      asked.push(job);
      return inAnHour(job, at);
    });
    const pausedFrom = before.nextRunAt!.getTime();
    const { trigger, timeZone } = before;
    assert.deepEqual(asked, [{ id: 'due', namespace, trigger, timeZone, pausedFrom }]);
    assertNear((await jobOf(storage, 'due')).nextRunAt, now + hour, 'The next time');
    assert.deepEqual((await jobOf(storage, 'later')).nextRunAt, later.nextRunAt);
    const gap = only(await gapsOf(storage, 'due'), 'gap');
    assert.deepEqual(gap.from, before.nextRunAt);
    assertNear(gap.until, now, 'The end of the gap');
    assert.equal(gap.verdict, 'paused');
    assert.equal(gap.count, 3);
    assert.deepEqual(await gapsOf(storage, 'later'), []);
    assert.deepEqual((await storage.dueCursors(worker, 10)).cursors, []);
    await clock.advance(hour + minute);
    assert.equal((await fireDue(storage, worker)).moved.length, 2);
  },

  'on its resume ends a job that has no further instant': async ({ storage }) => {
    await addRecurring(storage);
    await storage.pauseScope(handler, pause);
    await storage.resumeScope(handler, (job, now) => ({ ...inAnHour(job, now), nextAt: null }));
    const job = await jobOf(storage);
    assert.equal(job.state, 'completed');
    assert.equal(job.nextRunAt, null);
  },

  'on its resume leaves alone what another pause stops, and the pauses of jobs': async ({
    storage,
    clock,
  }) => {
    await addRecurring(storage, { id: 'twice' });
    await addRecurring(storage, { id: 'alone' });
    const worker = await startWorker(storage, { leaseMs: day });
    await storage.pauseJob(ref('alone'), pause);
    await storage.pauseScope(handler, pause);
    await storage.pauseScope(queue, pause);
    await clock.advance(hour);
    await storage.resumeScope(handler, inAnHour);
    await nothingToDo(storage, worker);
    assert.deepEqual(await gapsOf(storage, 'twice'), []);
    await storage.resumeScope(queue, inAnHour);
    only(await gapsOf(storage, 'twice'), 'gap');
    assert.equal((await jobOf(storage, 'alone')).state, 'paused');
  },

  'on its resume lets runs go on at their old times': async ({ storage, clock }) => {
    await addOneOff(storage);
    const { dueAt } = only(await runsOf(storage), 'run');
    const worker = await startWorker(storage, { leaseMs: day });
    await storage.pauseScope(handler, pause);
    await clock.advance(hour);
    await storage.resumeScope(handler, inAnHour);
    assert.equal((await claimOne(storage, worker)).dueAt, dueAt!.getTime());
  },

  'is resumed once, and each cursor moved once, by many at once': async ({ storage, open }) => {
    for (let n = 0; n < 20; n++) await addRecurring(storage, { id: `job ${n}` });
    await storage.pauseScope(handler, pause);
    const adapters = [storage, await open()];
    const results = await Promise.all(
      Array.from({ length: 6 }, (_, index) => adapters[index % 2].resumeScope(handler, inAnHour)),
    );
    assert.equal(results.filter(Boolean).length, 1);
    for (let n = 0; n < 20; n++) only(await gapsOf(storage, `job ${n}`), 'gap');
  },

  'moves the cursors of more jobs than one statement takes': async ({ storage }) => {
    const job = await recurring(storage);
    await storage.insertJobs(
      Array.from({ length: 1_100 }, (_, n) => ({ ...job, id: `job ${n}` })),
      'raise',
    );
    const worker = await startWorker(storage);
    await storage.pauseScope({ kind: 'all', name: '' }, pause);
    await storage.resumeScope({ kind: 'all', name: '' }, inAnHour);
    assert.deepEqual((await storage.dueCursors(worker, 10)).cursors, []);
    assert.equal((await storage.queryGaps({}, { limit: 1_000 })).cursor !== null, true);
  },

  'does not stop the release of a dead worker’s runs': async ({ storage, clock }) => {
    await addOneOff(storage);
    const dead = await startWorker(storage, { leaseMs: minute });
    await claimOne(storage, dead);
    await storage.pauseScope(handler, pause);
    await clock.advance(minute + second);
    only((await storage.releaseLost()).runs, 'released run');
    const worker = await startWorker(storage);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    await storage.resumeScope(handler, inAnHour);
    await claimOne(storage, worker);
  },

  'tells others of both, where there is a wake signal': async ({ storage, open }) => {
    const other = await open();
    if (!other.wakeSignal) return;
    let heard = 0;
    let next: () => void = () => undefined;
    const stop = await other.wakeSignal.subscribe(({ kind }) => {
      if (kind !== 'change') return;
      heard++;
      next();
    });
    const hears = async (act: () => Promise<unknown>): Promise<void> => {
      const before = heard;
      const change = new Promise<void>((resolve) => (next = resolve));
      await act();
      if (heard === before) await change;
    };
    await hears(() => storage.pauseScope(handler, pause));
    await hears(() => storage.resumeScope(handler, inAnHour));
    await stop();
  },
});
