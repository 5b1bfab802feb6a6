import { expect, test } from 'vitest';
import { Cron } from '../../lib/index.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';

test('a sync that stays postponed is tried again by and by, and wakes no engine', async () => {
  const clock = new ManualClock();
  let [isLocked, syncs, looks] = [true, 0, 0];
  class Locked extends MemoryStorage {
    override async syncDefinitions(
      ...given: Parameters<MemoryStorage['syncDefinitions']>
    ): ReturnType<MemoryStorage['syncDefinitions']> {
      syncs++;
      const result = await super.syncDefinitions(...given);
      if (result.status === 'refused' || !isLocked) return result;
      return { ...result, changes: [], postponed: [{ namespace: 'default', id: 'yearly' }] };
    }
    override syncedSet(...given: Parameters<MemoryStorage['syncedSet']>) {
      return isLocked ? Promise.resolve(null) : super.syncedSet(...given);
    }
    override nextWakeAt(...given: Parameters<MemoryStorage['nextWakeAt']>) {
      looks++;
      return super.nextWakeAt(...given);
    }
  }
  class Jobs {
    @Cron('0 0 1 7 *', { id: 'yearly' })
    run(): void {}
  }
  const storage = new Locked({ clock });
  const booting = NestApp.boot({ providers: [Jobs], clock, chronis: { storage, pollMs: '1m' } });
  let app: NestApp | null = null;
  void booting.then((booted) => (app = booted));
  for (let i = 0; i < 20 && app === null; i++) await clock.advanceBy(100);
  const one = await booting;
  [syncs, looks] = [0, 0];
  await clock.advanceBy(120_000);
  expect(syncs).toBeGreaterThan(20);
  expect(syncs).toBeLessThan(70);
  expect(looks).toBeLessThan(10);
  isLocked = false;
  await clock.advanceBy(5_000);
  expect(one.heard('jobs.synced').at(-1)).toMatchObject({ postponed: [] });
  await one.app.close();
});
