import { afterEach, expect, test } from 'vitest';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { Policies } from '../../lib/model/policies.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig, everyMs } from '../support/engine.js';

let rig: EngineRig;
afterEach(() => rig.stop(60_000));

test.each([
  ['claim', {}, 'waiting'],
  ['fire', {}, 'waiting'],
  ['claim', { recovery: 'abandon' }, 'lost'],
] as [method: 'claim' | 'fire', policies: Partial<Policies>, state: string][])(
  'what a %s hands out whose answer comes after a pause does not begin: %o',
  async (method, policies, state) => {
    const clock = new ManualClock();
    const memory = new MemoryStorage({ clock });
    let answer = (): void => undefined;
    const storage = new Proxy(memory, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        const call = value.bind(target) as (...args: unknown[]) => Promise<{ runs?: unknown[] }>;
        if (key !== method) return call;
        return async (...args: unknown[]) => {
          const result = await call(...args);
          // The answer is on its way.
          if (result.runs!.length > 0) await new Promise<void>((resolve) => (answer = resolve));
          return result;
        };
      },
    });
    rig = new EngineRig({ clock, storage });
    const begun: string[] = [];
    rig.handle('work', ({ job }) => begun.push(job.id));
    rig.handle('other', ({ job }) => begun.push(job.id));
    await rig.engine.start();
    const due = method === 'fire' ? everyMs(clock.now(), 60_000, { nextAt: clock.now() }) : {};
    await rig.add({ id: 'stopped', ...due, policies }, { id: 'goes on', handler: 'other', ...due });
    await clock.advanceBy(1_000);
    expect(begun).toEqual([]);
    const pause = { kind: 'handler', name: 'work' } as const;
    await storage.pauseScope(pause, { reason: null, by: null });
    await rig.settle();
    answer();
    await clock.advanceBy(30_000);
    expect(begun).toEqual(['goes on']);
    expect((await memory.queryRuns({ jobId: 'stopped' }, {})).items).toMatchObject([{ state }]);
    if (state !== 'waiting') return;
    await storage.resumeScope(pause, ({ pausedFrom }) => ({ nextAt: pausedFrom, gap: null }));
    await clock.advanceBy(1_000);
    answer();
    await clock.advanceBy(1_000);
    expect(begun).toContain('stopped');
  },
);

test('calls that end between the same changes look for pauses once', async () => {
  const clock = new ManualClock();
  const storage = new MemoryStorage({ clock });
  const fire = storage.fire.bind(storage);
  const answers: (() => void)[] = [];
  storage.fire = async (...args) => {
    const result = await fire(...args);
    await new Promise<void>((resolve) => answers.push(resolve));
    return result;
  };
  let looks = 0;
  const queryPauses = storage.queryPauses.bind(storage);
  storage.queryPauses = () => {
    looks++;
    return queryPauses();
  };
  rig = new EngineRig({ clock, storage, options: { concurrency: 600 } });
  const begun = new Set<string>();
  rig.handle('work', ({ job }) => void begun.add(job.id));
  await rig.add(
    ...Array.from({ length: 500 }, (_, i) =>
      everyMs(clock.now(), 60_000, { id: `${i}`, nextAt: clock.now() }),
    ),
  );
  await rig.engine.start();
  await rig.settle();
  expect(answers).toHaveLength(2);
  await storage.pauseScope({ kind: 'queue', name: 'other' }, { reason: null, by: null });
  await rig.settle();
  for (const answer of answers) answer();
  await rig.settle();
  expect(begun.size).toBe(500);
  expect(looks).toBe(1);
});
