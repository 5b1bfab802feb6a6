import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { EntityManager } from 'typeorm';
import { flowResultNotKept, workflow, type ChronisEvents, type DefinedWorkflow } from '../../lib/index.js';
import { TransactionalApp } from '../support/transactional.app.js';

type Process = Awaited<ReturnType<TransactionalApp['boot']>>;

describe('a workflow on PostgreSQL', () => {
  let database: TransactionalApp;
  let processes: Process[] = [];

  beforeAll(async () => {
    database = await TransactionalApp.create('workflows');
  }, 60_000);
  afterEach(async () => {
    for (const each of processes) await each.close();
    processes = [];
    await database.client.query(`delete from "${database.schema}".effect`);
  });
  afterAll(() => database.close());

  /** A process that works. */
  async function boot(
    defined: readonly DefinedWorkflow<any, any, any>[],
    more: { abortGraceMs?: number } = {},
  ): Promise<Process> {
    const app = await database.boot({ chronis: { autoStart: false, pollMs: 200, ...more } });
    processes.push(app);
    for (const each of defined) app.workflows.register(each);
    await app.scheduler.start();
    return app;
  }

  /** A process that runs no jobs, and has no code. */
  async function api(): Promise<Process> {
    const app = await database.boot();
    processes.push(app);
    return app;
  }

  test('is run by several processes, and hands on what its steps return', async () => {
    const sums = workflow<number>('sums')
      .step('list', (ctx) => Array.from({ length: ctx.params }, (_, i) => i))
      .map('double', (ctx) => ctx.item * 2, { after: 'list' })
      .map('text', (ctx) => `${ctx.item}`, { after: 'double' })
      .step(
        'sum',
        async (ctx) => {
          let sum = 0;
          for await (const item of ctx.results('double')) sum += item;
          return sum;
        },
        { after: 'double' },
      )
      .step('end', async (ctx) => [await ctx.result('sum'), (await ctx.result('text')).length], {
        after: ['sum', 'text'],
      });
    const [one] = await Promise.all([boot([sums]), boot([sums])]);
    const { runId } = await one.workflows.start(sums, { params: 300 });
    const outcome = await one.scheduler.waitForRun(runId);
    expect(outcome).toMatchObject({ verdict: 'succeeded', result: { end: [89_700, 300] } });
    expect(await (await api()).workflows.get(runId)).toMatchObject({
      state: 'succeeded',
      counts: { succeeded: 605 },
    });
  });

  test('tells what its steps wait for: a signal, the end of a sleep, a queue that is paused, or that nobody takes from', async () => {
    const begun: string[] = [];
    const held = workflow('held')
      .step('signal', async (ctx) => ctx.waitFor('approved'))
      .step('timed', async (ctx) => ctx.waitFor('approved', { timeout: '2d' }))
      .step('sleeps', async (ctx) => ctx.sleep('1h'))
      .step('paused', () => void begun.push('paused'), { queue: 'held' })
      .step('nobody', () => undefined, { queue: 'gpu' });
    const app = await boot([held]);
    await app.scheduler.pause({ queue: 'held' });
    const { runId } = await app.workflows.start(held);
    const waits = async (): Promise<(string | null)[]> =>
      ((await app.workflows.graph(runId))?.steps ?? []).map(({ waitsFor }) => waitsFor);
    const at = String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`;
    await expect
      .poll(waits, { timeout: 10_000 })
      .toEqual([
        'It waits for the signal "approved".',
        expect.stringMatching(`^It waits for the signal "approved" until ${at}\\.$`),
        expect.stringMatching(`^It sleeps until ${at}\\.$`),
        expect.stringMatching('^The queue "held" is paused: it begins once that is resumed\\.'),
        expect.stringMatching('^It waits for a worker that takes from its queue "gpu": '),
      ]);
    expect(begun).toEqual([]);
    await app.scheduler.resume({ queue: 'held' });
    await app.workflows.cancel(runId);
  });

  test('is pruned into the history by a handler of a schedule, and by a process that keeps none past it', async () => {
    const brief = workflow('brief').step('only', () => 7);
    const app = await boot([brief]);
    const none = await database.boot({ chronis: { autoStart: false, keepHistory: 'none' } });
    processes.push(none);
    const pruned: number[] = [];
    app.scheduler.registerHandler('prune', async () => {
      pruned.push(await app.workflows.prune({ olderThan: 0 }));
    });
    const kept = async (): Promise<number> => {
      const { rows } = await database.client.query(
        `select 1 from "${database.schema}".flow_steps_history_view where workflow = 'brief' and name = 'only'`,
      );
      return rows.length;
    };
    for (const by of ['schedule', 'hand'] as const) {
      const { runId } = await app.workflows.start(brief);
      await app.scheduler.waitForRun(runId);
      if (by === 'hand') expect(await none.workflows.prune({ olderThan: 0 })).toBeGreaterThan(0);
      else {
        const { id } = await app.scheduler.schedule('prune', { in: 0 });
        const [run] = (await app.scheduler.getRuns({ jobId: id })).items;
        await app.scheduler.waitForRun(run!.id);
        expect(pruned[0]).toBeGreaterThan(0);
      }
      expect(await app.workflows.get(runId)).toBeNull();
      expect(await kept()).toBe(1);
    }
  });

  test('is started with the rows of the caller, or not at all, and once by its key', async () => {
    const plain = workflow<{ id: number } | null>('plain').step('only', (ctx) => ctx.params);
    const app = await boot([plain]);
    const { workflows, scheduler } = await api();
    let lost = '';
    const started = database.source.transaction(async (manager: EntityManager) => {
      ({ runId: lost } = await workflows.start('plain', { key: 'order:1' }, { manager }));
      throw new Error('rolled back');
    });
    await expect(started).rejects.toThrow('rolled back');
    expect(await scheduler.getJob('order:1')).toBeNull();
    await expect(scheduler.waitForRun(lost)).rejects.toThrow('There is no run');
    const start = () =>
      database.source.transaction((manager) =>
        workflows.start('plain', { key: 'order:2', params: { id: 7 } }, { manager }),
      );
    const [first, second] = await Promise.all([start(), start()]);
    expect(first.runId).toBe(second.runId);
    expect([first.status, second.status].toSorted()).toEqual(['created', 'existing']);
    expect(await app.scheduler.waitForRun(first.runId)).toMatchObject({
      verdict: 'succeeded',
      result: { only: { id: 7 } },
    });
    expect(await start()).toEqual({ runId: first.runId, status: 'existing' });
  });

  test('commits the rows of a step, its verdict, what it adds and what comes after it together', async () => {
    let tries = 0;
    const rows = workflow('rows')
      .step(
        'save',
        async (ctx) => {
          await ctx.transaction(async (manager) => {
            await database.insert(manager, 'saved');
            ctx.addSteps([{ name: `more-${ctx.attempt}`, handler: 'note', after: 'save', before: 'end' }]);
            if (tries++ === 0) throw new Error('once');
            return { saved: true };
          });
        },
        { maxRetries: 1, backoff: 0 },
      )
      .step('next', async (ctx) => [await ctx.result('save'), await database.effects()], { after: 'save' })
      .step('end', () => 'end', { after: 'next' });
    const app = await boot([rows]);
    app.scheduler.registerHandler('note', () => 'noted');
    const { runId } = await app.workflows.start('rows');
    expect(await app.scheduler.waitForRun(runId)).toMatchObject({ verdict: 'succeeded' });
    const { steps } = (await app.workflows.graph(runId))!;
    expect(steps.map(({ name, state }) => [name, state])).toEqual([
      ['save', 'succeeded'],
      ['next', 'succeeded'],
      ['end', 'succeeded'],
      ['more-2', 'succeeded'],
    ]);
    expect(await database.effects()).toBe(1);
  });

  test('is ended by hand from another process, within its transaction, paused, cancelled and retried', async () => {
    let isBroken = true;
    const asking = workflow('asking')
      .manual('approve', { timeout: '1d' })
      .step(
        'send',
        async (ctx) => {
          if (isBroken) throw new Error('broken');
          return ctx.result('approve');
        },
        { after: 'approve' },
      );
    const app = await boot([asking]);
    const { workflows } = await api();
    const { runId } = await app.workflows.start('asking');
    await app.events.once('run.opened', (event) => event.runId === runId);
    const rolledBack = database.source.transaction(async (manager: EntityManager) => {
      await workflows.complete({ runId, step: 'approve' }, { by: 'nobody' }, { manager });
      throw new Error('rolled back');
    });
    await expect(rolledBack).rejects.toThrow('rolled back');
    expect((await workflows.graph(runId))!.steps[0]).toMatchObject({
      state: 'released',
      runState: 'open',
      manual: true,
    });
    await workflows.pause(runId);
    expect(await workflows.get(runId)).toMatchObject({ state: 'paused' });
    await workflows.resume(runId);
    await database.source.transaction((manager) =>
      workflows.complete({ runId, step: 'approve' }, { by: 'alice' }, { manager }),
    );
    expect(await app.scheduler.waitForRun(runId)).toMatchObject({ verdict: 'failed' });
    isBroken = false;
    const retried = await workflows.retry(runId);
    expect(await app.scheduler.waitForRun(retried.runId)).toMatchObject({
      verdict: 'succeeded',
      result: { send: { by: 'alice' } },
    });
    const another = await app.workflows.start('asking');
    await app.events.once('run.opened', (event) => event.runId === another.runId);
    await workflows.cancel(another.runId);
    expect(await workflows.get(another.runId)).toMatchObject({
      state: 'cancelled',
      counts: { cancelled: 2 },
    });
  });

  test('releases no step before its parents have ended, however long that waits for a lock', async () => {
    const parents = ['a', 'b', 'c'] as const;
    const joined = workflow('joined')
      .manual('a')
      .manual('b')
      .manual('c')
      .step('join', () => 'all', {
        after: [...parents],
      });
    const app = await boot([joined]);
    const { runId } = await app.workflows.start('joined');
    await app.events.once('run.opened', (event) => event.runId === runId);
    let waiting!: Promise<void>;
    await database.source.transaction(async (manager) => {
      await app.workflows.complete({ runId, step: 'a' }, 1, { manager });
      waiting = app.workflows.complete({ runId, step: 'b' }, 1);
      const isLocked = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
      while ((await database.client.query(isLocked)).rows.length === 0);
      await app.workflows.complete({ runId, step: 'c' }, 1, { manager });
    });
    await waiting;
    expect(await app.scheduler.waitForRun(runId)).toMatchObject({ verdict: 'succeeded' });
    const steps = new Map((await app.workflows.graph(runId))!.steps.map((step) => [step.name, step]));
    const ends = parents.map((name) => steps.get(name)!.endedAt!.getTime());
    expect(steps.get('join')!.releasedAt!.getTime()).toBeGreaterThanOrEqual(Math.max(...ends));
  });

  test('tells of a step whose run was deleted by hand', async () => {
    const app = await boot([workflow('orphaned').manual('ask', { timeout: '1h' })]);
    const { runId } = await app.workflows.start('orphaned');
    await app.events.once('run.opened', (event) => event.runId === runId);
    const [ask] = (await app.workflows.graph(runId))!.steps;
    await database.client.query(`delete from "${database.schema}".run where id = $1`, [ask!.runId]);
    const { steps } = (await app.workflows.graph(runId))!;
    expect(steps[0]).toMatchObject({
      state: 'released',
      runState: null,
      waitsFor: expect.stringMatching(/^Its run is gone, as if deleted by hand. It ends as/),
    });
  });

  test('tells that its result was not kept, in the process that has ended it, once that is committed', async () => {
    const large = 'x'.repeat(70_000);
    const inner = workflow('inner').step('only', () => large);
    const own = workflow('own').step('only', async (ctx) => ctx.transaction(() => large));
    const outer = workflow('outer').step('in', inner);
    const asking = workflow('asking').manual('ask');
    const app = await boot([inner, own, outer, asking]);
    const other = await api();
    const heard: Record<'app' | 'other', string[]> = { app: [], other: [] };
    for (const [name, { events }] of Object.entries({ app, other }) as [
      'app' | 'other',
      { events: ChronisEvents },
    ][]) {
      events.on('run.result-dropped', ({ handler, reason, workerId }) => {
        expect([reason, workerId]).toEqual([flowResultNotKept, 'outside']);
        heard[name].push(handler);
      });
    }
    for (const name of ['inner', 'own', 'outer']) {
      const { runId } = await other.workflows.start(name);
      await app.scheduler.waitForRun(runId);
    }
    expect(heard).toEqual({ app: ['inner', 'own', 'inner'], other: [] });
    const open = async (): Promise<string> => {
      const { runId } = await app.workflows.start('asking');
      await app.events.once('run.opened', (event) => event.runId === runId);
      return runId;
    };
    await other.workflows.complete({ runId: await open(), step: 'ask' }, large);
    expect(heard.other).toEqual(['asking']);
    const runId = await open();
    await database.source.transaction((manager) =>
      other.workflows.complete({ runId, step: 'ask' }, large, { manager }),
    );
    expect(await app.workflows.get(runId)).toMatchObject({ state: 'succeeded' });
    expect(heard).toEqual({ app: ['inner', 'own', 'inner'], other: ['asking'] });
  });

  test('is not retried from another process while one executes a step that it has given up', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const deaf = workflow('given-up').step('charge', () => gate, { timeout: '1s' });
    const app = await boot([deaf], { abortGraceMs: 50 });
    const other = await api();
    const told = async (): Promise<unknown[]> => {
      const { rows } = await database.client.query<{ given_up: string[] }>(
        `select given_up from "${database.schema}".worker where given_up is not null`,
      );
      return rows.map(({ given_up }) => given_up);
    };
    const key = 'given-up';
    const { runId } = await app.workflows.start(deaf, { key });
    expect(await app.scheduler.waitForRun(runId)).toMatchObject({ verdict: 'failed' });
    const [charge] = (await other.workflows.graph(runId))!.steps;
    expect([charge!.state, await told()]).toEqual(['timed_out', [[`["default", "${key}"]/charge`]]]);
    for (const retry of [() => other.workflows.retry(runId), () => other.scheduler.retryRun(runId)])
      await expect(retry()).rejects.toThrow('what would run again still runs: the step "charge".');
    release();
    await expect.poll(told).toEqual([]);
    const again = await other.workflows.retry(runId);
    expect(await other.scheduler.waitForRun(again.runId)).toMatchObject({ verdict: 'succeeded' });
  });

  test('refuses growth that does not fit where it is stored, and the step has failed', async () => {
    const wrong = workflow('wrong')
      .step('taken', (ctx) => ctx.addSteps([{ name: 'strange', handler: 'note' }]))
      .step('strange', (ctx) => ctx.addSteps([{ name: 'x', handler: 'note', after: 'nobody' }]));
    const app = await boot([wrong]);
    app.scheduler.registerHandler('note', () => undefined);
    const { runId } = await app.workflows.start('wrong');
    expect(await app.scheduler.waitForRun(runId)).toMatchObject({ verdict: 'failed' });
    const { steps } = (await app.workflows.graph(runId))!;
    expect(
      steps.map(({ name, state, reason }) => [name, state, /strange|nobody/.exec(reason!)?.[0]]),
    ).toEqual([
      ['taken', 'failed', 'strange'],
      ['strange', 'failed', 'nobody'],
    ]);
  });
});
