import { describe, expect, test } from 'vitest';
import type { RunContext } from '../../lib/engine/run.context.js';
import type { ChronisEventMap } from '../../lib/events/event.map.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { ListedRun } from '../../lib/model/run.js';
import type { NewRunProgress } from '../../lib/ports/storage.adapter.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig } from '../support/engine.js';

/** A storage that notes what is reported. */
class Noting extends MemoryStorage {
  readonly calls: (readonly NewRunProgress[])[] = [];
  fails = 0;

  constructor(clock: ManualClock) {
    super({ clock });
    const { runProgress } = this;
    const report = runProgress.report.bind(runProgress);
    this.runProgress.report = async (reports) => {
      this.calls.push(reports);
      if (this.fails-- > 0) throw new Error('The disk is full.');
      return report(reports);
    };
  }

  get fractions(): number[][] {
    return this.calls.map((reports) => reports.map(({ fraction }) => fraction));
  }
}

/** Handlers that stay where they are until they are told to end. */
async function rigWith(...ids: string[]): Promise<{
  rig: EngineRig;
  storage: Noting;
  contexts: RunContext[];
  end: (error?: Error) => Promise<void>;
  told: ChronisEventMap['run.progress'][];
}> {
  const clock = new ManualClock();
  const storage = new Noting(clock);
  const rig = new EngineRig({ clock, storage });
  const contexts: RunContext[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const told: ChronisEventMap['run.progress'][] = [];
  rig.events.on('run.progress', (event) => void told.push(event));
  rig.handle('work', ((context: RunContext) => {
    contexts.push(context);
    return new Promise<void>((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve())));
  }) as never);
  await rig.add(...ids.map((id) => ({ id })));
  await rig.engine.start();
  await rig.settle();
  const end = async (error?: Error): Promise<void> => {
    for (const each of ends.splice(0)) each(error);
    await rig.settle();
  };
  return { rig, storage, contexts, end, told };
}

async function progressOf({ storage }: EngineRig): Promise<(number | null)[]> {
  const { items } = await storage.queryRuns({}, {});
  return (items as ListedRun[]).map(({ progress }) => progress?.fraction ?? null);
}

