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
let app: INestApplicationContext;
let scheduler: SchedulerService;

beforeAll(async () => {
  const chronis = ChronisModule.forRoot({ storage: newStorage({ schema }) });
  @Module({ imports: [chronis] })
  class AppModule {}

  app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  scheduler = app.get(SchedulerService);
  scheduler.registerHandler('work', () => undefined);
  await Promise.all([watcher.connect(), other.connect()]);
});

afterAll(async () => {
  await app.close();
  await other.query(`drop schema "${schema}" cascade`);
  await Promise.all([watcher.end(), other.end()]);
});

const until = (days: number): Date => new Date(Date.UTC(2126, 0, days));
const make = {
  recurring: (id: string) => scheduler.schedule('work', { id, every: '1d' }),
  'one-off': (id: string) => scheduler.schedule('work', { id, at: until(9) }),
};
const changes = {
  pause: (id: string) => scheduler.pauseJob(id, { reason: 'audit' }),
  'pause for a time': (id: string) => scheduler.pauseJob(id, { until: until(1) }),
  resume: (id: string) => scheduler.resumeJob(id),
  'resume of many': (id: string) => scheduler.resumeMany({ idPrefix: id }),
  update: (id: string) => scheduler.updateJob(id, { payload: 1 }),
  deletion: (id: string) => scheduler.deleteJob(id),
};
type Change = keyof typeof changes;
const names = Object.keys(changes) as Change[];

/** What is said of a job that is gone is an answer too. */
async function change(name: Change, id: string): Promise<void> {
  await changes[name](id).catch(() => undefined);
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
  const two = change(second, id);
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

describe.each(['recurring', 'one-off'] as const)('of a %s job', (kind) => {
  test.each([
    ['that goes on', []],
    ['that is paused for a time', ['pause for a time']],
  ] as const)('%s, two changes at once come to what they are one after the other', async (_, before) => {
    const wrong: unknown[] = [];
    for (const first of names) {
      for (const second of names) {
        const ids = [`${kind}-${first}-${second}-at-once`, `${kind}-${first}-${second}-in-turn`] as const;
        for (const id of ids) {
          await make[kind](id);
          for (const each of before) await change(each, id);
        }
        await inLine(ids[0], first, second);
        await change(first, ids[1]);
        await change(second, ids[1]);
        const [found, wanted] = [await stateOf(ids[0]), await stateOf(ids[1])];
        if (JSON.stringify(found) !== JSON.stringify(wanted)) wrong.push({ first, second, found, wanted });
        for (const id of ids) await change('deletion', id);
      }
    }
    expect(wrong).toEqual([]);
  });
});
