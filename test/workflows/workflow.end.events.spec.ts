import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import pg from 'pg';
import { ChronisEvents, UnrecoverableError, WorkflowService, workflow } from '../../lib/index.js';
import { ChronisTesting } from '../../lib/testing/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const ends = ['run.succeeded', 'run.failed', 'run.timed_out', 'run.cancelled'] as const;

describe.each(['memory', 'PostgreSQL'])('the end of a workflow as a whole, in %s', (kind) => {
  let schema: string;
  let chronis: ChronisTesting;
  let workflows: WorkflowService;
  let told: string[];
  let errors: unknown[];

  beforeEach(async () => {
    schema = freshSchema('ends');
    const url = databaseUrl();
    chronis = await ChronisTesting.create(
      kind === 'memory' ? {} : { storage: (clock) => typeOrmStorage({ url, schema, clock }) },
    );
    workflows = chronis.app.get(WorkflowService);
    told = [];
    errors = [];
    for (const name of ends)
      chronis.app.get(ChronisEvents).on(name, (event) => {
        if (event.handler !== 'flow') return;
        told.push(`${event.jobId} ${name} by ${event.workerId} after ${event.durationMs}`);
        if ('error' in event) errors.push(event.error);
      });
  });
  afterEach(async () => {
    await chronis.close();
    if (kind === 'memory') return;
    const client = new pg.Client(databaseUrl());
    await client.connect();
    await client.query(`drop schema "${schema}" cascade`);
    await client.end();
  });

  const begin = async (): Promise<string> => {
    await chronis.scheduler.schedule('flow', { id: 'nightly', every: '1h' });
    await chronis.advanceBy('1h');
    const { items } = await workflows.list({ workflow: 'flow' });
    return items[0]!.runId;
  };

  test('is told once where its steps have succeeded', async () => {
    workflows.register(workflow('flow').step('a', () => 1));
    await begin();
    expect(told).toEqual(['nightly run.succeeded by outside after 0']);
  });

  test('is told once, with the steps that have not ended well, where they have failed', async () => {
    const fail = (): never => {
      throw new UnrecoverableError('no');
    };
    workflows.register(
      workflow('flow')
        .step('a', fail)
        .step('b', () => 1, { after: 'a', otherwise: 'run' }),
    );
    await begin();
    expect(told).toEqual(['nightly run.failed by outside after 0']);
    expect((errors[0] as Error).message).toBe('Steps have not ended well: "a" (failed).');
  });

  test('is told once where it is cancelled while a step of it waits', async () => {
    workflows.register(workflow('flow').manual('approve'));
    const runId = await begin();
    await chronis.advanceBy('1m');
    await workflows.cancel(runId);
    expect(told).toEqual(['nightly run.cancelled by outside after 60000']);
  });

  test('is told when the last step has ended, where it is cancelled while that runs', async () => {
    let end = (): void => undefined;
    workflows.register(workflow('flow').step('a', () => new Promise<void>((resolve) => (end = resolve))));
    await chronis.scheduler.schedule('flow', { id: 'nightly', every: '1h' });
    await chronis.advanceBy('1h', { whileRunning: true });
    const { items } = await workflows.list({ workflow: 'flow' });
    await workflows.cancel(items[0]!.runId);
    expect(told).toEqual([]);
    end();
    await chronis.runDue();
    expect(told).toEqual(['nightly run.cancelled by outside after 0']);
  });

  test('is told once where it is decided by complete, by fail or by a timeout', async () => {
    workflows.register(workflow('flow', { timeout: '10m' }).manual('approve'));
    await chronis.scheduler.complete(await begin(), 'done');
    await chronis.advanceBy('1h');
    const [second] = (await workflows.list({ workflow: 'flow', state: 'active' })).items;
    await chronis.scheduler.fail(second!.runId, new UnrecoverableError('enough'));
    await chronis.advanceBy('1h');
    await chronis.advanceBy('11m');
    expect(told.map((line) => line.split(' ')[1])).toEqual(['run.succeeded', 'run.failed', 'run.timed_out']);
  });
});
