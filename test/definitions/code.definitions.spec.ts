import { Injectable } from '@nestjs/common';
import { afterEach, describe, expect, test } from 'vitest';
import {
  DefinitionService,
  InvalidOptionError,
  MemoryStorage,
  Step,
  Workflow,
  WorkflowService,
  type Flow,
} from '../../lib/index.js';
import { logSentences } from '../../lib/events/log.sentences.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';

const minute = 60_000;

@Injectable()
@Workflow('nightly', { queue: 'default', timeout: '2h' })
class Nightly {
  @Step()
  extract(): number {
    return 1;
  }

  @Step({ after: 'extract', delay: '10m' })
  load(): void {}
}

/** The same workflow in the next release. */
@Injectable()
@Workflow('nightly', { queue: 'default', timeout: '2h' })
class NextNightly {
  @Step()
  extract(): number {
    return 1;
  }

  @Step({ after: 'extract', delay: '10m' })
  store(): void {}
}

describe('a workflow in the code', () => {
  const clock = new ManualClock();
  let storage = new MemoryStorage({ clock });
  let apps: NestApp[] = [];

  afterEach(async () => {
    for (const app of apps) await app.close();
    apps = [];
    storage = new MemoryStorage({ clock });
  });

  async function boot(workflow: new () => object, chronis = {}): Promise<NestApp> {
    const app = await NestApp.boot({ storage, clock, providers: [workflow], chronis });
    apps.push(app);
    return app;
  }

  async function started(app: NestApp): Promise<Flow> {
    const { runId } = await app.app.get(WorkflowService).start('nightly');
    await app.settle();
    return (await storage.flows!.getFlow(runId))!;
  }

  async function deployed(app: NestApp, next: new () => object): Promise<NestApp> {
    await app.close();
    apps = apps.filter((each) => each !== app);
    return boot(next);
  }

  test('is stored as a definition when its process begins to work, and its flows have that version', async () => {
    const app = await boot(Nightly);
    const definitions = app.app.get(DefinitionService);
    expect(await definitions.get('nightly')).toMatchObject({
      ...{ version: 1, kind: 'workflow', source: 'code', app: 'default', createdBy: null },
      spec: {
        timeout: '2h',
        steps: [{ name: 'extract' }, { name: 'load', after: 'extract', delay: '10m' }],
      },
    });
    expect((await started(app)).version).toBe(1);
  });

  test('is the version that it was in each process and each release that has the same graph', async () => {
    const first = await boot(Nightly);
    expect((await started(await boot(Nightly))).version).toBe(1);
    // Two releases at the same time: whoever opens it, and each has its own.
    expect((await started(first)).version).toBe(1);
    for (const app of apps) await app.close();
    apps = [];
    const next = await boot(NextNightly);
    expect((await started(next)).version).toBe(2);
    const back = await deployed(next, Nightly);
    expect((await started(back)).version).toBe(1);
    expect((await back.app.get(DefinitionService).list()).items.map(({ version }) => version)).toEqual([
      1, 2,
    ]);
  });

  test('is started by its definition too, as the code has it', async () => {
    const app = await boot(Nightly);
    const definitions = app.app.get(DefinitionService);
    const { job } = await definitions.start('nightly', { params: { day: 7 }, key: 'n' });
    expect(job).toMatchObject({ handler: 'nightly', payload: { day: 7 } });
    await app.settle();
    const [flow] = (await storage.flows!.queryFlows({}, {})).items;
    expect(flow).toMatchObject({ workflow: 'nightly', version: 1, params: { day: 7 } });
  });

  test('is started by its definition as a version too, whatever the code has by now', async () => {
    const next = await deployed(await boot(Nightly), NextNightly);
    const { runId, version } = await next.app.get(DefinitionService).start('nightly', { version: 1 });
    expect(version).toBe(1);
    await next.settle();
    expect(await storage.flows!.getFlow(runId!)).toMatchObject({ workflow: 'nightly', version: 1 });
  });

  test('is that of its own app, where another has one of the same name', async () => {
    const one = await boot(Nightly, { app: 'one' });
    const other = await boot(NextNightly, { app: 'other' });
    const definitions = one.app.get(DefinitionService);
    expect((await definitions.list()).items.map(({ version, app }) => [version, app])).toEqual([
      [1, 'one'],
      [2, 'other'],
    ]);
    const begun = async (runId: string | null): Promise<unknown> => {
      await one.settle();
      const { version } = (await storage.flows!.getFlow(runId!))!;
      return [version, (await storage.queryRuns({ runId: runId! }, {})).items.length];
    };
    const { runId, job, version } = await definitions.start('nightly', { key: 'k' });
    expect([version, job.app, job.metadata]).toEqual([1, 'one', { chronis_definition: 'nightly@1' }]);
    expect(await begun(runId)).toEqual([1, 1]);
    expect((await other.app.get(DefinitionService).start('nightly')).version).toBe(2);

    const workflows = one.app.get(WorkflowService);
    const start = workflows.start('nightly', { version: 2 });
    await expect(start).rejects.toThrow(InvalidOptionError);
    await expect(start).rejects.toThrow(
      'version: 2 of "nightly" is of the app "other", and the start is for "one". Give { app: \'other\' } if that is meant',
    );
    const said = await workflows.start('nightly', { version: 2, app: 'other' });
    expect(await begun(said.runId)).toEqual([2, 1]);
    const mixed = workflows.start('nightly', { version: 1, app: 'other' });
    await expect(mixed).rejects.toThrow('is of the app "one", and the start is for "other"');
  });

  test('is that of another app, where its own has none of the name', async () => {
    await boot(NextNightly, { app: 'other' });
    const api = await NestApp.boot({ storage, clock, chronis: { app: 'one', autoStart: false } });
    apps.push(api);
    const { version, job } = await api.app.get(DefinitionService).start('nightly');
    expect([version, job.app]).toEqual([1, 'other']);
  });

  test('is stored by no process that does not work', async () => {
    const app = await boot(Nightly, { autoStart: false });
    expect(await app.app.get(DefinitionService).list()).toEqual({ items: [], cursor: null });
    await app.scheduler.start();
    expect((await app.app.get(DefinitionService).list()).items).toHaveLength(1);
  });

  test('does not keep a process from its start where it cannot be stored', async () => {
    storage.definitions.putDefinitions = async () => Promise.reject(new Error('no'));
    const failing = Object.assign(storage.open(), { definitions: storage.definitions });
    const app = await NestApp.boot({ clock, providers: [Nightly], chronis: { storage: failing } });
    apps.push(app);
    expect(app.heard('storage.failing')).toEqual([
      { operation: 'store the definitions of workflows', error: new Error('no'), retryInMs: 0 },
    ]);
    expect((await started(app)).version).toBeNull();
  });

  test('of which a release lacks what flows still need is told at its start', async () => {
    const first = await boot(Nightly);
    for (let nth = 0; nth < 3; nth++) await started(first);
    const next = await deployed(first, NextNightly);
    await clock.advanceBy(1_000);
    const [told] = next.heard('workflows.unserved');
    expect(told).toEqual({
      app: 'default',
      steps: [{ workflow: 'nightly', version: 1, handler: 'nightly.load', flows: 3 }],
      definitions: [],
    });
    expect(logSentences['workflows.unserved']!(told!)).toEqual({
      level: 'warn',
      text: 'Workflows need what this release lacks: 3 flows of version 1 of "nightly" wait for "nightly.load". Keep these handlers until the flows are over, or cancel them: workflows.cancel(runId).',
    });
    const back = await deployed(next, Nightly);
    await clock.advanceBy(1_000);
    expect(back.heard('workflows.unserved')).toEqual([]);
    await clock.advanceBy(11 * minute);
    await back.settle();
    expect((await storage.flows!.queryFlows({ state: 'succeeded' }, {})).items).toHaveLength(3);
  });
});
