import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ChronisEventMap } from '../../lib/events/event.map.js';
import { EngineRig, everyMs } from '../support/engine.js';
import { FaultyStorage } from '../support/faulty.storage.js';

describe('a job that fails again and again', () => {
  let rig: EngineRig;
  let began: number;
  let fails: (run: number) => boolean;
  let told: ChronisEventMap['job.paused'][];

  beforeEach(() => {
    prepare(new EngineRig());
  });

  afterEach(() => rig.end());

  function prepare(given: EngineRig): void {
    rig = given;
    began = 0;
    told = [];
    fails = () => true;
    rig.events.on('job.paused', (event) => told.push(event));
    rig.handle('work', () => {
      if (fails(++began)) throw new Error(`no connection ${began}`);
    });
  }

  const job = () => rig.storage.getJob({ namespace: 'default', id: 'job' });
  const add = (policies: object) => rig.add(everyMs(rig.clock.now(), 1_000, { id: 'job', policies }));

  test('is paused with the reason after so many occurrences', async () => {
    await rig.engine.start();
    await add({ pauseAfterFailures: 3 });
    await rig.clock.advanceBy(10_000);
    expect(began).toBe(3);
    const reason = '3 occurrences failed in a row. The last error: Error: no connection 3';
    expect((await job())?.paused).toMatchObject({ reason, by: 'chronis' });
    expect(told).toEqual([{ namespace: 'default', id: 'job', reason }]);
  });

  test('goes on where successes come between, and where it does not ask to be paused', async () => {
    fails = (run) => run % 3 !== 0;
    await rig.engine.start();
    await add({ pauseAfterFailures: 3 });
    await rig.clock.advanceBy(10_000);
    expect(began).toBe(10);
    fails = () => true;
    await rig.add(everyMs(rig.clock.now(), 1_000, { id: 'careless' }));
    await rig.clock.advanceBy(20_000);
    expect((await rig.storage.getJob({ namespace: 'default', id: 'careless' }))?.paused).toBeNull();
    expect(told).toHaveLength(1);
  });

  test('counts occurrences, not attempts', async () => {
    await rig.engine.start();
    await add({ pauseAfterFailures: 2, maxRetries: 2, backoff: { type: 'fixed', delayMs: 10 } });
    await rig.clock.advanceBy(10_000);
    expect(began).toBe(6);
    expect(told).toHaveLength(1);
  });

  test('is paused again by the next failure after a resume', async () => {
    await rig.engine.start();
    await add({ pauseAfterFailures: 2 });
    await rig.clock.advanceBy(5_000);
    const nextAt = rig.clock.now() + 1_000;
    await rig.storage.resumeJob({ namespace: 'default', id: 'job' }, () => ({ nextAt, gap: null }));
    rig.engine.wake();
    await rig.clock.advanceBy(5_000);
    expect(began).toBe(3);
    expect(told.map(({ reason }) => reason.slice(0, 13))).toEqual(['2 occurrences', '3 occurrences']);
  });

  test('is paused as soon as the storage can do it', async () => {
    const faulty = new FaultyStorage(rig.storage);
    prepare(new EngineRig({ clock: rig.clock, storage: faulty.storage }));
    faulty.fail('pauseJob', 'before', 'after');
    await rig.engine.start();
    await add({ pauseAfterFailures: 1 });
    await rig.clock.advanceBy(1_900);
    expect((await job())?.paused).not.toBeNull();
    expect(began).toBe(1);
  });

  test('is paused while another one, whose runs were lost with it, cannot be', async () => {
    let isLocked = true;
    let tries = 0;
    const storage = new Proxy(rig.storage, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (key !== 'pauseJob') return typeof value === 'function' ? value.bind(target) : value;
        return async (...[ref, pause]: Parameters<typeof target.pauseJob>) => {
          if (ref.id === 'a') tries++;
          if (ref.id === 'a' && isLocked) throw new Error('Somebody has locked it.');
          return target.pauseJob(ref, pause);
        };
      },
    });
    prepare(new EngineRig({ clock: rig.clock, storage }));
    for (const id of ['a', 'b'])
      await rig.add(
        everyMs(rig.clock.now(), 1_000, { id, policies: { pauseAfterFailures: 1, recovery: 'abandon' } }),
      );
    await loseWithWorker();
    await rig.engine.start();
    await rig.clock.advanceBy(10_000);
    expect(told.map(({ id }) => id)).toEqual(['b']);
    const before = tries;
    await rig.clock.advanceBy(60_000);
    // Twelve calls, each five seconds after the one before, or half of it: not as many as occurrences failed.
    expect(tries - before).toBeLessThanOrEqual(24);
    isLocked = false;
    await rig.clock.advanceBy(6_000);
    expect(told.map(({ id }) => id)).toEqual(['b', 'a']);
  });

  test('is paused also when its runs are lost with their workers', async () => {
    await add({ pauseAfterFailures: 1, recovery: 'abandon' });
    await loseWithWorker();
    await rig.engine.start();
    await rig.clock.advanceBy(10_000);
    expect(told).toMatchObject([{ reason: expect.stringContaining('The lease of the worker dead ended') }]);
  });

  /** Fires what is due a second later, in the hands of a worker that is never heard of again. */
  async function loseWithWorker(): Promise<void> {
    const other = {
      id: 'dead',
      name: 'x',
      app: 'x',
      generation: null,
      host: 'x',
      pid: 1,
      version: '0',
      zoneData: 'x',
      retention: null,
    };
    await rig.storage.register({ ...other, queues: ['default'], handlers: ['work'] }, 1_500);
    await rig.clock.advanceBy(1_000);
    const capability = { workerId: 'dead', app: 'test', queues: ['default'], handlers: ['work'] };
    const { cursors } = await rig.storage.dueCursors(capability, 10);
    const firings = cursors.map(({ jobUid, nominalAt, revision }) => ({
      jobUid,
      nominalAt,
      revision,
      nextAt: nominalAt + 60_000,
      until: nominalAt,
      fired: 1,
      births: [{ nominalAt, dueAt: nominalAt, missed: 0 }],
      gaps: [],
      overlap: 'skip' as const,
    }));
    await rig.storage.fire(capability, firings, 10);
  }
});
