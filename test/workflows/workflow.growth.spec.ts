import { afterEach, describe, expect, test } from 'vitest';
import {
  DefinitionService,
  InvalidWorkflowError,
  WorkflowService,
  workflow,
  type DefinedWorkflow,
  type StepContext,
} from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { NestApp } from '../support/nest.app.js';

type Added = Parameters<StepContext['addSteps']>[0];

const adding = (steps: Added) => (ctx: StepContext<any, any>) => ctx.addSteps(steps);

describe('steps that a step adds', () => {
  let apps: NestApp[] = [];

  afterEach(async () => {
    for (const app of apps) await app.close();
    apps = [];
  });

  async function boot(
    defined: readonly DefinedWorkflow<any, any, any>[],
    given: Parameters<typeof NestApp.boot>[0] = {},
  ): Promise<NestApp & { workflows: WorkflowService }> {
    const app = await NestApp.boot(given);
    apps.push(app);
    const workflows = app.app.get(WorkflowService);
    for (const each of defined) workflows.register(each);
    return Object.assign(app, { workflows });
  }

  async function run(app: NestApp & { workflows: WorkflowService }, name: string): Promise<string> {
    const { runId } = await app.workflows.start(name);
    await app.settle();
    return runId;
  }

  const firstLine = (text: string | null): string => text!.split('\n', 1)[0]!;

  test('call handlers that somebody has: else that one fails, and adds none', async () => {
    const growing = workflow('growing')
      .step('plain', adding([{ name: 'x', handler: 'send-mial' }]))
      .step('mail', adding([{ name: 'y', task: { type: 'mial' } }]))
      .step('inner', adding([{ name: 'z', workflow: 'growing2' }]))
      .step('own', adding([{ name: 'w' }]))
      .step(
        'right',
        adding([
          { name: 'v', handler: 'send-mail' },
          { name: 'u', manual: true },
        ]),
      );
    const app = await boot([growing]);
    app.scheduler.registerHandler('send-mail', () => undefined);
    const runId = await run(app, 'growing');
    const { steps } = (await app.workflows.graph(runId))!;
    expect(steps.map(({ name, state }) => [name, state])).toEqual([
      ...['plain', 'mail', 'inner', 'own'].map((name) => [name, 'failed']),
      ['right', 'succeeded'],
      ['v', 'succeeded'],
      ['u', 'released'],
    ]);
    expect(steps.slice(0, 4).map(({ reason }) => firstLine(reason))).toEqual([
      expect.stringMatching(
        /^HandlerNotFoundError: The workflow "growing", step "x": No handler "send-mial" is known.* Did you mean "send-mail"\?/,
      ),
      expect.stringMatching(/^UnknownTaskError: The workflow "growing", step "y": No executor takes tasks/),
      expect.stringMatching(
        /^HandlerNotFoundError: The workflow "growing", step "z": .*Did you mean "growing"\?/,
      ),
      expect.stringMatching(
        /^HandlerNotFoundError: The workflow "growing", step "w": No handler "growing.w"/,
      ),
    ]);
  });

  test('may call handlers that other workers of the app have, and any where unknown ones are allowed', async () => {
    const clock = new ManualClock();
    const storage = new MemoryStorage({ clock });
    const growing = workflow('growing').step('a', adding([{ name: 'x', handler: 'elsewhere' }]));
    const lax = await boot([growing], { clock, storage, chronis: { allowUnknownHandler: true } });
    const allowed = await run(lax, 'growing');
    expect((await lax.workflows.graph(allowed))!.steps.map(({ state }) => state)).toEqual([
      'succeeded',
      'released',
    ]);
    await lax.close();
    const one = await boot([growing], { clock, storage });
    const refused = await run(one, 'growing');
    expect((await one.workflows.graph(refused))!.steps.map(({ state }) => state)).toEqual(['failed']);
    const other = await boot([], { clock, storage });
    other.scheduler.registerHandler('elsewhere', () => undefined);
    await other.settle();
    const known = await run(one, 'growing');
    expect((await one.workflows.graph(known))!.steps.map(({ state }) => state)).toEqual([
      'succeeded',
      'succeeded',
    ]);
  });

  test('are looked at before a transaction commits, which is rolled back with them', async () => {
    const order: string[] = [];
    const rows = workflow('rows').step('save', async (ctx) => {
      const work = (handler: string) => () => {
        ctx.addSteps([{ name: 'added', handler, after: 'save' }]);
        return handler;
      };
      await ctx.transaction(work('nobody')).catch((error: Error) => order.push(error.name));
      await ctx.transaction(work('note'));
      order.push('committed');
    });
    const dataSource = { transaction: <T>(begin: (manager: object) => Promise<T>): Promise<T> => begin({}) };
    const clock = new ManualClock();
    const app = await boot([rows], { clock, storage: new MemoryStorage({ clock, dataSource }) });
    app.scheduler.registerHandler('note', () => order.push('note'));
    const runId = await run(app, 'rows');
    expect(order).toEqual(['HandlerNotFoundError', 'committed', 'note']);
    expect((await app.workflows.graph(runId))!.steps.map(({ state }) => state)).toEqual([
      'succeeded',
      'succeeded',
    ]);
  });

  test('may be added one by one: each call looks at what is new', async () => {
    const count = 9_999;
    const pages = workflow('pages')
      .step('index', (ctx) => {
        for (let nth = 0; nth < count; nth++)
          ctx.addSteps([
            {
              name: `page-${nth}`,
              handler: 'read',
              delay: '1d',
              after: nth === 0 ? 'index' : `page-${nth - 1}`,
              before: 'report',
            },
          ]);
      })
      .step('report', () => 1, { after: 'index' });
    const app = await boot([pages]);
    app.scheduler.registerHandler('read', () => undefined);
    const runId = await run(app, 'pages');
    expect((await app.workflows.get(runId))!.counts).toEqual({ succeeded: 1, released: 1, waiting: count });
  }, 15_000);

  test('are looked at beside those of earlier calls, but for what was rolled back', async () => {
    const problems: string[] = [];
    const mixed = workflow('mixed').step('a', async (ctx) => {
      const refused = (steps: Added): void => {
        try {
          ctx.addSteps(steps);
          problems.push('none');
        } catch (error) {
          problems.push((error as Error).message.replace(/^.*?step /, ''));
        }
      };
      const back = async (): Promise<never> => {
        ctx.addSteps([{ name: 'x', handler: 'h', after: 'y' }]);
        throw new Error('rolled back');
      };
      await ctx.transaction(back).catch(() => undefined);
      ctx.addSteps([{ name: 'y', handler: 'h', after: 'x' }]);
      refused([{ name: 'y', handler: 'h' }]);
      refused([
        { name: 'x', handler: 'h', after: 'z' },
        { name: 'z', handler: 'h', after: 'y' },
      ]);
      refused([{ name: 'v', handler: 'h', before: 'y' }]);
      ctx.addSteps([{ name: 'x', handler: 'h', after: 'a' }]);
    });
    const dataSource = { transaction: <T>(begin: (manager: object) => Promise<T>): Promise<T> => begin({}) };
    const clock = new ManualClock();
    const app = await boot([mixed], { clock, storage: new MemoryStorage({ clock, dataSource }) });
    app.scheduler.registerHandler('h', () => undefined);
    const runId = await run(app, 'mixed');
    expect(problems).toEqual([
      '"y": it is added twice. Give one of them another name.',
      expect.stringMatching(/^"\w": it waits for itself: /),
      '"v": before names "y", which is added as well: name this one in its "after".',
    ]);
    const { steps } = (await app.workflows.graph(runId))!;
    expect(steps.map(({ name, state }) => [name, state])).toEqual([
      ['a', 'succeeded'],
      ['y', 'succeeded'],
      ['x', 'succeeded'],
    ]);
  });

  test('that are wrong fail it at once, whatever retries it has: they would be no different', async () => {
    const calls: string[] = [];
    const retries = { maxRetries: 3, backoff: 0 };
    const wrong = workflow('wrong')
      .step('here', (ctx) => (calls.push('here'), ctx.addSteps([{ name: 'here' }])), retries)
      .step(
        'there',
        (ctx) => (calls.push('there'), ctx.addSteps([{ name: 'here', handler: 'note' }])),
        retries,
      );
    const app = await boot([wrong]);
    app.scheduler.registerHandler('note', () => undefined);
    await run(app, 'wrong');
    expect(calls.toSorted()).toEqual(['here', 'there']);
  });

  test('fail a step that is a workflow, as that does not fit, and nothing else', async () => {
    const inner = workflow('inner').step('only', () => 1);
    const outer = workflow('outer')
      .step('in', inner, { maxRetries: 3 })
      .step('beside', () => 2)
      .step('report', async (ctx) => (await ctx.parent('in')).verdict, { after: 'in', otherwise: 'run' });
    const app = await boot([inner, outer]);
    const { storage } = app;
    const settle = storage.settle.bind(storage);
    storage.settle = async (settlements, hands) => {
      if (settlements.some(({ flow }) => flow?.workflow === 'inner'))
        throw new InvalidWorkflowError('inner', null, 'it is too much.');
      return settle(settlements, hands);
    };
    const runId = await run(app, 'outer');
    const { steps } = (await app.workflows.graph(runId))!;
    expect(steps.map(({ name, state }) => [name, state])).toEqual([
      ['in', 'failed'],
      ['beside', 'succeeded'],
      ['report', 'succeeded'],
    ]);
    expect(steps[0]!.reason).toBe('InvalidWorkflowError: The workflow "inner": it is too much.');
    // The step, and the whole by that.
    expect(failures(app)).toEqual(['Error', 'InvalidWorkflowError']);
    expect(app.heard('run.retrying')).toEqual([]);
  });

  test('of workflows that start each other without end fail the deepest at once, whatever retries it has', async () => {
    const app = await boot([
      workflow('ping').step('there', 'pong', { maxRetries: 3, backoff: 0 }),
      workflow('pong').step('back', 'ping', { maxRetries: 3, backoff: 0 }),
    ]);
    await run(app, 'ping');
    for (let nth = 0; nth < 50; nth++) await app.settle();
    expect(app.heard('run.retrying')).toEqual([]);
    // The deepest, and each that it is a step of by that.
    expect(failures(app)).toEqual([...Array.from({ length: 20 }, () => 'Error'), 'InvalidWorkflowError']);
  });
});

/** By what runs have failed. */
function failures(app: NestApp): string[] {
  return app
    .heard('run.failed')
    .map(({ error }) => (error as Error).name)
    .toSorted();
}

describe('a workflow that names handlers', () => {
  test('is started though nobody has them, where unknown ones are allowed', async () => {
    const app = await NestApp.boot({ chronis: { allowUnknownHandler: true } });
    try {
      const workflows = app.app.get(WorkflowService);
      workflows.register(workflow('lacking').step('mail', 'send-mail'));
      const { runId } = await workflows.start('lacking');
      await app.settle();
      expect((await workflows.graph(runId))!.steps.map(({ state }) => state)).toEqual(['released']);
      await app.app
        .get(DefinitionService)
        .define({ name: 'data', steps: [{ name: 'mail', handler: 'send-mail' }] });
      const pinned = await workflows.start('data', { version: 1 });
      await app.settle();
      expect((await workflows.graph(pinned.runId))!.steps.map(({ state }) => state)).toEqual(['released']);
    } finally {
      await app.close();
    }
  });
});
