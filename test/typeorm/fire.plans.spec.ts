import { expect, test } from 'vitest';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { FirePlans } from '../../lib/typeorm/fire.plans.js';
import type { Run } from '../../lib/typeorm/statement.runner.js';
import { newStorage } from '../support/postgres.subject.js';
import { freshSchema } from '../support/schema.js';

test('the firing is called for nothing: six times on new connections, then once in five seconds', async () => {
  const clock = new ManualClock();
  const calls: string[] = [];
  const run: Run = async (statement) => {
    calls.push(statement);
    return [];
  };
  const plans = new FirePlans(run, clock);
  await plans.prepare(1_000);
  expect(calls.splice(0)).toEqual(Array(12).fill('fire'));
  await clock.advanceBy(4_999);
  await plans.prepare(1_000);
  expect(calls).toEqual([]);
  await clock.advanceBy(1);
  plans.used();
  await plans.prepare(1_000);
  expect(calls).toEqual([]);
  await clock.advanceBy(5_000);
  await plans.prepare(1_000);
  expect(calls).toEqual(['fire', 'fire']);
});

test('nothing is planned for what is due already, or comes much later than the plans would be kept', async () => {
  const calls: string[] = [];
  const run: Run = async (statement) => {
    calls.push(statement);
    return [];
  };
  const plans = new FirePlans(run, new ManualClock());
  for (const inMs of [-1, 0, 5_001, 31_536_000_000]) await plans.prepare(inMs);
  expect(calls).toEqual([]);
});

test('what fails then is left to the firing itself', async () => {
  const plans = new FirePlans(() => Promise.reject(new Error('away')), new ManualClock());
  await plans.prepare(1_000);
});

test('the database takes a firing of nothing', async () => {
  const storage = newStorage({ schema: freshSchema('fire_plans') });
  await storage.init();
  const capability = { workerId: '', app: 'test', queues: [], handlers: [] };
  expect(await storage.fire(capability, [], 0)).toMatchObject({ moved: [], runs: [], unclaimed: 0 });
  await storage.close();
});
