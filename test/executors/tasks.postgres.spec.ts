import { randomBytes } from 'node:crypto';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { BinaryStore, ChronisExecutorsModule } from '../../lib/executors/index.js';
import {
  ChronisModule,
  DefinitionService,
  InvalidPayloadError,
  mostBinaryBytes,
  SchedulerService,
  WorkflowService,
} from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const schema = freshSchema('tasks');
const client = new pg.Client(databaseUrl());
const apps: INestApplicationContext[] = [];

beforeAll(() => client.connect());
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});
afterAll(async () => {
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

/** A process that runs tasks; `works: false`: one that makes them only. */
async function boot({ works = true } = {}): Promise<INestApplicationContext> {
  const storage = typeOrmStorage({ url: databaseUrl(), schema });
  const executors = ChronisExecutorsModule.forRoot({ command: { allow: ['/bin/echo'] }, binary: {} });

  @Module({ imports: [executors, ChronisModule.forRoot({ storage, log: false, autoStart: works })] })
  class AppModule {}

  const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  apps.push(app);
  return app;
}

async function resultOf(app: INestApplicationContext, jobId: string): Promise<unknown> {
  const scheduler = app.get(SchedulerService);
  const [run] = (await scheduler.getRuns({ jobId })).items;
  if (run !== undefined) await scheduler.waitForRun(run.id, { timeout: '20s' });
  return (await scheduler.getAttempts({ jobId, finalOnly: true })).items[0];
}

test('a definition of the kind task is started as often as it is needed, in any process', async () => {
  const maker = await boot({ works: false });
  const definitions = maker.get(DefinitionService);
  const { definition } = await definitions.define({
    name: 'greet',
    task: { type: 'execute_command', file: '/bin/echo', args: ['hello', { $param: '/name' }] },
    params: { type: 'object', required: ['name'] },
    maxRetries: 2,
  });
  expect(definition).toMatchObject({ kind: 'task', version: 1, name: 'greet' });
  await expect(definitions.start('greet', { params: {} })).rejects.toThrow(InvalidPayloadError);
  const worker = await boot();
  for (const name of ['Ada', 'Grace']) {
    const { job } = await definitions.start('greet', { params: { name }, key: name });
    expect(job).toMatchObject({
      handler: 'task:execute_command',
      payload: { file: '/bin/echo', args: ['hello', name] },
    });
    expect(await resultOf(worker, name)).toMatchObject({
      ...{ outcome: 'succeeded', handler: 'task:execute_command' },
      result: { exitCode: 0, stdout: `hello ${name}\n` },
    });
  }
  const stored = await worker.get(DefinitionService).get('greet');
  expect(stored!.spec).toMatchObject({
    task: { type: 'execute_command', args: ['hello', { $param: '/name' }] },
  });
});

test('a step of a workflow that is data may be a task', async () => {
  const app = await boot();
  await app.get(DefinitionService).define({
    name: 'both',
    steps: [
      { name: 'first', task: { type: 'execute_command', file: '/bin/echo', args: ['one'] } },
      { name: 'second', after: 'first', task: { type: 'execute_command', file: '/bin/echo', args: ['two'] } },
    ],
  });
  const { job } = await app.get(DefinitionService).start('both', { key: 'both' });
  expect(await resultOf(app, job.id)).toMatchObject({ outcome: 'succeeded' });
  const workflows = app.get(WorkflowService);
  const [run] = (await workflows.list({ workflow: 'both' })).items;
  const { steps } = (await workflows.graph(run!.runId))!;
  expect(steps.map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
});

test('a program of the longest kind is stored by one process and run by another', async () => {
  const maker = await boot({ works: false });
  const text = '#!/bin/sh\nwc -c < "$0"\nexit 0\n';
  const bytes = Buffer.concat([Buffer.from(text), randomBytes(mostBinaryBytes - text.length)]);
  const { sha256, size } = await maker.get(BinaryStore, { strict: false }).store({ bytes });
  expect(size).toBe(mostBinaryBytes);
  const task = { type: 'binary', sha256 };
  await maker.get(SchedulerService).schedule({ task }, { id: 'long', in: 0, keep: '1h' });
  const worker = await boot();
  expect(await resultOf(worker, 'long')).toMatchObject({
    ...{ outcome: 'succeeded', handler: 'task:binary' },
    result: { stdout: `${mostBinaryBytes}\n` },
  });
  const { rows } = await client.query(
    `select payload::text, (select count(*)::int from "${schema}".binary) as count from "${schema}".run where job_id = 'long'`,
  );
  expect(rows).toEqual([{ payload: JSON.stringify({ sha256 }), count: 1 }]);
});

test('a program whose bytes were changed in the table is not run', async () => {
  const app = await boot();
  const { sha256 } = await app
    .get(BinaryStore, { strict: false })
    .store({ bytes: Buffer.from('#!/bin/sh\necho mine\n') });
  await client.query(`update "${schema}".binary set bytes = convert_to($2, 'UTF8') where sha256 = $1`, [
    sha256,
    '#!/bin/sh\necho yours\n',
  ]);
  await app
    .get(SchedulerService)
    .schedule({ task: { type: 'binary', sha256 } }, { id: 'changed', in: 0, maxRetries: 3 });
  expect(await resultOf(app, 'changed')).toMatchObject({
    ...{ outcome: 'failed', attempt: 1, result: null },
    error: expect.stringContaining('BinaryRefusedError: The program was not run') as string,
  });
});
