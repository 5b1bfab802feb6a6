import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import pg from 'pg';
import { ChronisEvents, UnrecoverableError, WorkflowService, workflow } from '../../lib/index.js';
import { ChronisTesting } from '../../lib/testing/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

describe.each(['memory', 'PostgreSQL'])('pauseAfterFailures of a workflow, in %s', (kind) => {
  let schema: string;
  let chronis: ChronisTesting;
  let workflows: WorkflowService;
  const paused: string[] = [];

  beforeEach(async () => {
    schema = freshSchema('circuit');
    const url = databaseUrl();
    chronis = await ChronisTesting.create(
      kind === 'memory' ? {} : { storage: (clock) => typeOrmStorage({ url, schema, clock }) },
    );
    workflows = chronis.app.get(WorkflowService);
    paused.length = 0;
    chronis.app.get(ChronisEvents).on('job.paused', ({ id, reason }) => void paused.push(`${id}: ${reason}`));
    const fail = (): never => {
      throw new UnrecoverableError('no');
    };
    workflows.register(
      workflow('fails')
        .step('a', fail)
        .step('after', () => 1, { after: 'a', otherwise: 'run' }),
    );
    workflows.register(workflow('asks').manual('approve'));
  });
  afterEach(async () => {
    await chronis.close();
    if (kind === 'memory') return;
    const client = new pg.Client(databaseUrl());
    await client.connect();
    await client.query(`drop schema "${schema}" cascade`);
    await client.end();
  });

  const create = (handler: string): Promise<unknown> =>
    chronis.scheduler.createCronJob({ id: 'j', handler, cron: '* * * * *', pauseAfterFailures: 2 });
  const state = async (): Promise<string> => (await chronis.scheduler.getJob('j'))!.state;

  test('counts those whose steps have failed, whichever was the last to end', async () => {
    await create('fails');
    await chronis.advanceBy('1m');
    expect([await state(), paused]).toEqual(['scheduled', []]);
    await chronis.advanceBy('1m');
    expect(paused).toEqual([
      'j: 2 occurrences failed in a row. The last error: Steps have not ended well: "a" (failed).',
    ]);
    expect(await state()).toBe('paused');
    await chronis.advanceBy('5m');
    expect((await chronis.scheduler.getAttempts({ jobId: 'j', finalOnly: true })).items).toHaveLength(2);
  });

  test('counts those that somebody has failed by a step', async () => {
    await create('asks');
    for (let nth = 0; nth < 2; nth++) {
      await chronis.advanceBy('1m');
      const [run] = (await chronis.scheduler.getRuns({ jobId: 'j', state: 'open' })).items;
      await workflows.fail({ runId: run!.id, step: 'approve' }, new Error('refused'));
      await chronis.runDue();
    }
    expect(paused).toHaveLength(1);
    expect(await state()).toBe('paused');
  });

  test('does not count a retry by hand that fails as another occurrence', async () => {
    await create('fails');
    await chronis.advanceBy('1m');
    for (let retries = 0; retries < 2; retries++) {
      const [run] = (await chronis.scheduler.getRuns({ jobId: 'j', state: 'failed' })).items;
      await workflows.retry(run!.id);
      await chronis.runDue();
    }
    expect((await chronis.scheduler.getAttempts({ jobId: 'j', finalOnly: true })).items).toHaveLength(3);
    expect([await state(), paused]).toEqual(['scheduled', []]);
    await chronis.advanceBy('1m');
    expect(paused).toHaveLength(1);
    await chronis.scheduler.resumeJob('j');
    const [last] = (await chronis.scheduler.getRuns({ jobId: 'j', state: 'failed' })).items;
    await workflows.retry(last!.id);
    await chronis.runDue();
    expect([await state(), paused.length]).toEqual(['scheduled', 1]);
  });

  test('does not count a retry by hand of a plain job either', async () => {
    chronis.scheduler.registerHandler('plain', () => {
      throw new UnrecoverableError('no');
    });
    await create('plain');
    await chronis.advanceBy('1m');
    for (let retries = 0; retries < 2; retries++) {
      const [run] = (await chronis.scheduler.getRuns({ jobId: 'j', state: 'failed' })).items;
      await chronis.scheduler.retryRun(run!.id);
      await chronis.runDue();
    }
    expect((await chronis.scheduler.getAttempts({ jobId: 'j', finalOnly: true })).items).toHaveLength(3);
    expect([await state(), paused]).toEqual(['scheduled', []]);
    await chronis.advanceBy('1m');
    expect(paused).toHaveLength(1);
  });
});
