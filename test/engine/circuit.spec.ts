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

  afterEach(async () => {
    if (rig.engine.running) await rig.stop(60_000);
    expect(rig.clock.pending).toBe(0);
  });

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

  test('is paused also when its runs are lost with their workers', async () => {
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
    await add({ pauseAfterFailures: 1, recovery: 'abandon' });
    await rig.clock.advanceBy(1_000);
    const capability = { workerId: 'dead', app: 'test', queues: ['default'], handlers: ['work'] };
    const { cursors } = await rig.storage.dueCursors(capability, 1);
    const [{ jobUid, nominalAt, revision }] = cursors as [(typeof cursors)[number]];
    const births = [{ nominalAt, dueAt: nominalAt, missed: 0 }];
    const firing = {
      jobUid,
      nominalAt,
      revision,
      nextAt: nominalAt + 60_000,
      until: nominalAt,
      fired: 1,
      births,
      gaps: [],
    };
    await rig.storage.fire(capability, [{ ...firing, overlap: 'skip' }], 1);
    await rig.engine.start();
    await rig.clock.advanceBy(10_000);
    expect(told).toMatchObject([{ reason: expect.stringContaining('The lease of the worker dead ended') }]);
  });
});
