import { afterEach, beforeEach } from 'vitest';
import type { ChronisModuleOptions } from '../../lib/index.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from './nest.app.js';

type Boot = (chronis: ChronisModuleOptions, ...providers: (new () => unknown)[]) => Promise<NestApp>;

/** Has each test of the file, or of a `describe`, take a clock and stored jobs. Returns what boots another process on both, which ends with the test. */
export function processesForEachTest(
  take: (fresh: { clock: ManualClock; storage: MemoryStorage }) => void,
): Boot {
  const apps: NestApp[] = [];
  let clock: ManualClock;
  let storage: MemoryStorage;
  beforeEach(() => {
    clock = new ManualClock();
    storage = new MemoryStorage({ clock });
    take({ clock, storage });
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
  });
  return async (chronis, ...providers) => {
    const app = await NestApp.boot({ storage, clock, chronis, providers });
    apps.push(app);
    return app;
  };
}
