import { Injectable } from '@nestjs/common';
import { IsInt } from 'class-validator';
import { afterEach, describe, expect, test } from 'vitest';
import {
  DefinitionNotFoundError,
  DefinitionService,
  HandlerNotFoundError,
  InvalidOptionError,
  InvalidPayloadError,
  MemoryStorage,
  Step,
  Workflow,
  WorkflowService,
  workflow,
  type StepContext,
  type WorkflowOfStep,
} from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';

const ran: WorkflowOfStep[] = [];
let failing = false;
const note = (ctx: StepContext): void => {
  if (failing) throw new Error('no');
  ran.push(ctx.workflow);
};

class Day {
  @IsInt()
  day!: number;
}

@Injectable()
@Workflow('nightly', { timeout: '1h' })
class First {
  @Step()
  extract(ctx: StepContext): void {
    note(ctx);
  }

  @Step({ after: 'extract' })
  load(ctx: StepContext): void {
    note(ctx);
  }
}

/** The next release: another graph, which still has the steps of the first. */
@Injectable()
@Workflow('nightly', { timeout: '2h' })
class Second {
  @Step()
  extract(ctx: StepContext): void {
    note(ctx);
  }

  @Step()
  load(ctx: StepContext): void {
    note(ctx);
  }

  @Step({ after: ['extract', 'load'] })
  report(ctx: StepContext): void {
    note(ctx);
  }
}

/** One that has dropped a step. */
@Injectable()
@Workflow('nightly')
class Third {
  @Step()
  extract(ctx: StepContext): void {
    note(ctx);
  }
}

