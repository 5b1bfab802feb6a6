import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EngineOptions } from '../../lib/engine/engine.options.js';
import type { RunContext } from '../../lib/engine/run.context.js';
import type { ChronisEventMap } from '../../lib/events/event.map.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig, newJob } from '../support/engine.js';
import { FaultyStorage } from '../support/faulty.storage.js';

const leaseMs = 3_000;
const restartMs = 500;

/** Processes that are begun anew when a handler kills them, on one storage. */
class Supervised {
  readonly clock = new ManualClock();
  readonly storage = new MemoryStorage({ clock: this.clock });
  deaths = 0;
  /** What runs in a process now, by process. */
  readonly running: Map<string, RunContext>[] = [];
  /** The most that went on beside a run, by the job, for each of its attempts. */
  readonly beside = new Map<string, number[]>();
  /** What was told of runs that hold back all others of their process. */
  readonly isolated: ChronisEventMap['run.isolated'][] = [];
  private readonly rigs: EngineRig[] = [];
  /** What each process reaches the storage through. */
  readonly storages: FaultyStorage[] = [];

  constructor(private readonly options: Partial<EngineOptions> = {}) {}

  /** Returns the calls that it makes. */
  async start(slot = 0): Promise<string[]> {
    const faulty = new FaultyStorage(this.storage);
    this.storages[slot] = faulty;
    const { clock } = this;
    const rig = new EngineRig({ clock, storage: faulty.storage, options: { leaseMs, ...this.options } });
    const own = new Map<string, RunContext>();
    this.running[slot] = own;
    this.rigs[slot] = rig;
    rig.events.on('run.isolated', (event) => void this.isolated.push(event));
    let alive = true;
    const execute = async (context: RunContext, forMs: number): Promise<void> => {
      own.set(context.runId, context);
      for (const { job, attempt } of own.values()) {
        const most = this.beside.get(job.id) ?? [];
        most[attempt - 1] = Math.max(most[attempt - 1] ?? 0, own.size - 1);
        this.beside.set(job.id, most);
      }
      await new Promise<void>((resolve) => void clock.setTimer(forMs, resolve));
      own.delete(context.runId);
      if (!alive) await new Promise(() => undefined);
    };
    rig.handle('work', (context: RunContext<{ ms: number }>) => execute(context, context.payload.ms));
    // What only this process executes.
    rig.handle(`work-${slot}`, (context: RunContext<{ ms: number }>) => execute(context, context.payload.ms));
    rig.handle('poison', async (context: RunContext<{ ms: number }>) => {
      await execute(context, context.payload.ms);
      if (!alive) return;
      alive = false;
      this.deaths++;
      faulty.goDown();
      clock.setTimer(restartMs, () => void this.start(slot));
      await new Promise(() => undefined);
    });
    await rig.engine.start();
    return faulty.calls;
  }

  async add(
    ...jobs: { id: string; handler: string; ms: number; maxLost?: number; inMs?: number; priority?: number }[]
  ): Promise<void> {
    const now = this.clock.now();
    const rows = jobs.map(({ id, handler, ms, maxLost, inMs = 0, priority = 5 }) =>
      newJob(now, {
        id,
        handler,
        priority,
        payload: { ms },
        nextAt: now + inMs,
        policies: maxLost === undefined ? {} : { maxLost },
      }),
    );
    await this.storage.insertJobs(rows, 'raise');
    for (const rig of this.rigs) if (rig.engine.running) rig.engine.wake();
  }

  /** A process that is not begun anew claims the runs, and dies. */
  async loseOnce(ids: readonly string[], ms: number, maxLost = 2): Promise<void> {
    const now = this.clock.now();
    const workerId = `victim of ${ids[0]}`;
    const places = { queues: ['default'], handlers: ['work'] };
    const given = { handler: 'work', payload: { ms }, nextAt: now + 500, policies: { maxLost } };
    await this.storage.insertJobs(
      ids.map((id) => newJob(now, { id, ...given })),
      'raise',
    );
    await this.storage.register(
      {
        ...{ id: workerId, name: 'victim', app: 'test', generation: null, host: 'h', pid: 1, version: '1' },
        ...{ zoneData: '', retention: null, ...places },
      },
      1_000,
    );
    const { runs } = await this.storage.claim({ workerId, app: 'test', ...places }, ids.length, 1_000);
    expect(runs).toHaveLength(ids.length);
    await this.pass(2_000);
  }

