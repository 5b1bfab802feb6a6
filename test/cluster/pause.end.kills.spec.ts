import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChronisEvents, ChronisModule, SchedulerService } from '../../lib/index.js';
import { compiledTests } from '../support/compiled.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';
import { strikePlaces, type StrikePlace } from '../support/struck.statements.js';
import { TellingProcess } from '../support/telling.process.js';
import type { PauseEndOrder, PauseEndWord } from './pause.end.kills.worker.js';

const leaseMs = 2_000;
const schema = freshSchema('pause_kills');
const url = databaseUrl();
const client = new pg.Client(url);
const processes: TellingProcess<PauseEndOrder, PauseEndWord>[] = [];
let starter: INestApplicationContext;

beforeAll(async () => {
  compiledTests();
  await client.connect();
  starter = await boot(['nobody']);
}, 180_000);

afterAll(async () => {
  for (const each of processes) await each.end();
  await starter.close();
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

async function boot(queues: readonly string[]): Promise<INestApplicationContext> {
  @Module({
    imports: [
      ChronisModule.forRoot({
        ...{ storage: newStorage({ schema }), leaseMs, pollMs: 200, queues: [...queues] },
        ...{ log: false, autoStart: false, allowUnknownHandler: true },
      }),
    ],
  })
  class AppModule {}
  return NestFactory.createApplicationContext(AppModule, { logger: false });
}

/** A job and its queue are paused until a moment ago, and a process begins that ends both. */
async function begin(
  id: string,
  place: StrikePlace | null,
): Promise<TellingProcess<PauseEndOrder, PauseEndWord>> {
  const scheduler = starter.get(SchedulerService);
  await scheduler.createJob({ id, handler: 'work', every: '1s', queue: id });
  await scheduler.pauseJob(id, { until: '1h' });
  await scheduler.pause({ queue: id }, { until: '1h' });
  await endsBecome(`now() - interval '1 second'`, id);
  const worker = new TellingProcess<PauseEndOrder, PauseEndWord>('cluster/pause.end.kills.worker', {
    ...{ url, schema, leaseMs, place },
  });
  processes.push(worker);
  return worker;
}

/** Of the job and the queue of this name; null: of all. */
async function endsBecome(at: string, name: string | null): Promise<void> {
  const text = `update "${schema}".pause_end set until_at = ${at} where $1::text is null or name = $1`;
  await client.query(text, [name]);
}

/** Another process ends what is left, and works until each job has run twice; which ends of pauses it has told. */
async function goneOn(ids: readonly string[]): Promise<string[]> {
  const other = await boot(ids);
  const ended: string[] = [];
  const runs = new Map(ids.map((id) => [id, 0]));
  const events = other.get(ChronisEvents);
  events.on('pause.ended', ({ kind, name }) => void ended.push(`${kind} ${name}`));
  const isWhole = new Promise<void>((resolve) => {
    events.on('run.succeeded', ({ jobId }) => {
      runs.set(jobId, runs.get(jobId)! + 1);
      if ([...runs.values()].every((count) => count >= 2)) resolve();
    });
  });
  const scheduler = other.get(SchedulerService);
  scheduler.registerHandler('work', () => undefined);
  await endsBecome(`now() - interval '1 second'`, null);
  await scheduler.start();
  await isWhole;
  await other.close();
  return ended;
}

/** What is wrong with the record of the job. */
async function violations(id: string): Promise<string[]> {
  const { rows: runs } = await client.query<{ at: Date; finals: number; attempts: number }>(
    `select nominal_at as at, sum(final::int)::int as finals, count(*)::int as attempts from "${schema}".attempt where job_id = $1 group by 1 order by 1`,
    [id],
  );
  const found = runs.flatMap(({ at, finals, attempts }) =>
    finals === 1 && attempts === 1
      ? []
      : [`${at.toISOString()} has ${attempts} attempts, ${finals} of them final`],
  );
  const scheduler = starter.get(SchedulerService);
  const { items: gaps } = await scheduler.getGaps({ jobId: id });
  for (const { from, until, reason } of gaps) {
    if (until === null) found.push(`its ${reason} goes on`);
    const within = runs.filter(({ at }) => at >= from && until !== null && at < until);
    if (within.length > 0) found.push(`it ran ${within.length} times within its ${reason}`);
  }
  if (!gaps.some(({ verdict }) => verdict === 'paused')) found.push('nothing fell into its pause');
  if ((await scheduler.getJob(id))?.paused !== null) found.push('it is still paused');
  return found;
}

// Real processes: a machine that stalls for a whole lease is told from a fault by another try.
describe('a pause with an end', { retry: 1, timeout: 600_000 }, () => {
  test('ends once, and its job goes on once, in whichever of the statements of its end the process is killed', async ({
    task,
  }) => {
    const nthTry = task.result?.retryCount ?? 0;
    const observed = await begin(`observed-${nthTry}`, null);
    const word = (await observed.said((each) => 'statements' in each)) as { statements: string[] };
    const { statements } = word;
    await observed.end();
    expect(statements).toEqual(expect.arrayContaining(['takePauseEnds', 'takeScopeEnd']));
    const commits = statements.flatMap((name, nth) => (name === 'commit' ? [nth] : []));
    expect(commits).toHaveLength(2);

    const victims = new Map<string, { place: StrikePlace; told: string[] }>();
    for (const place of strikePlaces(statements)) {
      const id = `at-${place.nth}-${place.when.replace(' ', '-')}-${nthTry}`;
      const victim = await begin(id, place);
      await victim.said(() => false);
      expect(victim.signal, `it was to be killed at ${id}`).toBe('SIGKILL');
      const told = victim.words.flatMap((each) => ('ended' in each ? [each.ended] : []));
      victims.set(id, { place, told });
      // The next one is to find what is its own.
      await endsBecome(`now() + interval '1 hour'`, id);
    }
    const told = await goneOn([...victims.keys()]);
    const said: string[] = [];
    for (const [id, { place, told: before }] of victims) {
      const found = await violations(id);
      // What was committed is done, and nobody tells of it any more: the commit is all that makes it be.
      const left = ['job', 'queue']
        .filter((_, nth) => place.nth < commits[nth]!)
        .map((kind) => `${kind} ${id}`);
      const heard = [...before, ...told.filter((each) => each.endsWith(` ${id}`))];
      if (heard.toSorted().join() !== left.join())
        found.push(`told as ended were ${heard.join() || 'none'}, not ${left.join() || 'none'}`);
      said.push(...found.map((what) => `${place.when} ${statements[place.nth]} (${place.nth}): ${what}`));
    }
    expect(said).toEqual([]);
    expect(victims.size).toBeGreaterThan(20);
    const { rows } = await client.query(`select * from "${schema}".pause_end`);
    expect([rows, await starter.get(SchedulerService).getPauses()]).toEqual([[], []]);
  });
});
