import { afterEach, describe, expect, test } from 'vitest';
import {
  ChronisEvents,
  StorageError,
  WorkflowRunStateError,
  WorkflowService,
  workflow,
  type DefinedWorkflow,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

/** A workflow of one step, whose first attempt goes on until `release`, whatever its signal says. */
function deafWorkflow(options: { timeout?: string } = {}) {
  const charges: string[] = [];
  const { promise: gate, resolve: release } = promised();
  const { promise: beginning, resolve: begun } = promised();
  const deaf = workflow('deaf').step(
    'charge',
    async (ctx) => {
      charges.push(ctx.runId);
      begun();
      if (charges.length === 1) await gate;
    },
    options,
  );
  return { deaf, charges, beginning, release };
}

function promised(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

describe('a retry of a workflow', () => {
  let apps: NestApp[] = [];

  afterEach(async () => {
    for (const app of apps) await app.close();
    apps = [];
  });

  type WorkflowApp = NestApp & { workflows: WorkflowService };

  function boot(...defined: DefinedWorkflow<any, any, any>[]): Promise<WorkflowApp> {
    return bootAs({}, ...defined);
  }

  async function bootAs(
    given: Parameters<typeof NestApp.boot>[0],
    ...defined: DefinedWorkflow<any, any, any>[]
  ): Promise<WorkflowApp> {
    const app = await NestApp.boot(given);
    apps.push(app);
    const workflows = app.app.get(WorkflowService);
    for (const each of defined) workflows.register(each);
    return Object.assign(app, { workflows });
  }

  test('is refused while a step of it still runs, which is then done once', async () => {
    const { deaf, charges, beginning, release } = deafWorkflow();
    const app = await boot(deaf);
    const { runId } = await app.workflows.start('deaf', { key: 'k' });
    await beginning;
    await app.workflows.cancel(runId);
    const refused = app.workflows.retry(runId);
    await expect(refused).rejects.toThrow(WorkflowRunStateError);
    await expect(refused).rejects.toThrow(
      `The workflow of run "${runId}" is ending: its verdict is cancelled once what still runs of it has ended: the step "charge". Nothing but that changes it until then.`,
    );
    release();
    await app.settle();
    expect((await app.workflows.graph(runId))!.steps[0]!.state).toBe('succeeded');
    const again = await app.workflows.retry(runId);
    await app.settle();
    expect(await app.workflows.get(again.runId)).toMatchObject({ state: 'succeeded' });
    expect(charges).toHaveLength(1);
  });

  test('is refused also when its step was given up and has its verdict, as long as its handler goes on here', async () => {
    const { deaf, charges, beginning, release } = deafWorkflow();
    const app = await boot(deaf);
    const { runId } = await app.workflows.start('deaf', { key: 'k' });
    await beginning;
    const given = app.app.get(ChronisEvents).once('run.cancelled', (event) => event.runId === charges[0]);
    await app.scheduler.fail(runId, new Error('given up'));
    await app.clock.advanceBy(60_000);
    await given;
    for (const retry of [
      () => app.workflows.retry(runId),
      () => app.workflows.retry(runId, { from: 'charge' }),
      () => app.scheduler.retryRun(runId),
      () => app.scheduler.runNow('k'),
    ]) {
      await expect(retry()).rejects.toThrow(
        `The workflow of run "${runId}" is failed: what would run again still runs: the step "charge". Retry it once that has ended, or the lease of its worker.`,
      );
    }
    expect(await app.scheduler.retryFailed({ jobId: 'k' })).toEqual({ found: 1, changed: 0 });
    release();
    await app.settle();
    const again = await app.workflows.retry(runId);
    await app.settle();
    expect(await app.workflows.get(again.runId)).toMatchObject({ state: 'succeeded' });
    expect(charges).toHaveLength(2);
  });

  test('and the steps of a run have nothing to do with those of another that was asked for within the same millisecond', async () => {
    const charges: string[] = [];
    const { promise: gate, resolve: release } = promised();
    const twins = workflow('twins')
      .manual('go')
      .step(
        'charge',
        async (ctx) => {
          charges.push(ctx.workflow.runId);
          if (charges.length === 1) await gate;
          else throw new Error('no');
        },
        { after: 'go' },
      );
    const app = await boot(twins);
    const { scheduler, workflows, clock } = app;
    await scheduler.schedule('twins', { id: 'k', every: '1d', overlap: 'allow' });
    const [one, other] = [await scheduler.runNow('k'), await scheduler.runNow('k')];
    expect(one.nominalAt).toEqual(other.nominalAt);
    await app.settle();
    await workflows.complete({ runId: one.id, step: 'go' });
    await app.settle();
    await workflows.cancel(one.id);
    await clock.advanceBy(60_000);
    await app.settle();
    expect(charges).toEqual([one.id]);
    await workflows.complete({ runId: other.id, step: 'go' });
    await app.settle();
    expect(charges).toEqual([one.id, other.id]);
    const again = await workflows.retry(other.id);
    await app.settle();
    expect(charges).toEqual([one.id, other.id, again.runId]);
    await expect(workflows.retry(one.id)).rejects.toThrow('still runs: the step "charge"');
    release();
  });

  describe('from another process than the one that executes a step which it has given up', () => {
    /** Two processes with the same jobs; the first one executes the step. */
    async function bootTwo(
      ...defined: DefinedWorkflow<any, any, any>[]
    ): Promise<[WorkflowApp, WorkflowApp]> {
      const app = await boot(...defined);
      return [app, await bootAs({ clock: app.clock, storage: app.storage })];
    }

    async function assertRefused({ workflows, scheduler }: WorkflowApp, runId: string): Promise<void> {
      for (const retry of [
        () => workflows.retry(runId),
        () => workflows.retry(runId, { from: 'charge' }),
        () => scheduler.retryRun(runId),
        () => scheduler.runNow('k'),
      ])
        await expect(retry()).rejects.toThrow('what would run again still runs: the step "charge".');
      expect(await scheduler.retryFailed({ jobId: 'k' })).toEqual({ found: 1, changed: 0 });
    }

    /** The step has its verdict, by its timeout. */
    async function giveUp(app: WorkflowApp, { beginning }: ReturnType<typeof deafWorkflow>): Promise<string> {
      const { runId } = await app.workflows.start('deaf', { key: 'k' });
      await beginning;
      const over = app.app.get(ChronisEvents).once('run.timed_out', () => true);
      await app.clock.advanceBy(1_000);
      await app.clock.advanceBy(5_000);
      await over;
      await app.settle();
      return runId;
    }

    test('is refused as well, until that has ended', async () => {
      const given = deafWorkflow({ timeout: '1s' });
      const [app, other] = await bootTwo(given.deaf);
      const runId = await giveUp(app, given);
      await assertRefused(other, runId);
      // Beats of the worker that executes it.
      await app.clock.advanceBy(60_000);
      await assertRefused(other, runId);
      given.release();
      await app.settle();
      const again = await other.workflows.retry(runId);
      await app.settle();
      expect(await other.workflows.get(again.runId)).toMatchObject({ state: 'succeeded' });
      expect(given.charges).toHaveLength(2);
    });

    test('finds no moment in which the step has its verdict and nobody knows that it goes on', async () => {
      const given = deafWorkflow({ timeout: '1s' });
      const [app, other] = await bootTwo(given.deaf);
      const { storage } = app;
      const renew = storage.renew.bind(storage);
      let isAway = true;
      storage.renew = async (...args) => {
        if (isAway) throw new StorageError('away');
        return renew(...args);
      };
      const { runId } = await app.workflows.start('deaf', { key: 'k' });
      await given.beginning;
      await app.clock.advanceBy(1_000);
      await app.clock.advanceBy(5_000);
      await app.settle();
      expect((await other.workflows.graph(runId))!.steps[0]!.state).toBe('released');
      isAway = false;
      await app.clock.advanceBy(2_000);
      await app.settle();
      expect((await other.workflows.graph(runId))!.steps[0]!.state).toBe('timed_out');
      await assertRefused(other, runId);
      given.release();
      await app.settle();
    });

    test('is refused also when the process has lost its lease meanwhile, and has another one', async () => {
      const given = deafWorkflow();
      const [app, other] = await bootTwo(given.deaf);
      const { runId } = await app.workflows.start('deaf', { key: 'k' });
      await given.beginning;
      const { workerId } = app.scheduler.status().lease!;
      const lost = app.app.get(ChronisEvents).once('worker.lease-lost', () => true);
      await other.storage.unregister(workerId);
      await other.scheduler.fail(runId, new Error('given up'));
      await app.clock.advanceBy(10_000);
      await lost;
      await app.clock.advanceBy(60_000);
      await app.settle();
      expect((await other.workflows.graph(runId))!.steps[0]!.state).toBe('cancelled');
      await assertRefused(other, runId);
      given.release();
      await app.settle();
      expect(await other.workflows.retry(runId)).toMatchObject({ status: 'created' });
    });

    /** Until it is called back the process can tell nobody anything, and has no lease; what it executes goes on. */
    function cutOff({ storage }: WorkflowApp, ...calls: ('renew' | 'register')[]): () => void {
      const before = calls.map((call) => [call, storage[call].bind(storage)] as const);
      const away = (): Promise<never> => Promise.reject(new StorageError('away'));
      for (const call of calls) Object.assign(storage, { [call]: away });
      return () => {
        for (const [call, usual] of before) Object.assign(storage, { [call]: usual });
      };
    }

    /** The run has its verdict, by the end of that lease. */
    async function failOnceLost(app: WorkflowApp, other: WorkflowApp, runId: string): Promise<void> {
      const lost = app.app.get(ChronisEvents).once('worker.lease-lost', () => true);
      await other.scheduler.fail(runId, new Error('given up'));
      await app.clock.advanceBy(60_000);
      await lost;
      await app.settle();
      expect(await other.workflows.get(runId)).toMatchObject({ state: 'failed' });
    }

    test.each<[string, (other: WorkflowApp, runId: string) => Promise<unknown>]>([
      ['retry', ({ workflows }, runId) => workflows.retry(runId)],
      ['retryRun', ({ scheduler }, runId) => scheduler.retryRun(runId)],
      ['runNow', ({ scheduler }) => scheduler.runNow('k')],
    ])('begins the step by %s in the first one when the handler there has ended', async (_, retry) => {
      const given = deafWorkflow();
      const app = await boot(given.deaf);
      const other = await bootAs({ clock: app.clock, storage: app.storage });
      const { runId } = await app.workflows.start('deaf', { key: 'k' });
      await given.beginning;
      const callBack = cutOff(app, 'renew');
      await failOnceLost(app, other, runId);
      await retry(other, runId);
      callBack();
      await app.clock.advanceBy(10_000);
      await app.settle();
      expect(given.charges).toHaveLength(1);
      const over = app.app.get(ChronisEvents).once('run.succeeded', () => true);
      given.release();
      await app.settle();
      await over;
      expect(given.charges).toHaveLength(2);
    });

    test('is refused also when the step is of a run before the last one', async () => {
      const given = deafWorkflow();
      const failing = () => {
        throw new Error('late');
      };
      const deaf = given.deaf.step('late', failing, { after: 'charge' });
      const app = await boot(deaf);
      const { clock, storage } = app;
      const other = await bootAs({ clock, storage, chronis: { autoStart: false } }, deaf);
      const { runId } = await app.workflows.start('deaf', { key: 'k' });
      await given.beginning;
      await other.scheduler.start();
      const callBack = cutOff(app, 'renew', 'register');
      await failOnceLost(app, other, runId);
      const second = await other.workflows.retry(runId);
      const late = other.app.get(ChronisEvents).once('run.failed', ({ jobId }) => jobId.endsWith('/late'));
      await app.clock.advanceBy(10_000);
      await late;
      await app.settle();
      expect(await other.workflows.get(second.runId)).toMatchObject({ state: 'failed' });
      expect(given.charges).toHaveLength(2);
      callBack();
      await app.clock.advanceBy(30_000);
      await app.settle();
      for (const { workflows } of [app, other])
        await expect(workflows.retry(second.runId, { from: 'charge' })).rejects.toThrow(
          'what would run again still runs: the step "charge".',
        );
      // What does not run again may go on.
      expect(await other.workflows.retry(second.runId)).toMatchObject({ status: 'created' });
      given.release();
      await app.settle();
    });

    test('is refused as soon as a process that has lost its lease has another one', async () => {
      const given = deafWorkflow({ timeout: '1s' });
      const [app, other] = await bootTwo(given.deaf);
      const runId = await giveUp(app, given);
      const lost = app.app.get(ChronisEvents).once('worker.lease-lost', () => true);
      await other.storage.unregister(app.scheduler.status().lease!.workerId);
      await app.clock.advanceBy(10_000);
      await lost;
      await app.settle();
      await assertRefused(other, runId);
      given.release();
      await app.settle();
    });

    test('finds the verdict also where the process ends as others are told', async () => {
      const given = deafWorkflow({ timeout: '1s' });
      const [app, other] = await bootTwo(given.deaf);
      const { clock, storage } = app;
      const renew = storage.renew.bind(storage);
      const { runId } = await app.workflows.start('deaf', { key: 'k' });
      await given.beginning;
      await clock.advanceBy(1_000);
      storage.renew = async (...args) => {
        await new Promise<void>((resolve) => void clock.setTimer(200, resolve));
        return renew(...args);
      };
      await clock.advanceBy(5_000);
      await app.close();
      expect((await other.workflows.graph(runId))!.steps[0]!.state).toBe('timed_out');
    });

    test('is possible when that process has died', async () => {
      const given = deafWorkflow({ timeout: '1s' });
      const [app, other] = await bootTwo(given.deaf);
      const runId = await giveUp(app, given);
      const { storage } = app;
      storage.renew = () => Promise.reject(new StorageError('away'));
      await app.clock.advanceBy(40_000);
      expect(await other.workflows.retry(runId)).toMatchObject({ status: 'created' });
      given.release();
      await app.settle();
    });

    test('costs no beat more where nothing is given up, or no step of a workflow', async () => {
      const done = workflow('done').step('a', () => 1);
      const app = await boot(done);
      const { promise: gate, resolve: release } = promised();
      app.scheduler.registerHandler('deaf', () => gate);
      const { storage } = app;
      const renew = storage.renew.bind(storage);
      const told: unknown[] = [];
      storage.renew = (...args) => (told.push(args[6]), renew(...args));
      const events = app.app.get(ChronisEvents);
      const over = events.once('run.timed_out', ({ jobId }) => jobId === 'j');
      await app.scheduler.createDateJob({ id: 'j', handler: 'deaf', in: 0, timeout: '1s' });
      await app.workflows.start('done');
      await app.clock.advanceBy(1_000);
      await app.clock.advanceBy(5_000);
      await over;
      release();
      await app.settle();
      expect(told).toEqual([]);
      await app.clock.advanceBy(10_000);
      expect(told).toEqual([[]]);
    });
  });

  type Anew = (app: WorkflowApp, runId: string) => Promise<unknown>;

  test.each<[string, Anew]>([
    ['a retry by hand', ({ scheduler }, runId) => scheduler.retryRun(runId)],
    ['a change of its time', ({ scheduler }) => scheduler.updateJob('j', { in: 0 })],
    ['a job in its place', ({ scheduler }) => scheduler.upsert({ id: 'j', handler: 'deaf', in: 0 })],
  ])('%s of a plain job begins when the handler has ended that was given up', async (_, beginAnew) => {
    const log: string[] = [];
    const gates: (() => void)[] = [];
    const app = await boot();
    app.scheduler.registerHandler('deaf', async () => {
      const call = gates.length;
      log.push(`begin ${call}`);
      await new Promise<void>((resolve) => gates.push(resolve));
      log.push(`end ${call}`);
    });
    const events = app.app.get(ChronisEvents);
    const given = events.once('run.timed_out', ({ jobId }) => jobId === 'j');
    await app.scheduler.createDateJob({ id: 'j', handler: 'deaf', in: 0, timeout: '1s' });
    await app.clock.advanceBy(10_000);
    await given;
    const [dead] = (await app.scheduler.getRuns({ jobId: 'j' })).items;
    await beginAnew(app, dead!.id);
    await app.clock.advanceBy(1_000);
    expect(log).toEqual(['begin 0']);
    const done = events.once('run.succeeded', ({ jobId }) => jobId === 'j');
    gates[0]!();
    while (gates.length < 2) await new Promise((resolve) => setImmediate(resolve));
    gates[1]!();
    await done;
    expect(log).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1']);
  });

  test('that is refused names the state that get() does', async () => {
    let release = (): void => undefined;
    let begun = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const beginning = new Promise<void>((resolve) => (begun = resolve));
    const deaf = workflow('deaf', { timeout: '1m' }).step('charge', async () => {
      begun();
      await gate;
    });
    const app = await boot(deaf);
    const { runId } = await app.workflows.start('deaf', { key: 'k' });
    await beginning;
    const given = app.app.get(ChronisEvents).once('run.cancelled', (event) => event.runId !== runId);
    await app.clock.advanceBy(60_000);
    await app.settle();
    await app.clock.advanceBy(60_000);
    await given;
    expect(await app.workflows.get(runId)).toMatchObject({ state: 'timed_out' });
    await expect(app.workflows.retry(runId)).rejects.toMatchObject({ state: 'timed_out' });
    release();
    await app.settle();
  });

  test('of its run as of a job is refused in the same way, and passed over in bulk', async () => {
    const { deaf, charges, beginning, release } = deafWorkflow();
    const app = await boot(deaf);
    const { runId } = await app.workflows.start('deaf', { key: 'k' });
    await beginning;
    await app.scheduler.fail(runId, new Error('given up'));
    const refused = app.scheduler.retryRun(runId);
    await expect(refused).rejects.toThrow(WorkflowRunStateError);
    await expect(refused).rejects.toThrow(
      `The workflow of run "${runId}" is ending: its verdict is failed once what still runs of it has ended: the step "charge". Nothing but that changes it until then.`,
    );
    expect(await app.scheduler.retryFailed({ jobId: 'k' })).toEqual({ found: 0, changed: 0 });
    await app.settle();
    expect(charges).toHaveLength(1);
    release();
    await app.settle();
    const again = await app.scheduler.retryRun(runId);
    await app.settle();
    expect(await app.workflows.get(again.id)).toMatchObject({ state: 'succeeded' });
    expect(charges).toHaveLength(2);
  });
});
