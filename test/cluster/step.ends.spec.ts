import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChronisModule, SchedulerService, WorkflowService } from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { compiledTests } from '../support/compiled.js';
import { databaseUrl, freshSchema } from '../support/schema.js';
import { endingSteps, registerSteps, wholeResult, type EndingStep } from './step.ends.flow.js';
import { Victim } from './step.ends.victim.js';
import type { Place } from './step.ends.watch.js';
import type { StepEndsOrder } from './step.ends.worker.js';

/** How many processes are being killed at once. */
const lanes = 2;
const leaseMs = 2_000;
const schema = freshSchema('step_ends');
const url = databaseUrl();
const client = new pg.Client(url);

interface LedgerRow {
  job: string;
  runs: number;
  finals: number;
  lost: number;
  bad: number;
}

let starter: INestApplicationContext;
let begun = 0;
const victims: Victim[] = [];

beforeAll(async () => {
  compiledTests();
  await client.connect();
  await client.query(`create schema "${schema}"; create table "${schema}".effect (workflow text)`);
  starter = await boot(['nobody']);
}, 180_000);

afterAll(async () => {
  for (const victim of victims) await victim.end();
  await starter?.close();
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

async function boot(queues: string[]): Promise<INestApplicationContext> {
  const storage = typeOrmStorage({ url, schema, poolSize: 3 });
  @Module({
    imports: [
      ChronisModule.forRoot({
        ...{ storage, leaseMs, app: 'ends', queues, pollMs: 200 },
        ...{ autoStart: false, log: false },
      }),
    ],
  })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  registerSteps(app, schema);
  return app;
}

/** Starts a workflow, and the only process that can take its steps. */
async function begin(
  signal: StepEndsOrder['signal'],
  where: Partial<Pick<StepEndsOrder, 'place' | 'within'>> = {},
): Promise<Victim> {
  const queue = `queue-${++begun}`;
  const order: StepEndsOrder = {
    ...{ url, schema, queue, leaseMs, signal, statementTimeoutMs: 1_000, place: null, within: null },
    ...where,
  };
  const options = { key: queue, queue, onSuccess: { handler: 'told', queue } };
  const { runId } = await starter.get(WorkflowService).start('ends', options);
  const victim = new Victim(runId, order);
  victims.push(victim);
  return victim;
}

/** Other processes go on with what these have left; resolves when each workflow has ended, and its callback. */
async function finishedByAnother(...left: Victim[]): Promise<void> {
  const other = await boot(left.map(({ queue }) => queue));
  try {
    const scheduler = other.get(SchedulerService);
    await scheduler.start();
    for (const { queue, runId } of left) {
      const { verdict, result } = await scheduler.waitForRun(runId, { timeout: '60s' });
      expect({ verdict, result }).toEqual({ verdict: 'succeeded', result: wholeResult });
      const told = `select from "${schema}".attempt where queue = $1 and handler = 'told' and final`;
      while ((await client.query(told, [queue])).rowCount === 0);
    }
  } finally {
    await other.close();
  }
}

/** By job: a step is one. */
async function ledgerOf({ queue, runId }: Victim): Promise<LedgerRow[]> {
  const { rows } = await client.query<LedgerRow>(
    `select case when handler = 'told' then 'callback' when job_id = $1 then 'whole' else replace(job_id, $2 || '/', '') end as job,
       count(distinct run_id)::int as runs, count(*) filter (where final)::int as finals,
       count(*) filter (where final and outcome <> 'succeeded')::int as bad, count(*) filter (where outcome = 'lost')::int as lost
     from "${schema}".attempt where queue = $1 group by 1 order by 1`,
    [queue, runId],
  );
  return rows;
}

const jobs = ['callback', 'each.0', 'each.1', 'each.2', 'last', 'more', 'split', 'whole', 'write'];

/** What is wrong with the record of a workflow that has come to its end. */
async function violations(victim: Victim): Promise<string[]> {
  const found: string[] = [];
  const ledger = await ledgerOf(victim);
  const named = ledger.map(({ job }) => job).join();
  if (named !== jobs.join()) found.push(`on record are ${named}`);
  for (const { job, runs, finals, bad } of ledger) {
    if (runs !== 1 || finals !== 1 || bad !== 0)
      found.push(`${job} has ${runs} runs with ${finals} verdicts, ${bad} of them bad`);
  }
  const effects = await client.query(`select from "${schema}".effect where workflow = $1`, [victim.runId]);
  if (effects.rowCount !== 1) found.push(`its transaction is there ${effects.rowCount} times`);
  const left = await client.query(
    `select from "${schema}".run where queue = $1 and verdict is null and origin <> 'reserved'`,
    [victim.queue],
  );
  if (left.rowCount !== 0) found.push(`${left.rowCount} runs are left`);
  return found;
}

/** The statements by which each step ends where nothing is done to its process. */
async function observed(): Promise<Map<EndingStep, readonly string[]>> {
  const victim = await begin('SIGKILL');
  const statements = new Map<EndingStep, readonly string[]>();
  for (const step of endingSteps) statements.set(step, (await victim.endOf(step))!.statements);
  await victim.end();
  await finishedByAnother(victim);
  expect(await violations(victim)).toEqual([]);
  return statements;
}

/**
 * Before the transaction, in each of its statements, and after its commit: what comes before it, a new connection for instance, writes nothing, and what the handler writes itself is not looked at apart. Nor is what begins like
 * the end of another step.
 */
function placesIn(statements: ReadonlyMap<EndingStep, readonly string[]>): Place[] {
  const seen = new Set<string>();
  return endingSteps.flatMap((step) => {
    const names = statements.get(step)!;
    const first = names.findIndex((name) => name === 'begin' || name === 'savepoint');
    const last = names.length - 1;
    expect([first >= 0, names[last]]).toEqual([true, 'commit']);
    const each = names.slice(first).flatMap((_, nth): Place[] => {
      const beginning = names.slice(first, first + nth + 1).join();
      if (seen.has(beginning)) return [];
      seen.add(beginning);
      return [{ step, nth: first + nth, when: 'under way' }];
    });
    return [{ step, nth: first, when: 'before' }, ...each, { step, nth: last, when: 'after' }];
  });
}

async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const lane = async (): Promise<void> => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

// Real processes: a machine that stalls for a whole lease is told from a fault by another try.
describe('the end of a step', { retry: 1, timeout: 600_000 }, () => {
  test('is whole or not at all, in whichever of its statements the process is killed', async () => {
    const statements = await observed();
    const places = placesIn(statements);
    const killedAt = new Map<Place, Victim>();
    await inLanes(places, async (place) => {
      const victim = await begin('SIGKILL', { place });
      killedAt.set(place, victim);
      expect(await victim.endOf(place.step), 'it was to be killed before that').toBeNull();
    });
    await finishedByAnother(...killedAt.values());
    const said: string[] = [];
    for (const [place, victim] of killedAt) {
      const { step, nth, when } = place;
      const names = statements.get(step as EndingStep)!;
      const found = await violations(victim);
      // The commit is all that makes it be: sent is done.
      const isCommitted = nth === names.length - 1;
      const { lost } = (await ledgerOf(victim)).find(({ job }) => job === step)!;
      if (lost !== Number(!isCommitted)) found.push(`it was lost ${lost} times`);
      said.push(...found.map((what) => `${when} ${names[nth]} (${nth}) of the end of ${step}: ${what}`));
    }
    expect(said).toEqual([]);
    // It was worth it: growth, maps, the end of the whole and its callback were among it.
    expect(places.length).toBeGreaterThan(20);
  });

  test('is refused where the process was frozen for longer than its lease, within the step or before the commit', async () => {
    const statements = await observed();
    const beforeCommit = endingSteps.map((step) => {
      const place: Place = { step, nth: statements.get(step)!.length - 1, when: 'before' };
      return { step, order: { place } };
    });
    const frozen: { step: EndingStep; order: object; victim: Victim }[] = [];
    // From within this step it comes to its end before it can notice anything.
    const within = { step: 'split', order: { within: 'split' } } as const;
    await inLanes([within, ...beforeCommit], async ({ step, order }) => {
      const victim = await begin('SIGSTOP', order);
      expect(await victim.isStriking()).toBe(true);
      frozen.push({ step, order, victim });
    });
    const others = frozen.map(({ victim }) => victim);
    await finishedByAnother(...others);
    const before = await Promise.all(others.map(ledgerOf));
    for (const victim of others) victim.goOn();
    const said: string[] = [];
    for (const { step, order, victim } of frozen) {
      const answer = await victim.endOf(step);
      const found = await violations(victim);
      if (answer?.accepted !== false) found.push(`its end was answered with ${JSON.stringify(answer)}`);
      said.push(...found.map((what) => `${JSON.stringify(order)} of ${step}: ${what}`));
      await victim.end();
    }
    expect(said).toEqual([]);
    expect(await Promise.all(others.map(ledgerOf))).toEqual(before);
  });
});
