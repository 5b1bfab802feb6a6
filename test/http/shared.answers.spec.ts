import { afterEach, describe, expect, test, vi, type MockInstance } from 'vitest';
import type { ChronisHttpOptions } from '../../lib/http/index.js';
import type { Job, Page } from '../../lib/index.js';
import { platforms } from '../support/http.app.js';
import { HttpChronis } from './http.chronis.js';

const emptyPage: Page<Job> = { items: [], cursor: null };
let app: HttpChronis;
let looks: MockInstance;

async function boot(platform: (typeof platforms)[number], options: ChronisHttpOptions = {}): Promise<void> {
  app = await HttpChronis.boot(platform, { shareAnswers: '1s', ...options });
  looks = vi.spyOn(app.storage, 'queryJobs');
}
afterEach(() => app.close());

const create = (id: string) => app.post('jobs', { id, handler: 'report', trigger: { type: 'manual' } });
const idsIn = async (path: string, headers?: Record<string, string>): Promise<string[]> =>
  (await app.get(path, headers)).json.items.map(({ id }: Job) => id);

describe.each(platforms)('answers on %s', (platform) => {
  test('are looked for once for all who ask the same within a second, and not while nobody asks', async () => {
    await boot(platform);
    await Promise.all(Array.from({ length: 20 }, () => app.get('jobs?limit=5')));
    await app.clock.advanceBy(999);
    await app.get('jobs?limit=5');
    expect(looks).toHaveBeenCalledTimes(1);
    await app.clock.advanceBy(1);
    await app.get('jobs?limit=5');
    expect(looks).toHaveBeenCalledTimes(2);
    await app.clock.advanceBy(60_000);
    expect(looks).toHaveBeenCalledTimes(2);
  });

  test('have what this API has changed before', async () => {
    await boot(platform);
    expect(await idsIn('jobs')).toEqual([]);
    await create('a');
    expect(await idsIn('jobs')).toEqual(['a']);
    await app.post('jobs/a/pause', { reason: 'to see' });
    expect((await app.get('jobs')).json.items[0].state).toBe('paused');
  });

  test('are not of a look that was under way when this API changed something', async () => {
    await boot(platform);
    let end: (page: Page<Job>) => void = () => undefined;
    looks.mockReturnValueOnce(new Promise<Page<Job>>((resolve) => (end = resolve)));
    const before = idsIn('jobs');
    await vi.waitFor(() => expect(looks).toHaveBeenCalledTimes(1));
    await create('a');
    expect(await idsIn('jobs')).toEqual(['a']);
    end(emptyPage);
    expect(await before).toEqual([]);
    expect(await idsIn('jobs')).toEqual(['a']);
  });

  test('of tenants, and of other conditions, are apart', async () => {
    await boot(platform, { tenant: (request) => request.headers['x-tenant'] ?? null });
    for (const tenant of ['one', 'two'])
      await app.scheduler.forTenant(tenant).schedule('report', { id: `of-${tenant}`, every: '1h' });
    expect(await idsIn('jobs', { 'x-tenant': 'one' })).toEqual(['of-one']);
    expect(await idsIn('jobs', { 'x-tenant': 'two' })).toEqual(['of-two']);
    expect(await idsIn('jobs')).toEqual(['of-one', 'of-two']);
    expect(await idsIn('jobs?q=of-t')).toEqual(['of-two']);
    expect(looks).toHaveBeenCalledTimes(4);
  });

  test('that failed are not kept', async () => {
    await boot(platform);
    looks.mockRejectedValueOnce(new Error('no'));
    expect((await app.get('jobs')).status).toBe(500);
    expect(await idsIn('jobs')).toEqual([]);
  });

  test('about one job are always read anew', async () => {
    await boot(platform);
    await create('a');
    await app.get('jobs/a');
    await app.scheduler.pauseJob('a');
    expect((await app.get('jobs/a')).json.state).toBe('paused');
  });

  test('that the client has are not sent again: 304, until they differ', async () => {
    await boot(platform);
    await create('a');
    const first = await app.get('jobs');
    const etag = first.headers.get('etag')!;
    expect(etag).toMatch(/^W\/"[\w-]{43}"$/);
    const again = await app.http.send('GET', '/chronis/jobs', { headers: { 'if-none-match': etag } });
    expect([again.status, again.json]).toEqual([304, '']);
    await create('b');
    const other = await app.get('jobs', { 'if-none-match': etag });
    expect([other.status, other.json.items.length]).toEqual([200, 2]);
  });

  test('are looked for each time where they are not to be shared', async () => {
    await boot(platform, { shareAnswers: false });
    await app.get('jobs');
    await app.get('jobs');
    expect(looks).toHaveBeenCalledTimes(2);
  });
});
