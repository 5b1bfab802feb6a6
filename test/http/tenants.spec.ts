import { afterEach, describe, expect, test } from 'vitest';
import { allRoutes } from '../../lib/http/routes/all.routes.js';
import { platforms } from '../support/http.app.js';
import { HttpChronis } from './http.chronis.js';

interface Asking {
  headers: Record<string, string | undefined>;
}

describe.each(platforms)('who is confined to a tenant on %s', (platform) => {
  let chronis: HttpChronis;
  afterEach(() => chronis.close());

  /** Whoever says `x-tenant` is of that; `none`: of none. */
  const tenant = ({ headers }: Asking) => {
    const given = headers['x-tenant'];
    return (given === 'none' ? null : given) as string | null;
  };
  const of = (name: string) => ({ 'x-tenant': name });

  const boot = async () => {
    chronis = await HttpChronis.boot(platform, { tenant });
    const job = { id: 'report', handler: 'report', every: '1h' } as const;
    await chronis.scheduler.forTenant('acme').createJob(job);
    await chronis.scheduler.forTenant('globex').createJob({ ...job, id: 'other' });
    await chronis.scheduler.createJob({ ...job, id: 'house' });
  };

  test('sees and changes jobs and runs of that tenant only', async () => {
    await boot();
    expect((await chronis.get('jobs', of('acme'))).json.items).toMatchObject([{ id: 'report' }]);
    expect((await chronis.get('jobs?total=true', of('acme'))).json.total.value).toBe(1);
    expect((await chronis.get('jobs', of('none'))).json.items).toHaveLength(3);
    expect((await chronis.get('jobs/other', of('acme'))).status).toBe(404);
    const query = `namespace=${encodeURIComponent('tenant:globex')}`;
    for (const path of [`jobs/other?${query}`, `jobs?${query}`, `runs?${query}`, `forecast?${query}`])
      expect([path, (await chronis.get(path, of('acme'))).status]).toEqual([path, 400]);
    const made = await chronis.post('jobs/other/runs', {}, of('globex'));
    const runId = made.json.id as string;
    expect(made.status).toBe(201);
    for (const path of [`runs/${runId}`, `runs/${runId}/logs`, `runs/${runId}/steps`])
      expect([path, (await chronis.get(path, of('acme'))).status]).toEqual([path, 404]);
    for (const action of ['retry', 'cancel', 'discard', 'complete'])
      expect([action, (await chronis.post(`runs/${runId}/${action}`, {}, of('acme'))).status]).toEqual([
        action,
        404,
      ]);
    expect((await chronis.get(`runs/${runId}`, of('globex'))).json.run.state).toBe('waiting');
  });

  test('pauses all of that tenant and nothing else', async () => {
    await boot();
    for (const scope of [{ handler: 'report' }, { namespace: 'tenant:globex' }])
      expect((await chronis.post('pauses', { scope }, of('acme'))).status).toBe(400);
    const { status } = await chronis.post('pauses', { scope: { all: true } }, of('acme'));
    expect(status).toBe(200);
    expect((await chronis.get('pauses', of('globex'))).json.items).toEqual([]);
    expect((await chronis.get('pauses', of('acme'))).json.items).toMatchObject([{ scope: { all: true } }]);
    const headers = of('acme');
    expect((await chronis.http.send('DELETE', '/chronis/pauses?all=true', { headers })).status).toBe(204);
  });

  test('does not see what is of all tenants together', async () => {
    await boot();
    const ofAll = allRoutes.filter((route) => route.ofAll);
    expect(ofAll.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['listQueues', 'listWorkers', 'getStatus', 'getHealth']),
    );
    for (const { path, method } of ofAll) {
      const headers = of('acme');
      const { status, json } = await chronis.http.send(method, `/chronis/${path}`, { headers });
      expect([path, status, json.code]).toEqual([path, 403, 'http.not-of-a-tenant']);
      expect((await chronis.http.send(method, `/chronis/${path}`, { headers: of('none') })).status).toBe(200);
    }
  });

  test('is refused where the application does not say of which', async () => {
    await boot();
    const { status, json } = await chronis.get('jobs');
    expect([status, json.code]).toEqual([500, 'http.failed']);
    expect((await chronis.get('jobs', of('a/b'))).status).toBe(400);
  });
});
