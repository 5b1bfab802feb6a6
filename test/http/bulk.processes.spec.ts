import { afterEach, beforeEach, expect, test } from 'vitest';
import type { MemoryStorage } from '../../lib/index.js';
import { HttpChronis } from './http.chronis.js';

let one: HttpChronis;
let two: HttpChronis;

/** Another process on the same jobs. */
const beside = (chronis: HttpChronis) => {
  const { clock, storage } = chronis;
  return HttpChronis.boot('express', {}, undefined, [], { clock, storage: storage.open() as MemoryStorage });
};

beforeEach(async () => {
  one = await HttpChronis.boot('express');
  two = await beside(one);
  for (let nr = 0; nr < 250; nr++)
    await one.scheduler.createJob({ id: `job-${nr}`, handler: 'work', every: '1h' });
});
afterEach(async () => {
  await Promise.all([one.close(), two.close(), one.clock.advanceBy(60_000)]);
});

const order = { action: 'pause', filter: {}, expected: 250 };

/** The first step waits; resolves once it does, with what lets it go. */
const heldAtFirstStep = ({ storage }: HttpChronis) => {
  const change = storage.changeJobs.bind(storage);
  return new Promise<() => void>((reached) => {
    storage.changeJobs = async (refs, how) => {
      storage.changeJobs = change;
      await new Promise<void>((go) => reached(go));
      return change(refs, how);
    };
  });
};

const ended = async (chronis: HttpChronis, id: string) => {
  for (;;) {
    const { json } = await chronis.get(`bulk-actions/${id}`);
    if (!['running', 'aborting'].includes(json.state as string)) return json;
  }
};

test('each process tells how far a bulk action is, and what it came to', async () => {
  const held = heldAtFirstStep(one);
  const { json: begun } = await one.post('bulk-actions', order);
  const letGo = await held;
  const seen = await two.get(`bulk-actions/${begun.id}`);
  expect(seen.json).toMatchObject({ state: 'running', matched: 0, filter: {}, expected: 250 });
  letGo();
  expect(await ended(two, begun.id as string)).toMatchObject({ state: 'done', matched: 250, changed: 250 });
  expect((await two.get('bulk-actions')).json).toEqual((await one.get('bulk-actions')).json);
});

test('another process ends it before its next step', async () => {
  const held = heldAtFirstStep(one);
  const { json: begun } = await one.post('bulk-actions', order);
  const letGo = await held;
  const { json } = await two.http.send('DELETE', `/chronis/bulk-actions/${begun.id}`);
  expect(json).toMatchObject({ state: 'aborting' });
  // Its process hears of it with what it writes next.
  await one.clock.advanceBy(20_000);
  letGo();
  expect(await ended(two, begun.id as string)).toMatchObject({
    state: 'aborted',
    matched: 100,
    changed: 100,
  });
  expect(await one.scheduler.countJobs({ state: 'paused' })).toBe(100);
});

test('a key counts in all processes', async () => {
  const key = { 'idempotency-key': 'pause-1' };
  const tries = await Promise.all(
    [one, two, one, two].map((chronis) => chronis.post('bulk-actions', order, key)),
  );
  expect(tries.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
  expect(new Set(tries.map(({ json }) => json.id)).size).toBe(1);
  await ended(one, tries[0]!.json.id as string);
  const other = await two.post('bulk-actions', { ...order, action: 'resume' }, key);
  expect([other.status, other.json.code]).toEqual([422, 'http.idempotency-key-reused']);
  expect((await two.get('audit')).json.items).toMatchObject([{ action: 'pauseMany', count: 250 }]);
});

test('one whose process is silent is told as interrupted, with what to do, and ends there', async () => {
  const held = heldAtFirstStep(one);
  const { json: begun } = await one.post('bulk-actions', order);
  const letGo = await held;
  const { bulkActions } = one.storage;
  const report = bulkActions.report.bind(bulkActions);
  bulkActions.report = () => Promise.reject(new Error('away'));
  await one.clock.advanceBy(60_000);
  const told = await two.get(`bulk-actions/${begun.id}`);
  expect(told.json).toMatchObject({ state: 'interrupted', problem: { code: 'http.interrupted' } });
  expect(told.json.problem.detail).toContain('{ dryRun: true }');
  // It was not dead: it does no more than the step that it was at, and says how far it came.
  bulkActions.report = report;
  letGo();
  for (let matched = 0; matched === 0;) ({ matched } = (await two.get(`bulk-actions/${begun.id}`)).json);
  const done = await one.scheduler.countJobs({ state: 'paused' });
  expect(done).toBeLessThan(250);
  const rest = await two.post('bulk-actions', { ...order, filter: { state: 'pending' }, dryRun: true });
  const { filter, matched } = rest.json;
  expect(matched).toBe(250 - done);
  const next = await two.post('bulk-actions', { action: 'pause', filter, expected: matched });
  expect(await ended(two, next.json.id as string)).toMatchObject({ state: 'done' });
  expect(await one.scheduler.countJobs({ state: 'paused' })).toBe(250);
});
