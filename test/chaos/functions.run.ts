import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { ChronisModule, SchedulerService } from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { Pack } from './pack.js';
import { pause } from './pause.js';

export interface FunctionsOptions {
  url: string;
  schema: string;
  /** The compiled worker. */
  workerFile: string;
  functions: number;
  workers: number;
  seed: number;
  leaseMs: number;
  /** Between two faults. */
  everyMs: number;
  /** How long a step takes. */
  stepMs: number;
  /** The longest time that all may take. */
  withinMs: number;
  tell: (line: string) => void;
}

export interface FunctionsReport {
  violations: string[];
  figures: Record<string, number>;
}

const plainSteps = ['first', 'left', 'right', 'last'];
const writtenSteps = ['invoice', 'beside'];
const result = (nth: number): unknown => ['first', 'invoice', 'left', 'right', 'beside', `go ${nth}`, 'last'];

/**
 * Durable functions under `kill -9` and under SIGSTOP for longer than the lease: each has to come to its end with its own result, what it has written in transactions is there once, and a
 * plain step was run at most once more than the run has lost workers.
 */
export async function playFunctions(options: FunctionsOptions): Promise<FunctionsReport> {
  const { url, schema, functions, tell } = options;
  const client = new pg.Client(url);
  await client.connect();
  await client.query(
    `create schema if not exists "${schema}"; create table "${schema}".effect (run_id bigint, step text)`,
  );
  const folder = mkdtempSync(join(tmpdir(), 'chronis-functions-'));
  const notes = join(folder, 'notes');
  writeFileSync(notes, '');
  const storage = typeOrmStorage({ url, schema });
  @Module({ imports: [ChronisModule.forRoot({ storage, app: 'functions', autoStart: false, log: false })] })
  class ClientModule {}
  const app = await NestFactory.createApplicationContext(ClientModule, { logger: false });
  const scheduler = app.get(SchedulerService);
  const env = { DATABASE_URL: url, SCHEMA: schema, NOTES: notes, LEASE_MS: String(options.leaseMs) };
  const pack = new Pack({ ...options, env });
  try {
    const jobs = Array.from({ length: functions }, (_, nth) => ({
      id: `function-${nth}`,
      handler: 'function',
      in: 0,
      payload: { ms: options.stepMs },
      maxLost: 1_000,
      allowUnknownHandler: true,
    }));
    const made = await scheduler.createMany(jobs);
    const refused = made.filter(({ status }) => status === 'rejected');
    if (refused.length > 0) throw new Error(`${refused.length} functions could not be stored.`);
    await pack.begin();
    const harming = pack.harm();
    const { rows } = await client.query<{ id: string; job_id: string }>(
      `select id::text, job_id from "${schema}".run where job_id like 'function-%' order by id`,
    );
    for (const { id, job_id: jobId } of rows) {
      // One for each, at any moment of its life.
      await scheduler.signal(id, 'go', Number(jobId.split('-')[1]));
      if (Math.random() < 0.5) await pause(1);
    }
    const giveUpAt = Date.now() + options.withinMs;
    for (let left = functions; left > 0 && Date.now() < giveUpAt; await pause(500)) {
      const ended = `select count(*)::int as count from "${schema}".attempt where final`;
      left = functions - (await client.query<{ count: number }>(ended)).rows[0]!.count;
      tell(`${left} of ${functions} functions go on, ${pack.kills} kills, ${pack.freezes} freezes`);
    }
    pack.isOver = true;
    await harming;
    await pack.started();
    return await judge(client, schema, notes, functions, pack);
  } finally {
    await pack.end();
    await app.close();
    await client.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function judge(
  client: pg.Client,
  schema: string,
  notes: string,
  functions: number,
  { kills, freezes }: Pack,
): Promise<FunctionsReport> {
  const violations: string[] = [];
  const { rows: ends } = await client.query<{ id: string; job: string; outcome: string; result: unknown }>(
    `select run_id::text as id, job_id as job, outcome, result from "${schema}".attempt where final`,
  );
  if (ends.length !== functions) violations.push(`${functions - ends.length} functions have no end`);
  for (const { job, outcome, result: got } of ends) {
    const wanted = JSON.stringify(result(Number(job.split('-')[1])));
    if (outcome !== 'succeeded' || JSON.stringify(got) !== wanted)
      violations.push(`${job} ${outcome} with ${JSON.stringify(got)}`);
  }
  const lost = new Map<string, number>();
  const { rows: losses } = await client.query<{ id: string; count: number }>(
    `select run_id::text as id, count(*)::int from "${schema}".attempt where outcome = 'lost' group by 1`,
  );
  for (const { id, count } of losses) lost.set(id, count);
  const executions = new Map<string, number>();
  for (const line of readFileSync(notes, 'utf8').split('\n').filter(Boolean))
    executions.set(line, (executions.get(line) ?? 0) + 1);
  const effects = new Map<string, number>();
  const { rows: written } = await client.query<{ id: string; step: string }>(
    `select run_id::text as id, step from "${schema}".effect`,
  );
  for (const { id, step } of written) effects.set(`${id} ${step}`, (effects.get(`${id} ${step}`) ?? 0) + 1);
  let repeated = 0;
  for (const { id, job } of ends) {
    for (const step of plainSteps) {
      const times = executions.get(`${id} ${step}`) ?? 0;
      if (times > 1) repeated++;
      const most = 1 + (lost.get(id) ?? 0);
      if (times === 0 || times > most)
        violations.push(`${job}: ${step} was run ${times} times, ${most} at most`);
    }
    for (const step of writtenSteps) {
      const times = effects.get(`${id} ${step}`) ?? 0;
      if (times !== 1) violations.push(`${job}: the transaction of ${step} is there ${times} times`);
    }
  }
  const attemptsLost = losses.reduce((sum, { count }) => sum + count, 0);
  return {
    violations,
    figures: { functions, kills, freezes, 'attempts lost': attemptsLost, 'plain steps repeated': repeated },
  };
}