  async longestWaitMs(prefix: string): Promise<number> {
    const rows = (await this.storage.queryAttempts({}, { limit: 10_000 })).items;
    const waits = rows
      .filter(({ jobId, final }) => final && jobId.startsWith(prefix))
      .map(({ nominalAt, finishedAt }) => finishedAt.getTime() - nominalAt.getTime());
    return Math.max(...waits);
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1_000) await this.clock.advanceBy(1_000);
  }

  async verdicts(): Promise<Map<string, string>> {
    const rows = (await this.storage.queryAttempts({}, { limit: 10_000 })).items;
    return new Map(rows.filter(({ final }) => final).map(({ jobId, outcome }) => [jobId, outcome]));
  }
}

const goods = (count: number, ms: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `good-${i}`, handler: 'work', ms }));

const everySecond = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    id: `ordinary-${i}`,
    handler: 'work',
    ms: 100,
    inMs: i * 1_000,
  }));

test('of ten runs that die together again and again only the one that kills ends as lost', async () => {
  const supervised = new Supervised({ concurrency: 10 });
  await supervised.start();
  await supervised.add({ id: 'poison', handler: 'poison', ms: 1_500 }, ...goods(9, 15_000));
  await supervised.pass(600_000);
  const verdicts = await supervised.verdicts();
  expect(supervised.deaths).toBe(3);
  expect(verdicts.get('poison')).toBe('lost');
  expect([...verdicts.values()].filter((outcome) => outcome === 'succeeded')).toHaveLength(9);
  const beside = supervised.beside.get('poison')!;
  expect(beside[0]).toBe(9);
  // What was lost once goes on at once: most processes die for reasons of their own.
  expect(beside[1]).toBe(9);
  expect(beside[2]).toBe(0);
});

test('tells once that a run is executed alone, as nothing else begins meanwhile, and of no other', async () => {
  const supervised = new Supervised({ concurrency: 10 });
  await supervised.loseOnce(['long'], 600_000);
  await supervised.start();
  await supervised.pass(5_000);
  await supervised.add(...everySecond(60));
  await supervised.pass(280_000);
  expect((await supervised.verdicts()).size).toBe(0);
  const told = { jobId: 'long', handler: 'work', attempt: 2, lostCount: 1, atMostMs: 300_000 };
  expect(supervised.isolated).toMatchObject([told]);
  await supervised.pass(400_000);
  expect((await supervised.verdicts()).size).toBe(61);
  expect(supervised.isolated).toHaveLength(1);
});

test('tells of no isolation as long as what was lost goes on beside the others', async () => {
  const supervised = new Supervised({ concurrency: 10 });
  await supervised.loseOnce(['long'], 5_000, 3);
  await supervised.start();
  await supervised.add(...everySecond(10));
  await supervised.pass(60_000);
  expect((await supervised.verdicts()).size).toBe(11);
  expect(supervised.isolated).toEqual([]);
});

test('a run that may be lost once only ends so at once, as before', async () => {
  const supervised = new Supervised({ concurrency: 10 });
  await supervised.start();
  await supervised.add(
    { id: 'poison', handler: 'poison', ms: 1_500, maxLost: 1 },
    { id: 'beside', handler: 'work', ms: 15_000, maxLost: 1 },
  );
  await supervised.pass(30_000);
  expect(supervised.deaths).toBe(1);
  expect(await supervised.verdicts()).toEqual(
    new Map([
      ['poison', 'lost'],
      ['beside', 'lost'],
    ]),
  );
});

test('a run that is killed without a fault of its own has company again once it has gone through', async () => {
  const supervised = new Supervised({ concurrency: 4 });
  await supervised.start();
  await supervised.add({ id: 'poison', handler: 'poison', ms: 1_000, maxLost: 1 }, ...goods(3, 10_000));
  await supervised.pass(60_000);
  expect(Object.fromEntries(await supervised.verdicts())).toEqual({
    poison: 'lost',
    'good-0': 'succeeded',
    'good-1': 'succeeded',
    'good-2': 'succeeded',
  });
});

