import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ChronisEventMap } from '../../lib/events/event.map.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig, everyMs, newJob } from '../support/engine.js';
import { FaultyStorage } from '../support/faulty.storage.js';

/** Two processes on one storage; what runs is counted over both. */
describe('a run that must not run twice', () => {
  let clock: ManualClock;
  let storage: MemoryStorage;
  let faulty: FaultyStorage;
  let rigs: EngineRig[];
  let executions: string[];
  const policies = { recovery: 'abandon' as const };

  beforeEach(() => {
    clock = new ManualClock();
    storage = new MemoryStorage({ clock });
    faulty = new FaultyStorage(storage);
    executions = [];
    rigs = [faulty.storage, storage.open()].map((given, nth) => {
      const rig = new EngineRig({ clock, storage: given });
      return rig.handle('work', () => {
        executions.push(`process ${nth}`);
        return new Promise((resolve) => clock.setTimer(60_000, () => resolve(undefined)));
      });
    });
  });

  afterEach(async () => {
    faulty.comeUp();
    for (const rig of rigs) if (rig.engine.running) await rig.stop(120_000);
  });

  const ledger = async () =>
    (await storage.queryAttempts({}, {})).items.map(({ outcome, final, attempt }) => ({
      outcome,
      final,
      attempt,
    }));
  const lost = { outcome: 'lost', final: true, attempt: 1 };

  test.each([
    ['a one-off', (now: number) => ({ nextAt: now })],
    ['a recurring run', (now: number) => everyMs(now, 3_600_000, { nextAt: now })],
  ])('%s that goes on when the shutdown time is over ends as lost', async (_, given) => {
    const [first, second] = rigs as [EngineRig, EngineRig];
    const told: ChronisEventMap['run.lost'][] = [];
    first.events.on('run.lost', (event) => told.push(event));
    first.handle('called', () => undefined);
    await first.engine.start();
    const job = {
      id: 'once',
      policies: { ...policies, onFailure: { handler: 'called' } },
      ...given(clock.now()),
    };
    await first.add(job);
    await clock.advanceBy(1_000);
    await second.engine.start();
    await first.stop(60_000);
    await clock.advanceBy(120_000);
    expect(executions).toEqual(['process 0']);
    expect(await ledger()).toEqual([lost]);
    expect(told).toMatchObject([{ jobId: 'once', durationMs: expect.any(Number) }]);
    const callbacks = (await storage.queryRuns({ handler: 'called' }, {})).items;
    expect(callbacks).toMatchObject([{ origin: 'callback' }]);
  });

  test('pauses its job after so many losses, as failures do', async () => {
    const [first] = rigs as [EngineRig];
    await first.engine.start();
    await first.add(
      everyMs(clock.now(), 3_600_000, {
        id: 'often',
        nextAt: clock.now(),
        policies: { ...policies, pauseAfterFailures: 1 },
      }),
    );
    await clock.advanceBy(1_000);
    await first.stop(60_000);
    const job = await storage.getJob({ namespace: 'default', id: 'often' });
    expect([job?.state, job?.lastVerdict]).toEqual(['paused', 'lost']);
  });

  test('is lost with a claim whose answer was lost', async () => {
    const [first, second] = rigs as [EngineRig, EngineRig];
    await first.engine.start();
    faulty.fail('claim', 'after');
    await first.add({ policies });
    await clock.advanceBy(5_000);
    await second.engine.start();
    await clock.advanceBy(120_000);
    expect(executions).toEqual([]);
    expect(await ledger()).toEqual([{ ...lost, attempt: 0 }]);
  });

  test('pauses its job where the answer of the firing that claimed it was lost', async () => {
    const [first] = rigs as [EngineRig];
    await first.engine.start();
    faulty.fail('fire', 'after');
    const often = { ...policies, pauseAfterFailures: 1 };
    await first.add(everyMs(clock.now(), 3_600_000, { id: 'often', nextAt: clock.now(), policies: often }));
    await clock.advanceBy(5_000);
    const job = await storage.getJob({ namespace: 'default', id: 'often' });
    expect([job?.state, job?.lastVerdict, executions]).toEqual(['paused', 'lost', []]);
  });

  test('is executed when the answer of its claim comes after the stop has begun', async () => {
    const [first] = rigs as [EngineRig];
    const claim = storage.claim.bind(storage);
    let answer = (): void => undefined;
    storage.claim = async (...given) => {
      const result = await claim(...given);
      if (result.runs.length > 0) await new Promise<void>((resolve) => (answer = resolve));
      return result;
    };
    let executed = 0;
    first.handle('quick', () => executed++);
    await first.engine.start();
    await first.add({ handler: 'quick', policies });
    await first.settle();
    const stopping = first.stop(60_000);
    await first.settle();
    answer();
    await stopping;
    expect(executed).toBe(1);
    expect(await ledger()).toEqual([{ outcome: 'succeeded', final: true, attempt: 1 }]);
  });

  test('is lost when the answer of its claim comes after the time to drain', async () => {
    const [first] = rigs as [EngineRig];
    const claim = storage.claim.bind(storage);
    storage.claim = async (...given) => {
      const result = await claim(...given);
      if (result.runs.length > 0) await new Promise<void>((resolve) => clock.setTimer(22_000, resolve));
      return result;
    };
    let executed = 0;
    first.handle('quick', () => executed++);
    await first.engine.start();
    await first.add({ handler: 'quick', policies });
    await first.settle();
    await first.stop(60_000);
    await clock.advanceBy(60_000);
    expect(executed).toBe(0);
  });

  test('is not claimed before its time, and not while its process stops', async () => {
    const [first] = rigs as [EngineRig];
    await first.engine.start();
    await first.add({ id: 'holds the process' });
    const at = clock.now() + 10_000;
    await storage.insertJobs([newJob(at, { id: 'soon', policies })], 'raise');
    first.engine.wake();
    await clock.advanceBy(9_999);
    expect((await storage.queryRuns({ jobId: 'soon' }, {})).items).toMatchObject([{ state: 'waiting' }]);
    const stopping = first.stop(60_000);
    await stopping;
    expect((await storage.queryRuns({ jobId: 'soon' }, {})).items).toMatchObject([{ state: 'waiting' }]);
  });
});
