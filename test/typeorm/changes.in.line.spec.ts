import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChronisModule, SchedulerService } from '../../lib/index.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

// Two changes wait for the same job, one behind the other. What the second goes by has to be what the first has left, in each table.

const schema = freshSchema('in_line');
const [watcher, other] = [new pg.Client(databaseUrl()), new pg.Client(databaseUrl())];
let apps: INestApplicationContext[];
let scheduler: SchedulerService;
/** Of another process: what one stores waits in it for what it stores already. */
let beside: SchedulerService;

async function boot(): Promise<INestApplicationContext> {
  const chronis = ChronisModule.forRoot({ storage: newStorage({ schema }) });
  @Module({ imports: [chronis] })
  class AppModule {}

  const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  app.get(SchedulerService).registerHandler('work', () => undefined);
  return app;
}

beforeAll(async () => {
  apps = [await boot(), await boot()];
  [scheduler, beside] = apps.map((app) => app.get(SchedulerService)) as [SchedulerService, SchedulerService];
  await Promise.all([watcher.connect(), other.connect()]);
});

afterAll(async () => {
  for (const app of apps) await app.close();
  await other.query(`drop schema "${schema}" cascade`);
  await Promise.all([watcher.end(), other.end()]);
});

const until = (days: number): Date => new Date(Date.UTC(2126, 0, days));
const make = {
  recurring: (id: string) => scheduler.schedule('work', { id, every: '1d' }),
  'one-off': (id: string) => scheduler.schedule('work', { id, at: until(9) }),
};
type Change = (by: SchedulerService, id: string) => Promise<unknown>;
const deletion: Change = (by, id) => by.deleteJob(id);
const changes: Record<string, Change> = {
  pause: (by, id) => by.pauseJob(id, { reason: 'audit' }),
  'pause for a time': (by, id) => by.pauseJob(id, { until: until(1) }),
  resume: (by, id) => by.resumeJob(id),
  'resume of many': (by, id) => by.resumeMany({ idPrefix: id }),
  update: (by, id) => by.updateJob(id, { payload: 1 }),
  deletion,
};
const replacements: Record<string, Change> = {
  upsert: (by, id) => by.upsert({ id, handler: 'work', every: '20m' }),
  'upsert that begins later': (by, id) => by.upsert({ id, handler: 'work', every: '30m', startAt: until(2) }),
  'schedule that replaces': (by, id) => by.schedule('work', { id, every: '40m', onConflict: 'replace' }),
  'many that replace': (by, id) =>
    by.createMany([{ id, handler: 'work', every: '50m' }], { onConflict: 'replace' }),
  'what is said again': (by, id) => by.upsert({ id, handler: 'work', every: '1h', payload: 1 }),
  'another interval': (by, id) => by.updateJob(id, { every: '2h', startAt: until(3) }),
  'a cron': (by, id) => by.updateJob(id, { cron: '0 0 1 1 *' }),
  deletion,
};

/** What is said of a job that is gone is an answer too. */
async function change(each: Change, id: string, by = scheduler): Promise<void> {
  await each(by, id).catch(() => undefined);
}

async function waiting(count: number): Promise<void> {
  const query = `select count(*)::int as count from pg_stat_activity where wait_event_type = 'Lock' and query like '%"${schema}"%'`;
  while ((await watcher.query<{ count: number }>(query)).rows[0]!.count < count);
}

async function inLine(id: string, first: Change, second: Change): Promise<void> {
  await other.query(`begin; select from "${schema}".job where id = '${id}' for update`);
  await other.query(`select from "${schema}".run where job_id = '${id}' for update`);
  const one = change(first, id);
  await waiting(1);
  const two = change(second, id, beside);
  await waiting(2);
  await other.query('commit');
  await Promise.all([one, two]);
}

async function stateOf(id: string): Promise<unknown> {
  const job = await scheduler.getJob(id).catch(() => null);
  if (job === null) return null;
  const { state, paused, nextRunAt, revision, payload } = job;
  const pause = paused && { reason: paused.reason, until: paused.until };
  return { state, pause, due: nextRunAt !== null, revision, payload };
}

/** Which pairs come to something else at once than in turn. */
async function wrongPairs(
  pairs: Record<string, Change>,
  make: (id: string) => Promise<unknown>,
  state: (id: string) => Promise<unknown>,
): Promise<unknown[]> {
  const wrong: unknown[] = [];
  for (const [first, one] of Object.entries(pairs)) {
    for (const [second, two] of Object.entries(pairs)) {
      const ids = [`${first}-${second}-at-once`, `${first}-${second}-in-turn`] as const;
      for (const id of ids) await make(id);
      await inLine(ids[0], one, two);
      await change(one, ids[1]);
      await change(two, ids[1]);
      const [found, wanted] = [await state(ids[0]), await state(ids[1])];
      if (JSON.stringify(found) !== JSON.stringify(wanted)) wrong.push({ first, second, found, wanted });
      for (const id of ids) await change(deletion, id);
    }
  }
  return wrong;
}

describe.each(['recurring', 'one-off'] as const)('of a %s job', (kind) => {
  test.each([
    ['that goes on', []],
    ['that is paused for a time', ['pause for a time']],
  ] as const)('%s, two changes at once come to what they are one after the other', async (_, before) => {
    const begin = async (id: string): Promise<void> => {
      await make[kind](id);
      for (const each of before) await change(changes[each]!, id);
    };
    expect(await wrongPairs(changes, begin, stateOf)).toEqual([]);
  });
});

describe('of an interval that begins later', () => {
  /** An anchor that nobody has named is the time of the call. */
  async function scheduleOf(id: string): Promise<unknown> {
    const job = await scheduler.getJob(id).catch(() => null);
    if (job === null) return null;
    const { trigger, payload, nextRunAt } = job;
    const isLate = (at: Date | null): boolean => at !== null && at >= until(1);
    const anchor = trigger.type === 'interval' ? new Date(trigger.anchor!) : null;
    const named = isLate(anchor) ? anchor : anchor !== null;
    return { trigger: { ...trigger, anchor: named }, next: isLate(nextRunAt) ? nextRunAt : 'soon', payload };
  }

  test('two changes at once, of which some replace it, come to what they are one after the other', async () => {
    const begin = (id: string) => scheduler.schedule('work', { id, every: '1h', startAt: until(1) });
    expect(await wrongPairs(replacements, begin, scheduleOf)).toEqual([]);
  });
});