test('ordinary work goes on beside a crowd of suspects, and these do too', async () => {
  const supervised = new Supervised({ concurrency: 10 });
  await supervised.start();
  const killers = Array.from({ length: 4 }, (_, i) => ({ id: `poison-${i}`, handler: 'poison', ms: 700 }));
  await supervised.add(...killers, ...goods(30, 5_000));
  const ordinary = Array.from({ length: 300 }, (_, i) => ({
    id: `ordinary-${i}`,
    handler: 'work',
    ms: 200,
    inMs: i * 1_000,
  }));
  await supervised.add(...ordinary);
  await supervised.pass(900_000);
  const verdicts = await supervised.verdicts();
  const lost = [...verdicts].filter(([, outcome]) => outcome !== 'succeeded').map(([id]) => id);
  expect(lost.toSorted()).toEqual(killers.map(({ id }) => id));
  expect(verdicts.size).toBe(334);
  expect(await supervised.longestWaitMs('ordinary')).toBeLessThan(60_000);
});

test('a run at its last try takes none with it that must not run twice', async () => {
  const supervised = new Supervised({ concurrency: 10 });
  await supervised.start();
  await supervised.add({ id: 'poison', handler: 'poison', ms: 1_500, maxLost: 2 }, ...goods(2, 4_000));
  await supervised.pass(2_000);
  await supervised.storage.insertJobs(
    Array.from({ length: 5 }, (_, i) =>
      newJob(supervised.clock.now(), {
        id: `once-${i}`,
        handler: 'work',
        payload: { ms: 1_000 },
        policies: { recovery: 'abandon' },
      }),
    ),
    'raise',
  );
  await supervised.pass(120_000);
  const verdicts = Object.fromEntries(await supervised.verdicts());
  expect(verdicts).toEqual({
    poison: 'lost',
    ...Object.fromEntries(goods(2, 0).map(({ id }) => [id, 'succeeded'])),
    ...Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`once-${i}`, 'succeeded'])),
  });
  expect(supervised.deaths).toBe(2);
});

test('one run at its last try makes one of several busy workers wait for it, and the others go on', async () => {
  const supervised = new Supervised({ concurrency: 4 });
  for (let slot = 0; slot < 4; slot++) await supervised.start(slot);
  await supervised.add({ id: 'poison', handler: 'poison', ms: 500, maxLost: 2 });
  await supervised.pass(2_000);
  const busy = [0, 1, 2, 3].map((slot) => ({ id: `busy-${slot}`, handler: `work-${slot}`, ms: 45_000 }));
  await supervised.add(...busy, ...everySecond(100));
  await supervised.pass(150_000);
  expect((await supervised.verdicts()).get('poison')).toBe('lost');
  expect(supervised.beside.get('poison')![1]).toBe(0);
  expect(await supervised.longestWaitMs('ordinary')).toBeLessThan(5_000);
});

test('a run at its last try is reached under a steady load of a higher priority, and that goes on', async () => {
  const supervised = new Supervised({ concurrency: 4 });
  for (let slot = 0; slot < 3; slot++) await supervised.start(slot);
  const urgent = Array.from({ length: 2_000 }, (_, i) => ({
    ...{ id: `ordinary-${i}`, handler: 'work', ms: 900, priority: 0 },
    inMs: i * 78,
  }));
  await supervised.add(...urgent);
  await supervised.pass(1_000);
  await supervised.loseOnce(['last'], 1_000);
  await supervised.pass(150_000);
  expect((await supervised.verdicts()).get('last')).toBe('succeeded');
  expect(await supervised.longestWaitMs('ordinary')).toBeLessThan(20_000);
});

test('a run at its last try has its turn soon after another one that was alone for long', async () => {
  const supervised = new Supervised({ concurrency: 4 });
  await supervised.start();
  await supervised.loseOnce(['long'], 20 * 60_000);
  await supervised.pass(21 * 60_000);
  expect((await supervised.verdicts()).get('long')).toBe('succeeded');
  await supervised.loseOnce(['next'], 2_000);
  await supervised.start(1);
  await supervised.pass(60_000);
  expect((await supervised.verdicts()).get('next')).toBe('succeeded');
});

