import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { RefusedRun, StorageAdapter } from '../../lib/ports/storage.adapter.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig } from '../support/engine.js';

const minute = 60_000;

describe('an engine whose storage refuses to change single runs', () => {
  let clock: ManualClock;
  let rig: EngineRig;
  let refused: RefusedRun[];
  let told: string[];

  beforeEach(() => {
    clock = new ManualClock();
    refused = [];
    told = [];
  });
  afterEach(() => rig.stop(minute));

  function begin(calls: Partial<StorageAdapter>, memory: StorageAdapter): void {
    const storage = new Proxy<StorageAdapter>(memory, {
      get: (target, key) => {
        const value: unknown = Reflect.get(calls, key) ?? Reflect.get(target, key, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    rig = new EngineRig({ clock, storage });
    rig.events.on('storage.failing', ({ operation, error }) => told.push(`${operation}: ${String(error)}`));
    rig.events.on('storage.recovered', ({ operation }) => told.push(`${operation} again`));
  }

  test('tells by its id of one that it cannot claim, not with each claim, and runs the others', async () => {
    const memory = new MemoryStorage({ clock });
    const claim: StorageAdapter['claim'] = async (...given) => ({
      ...(await memory.claim(...given)),
      ...(refused.length > 0 && { refused }),
    });
    begin({ claim }, memory);
    const ran: string[] = [];
    rig.handle('work', ({ job }: { job: { id: string } }) => ran.push(job.id));
    await rig.engine.start();
    refused = [{ runId: '17', error: new Error('no'), retryInMs: minute }];
    for (let second = 0; second < 90; second++) {
      await rig.add({ id: `job ${second}` });
      await clock.advanceBy(1_000);
    }
    expect(ran).toHaveLength(90);
    expect(told).toEqual(['claim run 17: Error: no', 'claim run 17: Error: no']);
    refused = [];
    await clock.advanceBy(5 * minute);
    expect(told.slice(2)).toEqual(['claim run 17 again']);
  });

  test('tells by its id of one that it cannot give back, and tries it once in a while, until it can', async () => {
    const memory = new MemoryStorage({ clock });
    let refuses = true;
    const asked: string[] = [];
    const giveBack: StorageAdapter['giveBack'] = async (runs) => {
      asked.push(...runs.map(({ runId }) => runId));
      if (!refuses) return memory.giveBack(runs);
      return {
        lost: [],
        left: [],
        refused: runs.map((run) => ({ ...run, error: new Error('no'), retryInMs: minute })),
      };
    };
    begin({ giveBack }, memory);
    let began = 0;
    rig.handle('work', () => ++began);
    await rig.engine.start();
    const [{ id: workerId }] = await memory.queryWorkers();
    // A claim of it that the engine knows nothing of, as if the answer had been lost.
    await rig.add({ id: 'stray', handler: 'other' });
    const capability = { workerId: workerId!, app: 'test', queues: ['default'], handlers: ['other'] };
    const { runs } = await memory.claim(capability, 1);
    await clock.advanceBy(30 * minute);
    expect(new Set(told)).toEqual(new Set([`give back run ${runs[0]!.id}: Error: no`]));
    expect(told.length).toBeLessThanOrEqual(30);
    refuses = false;
    await clock.advanceBy(5 * minute);
    expect(await memory.heldBy(workerId!)).toEqual([]);
    const before = asked.length;
    await clock.advanceBy(5 * minute);
    expect(asked.length).toBe(before);
    expect(told.at(-1)).toBe(`give back run ${runs[0]!.id} again`);
    await rig.add({ id: 'more' });
    await clock.advanceBy(1_000);
    expect(began).toBe(1);
  });
});
