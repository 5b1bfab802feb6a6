import { afterEach, describe, expect, test } from 'vitest';
import { ChronisAlertsModule, webhook } from '../../lib/alerts/index.js';
import { ChronisHealthModule } from '../../lib/health/index.js';
import { ChronisHttpModule } from '../../lib/http/index.js';
import { ChronisModule, MemoryStorage } from '../../lib/index.js';
import { ChronisMetrics, ChronisMetricsModule } from '../../lib/metrics/index.js';
import { ManualClock } from '../../lib/testing/index.js';
import { ChronisTracingModule } from '../../lib/tracing/index.js';
import { FaultyStorage } from '../support/faulty.storage.js';
import { HttpApp, platforms } from '../support/http.app.js';

describe.each(platforms)('an application that nobody looks at, on %s', (platform) => {
  const apps: HttpApp[] = [];
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
  });

  const operating = () => [
    ChronisHttpModule.forRoot(),
    ChronisMetricsModule.forRoot({ path: 'metrics' }),
    ChronisHealthModule.forRoot({ path: 'health' }),
    ChronisTracingModule.forRoot(),
    ChronisAlertsModule.forRoot({
      rules: [{ on: 'failed', to: webhook({ url: 'http://127.0.0.1:1' }) }],
    }),
  ];

  /** What the storage is asked within an hour, call by call; `look` is done once it has booted. */
  const asked = async (
    imports: ReturnType<typeof operating>,
    autoStart: boolean,
    look: (app: HttpApp) => Promise<unknown> = async () => undefined,
  ): Promise<string[]> => {
    const clock = new ManualClock();
    const faulty = new FaultyStorage(new MemoryStorage({ clock }));
    const chronis = ChronisModule.forRoot({ storage: faulty.storage, clock, log: false, autoStart });
    const app = await HttpApp.boot(platform, { imports: [...imports, chronis] });
    apps.push(app);
    // What each start asks.
    await clock.advanceBy(60_000);
    await look(app);
    const before = faulty.calls.length;
    await clock.advanceBy(3_600_000);
    return faulty.calls.slice(before);
  };

  test('asks its storage nothing for REST, metrics, health, traces and alerts', async () => {
    expect(await asked(operating(), false)).toEqual([]);
    const withoutThem = await asked([], true);
    expect(withoutThem.length).toBeGreaterThan(100);
    const withThem = await asked(operating(), true);
    const kinds = new Set(withoutThem);
    expect(withThem.filter((call) => !kinds.has(call))).toEqual([]);
    // Polls are not at the same times in two processes.
    expect(withThem.length).toBeLessThan(1.1 * withoutThem.length);
  });

  test('asks nothing more once those who looked have gone', async () => {
    const looked = async (app: HttpApp) => {
      for (const path of ['/chronis/jobs', '/chronis/health', '/health', '/health/ready'])
        expect([path, (await app.get(path)).status]).toEqual([path, 200]);
    };
    expect(await asked(operating(), false, looked)).toEqual([]);
    // A scrape has the next ones answered at once, for a while.
    const scraped = await asked(operating(), false, (app) =>
      app.app.get(ChronisMetrics, { strict: false }).text(),
    );
    expect(scraped.length).toBeLessThan(30);
  });
});
