import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WorkflowService, workflow, type DefinedWorkflow, type PauseScope } from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

const at = String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`;

describe('graph() says what a step waits for', () => {
  let app: NestApp;

  beforeEach(async () => {
    app = await NestApp.boot();
  });

  afterEach(() => app.close());

  async function start(defined: DefinedWorkflow<any, any, any>): Promise<() => Promise<(string | null)[]>> {
    const workflows = app.app.get(WorkflowService);
    workflows.register(defined);
    const { runId } = await workflows.start(defined);
    await app.settle();
    return async () => (await workflows.graph(runId))!.steps.map(({ waitsFor }) => waitsFor);
  }

  test('a signal, the end of a sleep, and the retry of a durable step', async () => {
    const waits = await start(
      workflow('durable')
        .step('ever', async (ctx) => ctx.waitFor('approved'))
        .step('until', async (ctx) => ctx.waitFor('approved', { timeout: '2d' }))
        .step('sleeps', async (ctx) => ctx.sleep('1h'))
        .step('again', async (ctx) => {
          const fail = (): never => {
            throw new Error('away');
          };
          return ctx.step('call', fail, { maxRetries: 3, backoff: '1h' });
        }),
    );
    expect(await waits()).toEqual([
      'It waits for the signal "approved".',
      expect.stringMatching(`^It waits for the signal "approved" until ${at}\\.$`),
      expect.stringMatching(`^It sleeps until ${at}\\.$`),
      expect.stringMatching(
        `^Its durable step "call" is tried again at ${at}: it has failed by "Error: away"\\.$`,
      ),
    ]);
  });

  test('its own next attempt', async () => {
    const waits = await start(
      workflow('failing').step(
        'a',
        () => {
          throw new Error('no\nmore of it');
        },
        { maxRetries: 2, backoff: '1h' },
      ),
    );
    expect(await waits()).toEqual([
      expect.stringMatching(`^It is tried again at ${at}: its attempt 1 has failed by "Error: no"\\.$`),
    ]);
  });

  test.each<[PauseScope, string]>([
    [{ handler: 'held.a' }, 'The handler "held.a" is paused: it begins once that is resumed.'],
    [{ queue: 'default' }, 'The queue "default" is paused: it begins once that is resumed.'],
    [{ namespace: 'default' }, 'The namespace "default" is paused: it begins once that is resumed.'],
    [{ all: true }, 'Everything is paused: it begins once that is resumed.'],
  ])('the end of a pause of %j', async (scope, sentence) => {
    const waits = await start(workflow('held').step('a', () => undefined, { delay: '1m' }));
    await app.scheduler.pause(scope);
    expect((await waits())[0]).toMatch(sentence);
    await app.clock.advanceBy(120_000);
    expect(await waits()).toEqual([sentence]);
    await app.scheduler.resume(scope);
    await app.settle();
    expect(await waits()).toEqual([null]);
  });

  test('a worker that takes from its queue', async () => {
    await app.close();
    app = await NestApp.boot({ chronis: { queues: ['default'] } as never });
    const waits = await start(workflow('elsewhere').step('a', () => undefined, { queue: 'gpu' }));
    expect(await waits()).toEqual([
      'It waits for a worker that takes from its queue "gpu": none that lives and has its handler "elsewhere.a" does.',
    ]);
  });

  describe('of a blocked one', () => {
    const again = 'A retry of the workflow runs these again, and then this.';
    const fail = (): never => {
      throw new Error('no');
    };

    test('not that it never began where a run before has begun it', async () => {
      const workflows = app.app.get(WorkflowService);
      let isFirst = true;
      workflows.register(
        workflow('twice')
          .step('a', () => (isFirst ? 1 : fail()))
          .step('b', fail, { after: 'a' }),
      );
      const { runId } = await workflows.start('twice');
      await app.settle();
      isFirst = false;
      const retried = await workflows.retry(runId, { from: 'a' });
      await app.settle();
      const [, b] = (await workflows.graph(retried.runId))!.steps;
      expect([b!.state, b!.waitsFor]).toEqual([
        'blocked',
        `It is blocked, as only 0 of the 1 that it needs have ended well: "a" (failed). ${again}`,
      ]);
    });

    test('nothing of parents that have ended well though they failed', async () => {
      const waits = await start(
        workflow('allowed')
          .step('optional', fail, { allowFailure: true })
          .step('needed', fail)
          .step('c', () => 1, { after: ['optional', 'needed'] }),
      );
      expect((await waits())[2]).toBe(
        `It is blocked, as only 1 of the 2 that it needs have ended well: "needed" (failed). ${again}`,
      );
    });
  });
});
