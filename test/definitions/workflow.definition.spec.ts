import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  DefinitionService,
  DuplicateHandlerError,
  HandlerNotFoundError,
  InvalidOptionError,
  InvalidPayloadError,
  InvalidWorkflowError,
  MemoryStorage,
  WorkflowService,
  WorkflowsNotSupportedError,
  type DataWorkflow,
  type Flow,
  type FlowStep,
  type RunContext,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

const minute = 60_000;
const nightly = {
  name: 'nightly',
  steps: [
    { name: 'extract', handler: 'read', payload: { from: { $param: '/table' } } },
    { name: 'load', handler: 'write', after: 'extract', delay: '1m' },
  ],
  params: { type: 'object', required: ['table'] },
} satisfies DataWorkflow;

describe('a workflow as a definition', () => {
  let app: NestApp;
  let definitions: DefinitionService;
  let ran: [handler: string, payload: unknown][];

  beforeEach(async () => {
    ran = [];
    app = await NestApp.boot();
    definitions = app.app.get(DefinitionService);
    for (const handler of ['read', 'write'])
      app.scheduler.registerHandler(handler, ({ payload }: RunContext) => {
        ran.push([handler, payload]);
        return { by: handler };
      });
  });
  afterEach(() => app.close());

  const flows = async (): Promise<Flow[]> => (await app.storage.flows!.queryFlows({}, {})).items;
  const steps = async ({ runId }: Flow): Promise<FlowStep[]> =>
    (await app.storage.flows!.queryFlowSteps(runId, {}, {}))!.items;

  test('is not tried again as a whole, whoever has its steps, so retries of its jobs are refused', async () => {
    await definitions.define(nightly);
    await definitions.start('nightly', { params: { table: 'orders' }, key: 'n', delay: '1h' });
    const refused = (name: string): string =>
      `maxRetries: the job calls the workflow "${name}", which is not tried again as a whole. Give it to the steps: those of its definition have "maxRetries"; workflows.retry() goes on from what has failed.`;
    await expect(app.scheduler.updateJob('n', { maxRetries: 2 })).rejects.toThrow(refused('nightly'));
    const elsewhere = { in: '1h', app: 'shop', allowUnknownHandler: true } as const;
    const payload = { definition: 'order', version: 1, params: null };
    const job = await app.scheduler.schedule('chronis.workflow', { ...elsewhere, payload });
    await expect(app.scheduler.updateJob(job.id, { maxRetries: 2 })).rejects.toThrow(refused('order'));
    await app.scheduler.updateJob(job.id, { maxRetries: 0 });
  });

  test('is run by any process of the app, with handlers that the app has', async () => {
    const { definition } = await definitions.define(nightly);
    expect(definition).toMatchObject({ kind: 'workflow', version: 1, spec: { steps: nightly.steps } });
    const { job } = await definitions.start('nightly', { params: { table: 'orders' }, key: 'n' });
    expect(job.metadata).toEqual({ chronis_definition: 'nightly@1' });
    await app.settle();
    const [flow] = await flows();
    expect(flow).toMatchObject({
      workflow: 'nightly',
      version: 1,
      params: { table: 'orders' },
      verdict: null,
    });
    expect(ran).toEqual([['read', { from: 'orders' }]]);
    await app.clock.advanceBy(minute);
    await app.settle();
    expect(ran.slice(1)).toEqual([['write', { table: 'orders' }]]);
    expect((await flows())[0]!.verdict).toBe('succeeded');
    expect(await app.scheduler.waitForRun(flow!.runId)).toMatchObject({
      verdict: 'succeeded',
      result: { load: { by: 'write' } },
    });
  });

  test('may call the same handler, and be the same workflow, in several of its steps', async () => {
    await definitions.define({
      name: 'twice',
      steps: [
        { name: 'first', handler: 'read' },
        { name: 'second', handler: 'read', after: 'first' },
        { name: 'third', handler: 'read', after: ['first', 'second'] },
      ],
    });
    for (let nth = 0; nth < 2; nth++) await definitions.start('twice', { params: nth });
    await app.settle();
    expect(ran.filter(([, payload]) => payload === 1)).toHaveLength(3);
    expect((await flows()).map(({ verdict, counts }) => [verdict, counts])).toEqual([
      ['succeeded', { succeeded: 3 }],
      ['succeeded', { succeeded: 3 }],
    ]);
  });

  test('goes on with the version that it has begun with, and starts with the latest', async () => {
    await definitions.define(nightly);
    await definitions.start('nightly', { params: { table: 'a' } });
    await definitions.start('nightly', { params: { table: 'b' }, delay: '2m' });
    await app.settle();
    await definitions.define({ ...nightly, steps: [{ name: 'all', handler: 'write' }] });
    await definitions.start('nightly', { params: { table: 'c' } });
    await app.clock.advanceBy(5 * minute);
    await app.settle();
    const versions = (await flows()).map(({ params, version, verdict }) => [
      (params as { table: string }).table,
      [version, verdict],
    ]);
    expect(Object.fromEntries(versions)).toEqual({
      a: [1, 'succeeded'],
      b: [1, 'succeeded'],
      c: [2, 'succeeded'],
    });
    expect(ran).toHaveLength(5);
  });

  test('is known to WorkflowService by its run, before it begins and after', async () => {
    const workflows = app.app.get(WorkflowService);
    await definitions.define(nightly);
    const params = { table: 'a' };
    const { runId } = await definitions.start('nightly', { params, delay: '1m' });
    const known = { runId, workflow: 'nightly', version: 1, params };
    expect(await workflows.get(runId!)).toMatchObject({ ...known, state: 'waiting', openedAt: null });
    await app.clock.advanceBy(minute);
    await app.settle();
    expect(await workflows.get(runId!)).toMatchObject({ ...known, endedAt: null });
    await workflows.cancel(runId!);
    expect(await workflows.get(runId!)).toMatchObject({ ...known, state: 'cancelled' });
  });

  test('with cron is a job that recurs', async () => {
    await definitions.define({ ...nightly, cron: '0 * * * *', overlap: 'skip' });
    const { job, runId } = await definitions.start('nightly', { params: { table: 'a' } });
    expect(job).toMatchObject({ id: 'nightly', handler: 'chronis.workflow', trigger: { type: 'cron' } });
    expect(runId).toBeNull();
    await app.clock.advanceBy(121 * minute);
    await app.settle();
    expect(await flows()).toHaveLength(2);
    expect(ran.filter(([handler]) => handler === 'write')).toHaveLength(2);
  });

  test('ends its manual steps at their deadline, as any process has the handler for that', async () => {
    await definitions.define({
      name: 'approval',
      steps: [
        { name: 'approve', manual: true, timeout: '10m' },
        { name: 'go', handler: 'write', after: 'approve' },
      ],
    });
    await definitions.start('approval');
    await app.clock.advanceBy(11 * minute);
    await app.settle();
    const [flow] = await flows();
    expect(flow!.verdict).toBe('failed');
    expect((await steps(flow!)).map(({ name, state }) => [name, state])).toEqual([
      ['approve', 'timed_out'],
      ['go', 'blocked'],
    ]);
  });

  test('is over at its timeout', async () => {
    await definitions.define({ ...nightly, timeout: '30s' });
    await definitions.start('nightly', { params: { table: 'a' } });
    await app.clock.advanceBy(5 * minute);
    await app.settle();
    const [flow] = await flows();
    expect((await steps(flow!)).map(({ state }) => state)).toEqual(['succeeded', 'cancelled']);
    const { items } = await app.scheduler.getAttempts({ runId: flow!.runId, finalOnly: true });
    expect(items[0]!.outcome).toBe('timed_out');
  });

  test('that was removed although a job names it fails that job, with the way out', async () => {
    await definitions.define(nightly);
    await definitions.start('nightly', { key: 'n', params: { table: 'a' }, delay: '1h' });
    await app.scheduler.updateJob('n', { metadata: {} });
    await definitions.delete('nightly');
    await app.clock.advanceBy(2 * minute);
    expect(await definitions.prune({ olderThan: '1m' })).toBe(1);
    await app.clock.advanceBy(60 * minute);
    await app.settle();
    const [run] = (await app.scheduler.getRuns({ state: 'failed' })).items;
    expect(run!.lastError).toContain(
      'The definition nightly@1 is not there any more in the namespace "default"',
    );
  });

  test('stays as long as a flow of it is stored', async () => {
    await definitions.define(nightly);
    await definitions.start('nightly', { params: { table: 'a' } });
    await app.clock.advanceBy(2 * minute);
    await definitions.delete('nightly');
    await app.clock.advanceBy(2 * minute);
    expect(await definitions.prune({ olderThan: '1m' })).toBe(0);
    await app.storage.flows!.pruneFlows(app.clock.now(), 10);
    expect(await definitions.prune({ olderThan: '1m' })).toBe(1);
  });

  test('whose params lack what a step needs is refused where it is started', async () => {
    const { params: _, ...loose } = nightly;
    await definitions.define(loose);
    const start = definitions.start('nightly', { params: {} });
    await expect(start).rejects.toThrow(InvalidPayloadError);
    await expect(start).rejects.toThrow('have nothing at "/table"');
    expect(await app.scheduler.countJobs()).toBe(0);
  });

  test.each<[string, object, unknown, string]>([
    [
      'a handler that nobody has',
      { steps: [{ name: 'a', handler: 'raed' }] },
      HandlerNotFoundError,
      'The workflow "wrong", step "a": No handler "raed" is known',
    ],
    [
      'the handler that opens definitions',
      { steps: [{ name: 'a', handler: 'chronis.workflow' }] },
      InvalidWorkflowError,
      'step "a": handler: "chronis.workflow" opens workflows that are data. Name the one that the step is: { workflow: name }.',
    ],
    ['a step without one', { steps: [{ name: 'a' }] }, HandlerNotFoundError, 'No handler "wrong.a" is known'],
    [
      'a cycle',
      {
        steps: [
          { name: 'a', handler: 'read', after: 'b' },
          { name: 'b', handler: 'read', after: 'a' },
        ],
      },
      InvalidWorkflowError,
      'it waits for itself',
    ],
    [
      'a template that is wrong',
      { steps: [{ name: 'a', handler: 'read', payload: [{ $param: 1 }] }] },
      InvalidOptionError,
      'the payload of the step "a"[0]: $param must be',
    ],
    [
      'retries of the whole',
      { steps: [{ name: 'a', handler: 'read' }], maxRetries: 3 },
      InvalidOptionError,
      'maxRetries: define() has no such option. It belongs to a step',
    ],
    [
      'steps and a handler',
      { steps: [{ name: 'a', handler: 'read' }], handler: 'read' },
      InvalidOptionError,
      'is given beside "handler"',
    ],
    ['neither', {}, InvalidOptionError, 'handler: is missing'],
    ['steps that are none', { steps: 7 }, InvalidWorkflowError, 'steps must be a list'],
  ])('is refused with %s', async (_, given, kind, problem) => {
    const wrong = definitions.define({ name: 'wrong', ...given } as DataWorkflow);
    await expect(wrong).rejects.toThrow(kind as never);
    await expect(wrong).rejects.toThrow(problem);
  });

  test('is not opened by a job that names none', async () => {
    const { id: jobId } = await app.scheduler.schedule('chronis.workflow', { in: 0, keep: '1h' });
    await app.settle();
    const [run] = (await app.scheduler.getRuns({ jobId })).items;
    const { verdict, error } = await app.scheduler.waitForRun(run.id);
    expect(verdict).toBe('failed');
    expect(error).toContain('opens workflows that are data, and the payload names none');
  });

  test('has a handler of the package, which is in no list and nobody else can take', async () => {
    expect(app.heard('jobs.explored')[0]!.handlers).toEqual([]);
    const take = (): void => app.scheduler.registerHandler('chronis.workflow', () => undefined);
    expect(take).toThrow(DuplicateHandlerError);
  });
});

test('a storage without workflows is named', async () => {
  class Bare extends MemoryStorage {
    override readonly flows = undefined as never;
  }
  const app = await NestApp.boot({ chronis: { storage: new Bare(), autoStart: false } });
  await expect(app.app.get(DefinitionService).define(nightly)).rejects.toThrow(WorkflowsNotSupportedError);
  await app.close();
});
