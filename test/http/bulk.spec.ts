import { afterEach, describe, expect, test } from 'vitest';
import { BulkActions } from '../../lib/http/bulk.actions.js';
import { platforms } from '../support/http.app.js';
import { HttpChronis } from './http.chronis.js';

describe.each(platforms)('bulk actions over REST on %s', (platform) => {
  let chronis: HttpChronis;
  afterEach(async () => {
    await Promise.all([chronis.close(), chronis.clock.advanceBy(60_000)]);
  });

  const boot = async (options = {}) => (chronis = await HttpChronis.boot(platform, options));
  const jobs = async (count: number, queue = 'mails') => {
    for (let nr = 0; nr < count; nr++)
      await chronis.scheduler.createJob({ id: `${queue}-${nr}`, handler: 'work', every: '1h', queue });
  };
  /** Once it is over. */
  const ended = async (id: string, headers?: Record<string, string>) => {
    for (;;) {
      const { json } = await chronis.get(`bulk-actions/${id}`, headers);
      if (json.state !== 'running') return json;
    }
  };
  const paused = async () => (await chronis.scheduler.countJobs({ state: 'paused' })) as number;

  /** Runs that gave up: the first so many an hour before the others. */
  const failures = async (early: number, late: number) => {
    chronis.scheduler.registerHandler('fail', () => Promise.reject(new Error('not today')));
    await chronis.scheduler.start();
    for (const count of [early, late]) {
      const ids = Array.from({ length: count }, (_, nr) => ({
        handler: 'fail',
        id: `f${nr}-${count}`,
        in: 0,
      }));
      await chronis.scheduler.createMany(ids as never);
      for (let turn = 0; turn < 20; turn++) await chronis.clock.advanceBy(100);
      if (count === early) await chronis.clock.advanceBy(3_600_000);
    }
    await Promise.all([chronis.scheduler.stop(), chronis.clock.advanceBy(60_000)]);
  };

  test('are counted first, and then change no more than was counted, as one entry of the audit', async () => {
    await boot();
    await jobs(12);
    await jobs(2, 'others');
    const filter = { queue: 'mails' };
    const trial = await chronis.post('bulk-actions', { action: 'pause', filter, dryRun: true });
    expect([trial.status, trial.json]).toMatchObject([200, { dryRun: true, filter, matched: 12 }]);
    expect(trial.json.sample).toHaveLength(10);
    expect(await paused()).toBe(0);
    // What comes meanwhile was not meant.
    await chronis.scheduler.createJob({ id: 'mails-late', handler: 'work', every: '1h', queue: 'mails' });
    const begun = await chronis.post('bulk-actions', {
      action: 'pause',
      filter,
      expected: trial.json.matched,
      reason: 'provider is down',
      note: 'asked by ops',
    });
    expect([begun.status, begun.json]).toMatchObject([202, { action: 'pause', expected: 12, by: null }]);
    expect(await ended(begun.json.id as string)).toMatchObject({ state: 'done', matched: 12, changed: 12 });
    expect(await paused()).toBe(12);
    expect((await chronis.get('audit')).json.items).toMatchObject([
      { action: 'pauseMany', count: 12, note: 'asked by ops', details: { filter } },
    ]);
    expect((await chronis.get('bulk-actions')).json.items).toMatchObject([{ id: begun.json.id }]);
  });

  test('have to say how many are meant', async () => {
    await boot();
    const refused = async (body: object) => (await chronis.post('bulk-actions', body)).json;
    expect((await refused({ action: 'pause', filter: {} })).detail).toContain('{ dryRun: true }');
    expect((await refused({ action: 'paus', filter: {}, expected: 1 })).detail).toContain(
      'must be one of pause,',
    );
    expect((await refused({ action: 'pause', filter: [], expected: 1 })).issues[0].path).toBe('filter');
    expect((await refused({ action: 'pause', filter: {}, expected: 1, spread: '5m' })).issues[0].path).toBe(
      'spread',
    );
    expect((await refused({ action: 'pause', filter: {}, expected: 1, within: '1h' })).issues[0].path).toBe(
      'within',
    );
    expect((await refused({ action: 'retry', filter: { stat: 'lost' }, dryRun: true })).issues[0].path).toBe(
      'stat',
    );
  });

  test('are of ids as well: of jobs, in one namespace', async () => {
    await boot();
    await jobs(4);
    await chronis.scheduler.createJob({ id: 'mails-1', namespace: 'other', handler: 'work', every: '1h' });
    const ids = ['mails-1', 'mails-3', 'mails-1', 'nobody'];
    const trial = await chronis.post('bulk-actions', { action: 'pause', ids, dryRun: true });
    expect(trial.json).toMatchObject({ matched: 2, filter: { id: ids, namespace: 'default' } });
    const begun = await chronis.post('bulk-actions', { action: 'pause', ids });
    expect(begun.json).toMatchObject({ expected: 3 });
    expect(await ended(begun.json.id as string)).toMatchObject({ state: 'done', matched: 2, changed: 2 });
    const other = { action: 'delete', ids: ['mails-1'], namespace: 'other' };
    await ended((await chronis.post('bulk-actions', other)).json.id as string);
    const left = (await chronis.scheduler.queryJobs()).items;
    expect(left.map(({ id, state }) => [id, state])).toEqual([
      ['mails-0', 'pending'],
      ['mails-1', 'paused'],
      ['mails-2', 'pending'],
      ['mails-3', 'paused'],
    ]);
  });

  test('are of ids as well: of runs that gave up', async () => {
    await boot();
    await failures(3, 0);
    const runs = (await chronis.get('runs?state=failed')).json.items;
    const ids = [runs[0].id, runs[2].id, '4711'];
    const begun = await chronis.post('bulk-actions', { action: 'discard', ids });
    expect(await ended(begun.json.id as string)).toMatchObject({ state: 'done', matched: 2, changed: 2 });
    const left = (await chronis.get('runs?state=failed')).json.items;
    expect(left.map(({ id }: { id: string }) => id)).toEqual([runs[1].id]);
  });

  test('of ids are refused where these are none, too many, or contradicted', async () => {
    await boot();
    const path = async (body: object) =>
      (await chronis.post('bulk-actions', { action: 'pause', ...body })).json.issues[0].path;
    const many = Array.from({ length: 1_001 }, (_, nr) => `job-${nr}`);
    for (const ids of [[], [7], 'mails-1', many]) expect(await path({ ids })).toBe('ids');
    expect(await path({ ids: ['a'], filter: {} })).toBe('ids');
    expect(await path({ expected: 1 })).toBe('filter');
    expect(await path({ filter: {}, namespace: 'other', expected: 1 })).toBe('namespace');
    expect(await path({ action: 'retry', ids: ['1'], namespace: 'other' })).toBe('namespace');
    expect(await path({ action: 'retry', ids: ['1'], within: '1h' })).toBe('within');
  });

  test('tell what stood in their way', async () => {
    await boot();
    const body = { action: 'pause', filter: { stat: 'x' }, expected: 1 };
    const begun = await chronis.post('bulk-actions', body);
    expect(await ended(begun.json.id as string)).toMatchObject({
      state: 'failed',
      problem: { status: 400, code: 'CHRONIS_INVALID_OPTION' },
    });
  });

  test('retry what gave up within a time that is frozen when it is counted', async () => {
    await boot();
    await failures(3, 2);
    const trial = await chronis.post('bulk-actions', {
      action: 'retry',
      filter: {},
      within: '30m',
      dryRun: true,
    });
    expect(trial.json).toMatchObject({ matched: 2, filter: { finishedAfter: expect.any(String) } });
    expect(trial.json.sample).toHaveLength(2);
    await chronis.clock.advanceBy(1_800_000);
    const { filter, matched } = trial.json;
    const key = { 'idempotency-key': 'retry-7' };
    const order = { action: 'retry', filter, expected: matched };
    const begun = await chronis.post('bulk-actions', order, key);
    expect(await ended(begun.json.id as string)).toMatchObject({ state: 'done', matched: 2, changed: 2 });
    const again = await chronis.post('bulk-actions', order, key);
    expect(again.json).toMatchObject({ id: begun.json.id, changed: 2 });
    const other = await chronis.post('bulk-actions', { ...order, expected: 1 }, key);
    expect([other.status, other.json.code]).toEqual([422, 'http.idempotency-key-reused']);
    expect((await chronis.get('runs?state=waiting')).json.items).toHaveLength(2);
    expect((await chronis.get('runs?state=failed')).json.items).toHaveLength(3);
  });

  test('one run is retried once, however often it is asked for with a key', async () => {
    await boot();
    await failures(2, 0);
    const [first, second] = (await chronis.get('runs?state=failed')).json.items;
    const retry = (key?: string) =>
      chronis.post(`runs/${first.id}/retry`, {}, key === undefined ? {} : { 'idempotency-key': key });
    const begun = await retry('r-1');
    expect([begun.status, begun.json]).toMatchObject([201, { retryOf: first.id, state: 'waiting' }]);
    const again = await retry('r-1');
    expect([again.status, again.json]).toEqual([201, begun.json]);
    // Without one the client is told that it was late.
    expect((await retry()).status).toBeGreaterThanOrEqual(400);
    expect((await chronis.get('runs?state=waiting')).json.items).toHaveLength(1);
    // Nothing has taken the place of one that is gone.
    await chronis.post(`runs/${second.id}/discard`);
    const gone = await chronis.post(`runs/${second.id}/retry`, {}, { 'idempotency-key': 'r-2' });
    expect(gone.status).toBeGreaterThanOrEqual(400);
  });

  test('end before their next step when somebody wants it, and with the application', async () => {
    await boot();
    await jobs(250);
    const { storage } = chronis;
    const change = storage.changeJobs.bind(storage);
    let goOn = (): void => undefined;
    const reached = () =>
      new Promise<void>((resolve) => {
        storage.changeJobs = async (refs, how) => {
          const isLetGo = new Promise<void>((go) => (goOn = go));
          resolve();
          await isLetGo;
          return change(refs, how);
        };
      });
    const order = { action: 'pause', filter: {}, expected: 250 };
    const first = reached();
    const begun = await chronis.post('bulk-actions', order);
    await first;
    const actions = chronis.http.app.get(BulkActions, { strict: false });
    const aborting = actions.abort(begun.json.id as string, null);
    goOn();
    await aborting;
    const { json } = await chronis.http.send('DELETE', `/chronis/bulk-actions/${begun.json.id}`);
    expect(json).toMatchObject({ state: 'aborted', matched: 100, changed: 100 });
    expect(await paused()).toBe(100);
    expect((await chronis.get('bulk-actions/unknown')).json.code).toBe('http.no-bulk-action');

    const second = reached();
    const last = await chronis.post('bulk-actions', { ...order, action: 'delete' });
    await second;
    const ending = actions.onModuleDestroy();
    goOn();
    await ending;
    expect(await actions.get(last.json.id as string, null)).toMatchObject({ state: 'aborted', changed: 100 });
  });

  test('of one tenant are not seen by another, and reach nothing of others', async () => {
    await boot({ tenant: ({ headers }: any) => headers['x-tenant'] as string });
    for (const tenant of ['acme', 'globex'])
      await chronis.scheduler.forTenant(tenant).createJob({ id: 'report', handler: 'work', every: '1h' });
    const acme = { 'x-tenant': 'acme' };
    const order = { action: 'pause', filter: {}, expected: 10 };
    const begun = await chronis.post('bulk-actions', order, acme);
    expect(await ended(begun.json.id as string, acme)).toMatchObject({
      state: 'done',
      matched: 1,
      changed: 1,
    });
    expect((await chronis.get('bulk-actions', { 'x-tenant': 'globex' })).json.items).toEqual([]);
    expect((await chronis.get(`bulk-actions/${begun.json.id}`, { 'x-tenant': 'globex' })).status).toBe(404);
    const byId = await chronis.post('bulk-actions', { action: 'resume', ids: ['report'] }, acme);
    expect(await ended(byId.json.id as string, acme)).toMatchObject({ matched: 1, changed: 1 });
    await ended((await chronis.post('bulk-actions', order, acme)).json.id as string, acme);
    const other = { ...order, filter: { namespace: 'tenant:globex' } };
    const reaching = await chronis.post('bulk-actions', other, acme);
    expect(await ended(reaching.json.id as string, acme)).toMatchObject({ state: 'failed' });
    expect(await paused()).toBe(1);
  });
});
