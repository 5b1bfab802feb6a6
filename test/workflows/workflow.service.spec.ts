import { afterEach, describe, expect, test } from 'vitest';
import {
  InvalidOptionError,
  InvalidWorkflowError,
  JobAlreadyExistsError,
  RunHasVerdictError,
  RunNotFoundError,
  WorkflowRunNotFoundError,
  WorkflowRunStateError,
  WorkflowService,
  WorkflowStepNotFoundError,
  WorkflowsNotSupportedError,
  flowResultNotKept,
  workflow,
  MemoryStorage,
  type CallbackPayload,
  type DefinedWorkflow,
  type RunContext,
  type StartedWorkflow,
  type StepContext,
} from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';

const minute = 60_000;

describe('a workflow', () => {
  let apps: NestApp[] = [];
  let calls: string[] = [];

  afterEach(async () => {
    for (const app of apps) await app.close();
    apps = [];
    calls = [];
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

  const calling =
    (result?: unknown) =>
    (ctx: StepContext<any, any, any>): unknown => {
      calls.push(ctx.workflow.step);
      if (result instanceof Error) throw result;
      return result;
    };

  /** The states of its steps by name, instances left out. */
  async function statesOf(
    { workflows }: { workflows: WorkflowService },
    runId: string,
  ): Promise<Record<string, string>> {
    const { steps } = (await workflows.graph(runId))!;
    return Object.fromEntries(steps.map(({ name, state }) => [name, state]));
  }

  async function run(
    app: NestApp & { workflows: WorkflowService },
    name: string,
    options: object = {},
  ): Promise<string> {
    const { runId } = await app.workflows.start(name, options);
    await app.settle();
    return runId;
  }

  test('hands on what steps return, and ends with what its last ones have', async () => {
    const order = workflow<{ id: string }>('order')
      .step('charge', (ctx) => ({ id: ctx.params.id, on: new Date(0) }))
      .step('lines', () => [1, 2, 3])
      .map('pack', (ctx) => ctx.item * 10, { after: 'lines' })
      .step('ship', async (ctx) => [(await ctx.result('charge')).on, await ctx.result('pack')], {
        after: ['charge', 'pack'],
      })
      .step('note', () => undefined);
    const app = await boot([order]);
    const { runId } = await app.workflows.start(order, { params: { id: 'a' } });
    await app.settle();
    expect(await app.scheduler.waitForRun(runId)).toMatchObject({
      verdict: 'succeeded',
      result: { ship: ['1970-01-01T00:00:00.000Z', [10, 20, 30]], note: null },
    });
  });

  describe('with a step that cannot be done', () => {
    const broken = workflow('broken')
      .step('a', calling(new Error('no')), { maxRetries: 1, backoff: 0 })
      .step('blocked', calling(), { after: 'a' })
      .step('cancelled', calling(), { after: 'a', otherwise: 'cancel' })
      .step('behind', calling(), { after: 'cancelled', otherwise: 'cancel' })
      .step('report', async (ctx) => ctx.parent('a'), { after: 'a', otherwise: 'run' });

    test('has failed, and each step is what it says', async () => {
      const app = await boot([broken]);
      const runId = await run(app, 'broken');
      expect(await statesOf(app, runId)).toEqual({
        a: 'failed',
        blocked: 'blocked',
        cancelled: 'cancelled',
        behind: 'cancelled',
        report: 'succeeded',
      });
      expect(calls).toEqual(['a', 'a']);
      const graph = (await app.workflows.graph(runId))!;
      expect(graph.state).toBe('failed');
      expect(graph.steps[1]!.waitsFor).toBe(
        'It is blocked, as only 0 of the 1 that it needs have ended well: "a" (failed). A retry of the workflow runs these again, and then this.',
      );
      expect((await app.scheduler.waitForRun(runId)).error).toContain('"a"');
    });

    test('goes on from there by retry, and what has succeeded is not run again', async () => {
      let isBroken = true;
      const mended = workflow('mended')
        .step('first', calling(1))
        .step(
          'second',
          (ctx) => {
            calling()(ctx);
            if (isBroken) throw new Error('no');
            return 2;
          },
          { after: 'first' },
        )
        .step('third', async (ctx) => (calls.push('third'), ctx.result('second')), { after: 'second' });
      const app = await boot([mended]);
      const runId = await run(app, 'mended');
      isBroken = false;
      const retried = await app.workflows.retry(runId);
      await app.settle();
      expect(calls).toEqual(['first', 'second', 'second', 'third']);
      expect(await app.workflows.get(retried.runId)).toMatchObject({ state: 'succeeded', retryOf: runId });
      await expect(app.workflows.retry(retried.runId)).rejects.toThrow(WorkflowRunStateError);
      await expect(app.workflows.retry('999')).rejects.toThrow(WorkflowRunNotFoundError);
    });

    test('is started anew by the retry of its run', async () => {
      let isBroken = true;
      const anew = workflow('anew')
        .step('first', calling(1))
        .step(
          'second',
          (ctx) => {
            calling()(ctx);
            if (isBroken) throw new Error('no');
          },
          { after: 'first' },
        );
      const app = await boot([anew]);
      const runId = await run(app, 'anew');
      isBroken = false;
      const { id } = await app.scheduler.retryRun(runId);
      await app.settle();
      expect(calls).toEqual(['first', 'second', 'first', 'second']);
      expect(await app.workflows.get(id)).toMatchObject({ state: 'succeeded' });
    });
  });

  test('goes on with any of its parents, or so many of them', async () => {
    const some = workflow('some')
      .step('a', calling(new Error('no')))
      .step('b', calling(1))
      .step('c', calling(1), { delay: '1m' })
      .step('any', calling(), { after: ['a', 'b', 'c'], need: 'any' })
      .step('two', calling(), { after: ['a', 'b', 'c'], need: 2 });
    const app = await boot([some]);
    const runId = await run(app, 'some');
    expect(await statesOf(app, runId)).toMatchObject({ any: 'succeeded', c: 'released', two: 'waiting' });
    expect((await app.workflows.graph(runId))!.steps.at(-1)!.waitsFor).toBe(
      'It waits for its parents, of which 1 of the 2 that it needs have ended well: "a" (failed), "c" (released).',
    );
    await app.clock.advanceBy(minute);
    expect(await statesOf(app, runId)).toMatchObject({ two: 'succeeded' });
    expect(await app.workflows.get(runId)).toMatchObject({ state: 'failed' });
  });

  describe('skips', () => {
    const branch = workflow<{ left: boolean }>('branch')
      .step('ask', (ctx) => ctx.params.left)
      .step('left', calling('l'), { after: 'ask', when: (results) => results.ask === true })
      .step('right', async (ctx) => ((await ctx.result('ask')) ? ctx.skip('It is the left one.') : 'r'), {
        after: 'ask',
      })
      .step('beyond', calling(), { after: 'right' })
      .step(
        'join',
        async (ctx) => {
          const sides = await Promise.all([ctx.parent('left'), ctx.parent('right')]);
          const taken = sides.find(({ verdict }) => verdict === 'succeeded')!.name as 'left' | 'right';
          return ctx.result(taken);
        },
        { after: ['left', 'right'] },
      );

    test.each([
      [true, { left: 'succeeded', right: 'skipped', beyond: 'skipped', join: 'succeeded' }],
      [false, { left: 'skipped', right: 'succeeded', beyond: 'succeeded', join: 'succeeded' }],
    ])('the branch that is not taken to its end, and joins (%s)', async (left, states) => {
      const app = await boot([branch]);
      const runId = await run(app, 'branch', { params: { left } });
      expect(await statesOf(app, runId)).toMatchObject(states);
      const { steps } = (await app.workflows.graph(runId))!;
      const skipped = steps.find(({ state }) => state === 'skipped')!;
      expect(skipped.reason).toBe(left ? 'It is the left one.' : 'Its condition "when" is not met.');
      expect(await app.scheduler.waitForRun(runId)).toMatchObject({
        verdict: 'succeeded',
        result: { join: left ? 'l' : 'r' },
      });
    });

    test('a map over nothing', async () => {
      const empty = workflow('empty')
        .step('none', (): number[] => [])
        .map('each', calling(), { after: 'none' })
        .step('end', async (ctx) => ctx.parent('each'), { after: ['each', 'none'] });
      const app = await boot([empty]);
      const runId = await run(app, 'empty');
      expect(await statesOf(app, runId)).toEqual({ none: 'succeeded', each: 'skipped', end: 'succeeded' });
    });
  });

  test('tells a step what it cannot have', async () => {
    const asking = workflow('asking')
      .step('a', calling(1))
      .step(
        'b',
        () => {
          throw new Error('no');
        },
        { allowFailure: true },
      )
      .step('stranger', async (ctx: StepContext<any, any>) => ctx.result('b'), { after: 'a', maxRetries: 5 })
      .step('order', async (ctx: StepContext<any, any>) => ctx.result('a'), {
        after: [{ step: 'a', order: true }],
      })
      .step('failed', async (ctx) => ctx.result('b'), { after: 'b' })
      .step(
        'list',
        async (ctx) => {
          for await (const _ of ctx.results('a'));
        },
        { after: 'a' },
      );
    const app = await boot([asking]);
    const runId = await run(app, 'asking');
    const { steps } = (await app.workflows.graph(runId))!;
    const reason = (name: string): string => steps.find((step) => step.name === name)!.reason!;
    expect(reason('stranger')).toContain('"b", which it does not come after. Its parents are: "a".');
    expect(reason('order')).toContain('which it only waits for (order: true)');
    expect(reason('failed')).toContain('which is failed (Error: no), so it has none');
    expect(reason('list')).toContain('it is no list');
    // Another attempt would be no different.
    expect(steps.filter((step) => step.state === 'failed')).toHaveLength(5);
  });

  test('fails a step whose result cannot be handed on, and keeps one of 1 MiB', async () => {
    const mib = 1_048_576;
    const large = workflow('large')
      .step('fits', () => 'x'.repeat(mib - 2))
      .step('whole', async (ctx) => (await ctx.result('fits')).length, { after: 'fits' })
      .step('long', () => 'x'.repeat(mib - 1), { maxRetries: 3 })
      .step('odd', () => ({ at: 1n }), { maxRetries: 3 });
    const app = await boot([large]);
    const runId = await run(app, 'large');
    const { steps } = (await app.workflows.graph(runId))!;
    expect(steps.map(({ state }) => state)).toEqual(['succeeded', 'succeeded', 'failed', 'failed']);
    expect(steps[2]!.reason).toContain(
      'has 1048577 bytes as JSON, and the most that a step may hand on is 1048576',
    );
    expect(steps[3]!.reason).toContain('StepResultError');
    expect(app.heard('run.retrying')).toEqual([]);
  });

  test.each([
    ['the name of a handler', 'read', "must be a function, but is 'read'"],
    ['nothing', undefined, 'must be a function, but is undefined'],
  ])('refuses a map whose code is %s, and says how it is given', (_, code, problem) => {
    const list = workflow('mapped').step('list', () => [1]);
    const make = (): unknown => list.map('each', code as never, { after: 'list' });
    expect(make).toThrow(InvalidWorkflowError);
    expect(make).toThrow(problem);
    expect(make).toThrow('step("each", handler, { map: true, after })');
  });

  test('fails a step whose condition tells neither true nor false', async () => {
    const asked = workflow('asked')
      .step('a', calling(1))
      .step('nothing', calling(), { after: 'a', maxRetries: 3, when: (() => undefined) as never })
      .step('count', calling(), { after: 'a', when: ((results: { a: number }) => results.a) as never })
      .step('later', calling(), { after: 'a', when: () => Promise.resolve(false) });
    const app = await boot([asked]);
    const { steps } = (await app.workflows.graph(await run(app, 'asked')))!;
    expect(steps.map(({ state }) => state)).toEqual(['succeeded', 'failed', 'failed', 'skipped']);
    expect(steps[1]!.reason).toContain('when: must return true or false, but returned undefined');
    expect(steps[2]!.reason).toContain('when: must return true or false, but returned 1');
    expect(calls).toEqual(['a']);
  });

  test('tells that the result of a whole was not kept, and fails what asks for it', async () => {
    const large = workflow('large').step('a', () => 'x'.repeat(65_536));
    const outer = workflow('outer')
      .step('sub', large)
      .step('read', async (ctx) => ctx.result('sub'), { after: 'sub', maxRetries: 3 })
      .step('asked', calling(), { after: 'sub', when: ({ sub }) => sub === null })
      .step('other', async (ctx) => (await ctx.parent('sub')).verdict, { after: 'sub' });
    const app = await boot([large, outer]);
    const { steps } = (await app.workflows.graph(await run(app, 'outer')))!;
    const [sub, read, asked, other] = steps;
    expect([sub, read, asked, other].map(({ state }) => state)).toEqual([
      ...['succeeded', 'failed', 'failed', 'succeeded'],
    ]);
    expect(sub.reason).toContain('The result was not kept: it has more than 65536 characters');
    for (const { reason } of [read, asked]) expect(reason).toContain('The result was not kept');
    const whole = await app.scheduler.waitForRun(sub.runId!);
    expect(whole).toMatchObject({ verdict: 'succeeded', result: null, error: sub.reason });
  });

  test('counts the bytes of a result, as ctx.step() does', async () => {
    const half = 1_048_576 / 2;
    const accents = workflow('accents')
      .step('fits', () => 'é'.repeat(half - 1))
      .step('long', () => 'é'.repeat(half));
    const app = await boot([accents]);
    const runId = await run(app, 'accents');
    expect(await statesOf(app, runId)).toEqual({ fits: 'succeeded', long: 'failed' });
  });

  test('fails a step whose result JSON would change, and names the place', async () => {
    const odd: Record<string, [unknown, string]> = {
      nan: [Number.NaN, 'NaN is not JSON'],
      infinite: [{ a: [Infinity] }, 'at result.a[0]: Infinity is not JSON'],
      function: [() => 1, 'a function is not JSON'],
      symbol: [Symbol('x'), 'a symbol is not JSON'],
      map: [new Map([[1, 2]]), 'an instance of Map is not JSON'],
      set: [{ all: new Set([1]) }, 'at result.all: an instance of Set is not JSON'],
      pattern: [/x/u, 'an instance of RegExp is not JSON'],
      error: [new Error('e'), 'an instance of Error is not JSON'],
      promise: [{ later: Promise.resolve(1) }, 'at result.later: an instance of Promise is not JSON'],
      half: ['\uD800x', 'holds half of a surrogate pair'],
      hole: [[1, undefined], 'at result[1]: undefined is not JSON'],
    };
    let defined: DefinedWorkflow<any, any, any> = workflow('odd');
    for (const [name, [value]] of Object.entries(odd)) defined = defined.step(name, () => value);
    defined = defined.step('within', (ctx: StepContext) => ctx.transaction(async () => new Map([[1, 2]])));
    const dataSource = { transaction: <T>(begin: (manager: object) => Promise<T>): Promise<T> => begin({}) };
    const clock = new ManualClock();
    const app = await boot([defined], { clock, storage: new MemoryStorage({ clock, dataSource }) });
    const { steps } = (await app.workflows.graph(await run(app, 'odd')))!;
    for (const { name, state, reason } of steps) {
      expect([name, state], name).toEqual([name, 'failed']);
      expect(reason).toContain('StepResultError');
      expect(reason).toContain(odd[name]?.[1] ?? 'an instance of Map is not JSON');
    }
  });

  test('takes Dates, class instances and keys without a value as JSON does', async () => {
    class Row {
      at = new Date(0);
      left = undefined;
      write(): void {}
    }
    const rows = workflow('rows')
      .step('read', () => [new Row()])
      .step('see', async (ctx) => JSON.stringify(await ctx.result('read')), { after: 'read' });
    const app = await boot([rows]);
    const runId = await run(app, 'rows');
    const { result } = await app.scheduler.waitForRun(runId);
    expect(result).toEqual({ see: '[{"at":"1970-01-01T00:00:00.000Z"}]' });
  });

  test('cancels what is told to be, and leaves those after it to what they say themselves', async () => {
    const ending = (next: 'block' | 'cancel') =>
      workflow(next)
        .step('a', calling(new Error('no')))
        .step('b', calling(), { after: 'a', otherwise: 'cancel' })
        .step('c', calling(), { after: 'b', otherwise: next })
        .step('cleanup', calling(), { after: 'c', otherwise: 'run' });
    const app = await boot([ending('block'), ending('cancel')]);
    const blocked = await run(app, 'block');
    const waiting = { a: 'failed', b: 'cancelled', c: 'blocked', cleanup: 'blocked' };
    expect(await statesOf(app, blocked)).toEqual(waiting);
    const cancelled = await run(app, 'cancel');
    const cleaned = { a: 'failed', b: 'cancelled', c: 'cancelled', cleanup: 'succeeded' };
    expect(await statesOf(app, cancelled)).toEqual(cleaned);
  });

  describe('grows', () => {
    test('by what a step adds, for which others wait', async () => {
      const crawl = workflow<string[]>('crawl')
        .step(
          'index',
          (ctx) => {
            calls.push('index');
            ctx.addSteps(
              ctx.params.map((name) => ({
                name,
                handler: 'read',
                payload: { name },
                after: 'index',
                before: 'report',
              })),
            );
            if (calls.length === 1) throw new Error('once');
          },
          { maxRetries: 1, backoff: 0 },
        )
        .step('report', () => calls.push('report'), { after: 'index' });
      const app = await boot([crawl]);
      app.scheduler.registerHandler('read', ({ payload }: RunContext<{ name: string }>) =>
        calls.push(payload.name),
      );
      const runId = await run(app, 'crawl', { params: ['x', 'y'] });
      expect(calls.slice(0, 2)).toEqual(['index', 'index']);
      expect(calls.slice(2).toSorted()).toEqual(['report', 'x', 'y']);
      expect(calls.at(-1)).toBe('report');
      expect(await statesOf(app, runId)).toEqual({
        index: 'succeeded',
        x: 'succeeded',
        y: 'succeeded',
        report: 'succeeded',
      });
    });

    test('by nothing that is wrong', async () => {
      const adding = (steps: object[]) => (ctx: StepContext<any, any>) => ctx.addSteps(steps as never);
      const wrong = workflow('wrong')
        .step(
          'cycle',
          adding([
            { name: 'x', after: 'y' },
            { name: 'y', after: 'x' },
          ]),
        )
        .step('twice', adding([{ name: 'x' }, { name: 'x' }]))
        .step('self', adding([{ name: 'self' }]))
        .step('option', adding([{ name: 'x', afer: 'y' }]))
        .step('taken', adding([{ name: 'cycle' }]))
        .step('strange', adding([{ name: 'x', handler: 'h', after: 'nobody' }]))
        .step('before', adding([{ name: 'x', handler: 'h', before: 'nobody' }]))
        .step('released', adding([{ name: 'x', handler: 'h', before: 'slow' }]))
        .step('round', adding([{ name: 'x', handler: 'h', after: 'late', before: 'late' }]))
        .step('slow', calling(), { delay: '1h' })
        .step('late', calling(), { after: 'slow' });
      const app = await boot([wrong]);
      app.scheduler.registerHandler('h', () => undefined);
      const runId = await run(app, 'wrong');
      const { steps } = (await app.workflows.graph(runId))!;
      expect(steps.slice(0, -2).map(({ name, reason }) => [name, reason!.split('\n', 1)[0]])).toEqual(
        [
          ['cycle', '"x": it waits for itself: "x" → "y" → "x". Take one of these out of "after".'],
          ['twice', '"x": it is added twice. Give one of them another name.'],
          ['self', '"self": the step that adds it has this name. Give it another.'],
          ['option', '"x": afer: a step has no such option. Did you mean "after"?'],
          ['taken', `"cycle": the run ${runId} has a step of this name already. Give it another.`],
          [
            'strange',
            `"x": after names "nobody", which is no step of the run ${runId}. Name one that graph() shows.`,
          ],
          [
            'before',
            `"x": before names "nobody", which is no step of the run ${runId}. Name one that graph() shows.`,
          ],
          [
            'released',
            `"x": before names "slow", which the run ${runId} has released already, so that it waits for nothing more. Name one that waits.`,
          ],
          [
            'round',
            '"late": it would wait for itself: "late" → "x" → "late". Take one of these out of "before" or "after".',
          ],
        ].map(([name, problem]) => [name, `InvalidWorkflowError: The workflow "wrong", step ${problem}`]),
      );
      expect(app.heard('run.succeeded').map(({ jobId }) => jobId)).toEqual([]);
      expect(app.heard('run.failed').map(({ error }) => (error as Error).name)).toEqual(
        Array.from({ length: 9 }, () => 'InvalidWorkflowError'),
      );
    });

    test('not by more edges than it may have, however they are added', async () => {
      const names = (from: string, count: number): string[] =>
        Array.from({ length: count }, (_, i) => `${from}${i}`);
      const many = workflow('many').step('a', (ctx) => {
        const [first, second] = [names('p', 400), names('c', 251)];
        ctx.addSteps(first.map((name) => ({ name, handler: 'h' })));
        ctx.addSteps(second.slice(1).map((name) => ({ name, handler: 'h', after: first })));
        ctx.addSteps([{ name: 'c0', handler: 'h', after: first }]);
      });
      const app = await boot([many]);
      const { steps } = (await app.workflows.graph(await run(app, 'many')))!;
      expect(steps.map(({ state }) => state)).toEqual(['failed']);
      expect(steps[0]!.reason).toContain('the steps that it adds have more than 100000 edges');
    });

    test('not by an attempt that times out, though its handler goes on', async () => {
      const late = workflow('late')
        .step(
          'slow',
          async (ctx) => {
            ctx.addSteps([{ name: `added-${ctx.attempt}`, handler: 'read' }]);
            if (ctx.attempt > 1) return;
            await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
            throw ctx.signal.reason;
          },
          { timeout: '1m', maxRetries: 1, backoff: 0 },
        )
        .step('end', () => 'end', { after: 'slow' });
      const app = await boot([late]);
      app.scheduler.registerHandler('read', () => undefined);
      const runId = await run(app, 'late');
      await app.clock.advanceBy(2 * minute);
      expect(await statesOf(app, runId)).toEqual({
        slow: 'succeeded',
        end: 'succeeded',
        'added-2': 'succeeded',
      });
    });
  });

  test('sets nothing off by a step that ends after it was cancelled', async () => {
    let end!: () => void;
    const ended = new Promise<void>((resolve) => (end = resolve));
    let reason: unknown;
    const long = workflow('long')
      .step('work', async (ctx) => {
        ctx.signal.addEventListener('abort', () => (reason = ctx.signal.reason));
        await ended;
        ctx.addSteps([{ name: 'added', handler: 'long.next' }]);
      })
      .step('next', calling(), { after: 'work' });
    const app = await boot([long]);
    const runId = await run(app, 'long');
    await app.workflows.cancel(runId);
    await app.settle();
    expect(reason).toMatchObject({ abortCause: 'cancel' });
    end();
    await app.settle();
    expect(await app.workflows.get(runId)).toMatchObject({ state: 'cancelled' });
    expect(Object.keys(await statesOf(app, runId))).toEqual(['work', 'next']);
    expect(calls).toEqual([]);
  });

  test('has steps that sleep, snooze, keep durable steps, and are left open', async () => {
    const resting = workflow('resting')
      .step('durable', async (ctx) => {
        const charged = await ctx.step('charge', () => calls.push('charge'));
        await ctx.sleep('3 days');
        calls.push('awake');
        return charged;
      })
      .step('snoozing', (ctx) => {
        calls.push('snoozing');
        return calls.filter((each) => each === 'snoozing').length === 1 ? ctx.snooze('1h') : 'done';
      })
      .step('open', (ctx) => ctx.open({ deadline: '1d' }))
      .step(
        'all',
        async (ctx) => [await ctx.result('durable'), await ctx.result('snoozing'), await ctx.result('open')],
        {
          after: ['durable', 'snoozing', 'open'],
        },
      );
    const app = await boot([resting]);
    const runId = await run(app, 'resting');
    await app.workflows.complete({ runId, step: 'open' }, 'told');
    await app.clock.advanceBy(3 * 24 * 60 * minute);
    await app.settle();
    expect(calls.toSorted()).toEqual(['awake', 'charge', 'snoozing', 'snoozing']);
    expect(await app.scheduler.waitForRun(runId)).toMatchObject({
      verdict: 'succeeded',
      result: { all: [expect.any(Number), 'done', 'told'] },
    });
  });

  test('has steps that are either left open or skipped', async () => {
    const both = workflow('both')
      .step('a', (ctx) => (ctx.skip('none'), ctx.open()))
      .step('b', (ctx) => (ctx.open(), ctx.addSteps([{ name: 'x' }])))
      .step('c', (ctx) => ctx.skip(''));
    const app = await boot([both]);
    const { steps } = (await app.workflows.graph(await run(app, 'both')))!;
    expect(
      steps.map(
        ({ reason }) => /context\.\w+\(\): (a step that is left open|takes the reason)/.exec(reason!)?.[0],
      ),
    ).toEqual([
      'context.open(): a step that is left open',
      'context.addSteps(): a step that is left open',
      'context.skip(): takes the reason',
    ]);
  });

  describe('with a step by hand', () => {
    const asking = workflow('asking')
      .step('draft', () => 1)
      .manual('approve', { after: 'draft', timeout: '2d' })
      .step('send', async (ctx) => ctx.result('approve'), { after: 'approve' });

    test('goes on with what it is completed with, once', async () => {
      const app = await boot([asking]);
      const { runId } = await app.workflows.start('asking');
      await expect(app.workflows.complete({ runId: '999', step: 'approve' })).rejects.toThrow(
        WorkflowRunNotFoundError,
      );
      await app.settle();
      const { steps } = (await app.workflows.graph(runId))!;
      expect(steps[1]).toMatchObject({
        manual: true,
        runState: 'open',
        waitsFor: expect.stringMatching(/^It waits for complete\(\) or fail\(\) until /),
      });
      await expect(app.workflows.complete({ runId, step: 'send' })).rejects.toThrow(
        WorkflowStepNotFoundError,
      );
      await expect(app.workflows.complete({ runId, step: 'approved' })).rejects.toThrow(
        'there is none of this name',
      );
      await app.workflows.complete(steps[1]!.runId!, { by: 'x'.repeat(100_000) });
      await app.settle();
      expect(await app.workflows.get(runId)).toMatchObject({ state: 'succeeded' });
      await expect(app.workflows.complete({ runId, step: 'approve' })).rejects.toThrow(RunHasVerdictError);
    });

    test('fails by what it is told, or at its deadline', async () => {
      const app = await boot([asking]);
      const failed = await run(app, 'asking');
      expect(await app.workflows.fail({ runId: failed, step: 'approve' }, new Error('declined'))).toEqual({
        retryAt: null,
      });
      const late = await run(app, 'asking');
      await app.clock.advanceBy(2 * 24 * 60 * minute + minute);
      for (const [runId, state] of [
        [failed, 'failed'],
        [late, 'timed_out'],
      ] as const) {
        expect(await app.workflows.get(runId)).toMatchObject({ state: 'failed' });
        expect(await statesOf(app, runId)).toEqual({ draft: 'succeeded', approve: state, send: 'blocked' });
      }
    });
  });

  test('ends a step by hand that was added, or that a release has removed, at its deadline', async () => {
    const growing = workflow('growing')
      .step('first', (ctx) =>
        ctx.addSteps([{ name: 'added', manual: true, timeout: '10m', after: 'first', before: 'end' }]),
      )
      .manual('removed', { timeout: '10m' })
      .step('end', calling(), { after: ['first', 'removed'], otherwise: 'run' });
    const clock = new ManualClock();
    const given = { clock, storage: new MemoryStorage({ clock }) };
    const old = await boot([growing], given);
    const runId = await run(old, 'growing');
    expect(calls).toEqual([]);
    const next = await boot([workflow('growing').step('end', calling())], given);
    expect((await next.workflows.plan()).lacks).toEqual([]);
    await old.close();
    await next.clock.advanceBy(11 * minute);
    await next.settle();
    expect(await statesOf(next, runId)).toEqual({
      first: 'succeeded',
      added: 'timed_out',
      removed: 'timed_out',
      end: 'succeeded',
    });
  });

  test('ends a step by hand at its deadline also on a storage that has no definitions', async () => {
    const clock = new ManualClock();
    const storage = Object.assign(new MemoryStorage({ clock }), { definitions: undefined });
    const asking = workflow('asking').manual('ask', { timeout: '10m' });
    const app = await boot([asking], { clock, chronis: { storage: storage as unknown as MemoryStorage } });
    const runId = await run(app, 'asking');
    await app.clock.advanceBy(11 * minute);
    await app.settle();
    expect(await statesOf(app, runId)).toEqual({ ask: 'timed_out' });
  });

  test('tells of what waits that it lacks a handler, or is paused', async () => {
    const lacking = workflow('lacking')
      .manual('late', { timeout: '1h' })
      .manual('ever')
      .step('x', 'gone', { delay: '1m' });
    const app = await boot([lacking]);
    app.scheduler.registerHandler('gone', () => undefined);
    const waits = async (): Promise<(string | null)[]> =>
      (await app.workflows.graph(runId))!.steps.map(({ waitsFor }) => waitsFor);
    const runId = await run(app, 'lacking');
    expect((await waits())[2]).toMatch(/^It is due at 2/);
    app.scheduler.withdrawHandler('gone');
    await app.clock.advanceBy(2 * minute);
    expect((await waits())[2]).toBe(
      'It waits for a worker that has its handler "gone": none that lives has.',
    );
    await app.workflows.pause(runId);
    expect(await waits()).toEqual([
      expect.stringMatching(
        /^It waits for complete\(\) or fail\(\)\. The workflow is paused: its deadline, 2\S+Z, holds once that is resumed\.$/,
      ),
      'It waits for complete() or fail(). The workflow is paused: what comes after it begins once that is resumed.',
      'It is paused.',
    ]);
  });

  test('tells of what waits that it lacks a handler, though another app has one of that name', async () => {
    const clock = new ManualClock();
    const storage = new MemoryStorage({ clock });
    const app = await boot([workflow('lacking').step('x', 'gone', { delay: '1m' })], { clock, storage });
    app.scheduler.registerHandler('gone', () => undefined);
    const runId = await run(app, 'lacking');
    app.scheduler.withdrawHandler('gone');
    const other = await boot([], { clock, storage, chronis: { app: 'other' } });
    other.scheduler.registerHandler('gone', () => undefined);
    await app.clock.advanceBy(2 * minute);
    expect((await app.workflows.graph(runId))!.steps[0]!.waitsFor).toBe(
      'It waits for a worker that has its handler "gone": none that lives has.',
    );
  });

  test('of one name and key in two apps is refused in the second one, which would lose its start in silence', async () => {
    const clock = new ManualClock();
    const storage = new MemoryStorage({ clock });
    const order = workflow('order').step('a', calling());
    const shop = await boot([order], { clock, storage, chronis: { app: 'shop' } });
    const billing = await boot([order], { clock, storage, chronis: { app: 'billing' } });
    const start = (app: typeof shop, options: object = {}): Promise<StartedWorkflow> =>
      app.workflows.start(order, { key: 'order:7', ...options });
    const { runId } = await start(shop);
    expect(await start(shop)).toEqual({ runId, status: 'existing' });
    const refused = start(billing);
    await expect(refused).rejects.toThrow(JobAlreadyExistsError);
    await expect(refused).rejects.toThrow(
      'A job "order:7" already exists in the namespace "default". It is of the app "shop", and the start is for "billing", so nothing was started. Choose another key, or another namespace, or give { app: \'shop\' } if that one is meant.',
    );
    expect(await start(billing, { app: 'shop' })).toEqual({ runId, status: 'existing' });
    expect(await start(billing, { namespace: 'billing' })).toMatchObject({ status: 'created' });
    const renamed = await boot([order], {
      clock,
      storage,
      chronis: { app: 'store', previousApps: ['shop'] },
    });
    expect(await start(renamed)).toEqual({ runId, status: 'existing' });
  });

  test('that was cancelled is retried as long as its run is kept, and says so where it is not', async () => {
    const held = workflow('held').step('a', calling()).manual('b', { after: 'a' });
    const app = await boot([held]);
    const kept = await run(app, 'held', { key: 'k' });
    await app.workflows.cancel(kept);
    const again = await app.workflows.retry(kept);
    await app.settle();
    await app.workflows.complete({ runId: again.runId, step: 'b' });
    expect(await app.workflows.get(again.runId)).toMatchObject({ state: 'succeeded' });
    expect(calls).toEqual(['a']);
    const lost = await run(app, 'held');
    await app.workflows.cancel(lost);
    await expect(app.workflows.retry(lost)).rejects.toThrow(
      `The workflow of run "${lost}" is cancelled: its run is not kept, so there is nothing to retry. That of a workflow without a key goes when it is cancelled`,
    );
  });

  test('tells that its result was not kept, in the process that has ended it, once that is committed', async () => {
    const large = 'x'.repeat(70_000);
    const inner = workflow('inner').step('only', () => large);
    const own = workflow('own').step('only', async (ctx) => ctx.transaction(() => large));
    const outer = workflow('outer').step('in', inner);
    const asking = workflow('asking').manual('ask');
    const clock = new ManualClock();
    const dataSource = { transaction: <T>(begin: (manager: object) => Promise<T>): Promise<T> => begin({}) };
    const storage = new MemoryStorage({ clock, dataSource });
    const app = await boot([inner, own, outer, asking], { clock, storage });
    const api = await boot([], { clock, storage, chronis: { autoStart: false } });
    const heardBy = (each: NestApp): string[] =>
      each.heard('run.result-dropped').map(({ handler, reason, workerId }) => {
        expect([reason, workerId]).toEqual([flowResultNotKept, 'outside']);
        return handler;
      });
    for (const name of ['inner', 'own', 'outer']) await run(app, name);
    expect([heardBy(app), heardBy(api)]).toEqual([['inner', 'own', 'inner'], []]);
    const [first, second] = [await run(app, 'asking'), await run(app, 'asking')];
    await api.workflows.complete({ runId: first, step: 'ask' }, large);
    expect([heardBy(app).length, heardBy(api)]).toEqual([3, ['asking']]);
    await api.storage.inTransaction((manager) =>
      api.workflows.complete({ runId: second, step: 'ask' }, large, { manager }),
    );
    expect(await app.workflows.get(second)).toMatchObject({ state: 'succeeded' });
    expect([heardBy(app).length, heardBy(api)]).toEqual([3, ['asking']]);
  });

  test('that was ended from outside is in the list what it is by itself', async () => {
    const app = await boot([workflow('ship').step('wait', calling(), { delay: '1h' })]);
    const { scheduler, workflows } = app;
    const good = await run(app, 'ship');
    await scheduler.complete(good, 'by hand');
    const bad = await run(app, 'ship');
    await scheduler.fail(bad, new Error('by hand'));
    const gone = await run(app, 'ship');
    await workflows.cancel(gone);
    for (const [runId, state] of [
      [good, 'succeeded'],
      [bad, 'failed'],
      [gone, 'cancelled'],
    ] as const) {
      expect((await workflows.get(runId))?.state).toBe(state);
      expect((await workflows.list({ state })).items).toEqual([await workflows.get(runId)]);
    }
  });

  test('is found by each id that it has had, after retries', async () => {
    const stubborn = workflow('stubborn')
      .step('first', calling(1))
      .manual('ask', { after: 'first' })
      .step('end', async (ctx) => ctx.result('ask'), { after: 'ask' });
    const app = await boot([stubborn]);
    const { workflows } = app;
    const ids = [await run(app, 'stubborn')];
    for (let i = 0; i < 2; i++) {
      await workflows.fail({ runId: ids[0]!, step: 'ask' }, new Error('no'));
      await app.settle();
      ids.push((await workflows.retry(ids[0]!)).runId);
      await app.settle();
    }
    const latest = ids[2]!;
    for (const id of ids) {
      expect((await workflows.get(id))!.runId).toBe(latest);
      expect((await workflows.graph(id))!.steps[1]!.state).toBe('released');
      await workflows.pause(id);
      expect((await workflows.get(latest))!.state).toBe('paused');
      await workflows.resume(id);
      expect((await workflows.get(latest))!.state).toBe('active');
      await expect(workflows.retry(id)).rejects.toThrow(WorkflowRunStateError);
    }
    await workflows.complete({ runId: ids[0]!, step: 'ask' }, 'yes');
    await app.settle();
    expect(await app.scheduler.waitForRun(latest)).toMatchObject({ result: { end: 'yes' } });
    await expect(workflows.cancel(ids[1]!)).rejects.toThrow(WorkflowRunStateError);
    await workflows.prune({ olderThan: 0 });
    await app.clock.advanceBy(minute);
    await workflows.prune({ olderThan: 0 });
    expect(await Promise.all(ids.map((id) => workflows.get(id)))).toEqual([null, null, null]);
  });

  test('is found by each id that it has had, also where its job has run a thousand times since', async () => {
    let isBroken = true;
    const often = workflow('often').step('only', () => {
      if (isBroken) throw new Error('no');
    });
    const app = await boot([often]);
    await app.scheduler.schedule('often', { id: 'often', every: '1m' });
    await app.clock.advanceBy(minute);
    const [{ runId: first }] = (await app.workflows.list()).items;
    const { runId: second } = await app.workflows.retry(first);
    await app.settle();
    const { runId: third } = await app.workflows.retry(second);
    isBroken = false;
    await app.settle();
    for (let nth = 0; nth < 1_005; nth++) await app.scheduler.runNow('often');
    await app.clock.advanceBy(30_000);
    const { items } = await app.scheduler.getRuns({ jobId: 'often' });
    expect(items).toEqual([]);
    for (const id of [first, second, third]) expect((await app.workflows.get(id))?.runId).toBe(third);
  });

  test('may be the step of another, three levels deep', async () => {
    const inner = workflow<{ n: number }>('inner').step('deep', (ctx) => ctx.params.n + 1);
    const middle = workflow<{ n: number }>('middle')
      .step('in', inner)
      .step('after', async (ctx) => ctx.result('in'), { after: 'in' });
    const outer = workflow('outer')
      .step('mid', middle, { payload: { n: 41 } })
      .step('end', async (ctx) => ctx.result('mid'), { after: 'mid' });
    const app = await boot([inner, middle, outer]);
    const runId = await run(app, 'outer');
    expect(await app.scheduler.waitForRun(runId)).toMatchObject({
      verdict: 'succeeded',
      result: { end: { after: { deep: 42 } } },
    });
  });

  test('is paused, resumed and cancelled', async () => {
    const slow = workflow('slow')
      .step('a', calling())
      .step('b', calling(), { after: 'a', delay: '1m' })
      .step('c', calling(), { after: 'b', delay: '1m' });
    const app = await boot([slow]);
    const runId = await run(app, 'slow');
    await app.workflows.pause(runId);
    await app.clock.advanceBy(5 * minute);
    expect(await app.workflows.get(runId)).toMatchObject({ state: 'paused' });
    expect(calls).toEqual(['a']);
    await app.workflows.resume(runId);
    await app.settle();
    expect(calls).toEqual(['a', 'b']);
    await app.workflows.cancel(runId);
    await app.clock.advanceBy(5 * minute);
    expect(calls).toEqual(['a', 'b']);
    expect(await app.workflows.get(runId)).toMatchObject({ state: 'cancelled' });
    for (const change of ['pause', 'resume', 'cancel'] as const) {
      await expect(app.workflows[change](runId)).rejects.toThrow(WorkflowRunStateError);
      await expect(app.workflows[change]('999')).rejects.toThrow(WorkflowRunNotFoundError);
    }
  });

  test('has a timeout of the whole', async () => {
    const long = workflow('long', { timeout: '10m' })
      .manual('wait')
      .step('end', calling(), { after: 'wait' });
    const app = await boot([long]);
    const [own, given] = [await run(app, 'long'), await run(app, 'long', { timeout: '1h' })];
    await app.clock.advanceBy(11 * minute);
    expect(await app.workflows.get(own)).toMatchObject({ state: 'timed_out', counts: { cancelled: 2 } });
    expect(await app.workflows.get(given)).toMatchObject({ state: 'active' });
    expect((await app.workflows.list({ state: 'cancelled' })).items.map(({ runId }) => runId)).toEqual([own]);
  });

  describe('is started', () => {
    const plain = workflow<{ n: number } | null>('plain').step('only', calling());

    test('once with a key', async () => {
      const app = await boot([plain]);
      const first = await app.workflows.start(plain, { key: 'order:7', params: { n: 1 } });
      const second = await app.workflows.start(plain, { key: 'order:7', params: { n: 2 } });
      expect([first.status, second]).toEqual(['created', { runId: first.runId, status: 'existing' }]);
      await app.settle();
      // Also when it is over.
      expect(await app.workflows.start(plain, { key: 'order:7' })).toEqual(second);
      expect(calls).toEqual(['only']);
      await app.scheduler.createDateJob({ id: 'taken', handler: 'plain.only', in: '1d' });
      await expect(app.workflows.start(plain, { key: 'taken' })).rejects.toThrow('taken');
    });

    test('at a time, or after a delay', async () => {
      const app = await boot([plain]);
      const { runId } = await app.workflows.start('plain', { delay: '1h', params: { n: 1 } });
      await app.settle();
      expect(await app.workflows.get(runId)).toMatchObject({
        state: 'waiting',
        openedAt: null,
        params: { n: 1 },
      });
      await app.clock.advanceBy(60 * minute);
      expect(await app.workflows.get(runId)).toMatchObject({ state: 'succeeded' });
      await expect(app.workflows.start('plain', { at: new Date(), delay: 1 })).rejects.toThrow(
        InvalidOptionError,
      );
      await expect(app.workflows.start('plain', { id: 'x' } as never)).rejects.toThrow('Give it as "key"');
    });

    test('as a handler of any job, and by a process that runs none', async () => {
      const app = await boot([plain]);
      await app.scheduler.schedule(plain, { id: 'each', every: '1h', payload: { n: 1 } });
      await app.clock.advanceBy(60 * minute);
      const api = await boot([], { storage: app.storage, clock: app.clock, chronis: { autoStart: false } });
      const { runId } = await api.workflows.start('plain', { priority: 'high' });
      await app.settle();
      expect(calls).toEqual(['only', 'only']);
      expect(await api.workflows.get(runId)).toMatchObject({ state: 'succeeded' });
    });

    test('that is a step of itself without end fails, and says why', async () => {
      const app = await boot([workflow('ping').step('there', 'pong'), workflow('pong').step('back', 'ping')]);
      const runId = await run(app, 'ping');
      for (let nth = 0; nth < 50; nth++) await app.settle();
      expect(await app.workflows.get(runId)).toMatchObject({ state: 'failed' });
      const { items } = await app.workflows.list({ limit: 100 });
      expect(items).toHaveLength(20);
      const deepest = items.find(({ runId: id }) => id === items[0]!.runId)!;
      const [last] = (await app.workflows.graph(deepest.runId))!.steps;
      expect(last!.reason).toMatch(/a step of "pong", which is 20 workflows deep/);
    });

    test('only where somebody has what its steps call', async () => {
      const lacking = workflow('lacking').step('mail', 'send-mail');
      const app = await boot([lacking]);
      await expect(app.workflows.start('lacking')).rejects.toThrow(
        'The workflow "lacking", step "mail": No handler "send-mail" is known',
      );
      await expect(app.workflows.start('nobody')).rejects.toThrow('nobody');
    });

    test('and is known before it has begun, also where nobody has its code', async () => {
      const app = await boot([workflow('asked').manual('approve')], { chronis: { autoStart: false } });
      await app.scheduler.start();
      const api = await boot([], { storage: app.storage, clock: app.clock, chronis: { autoStart: false } });
      for (const { workflows } of [app, api]) {
        for (const given of [workflows, workflows.forTenant('acme')]) {
          const { runId } = await given.start('asked', { delay: '1h' });
          expect(await given.get(runId)).toMatchObject({ workflow: 'asked', state: 'waiting' });
          const complete = given.complete({ runId, step: 'approve' });
          await expect(complete).rejects.toThrow(WorkflowStepNotFoundError);
          await expect(complete).rejects.toThrow('step "approve": the workflow has not begun');
          await given.cancel(runId);
          expect(await app.scheduler.waitForRun(runId)).toMatchObject({ verdict: 'cancelled' });
        }
      }
      app.scheduler.registerHandler('plain-job', () => 1);
      const job = await app.scheduler.schedule('plain-job', { in: '1h' });
      const [{ id }] = (await app.scheduler.getRuns({ jobId: job.id })).items;
      expect(await app.workflows.get(id)).toBeNull();
      const complete = app.workflows.complete({ runId: id, step: 'approve' });
      await expect(complete).rejects.toThrow(WorkflowRunNotFoundError);
    });

    test('for a tenant, whose workflows others do not see', async () => {
      const asked = workflow('asked').manual('approve');
      const app = await boot([plain, asked]);
      const acme = app.workflows.forTenant('acme');
      const other = app.workflows.forTenant('other');
      const { runId } = await acme.start('asked');
      await app.settle();
      expect(await acme.get(runId)).toMatchObject({ namespace: 'tenant:acme' });
      expect([await other.get(runId), await other.graph(runId), (await other.list()).items]).toEqual([
        null,
        null,
        [],
      ]);
      expect((await acme.list()).items).toHaveLength(1);
      await expect(other.cancel(runId)).rejects.toThrow(WorkflowRunNotFoundError);
      const own = (await acme.graph(runId))!.steps[0]!.runId!;
      await expect(other.complete(own)).rejects.toThrow(RunNotFoundError);
      await expect(other.complete({ runId, step: 'approve' })).rejects.toThrow(WorkflowRunNotFoundError);
      await acme.complete(own);
      expect(await acme.get(runId)).toMatchObject({ state: 'succeeded' });
    });
  });

  test('writes the rows of a step, its verdict and what comes after it at once, or nothing', async () => {
    const order: string[] = [];
    const rows = workflow('rows')
      .step('save', async (ctx) => {
        const work = (fail: boolean) => async () => {
          ctx.addSteps([{ name: `added-${fail}`, handler: 'note', after: 'save' }]);
          if (fail) throw new Error('rolled back');
          return { saved: true };
        };
        await ctx.transaction(work(true)).catch(() => order.push('rolled back'));
        await ctx.transaction(work(false));
        order.push('committed');
      })
      .step('next', async (ctx) => ctx.result('save'), { after: 'save' });
    const dataSource = { transaction: <T>(begin: (manager: object) => Promise<T>): Promise<T> => begin({}) };
    const clock = new ManualClock();
    const app = await boot([rows], { clock, storage: new MemoryStorage({ clock, dataSource }) });
    app.scheduler.registerHandler('note', () => order.push('note'));
    const runId = await run(app, 'rows');
    const states = await statesOf(app, runId);
    expect(order).toEqual(['rolled back', 'committed', 'note']);
    expect(states).toEqual({ save: 'succeeded', 'added-false': 'succeeded', next: 'succeeded' });
  });

  test('has callbacks as any job, of its end as a whole', async () => {
    const heard: unknown[] = [];
    const even = workflow<number>('even').step('check', (ctx) => {
      if (ctx.params % 2 === 1) throw new Error('odd');
      return ctx.params;
    });
    const app = await boot([even]);
    app.scheduler.registerHandler('hear', ({ payload }: RunContext<CallbackPayload>) =>
      heard.push([
        payload.verdict,
        payload.payload,
        payload.result,
        payload.error?.includes('"check"') ?? null,
      ]),
    );
    const callbacks = { onSuccess: 'hear', onFailure: 'hear' };
    await run(app, 'even', { params: 2, ...callbacks });
    await run(app, 'even', { params: 3, ...callbacks });
    expect(heard).toEqual([
      ['succeeded', 2, { check: 2 }, null],
      ['failed', 3, null, true],
    ]);
  });

  test('has steps that no other job can call', async () => {
    const app = await boot([workflow('plain').step('only', calling()).manual('approve')]);
    for (const handler of ['plain.only', 'plain.approve']) {
      await app.scheduler.schedule(handler, { id: handler, in: 0, maxRetries: 3 });
      await app.settle();
      const { items } = await app.scheduler.getAttempts({ jobId: handler });
      expect(items).toMatchObject([
        { outcome: 'failed', error: expect.stringContaining('NoWorkflowStepError') },
      ]);
    }
    expect(calls).toEqual([]);
  });

  test('is refused by a storage that has none', async () => {
    const clock = new ManualClock();
    const storage = Object.assign(new MemoryStorage({ clock }), {
      flows: undefined,
    }) as unknown as MemoryStorage;
    const only = workflow('plain').step('only', calling());
    await expect(boot([only], { clock, chronis: { storage } })).rejects.toThrow(WorkflowsNotSupportedError);
    const app = await boot([], { clock, chronis: { storage } });
    await expect(app.workflows.start('plain')).rejects.toThrow(
      'workflows.start() needs a storage that has workflows',
    );
    await expect(app.workflows.get('1')).rejects.toThrow(WorkflowsNotSupportedError);
  });

  test('is pruned when it is over for long', async () => {
    const app = await boot([workflow('plain').step('only', calling())]);
    const runId = await run(app, 'plain');
    expect(await app.workflows.prune({ olderThan: '1h' })).toBe(0);
    await app.clock.advanceBy(61 * minute);
    expect(await app.workflows.prune({ olderThan: '1h' })).toBe(1);
    expect([await app.workflows.get(runId), await app.workflows.graph(runId)]).toEqual([null, null]);
    await expect(app.workflows.prune({} as never)).rejects.toThrow('olderThan');
  });
});