describe('a version of a workflow', () => {
  const clock = new ManualClock();
  let storage = new MemoryStorage({ clock });
  let apps: NestApp[] = [];

  afterEach(async () => {
    for (const app of apps) await app.close();
    apps = [];
    ran.length = 0;
    storage = new MemoryStorage({ clock });
  });

  async function boot(providers: (new () => object)[], chronis = {}): Promise<NestApp> {
    const app = await NestApp.boot({ storage, clock, providers, chronis });
    apps.push(app);
    return app;
  }

  /** One release after the other: each has put its version. */
  async function deployed(...releases: (new () => object)[]): Promise<NestApp> {
    for (const release of releases.slice(0, -1)) {
      const before = await boot([release]);
      await before.close();
      apps = apps.filter((app) => app !== before);
    }
    return boot(releases.slice(-1));
  }

  const workflowsOf = ({ app }: NestApp): WorkflowService => app.get(WorkflowService);

  test('is what a start gets that asks for it, and each step is told of which it is', async () => {
    const app = await deployed(First, Second);
    const workflows = workflowsOf(app);
    const { runId } = await workflows.start('nightly', { version: 1, params: { day: 7 }, key: 'one' });
    expect(await workflows.get(runId)).toMatchObject({ state: 'waiting', version: 1 });
    await app.settle();
    expect(await workflows.get(runId)).toMatchObject({
      ...{ version: 1, state: 'succeeded', params: { day: 7 }, counts: { succeeded: 2 } },
    });
    expect(ran).toEqual(
      ['extract', 'load'].map((step) => ({ name: 'nightly', version: 1, runId, step, nth: null })),
    );
    const again = await workflows.start('nightly', { version: 1, key: 'one' });
    expect(again).toEqual({ runId, status: 'existing' });
    const present = await workflows.start('nightly');
    await app.settle();
    expect(await workflows.get(present.runId)).toMatchObject({ version: 2, counts: { succeeded: 3 } });
  });

  test('is what a retry of its job opens too', async () => {
    const app = await deployed(First, Second);
    const workflows = workflowsOf(app);
    failing = true;
    const { runId } = await workflows.start('nightly', { version: 1 });
    await app.settle();
    expect(await workflows.get(runId)).toMatchObject({ version: 1, state: 'failed' });
    failing = false;
    const again = await app.scheduler.retryRun(runId);
    await app.settle();
    expect(await workflows.get(again.id)).toMatchObject({ version: 1, counts: { succeeded: 2 } });
  });

  test('that there is not is refused with those that there are', async () => {
    const app = await deployed(First, Second);
    const start = workflowsOf(app).start('nightly', { version: 7 });
    await expect(start).rejects.toThrow(DefinitionNotFoundError);
    await expect(start).rejects.toThrow(
      'There is no version 7 of definition "nightly" in the namespace "default". There are the versions 1 and 2. The latest is version 2.',
    );
    await expect(workflowsOf(app).start('nightly', { version: 0 })).rejects.toThrow('version');
    await app.app.get(DefinitionService).delete('nightly', { version: 1 });
    await expect(workflowsOf(app).start('nightly', { version: 1 })).rejects.toThrow('it was deleted at');
    expect((await app.scheduler.queryJobs({})).items).toEqual([]);
  });

  test('of which nobody has a handler any more is refused', async () => {
    const before = await boot([First]);
    await before.close();
    const blind = storage.open();
    blind.queryWorkers = async () => [];
    const app = await boot([Third], { storage: blind });
    const start = workflowsOf(app).start('nightly', { version: 1 });
    await expect(start).rejects.toThrow(HandlerNotFoundError);
    await expect(start).rejects.toThrow('nightly.load');
  });

  test('that is data is started by it as well, with its options, params and templates', async () => {
    const app = await boot([First]);
    const definitions = app.app.get(DefinitionService);
    const graph = (to: string) => ({
      ...{ name: 'data', cron: '0 2 * * *', queue: 'default', priority: 2, metadata: { team: 'a' } },
      params: { type: 'object', required: ['day'] },
      steps: [{ name: 'only', handler: 'nightly.extract', payload: { to, day: { $param: '/day' } } }],
    });
    await definitions.define(graph('one'));
    await definitions.define(graph('two'));
    const workflows = workflowsOf(app);
    await expect(workflows.start('data', { version: 1 })).rejects.toThrow(InvalidPayloadError);
    await expect(workflows.start('data')).rejects.toThrow(
      'Start it by DefinitionService.start("data"), or give the version that it is to be, such as { version: 2 }.',
    );
    const options = { version: 1, params: { day: 7 }, metadata: { mine: 1 }, key: 'k' };
    const { runId } = await workflows.start('data', options);
    expect(await app.scheduler.getJob('k')).toMatchObject({
      ...{ priority: 2, trigger: { type: 'at' } },
      metadata: { team: 'a', mine: 1, chronis_definition: 'data@1' },
    });
    expect(await workflows.start('data', options)).toEqual({ runId, status: 'existing' });
    await app.settle();
    expect(await workflows.get(runId)).toMatchObject({ workflow: 'data', version: 1, state: 'succeeded' });
    expect(ran).toMatchObject([{ name: 'data', version: 1, step: 'only' }]);
  });

  test('of what is a definition of a handler is refused, as is metadata that says it itself', async () => {
    const app = await boot([First]);
    await app.app.get(DefinitionService).define({ name: 'plain', handler: 'nightly.extract' });
    await expect(workflowsOf(app).start('plain', { version: 1 })).rejects.toThrow(
      'workflow: is the definition "plain", which is of a handler. Start it by DefinitionService.start().',
    );
    for (const key of ['chronis_definition', 'chronis_version']) {
      const start = workflowsOf(app).start('nightly', { version: 1, metadata: { [key]: 1 } });
      await expect(start).rejects.toThrow(InvalidOptionError);
    }
  });

  test('is opened by the handler of the code, with its schema', async () => {
    const of = (delay: string) => workflow('typed', { params: Day }).step('only', note, { delay });
    const first = await boot([], { autoStart: false });
    workflowsOf(first).register(of('0s'));
    await first.scheduler.start();
    await first.close();
    apps = [];
    const next = of('1h');
    const app = await boot([], { autoStart: false });
    workflowsOf(app).register(next);
    await app.scheduler.start();
    const wrong = workflowsOf(app).start('typed', { version: 1, params: { day: 'three' } });
    await expect(wrong).rejects.toThrow(InvalidPayloadError);
    const { runId } = await workflowsOf(app).start(next, { version: 1, params: { day: 3 } });
    await app.settle();
    expect(await workflowsOf(app).get(runId)).toMatchObject({ version: 1, state: 'succeeded' });
  });

  test('that is removed before it is opened fails at once, and says so', async () => {
    await (await boot([First])).close();
    apps = [];
    const forgetful = storage.open();
    const get = forgetful.definitions.getDefinition.bind(forgetful.definitions);
    let isGone = false;
    forgetful.definitions.getDefinition = async (...asked) => (isGone ? null : get(...asked));
    const app = await boot([Second], { storage: forgetful });
    const { runId } = await workflowsOf(app).start('nightly', { version: 1, delay: '1m', key: 'k' });
    isGone = true;
    await clock.advanceBy(61_000);
    await app.settle();
    const { lastError, state } = (await app.scheduler.getRuns({ runId })).items[0]!;
    expect(state).toBe('failed');
    expect(lastError).toContain('The version 1 of the workflow "nightly"');
  });

  test('of the code is there for tenants too, and stays as long as a flow of theirs', async () => {
    const app = await deployed(First, Second);
    const workflows = workflowsOf(app).forTenant('acme');
    const { runId } = await workflows.start('nightly', { version: 1 });
    await app.settle();
    expect(await workflows.get(runId)).toMatchObject({ version: 1, namespace: 'tenant:acme' });
    const definitions = app.app.get(DefinitionService);
    await definitions.delete('nightly', { version: 1 });
    await clock.advanceBy(60_000);
    expect(await definitions.prune({ olderThan: 0 })).toBe(0);
    await clock.advanceBy(60_000);
    await workflowsOf(app).prune({ olderThan: '1s' });
    expect(await definitions.prune({ olderThan: 0 })).toBe(1);
    await definitions.define({ name: 'data', steps: [{ name: 'only', handler: 'nightly.extract' }] });
    await expect(workflows.start('data', { version: 1 })).rejects.toThrow(DefinitionNotFoundError);
  });
});
