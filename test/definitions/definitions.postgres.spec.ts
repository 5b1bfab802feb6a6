import { afterAll, beforeAll, expect, test } from 'vitest';
import { TransactionalApp } from '../support/transactional.app.js';

const mail = { name: 'mail', handler: 'send', allowUnknownHandler: true };
let app: TransactionalApp;

beforeAll(async () => {
  app = await TransactionalApp.create('definitions');
});
afterAll(() => app.close());

test('are defined and started in the transaction of the caller, or not at all', async () => {
  const { definitions, scheduler } = await app.boot();
  const work = async (fails: boolean): Promise<void> =>
    app.source.transaction(async (manager) => {
      await app.insert(manager);
      await definitions.define(mail, { manager });
      const options = { params: { to: 'ada' }, delay: '1h', allowUnknownHandler: true };
      const { job, version } = await definitions.start('mail', options, { manager });
      expect([job.payload, version]).toEqual([{ to: 'ada' }, 1]);
      if (fails) throw new Error('rolled back');
    });
  await expect(work(true)).rejects.toThrow('rolled back');
  expect(await definitions.get('mail')).toBeNull();
  expect(await scheduler.countJobs()).toBe(0);
  await work(false);
  expect((await definitions.get('mail'))!.version).toBe(1);
  expect(await scheduler.countJobs({ 'metadata.chronis_definition': 'mail@1' })).toBe(1);
  expect(await app.effects()).toBe(1);
});

test('of several processes that put the same at their start are one version', async () => {
  const booted = await Promise.all([app.boot(), app.boot(), app.boot()]);
  const same = { ...mail, name: 'of all' };
  const results = await Promise.all(booted.map(({ definitions }) => definitions.define(same)));
  expect(results.map(({ definition }) => definition.version)).toEqual([1, 1, 1]);
  expect(results.filter(({ status }) => status === 'created')).toHaveLength(1);
});

test('run workflows that are data, in any process of the app', async () => {
  const { definitions, scheduler } = await app.boot();
  const { scheduler: worker } = await app.boot({ chronis: { autoStart: true } });
  const ran: unknown[] = [];
  worker.registerHandler('read', ({ payload }) => ({ read: payload }));
  worker.registerHandler('write', ({ payload }) => void ran.push(payload));
  await definitions.define({
    name: 'nightly',
    allowUnknownHandler: true,
    steps: [
      { name: 'extract', handler: 'read', payload: { from: { $param: '/table' } } },
      { name: 'load', handler: 'write', after: 'extract' },
    ],
  });
  await definitions.start('nightly', { params: { table: 'orders' }, key: 'n', allowUnknownHandler: true });
  const [run] = (await scheduler.getRuns({ jobId: 'n' })).items;
  expect(await scheduler.waitForRun(run!.id, { timeout: '20s' })).toMatchObject({ verdict: 'succeeded' });
  expect(ran).toEqual([{ table: 'orders' }]);
});