test('a crowd at its last try is soon through where nothing else is to be done, each of it alone', async () => {
  const supervised = new Supervised({ concurrency: 40 });
  const ids = Array.from({ length: 60 }, (_, i) => `crowd-${i}`);
  await supervised.loseOnce(ids, 50);
  for (let slot = 0; slot < 4; slot++) await supervised.start(slot);
  await supervised.pass(10_000);
  const verdicts = await supervised.verdicts();
  expect([...verdicts.values()].filter((outcome) => outcome === 'succeeded')).toHaveLength(60);
  for (const id of ids) expect([id, supervised.beside.get(id)![1]]).toEqual([id, 0]);
});

test('a crowd at its last try is through in a while beside other work too, and that goes on', async () => {
  const supervised = new Supervised({ concurrency: 10 });
  const ids = Array.from({ length: 40 }, (_, i) => `crowd-${i}`);
  await supervised.loseOnce(ids, 50);
  for (let slot = 0; slot < 4; slot++) await supervised.start(slot);
  await supervised.add(
    ...Array.from({ length: 800 }, (_, i) => ({
      ...{ id: `ordinary-${i}`, handler: 'work', ms: 300, inMs: i * 50 },
    })),
  );
  await supervised.pass(12_000);
  const verdicts = await supervised.verdicts();
  expect(ids.filter((id) => verdicts.get(id) === 'succeeded')).toHaveLength(40);
  for (const id of ids) expect([id, supervised.beside.get(id)![1]]).toEqual([id, 0]);
  await supervised.pass(60_000);
  expect(await supervised.longestWaitMs('ordinary')).toBeLessThan(3_000);
});

test('a run at its last try waits for what goes on of a lease that its process has lost', async () => {
  const supervised = new Supervised({ concurrency: 10, abortGraceMs: 30_000 });
  await supervised.start();
  await supervised.add({ id: 'deaf', handler: 'work', ms: 20_000 });
  await supervised.pass(1_000);
  expect(supervised.beside.get('deaf')).toEqual([0]);
  supervised.storages[0]!.goDown();
  await supervised.pass(2 * leaseMs);
  await supervised.loseOnce(['innocent'], 100);
  supervised.storages[0]!.comeUp();
  await supervised.pass(8_000);
  // What it waits for may end the process, and would not be the only one to be blamed.
  expect(supervised.running[0]!.size).toBe(1);
  expect(supervised.beside.get('innocent')).toBeUndefined();
  await supervised.pass(20_000);
  expect(supervised.beside.get('innocent')).toEqual([undefined, 0]);
  expect((await supervised.verdicts()).get('innocent')).toBe('succeeded');
});

test('a crowd of suspects that is put off is not claimed on and on', async () => {
  const supervised = new Supervised({ concurrency: 2 });
  const calls = await supervised.start();
  const ids = Array.from({ length: 400 }, (_, i) => `crowd-${i}`);
  await supervised.loseOnce(ids, 20_000, 5);
  calls.splice(0);
  await supervised.pass(10_000);
  expect(calls.filter((name) => name === 'claim').length).toBeLessThan(10 * 25);
});

test(
  'only culprits are lost, however many there are, whenever they kill, and on up to four workers',
  { timeout: 90_000 },
  async () => {
    const run = fc.record({
      ms: fc.integer({ min: 100, max: 20_000 }),
      inMs: fc.integer({ min: 0, max: 60_000 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(run, { minLength: 1, maxLength: 3 }),
        fc.array(run, { minLength: 1, maxLength: 15 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 2, max: 4 }),
        async (killing, working, workers, concurrency, maxLost) => {
          const supervised = new Supervised({ concurrency });
          for (let slot = 0; slot < workers; slot++) await supervised.start(slot);
          const killers = killing.map((given, i) => ({
            ...given,
            id: `poison-${i}`,
            handler: 'poison',
            maxLost,
          }));
          const others = working.map((given, i) => ({ ...given, id: `good-${i}`, handler: 'work', maxLost }));
          await supervised.add(...killers, ...others);
          await supervised.pass(1_000_000);
          const verdicts = await supervised.verdicts();
          for (const { id } of killers) expect([id, verdicts.get(id)]).toEqual([id, 'lost']);
          for (const { id } of others) expect([id, verdicts.get(id)]).toEqual([id, 'succeeded']);
        },
      ),
      { numRuns: 10 },
    );
  },
);
