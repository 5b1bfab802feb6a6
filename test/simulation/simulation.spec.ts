import { describe, expect, test } from 'vitest';
import type { StorageAdapter } from '../../lib/ports/storage.adapter.js';
import { findViolations } from './history.checker.js';
import { playScenario } from './scenario.js';

/** Settles whatever it is asked to, whoever owns the run: the fence check planted away. */
function withoutFences(storage: StorageAdapter): StorageAdapter {
  const settle: StorageAdapter['settle'] = async (settlements) => {
    const runs = (await storage.queryRuns({}, { limit: 1_000 })).items;
    const fences = new Map(runs.map((run) => [run.id, run.fence]));
    return storage.settle(
      settlements.map((item) => ({ ...item, fence: fences.get(item.runId) ?? item.fence })),
    );
  };
  return new Proxy(storage, {
    get: (target, key) => {
      if (key === 'settle') return settle;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

describe('simulated clusters', () => {
  const seeds = Array.from({ length: 20 }, (_, i) => i + 1);

  test.each(seeds)('keep the promises through crashes, freezes and cuts (seed %i)', async (seed) => {
    expect(await findViolations(await playScenario(seed))).toEqual([]);
  });

  test('the same seed plays the same history', async () => {
    const history = async () => {
      const { executions, faults, storage } = await playScenario(3);
      const { items } = await storage.queryAttempts({}, { limit: 1_000 });
      // Worker ids are random by design; `error` may name one.
      const rows = items.map((row) => ({ ...row, worker: null, error: null }));
      return JSON.stringify({ executions: [...executions], faults, rows });
    };
    expect(await history()).toBe(await history());
  });

  test('the checker notices when the fence check is missing', async () => {
    let noticed: string[] = [];
    for (let seed = 1; noticed.length === 0 && seed <= 100; seed++) {
      noticed = await findViolations(await playScenario(seed, withoutFences));
    }
    expect(noticed).not.toEqual([]);
  });
});
