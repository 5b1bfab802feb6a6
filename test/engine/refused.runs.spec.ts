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
});
