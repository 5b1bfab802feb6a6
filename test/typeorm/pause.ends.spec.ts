import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PauseEndPlans, StorageAdapter } from '../../lib/index.js';
import { addOneOff, addRecurring, jobOf, ref } from '../../lib/testing/laws/fixture.js';
import { databaseUrl } from '../support/schema.js';
import { storageForEachTest } from '../support/storage.for.each.test.js';

const client = new pg.Client(databaseUrl());
let schema: string;
let storage: StorageAdapter;
storageForEachTest('pause_ends', (fresh) => ({ schema, storage } = fresh));

beforeAll(() => client.connect());
afterAll(() => client.end());

const pause = { reason: null, by: null };
const stays = ({ pausedFrom }: { pausedFrom: number | null }) => ({ nextAt: pausedFrom, gap: null });
const plans: PauseEndPlans = { job: () => stays, scope: stays };

async function sql(text: string): Promise<Record<string, unknown>[]> {
  return (await client.query<Record<string, unknown>>(text.replaceAll('$.', `"${schema}".`))).rows;
}

/** Lets all ends come that are stored. */
async function come(): Promise<string[]> {
  await sql(`update $.pause_end set until_at = now() - interval '1 second' where until_at < 'infinity'`);
  const { ended } = await storage.endPauses!('default', plans, 100);
  return ended.map(({ name }) => name);
}

test('an end does not hold for what the release before has resumed, deleted or paused anew, and goes', async () => {
  const until = (await storage.now()) + 3_600_000;
  for (const id of ['resumed', 'anew', 'deleted', 'stands']) {
    await addRecurring(storage, { id });
    await storage.pauseJob(ref(id), { ...pause, until });
  }
  await addOneOff(storage, { id: 'one-off' });
  await storage.pauseJob(ref('one-off'), { ...pause, until });
  for (const name of ['resumed', 'anew'])
    await storage.pauseScope({ kind: 'queue', name }, { ...pause, until });
  // As that release does it, which knows nothing of ends.
  await sql(`update $.job set paused_at = null where id = 'resumed'`);
  await sql(`update $.job set paused_at = paused_at + interval '1 second' where id = 'anew'`);
  await sql(`delete from $.job where id = 'deleted'`);
  await sql(`update $.run set paused_at = paused_at + interval '1 second' where job_id = 'one-off'`);
  await sql(`delete from $.pause where name = 'resumed'`);
  await sql(`update $.pause set paused_at = paused_at + interval '1 second' where name = 'anew'`);
  expect((await jobOf(storage, 'anew')).paused?.until).toBeNull();
  expect(await storage.queryPauses()).toMatchObject([{ name: 'anew', until: null }]);
  expect(await come()).toEqual(['stands']);
  expect(await sql('select * from $.pause_end')).toEqual([]);
  expect((await jobOf(storage, 'anew')).state).toBe('paused');
  expect(await storage.queryPauses()).toHaveLength(1);
});

test('an end goes with its job, its pause or its scope, and moves with a job that gets another id', async () => {
  const until = (await storage.now()) + 3_600_000;
  const ids = ['deleted', 'resumed', 'again', 'run', 'changed'];
  for (const id of ids) {
    await addOneOff(storage, { id, dueInMs: 60_000 });
    await storage.pauseJob(ref(id), { ...pause, until });
  }
  await storage.pauseScope({ kind: 'all', name: '' }, { ...pause, until });
  expect(await sql('select kind from $.pause_end')).toHaveLength(6);
  await storage.deleteJob(ref('deleted'));
  await storage.changeJobs([ref('resumed')], { kind: 'resume', plan: () => stays });
  await storage.pauseJob(ref('again'), pause);
  await storage.runNow(ref('run'));
  await storage.changeJobs([ref('changed')], { kind: 'delete' });
  await storage.resumeScope({ kind: 'all', name: '' }, stays);
  expect(await sql('select * from $.pause_end')).toEqual([]);
});

test('a job that is locked when its pause ends is waited for, and one that somebody resumes meanwhile is not told', async () => {
  await addRecurring(storage);
  await storage.pauseJob(ref('job'), { ...pause, until: (await storage.now()) + 3_600_000 });
  await client.query(`begin; select from "${schema}".job for update`);
  await client.query(`update "${schema}".job set paused_at = null, revision = revision + 1`);
  const watcher = new pg.Client(databaseUrl());
  await watcher.connect();
  await watcher.query(`update "${schema}".pause_end set until_at = now() - interval '1 second'`);
  const ended = storage.endPauses!('default', plans, 10);
  const waits = `select count(*)::int as count from pg_stat_activity where wait_event_type = 'Lock' and query like '%"${schema}"%'`;
  while ((await watcher.query<{ count: number }>(waits)).rows[0]!.count === 0);
  await client.query('commit');
  expect((await ended).ended).toEqual([]);
  await watcher.end();
});
