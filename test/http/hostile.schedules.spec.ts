import { Session } from 'node:inspector';
import { afterEach, describe, expect, test } from 'vitest';
import { platforms } from '../support/http.app.js';
import { HttpChronis } from './http.chronis.js';

/** What is refused only after much work, where somebody is careless. */
const schedules: [name: string, schedule: Record<string, unknown>][] = [
  ['a range of a hundred million', { cron: '0 0 1--100000000 * *' }],
  ['a range without an end', { cron: '0 0 1-100000000 * *' }],
  ['a step of nothing', { cron: '*/0.00000001 * * * *' }],
  ['64 kB of digits', { cron: `${'1'.repeat(65_536)} * * * *` }],
  ['64 kB of stars', { cron: '* '.repeat(32_768) }],
  ['64 kB of spaces', { cron: `0${' '.repeat(65_536)}9 * * *` }],
  ['20,000 terms', { cron: `${'1,'.repeat(20_000)}1 * * * *` }],
  ['20,000 nested ranges', { cron: `${'1-'.repeat(20_000)}1 * * * *` }],
  ['64 kB of a name', { cron: `@${'a'.repeat(65_536)}` }],
  ['64 kB of a zone', { cron: '0 9 * * *', timeZone: 'A/'.repeat(32_768) }],
  ['a day that never comes', { cron: '0 0 31 2 *' }],
  ['64 kB of a duration', { every: `${'1h'.repeat(32_768)}` }],
  ['64 kB of digits of a duration', { every: `${'9'.repeat(65_536)}s` }],
  ['64 kB of an instant', { at: `2026-01-01T00:00:00${'0'.repeat(65_536)}Z` }],
  ['20,000 fields', { cron: Object.fromEntries(Array.from({ length: 5_000 }, (_, nth) => [`f${nth}`, 1])) }],
  ['64 kB of a field', { cron: { hour: '1,'.repeat(32_768) } }],
];

/** How often the blocks of the library were entered within `work`: what it does, whatever the machine is busy with. */
async function stepsOf(work: () => Promise<unknown>): Promise<number> {
  const session = new Session();
  session.connect();
  const post = (method: string, params: object = {}) =>
    new Promise<any>((resolve, reject) => {
      session.post(method, params, (error, result) => (error ? reject(error) : resolve(result)));
    });
  try {
    await post('Profiler.enable');
    await post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    await work();
    const { result } = await post('Profiler.takePreciseCoverage');
    const own = result.filter(
      ({ url }: { url: string }) => /\/lib\/(?!testing)/.test(url) && !url.includes('node_modules'),
    );
    expect(own.length).toBeGreaterThan(10);
    const counts = own.flatMap(({ functions }: any) =>
      functions.flatMap(({ ranges }: any) => ranges.map(({ count }: any) => count)),
    );
    return counts.reduce((sum: number, count: number) => sum + count, 0);
  } finally {
    session.disconnect();
  }
}

describe.each(platforms)('a schedule that is an attack on %s', (platform) => {
  let chronis: HttpChronis;
  afterEach(() => chronis.close());

  test.each(schedules)('is refused after little work: %s', async (_, schedule) => {
    chronis = await HttpChronis.boot(platform);
    await chronis.scheduler.createJob({ id: 'there', handler: 'work', every: '1h' });
    const ordinary = await stepsOf(() =>
      chronis.post('jobs', { id: 'b', handler: 'work', cron: '0 9 * * *', timeZone: 'Asia/Seoul' }),
    );
    const statuses: number[] = [];
    const steps = await stepsOf(async () => {
      const made = await chronis.post('jobs', { id: 'a', handler: 'work', ...schedule });
      statuses.push(made.status);
    });
    const changed = await chronis.http.send('PATCH', '/chronis/jobs/there', { body: schedule });
    expect([...statuses, changed.status]).toEqual([400, 400]);
    expect(changed.json.code).toMatch(/^CHRONIS_INVALID_/);
    // An ordinary one is stored.
    expect(ordinary).toBeGreaterThan(500);
    expect(steps).toBeLessThan(10 * ordinary);
    // What it says of that is short, whatever was sent.
    expect(JSON.stringify(changed.json).length).toBeLessThan(4_000);
  });

  test.each(['from', 'until', 'at'])('is refused in %s of what looks', async (key) => {
    chronis = await HttpChronis.boot(platform);
    await chronis.scheduler.createJob({ id: 'there', handler: 'work', every: '1h' });
    const path = key === 'at' ? 'jobs/there/explanation' : 'jobs/there/coverage';
    for (const text of ['9'.repeat(5_000), '1--100000000', `2026-01-01T${'0'.repeat(5_000)}`]) {
      const { status, json } = await chronis.get(`${path}?${key}=${text}`);
      expect([status, JSON.stringify(json).length < 4_000]).toEqual([400, true]);
    }
  });
});