describe('the progress of a run', () => {
  test('is written after a second, of all runs in one call, and of each what it told last', async () => {
    const { rig, storage, contexts, end } = await rigWith('a', 'b', 'c');
    const [a, b] = contexts as [RunContext, RunContext];
    a.progress(0.1);
    for (let done = 0; done <= 500; done++) b.progress(done / 1_000, { done });
    await rig.clock.advanceBy(999);
    expect(storage.calls).toEqual([]);
    await rig.clock.advanceBy(1);
    await rig.settle();
    expect(storage.fractions).toEqual([[0.1, 0.5]]);
    expect(storage.calls[0]![1]).toMatchObject({ runId: b.runId, attempt: 1, details: { done: 500 } });
    expect(new Set(await progressOf(rig))).toEqual(new Set([0.1, 0.5, null]));
    await rig.clock.advanceBy(60_000);
    expect(storage.calls).toHaveLength(1);
    const { progress } = a;
    progress(0.2);
    await rig.clock.advanceBy(1_000);
    expect(storage.fractions[1]).toEqual([0.2]);
    await end();
    await rig.end();
  });

  test('costs nothing where nobody tells of it', async () => {
    const { rig, storage, end } = await rigWith('a');
    const before = rig.clock.pending;
    await rig.clock.advanceBy(60_000);
    await end();
    expect(storage.calls).toEqual([]);
    expect(rig.clock.pending).toBeLessThanOrEqual(before);
    await rig.end();
  });

  test('is as it was at the call, without secrets', async () => {
    const { rig, storage, contexts, end } = await rigWith('a');
    const details = {
      file: 'a.csv',
      apiToken: 'abc',
      at: new Date(0),
      url: 'postgres://u:pw@h/d',
      'nul\0': 'x\0',
    };
    contexts[0]!.progress(0.5, details);
    details.file = 'b.csv';
    await rig.clock.advanceBy(1_000);
    expect(storage.calls[0]![0]!.details).toEqual({
      ...{ file: 'a.csv', apiToken: '***', at: '1970-01-01T00:00:00.000Z', url: 'postgres://u:***@h/d' },
      'nul\u{FFFD}': 'x\u{FFFD}',
    });
    await end();
    await rig.end();
  });

  const cycle: { self?: object } = {};
  cycle.self = cycle;
  test.each([
    [[1.01], 'takes how much is done as a number from 0 to 1, but was given 1.01.'],
    [[-0.1], 'from 0 to 1, but was given -0.1.'],
    [[NaN], 'was given NaN'],
    [['0.5'], "was given '0.5'"],
    [[50n], 'was given 50n'],
    [[undefined], 'was given undefined'],
    [[0.5, 'half'], "takes details as an object, such as { rows: 500 }, but was given 'half'"],
    [[0.5, [1]], 'takes details as an object'],
    [[0.5, cycle], 'takes details that can be written as JSON: '],
    [[0.5, { n: 5n }], 'takes details that can be written as JSON: '],
    [[0.5, new Date(0)], 'an object as JSON, too'],
    [[0.5, { text: 'é'.repeat(2_043) }], 'takes details of up to 4096 bytes as JSON, but was given 4097.'],
  ])('is refused at the call where it is wrong: %o', async (args, message) => {
    const { rig, storage, contexts, end } = await rigWith('a');
    const call = (): void => Reflect.apply(contexts[0]!.progress, null, args) as void;
    expect(call).toThrow('context.progress(): takes ');
    expect(call).toThrow(message);
    expect(call).toThrow(expect.objectContaining({ code: 'CHRONIS_INVALID_OPTION' }) as Error);
    await rig.clock.advanceBy(1_000);
    expect(storage.calls).toEqual([]);
    contexts[0]!.progress(0.5, { text: 'é'.repeat(2_042) });
    await rig.clock.advanceBy(1_000);
    expect(storage.calls).toHaveLength(1);
    await end();
    await rig.end();
  });

  test('is told by an event once it is stored', async () => {
    const { rig, contexts, end, told } = await rigWith('a');
    contexts[0]!.progress(0.1);
    contexts[0]!.progress(0.3, { rows: 3 });
    expect(told).toEqual([]);
    await rig.clock.advanceBy(1_000);
    const { runId, nominalAt } = contexts[0]!;
    expect(told).toEqual([
      {
        ...{
          runId,
          jobId: 'a',
          namespace: 'default',
          handler: 'work',
          queue: 'default',
          origin: 'at',
          nominalAt,
        },
        ...{ attempt: 1, workerId: rig.engine.workerId, fraction: 0.3, details: { rows: 3 } },
        at: new Date(rig.clock.now() - 1_000),
      },
    ]);
    await end();
    await rig.end();
  });

  test('of a run whose lease was lost is written by nobody but its new owner', async () => {
    const { rig, storage, contexts, end, told } = await rigWith('a');
    contexts[0]!.progress(0.9);
    // The storage gives the run to somebody else, before the process knows.
    await storage.unregister(rig.engine.workerId!);
    await storage.releaseLost();
    await rig.clock.advanceBy(1_000);
    await rig.settle();
    expect(storage.fractions).toEqual([[0.9]]);
    expect(told).toEqual([]);
    expect(await progressOf(rig)).toEqual([null]);
    await end();
    await rig.end();
  });

  test('told at the last moment stays with a run that has failed, and what is told after that is passed over', async () => {
    const { rig, storage, contexts, end } = await rigWith('a');
    contexts[0]!.progress(0.6);
    await end(new Error('no'));
    contexts[0]!.progress(0.7);
    await rig.clock.advanceBy(1_000);
    expect(storage.fractions).toEqual([[0.6]]);
    expect(await progressOf(rig)).toEqual([0.6]);
    contexts[0]!.progress(0.8);
    await rig.clock.advanceBy(5_000);
    expect(storage.calls).toHaveLength(1);
    await rig.end();
  });

  test('is written by a stop', async () => {
    const { rig, storage, contexts } = await rigWith('a');
    contexts[0]!.progress(0.4);
    contexts[0]!.signal.addEventListener('abort', () => contexts[0]!.progress(0.5));
    await rig.stop(60_000);
    expect(storage.fractions.at(-1)).toEqual([0.5]);
    expect(await progressOf(rig)).toEqual([0.5]);
  });

  test('that the storage does not take is dropped after three tries, and told', async () => {
    const { rig, storage, contexts, end, told } = await rigWith('a');
    const dropped: object[] = [];
    rig.events.on('run-progress.dropped', (event) => void dropped.push(event));
    storage.fails = 3;
    contexts[0]!.progress(0.4);
    await rig.clock.advanceBy(1_000);
    for (let nth = 0; nth < 4; nth++) {
      await rig.settle();
      await rig.clock.advanceBy(250);
    }
    expect(dropped).toEqual([{ runIds: [contexts[0]!.runId], error: new Error('The disk is full.') }]);
    expect(told).toEqual([]);
    contexts[0]!.progress(0.5);
    await rig.clock.advanceBy(1_000);
    await rig.settle();
    expect(await progressOf(rig)).toEqual([0.5]);
    await end();
    await rig.end();
  });

  test('is told by the event alone where the storage keeps none', async () => {
    const clock = new ManualClock();
    const storage = new MemoryStorage({ clock });
    Object.defineProperty(storage, 'runProgress', { value: undefined });
    const rig = new EngineRig({ clock, storage });
    const told: number[] = [];
    rig.events.on('run.progress', ({ fraction }) => void told.push(fraction));
    rig.handle('work', (({ progress }: RunContext) => progress(0.5)) as never);
    await rig.add({ id: 'a' });
    await rig.engine.start();
    await rig.clock.advanceBy(1_000);
    await rig.settle();
    expect(told).toEqual([0.5]);
    await rig.end();
  });
});
