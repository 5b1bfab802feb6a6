import { PassThrough, Readable, Writable } from 'node:stream';
import { EMPTY, NEVER, Observable, concat, defer, of, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { currentRun } from '../../lib/engine/current.run.js';
import { HandlerSurroundings, type ChronisInterceptor } from '../../lib/engine/chronis.interceptor.js';
import type { RunContext } from '../../lib/engine/run.context.js';
import { EngineRig } from '../support/engine.js';

const passesOn: ChronisInterceptor = { intercept: (_, next) => next() };

/** What `then` and others do only when somebody waits for them. */
function lazy(work: () => unknown): object {
  const waits = 'thenable'.slice(0, 4);
  return { [waits]: (resolve: (value: unknown) => void) => resolve(work()) };
}

describe.each([
  ['alone', []],
  ['within an interceptor', [passesOn]],
])('a handler whose work begins only when it is asked for (%s)', (_, interceptors) => {
  let rig: EngineRig;
  let done: string[];

  beforeEach(() => {
    const surroundings = new HandlerSurroundings();
    surroundings.use(interceptors);
    rig = new EngineRig({ surroundings });
    done = [];
  });

  afterEach(() => rig.stop(60_000));

  async function outcomeOf(handler: (context: RunContext) => unknown, timeoutMs?: number) {
    rig.handle('work', handler);
    await rig.engine.start();
    await rig.add({ policies: timeoutMs === undefined ? {} : { timeoutMs } });
    await rig.settle();
    return ended();
  }

  async function ended() {
    const [attempt] = (await rig.storage.queryAttempts({}, {})).items;
    return attempt && [attempt.outcome, attempt.result, attempt.error?.split('\n')[0] ?? null];
  }

  const work = (): string => {
    done.push(currentRun()!.runId);
    return 'last';
  };

  test.each<[string, () => unknown]>([
    [
      'an Observable',
      () =>
        concat(
          of('first'),
          defer(() => of(work())),
        ),
    ],
    ['a promise of one', async () => defer(() => of(work()))],
    ['an Observable of another library', () => ({ '@@observable': () => defer(() => of(work())) })],
    [
      'an async generator',
      async function* () {
        yield 'first';
        yield work();
      },
    ],
    [
      'a generator',
      function* () {
        yield Promise.resolve('first');
        return work();
      },
    ],
    ['a query that waits for its then', () => lazy(work)],
    [
      'an Observable of generators',
      () =>
        of(
          (function* () {
            yield work();
          })(),
        ),
    ],
  ])('has succeeded with its last value when all of it is done: %s', async (_, handler) => {
    expect(await outcomeOf(handler)).toEqual(['succeeded', 'last', null]);
    expect(done).toHaveLength(1);
  });

  test.each<[string, () => unknown]>([
    ['an Observable', () => throwError(() => new Error('no'))],
    [
      'an async generator',
      async function* () {
        yield 1;
        throw new Error('no');
      },
    ],
    [
      'a generator whose promise is rejected',
      function* () {
        try {
          yield Promise.reject(new Error('no'));
        } finally {
          done.push('let go');
        }
      },
    ],
    [
      'a subscription that throws',
      () => ({
        lift() {},
        subscribe() {
          throw new Error('no');
        },
      }),
    ],
  ])('has failed with its error: %s', async (name, handler) => {
    expect(await outcomeOf(handler)).toEqual(['failed', null, 'Error: no']);
    expect(done).toEqual(name.startsWith('a generator') ? ['let go'] : []);
  });

  const twice = function* (): Generator<string> {
    yield work();
    yield work();
  };

  const sink = (write: (text: string) => void): Writable =>
    new Writable({
      write(chunk, _, callback) {
        try {
          write(String(chunk));
          callback();
        } catch (error) {
          callback(error as Error);
        }
      },
    });

  test.each<[string, () => unknown]>([
    ['read by nobody', () => Readable.from(twice())],
    ['piped into another', () => Readable.from(['first', 'last']).pipe(sink(work))],
    ['in between', () => Readable.from(twice()).pipe(new PassThrough())],
    ['listened to', () => Readable.from(['first', 'last']).on('data', work)],
    ['being written', () => sink(work).on('pipe', work).end('last').setDefaultEncoding('utf8')],
  ])('has succeeded when a stream has ended: %s', async (name, handler) => {
    await outcomeOf(handler);
    while ((await ended()) === undefined) await rig.settle();
    expect(await ended()).toEqual(['succeeded', null, null]);
    expect(done).toHaveLength(name === 'being written' ? 1 : 2);
  });

  test.each<[string, () => unknown]>([
    [
      'that is read',
      () =>
        Readable.from(
          (async function* () {
            yield 1;
            throw new Error('no');
          })(),
        ),
    ],
    [
      'that is written',
      () =>
        Readable.from(['first']).pipe(
          sink(() => {
            throw new Error('no');
          }),
        ),
    ],
    ['that has failed', () => new PassThrough().on('error', () => undefined).destroy(new Error('no'))],
  ])('has failed with the error of a stream %s, and the process lives', async (_, handler) => {
    await outcomeOf(handler);
    while ((await ended()) === undefined) await rig.settle();
    expect(await ended()).toEqual(['failed', null, 'Error: no']);
  });

  test('has failed when a stream is closed before its end, and destroys one when its time is over', async () => {
    const streams = [new PassThrough(), new PassThrough()];
    let next = 0;
    await outcomeOf(() => streams[next++], 1_000);
    streams[0]!.destroy();
    while ((await ended()) === undefined) await rig.settle();
    expect((await ended())![2]).toContain('closed before its end');
    await rig.add({ id: 'second', policies: { timeoutMs: 1_000 } });
    await rig.clock.advanceBy(1_000);
    await rig.clock.advanceBy(1_000);
    expect((await ended())![0]).toBe('timed_out');
    expect(streams[1]!.destroyed).toBe(true);
  });

  test('has failed where it returns a stream that was closed before its end', async () => {
    const [outcome, result, error] = (await outcomeOf(() => new PassThrough().destroy()))!;
    expect([outcome, result]).toEqual(['failed', null]);
    expect(error).toContain('closed before its end');
  });

  test('has no result where the stream that it returns has ended, or is one that others write to', async () => {
    const whole = Readable.from(['only']);
    for await (const each of whole) done.push(String(each));
    expect(whole.destroyed).toBe(true);
    expect(await outcomeOf(() => whole)).toEqual(['succeeded', null, null]);
    await rig.stop(60_000);
    rig = new EngineRig();
    expect(await outcomeOf(() => sink(() => undefined))).toEqual(['succeeded', null, null]);
  });

  test('has succeeded without a result where there is no value', async () => {
    expect(await outcomeOf(() => EMPTY)).toEqual(['succeeded', null, null]);
  });

  test('is unsubscribed when its time is over', async () => {
    const handler = (): unknown => new Observable(() => () => void done.push('unsubscribed'));
    expect(await outcomeOf(handler, 1_000)).toBeUndefined();
    await rig.clock.advanceBy(1_000);
    expect((await ended())![0]).toBe('timed_out');
    expect(done).toEqual(['unsubscribed']);
  });

  test('is let go of between two values when its time is over', async () => {
    let next = (): void => undefined;
    const handler = async function* (): AsyncGenerator<number> {
      try {
        for (let i = 0; ; i++) {
          await new Promise<void>((resolve) => (next = resolve));
          yield i;
        }
      } finally {
        done.push('let go');
      }
    };
    await outcomeOf(handler, 1_000);
    next();
    await rig.settle();
    await rig.clock.advanceBy(1_000);
    next();
    await rig.settle();
    expect((await ended())![0]).toBe('timed_out');
    expect(done).toEqual(['let go']);
  });

  test('lets time go on when it never ends', async () => {
    const handler = function* (): Generator<number> {
      for (;;) yield done.push('');
    };
    await outcomeOf(handler, 1_000);
    expect(await ended()).toBeUndefined();
    await rig.clock.advanceBy(1_000);
    while ((await ended()) === undefined) await rig.settle();
    expect((await ended())![0]).toBe('timed_out');
  });

  test('does not outlast a shutdown when it never ends', async () => {
    await outcomeOf(() => NEVER);
    await rig.stop(60_000);
    expect((await ended())![0]).toBe('handed_back');
    await rig.engine.start();
  });

  test.each<[string, () => unknown]>([
    ['a stream that others write to', () => sink(work)],
    ['a client that can be subscribed to', () => ({ subscribe: () => work(), publish() {} })],
    [
      'what could be read, but is no iterator',
      () => ({
        [Symbol.asyncIterator]: () => {
          throw new Error(work());
        },
      }),
    ],
  ])('is none: %s', async (_, handler) => {
    expect((await outcomeOf(handler))![0]).toBe('succeeded');
    expect(done).toEqual([]);
  });
});

test('what an interceptor returns is its work as well, and so is that of a callback', async () => {
  const done: string[] = [];
  const surroundings = new HandlerSurroundings();
  const later = (text: string): unknown => defer(() => of(done.push(`${text} ${currentRun()!.origin}`)));
  surroundings.use([
    { intercept: async ({ origin }, next) => (origin === 'callback' ? next() : later('intercepted')) },
  ]);
  const rig = new EngineRig({ surroundings });
  rig.handle('work', () => undefined);
  rig.handle('told', () => later('told'));
  await rig.engine.start();
  await rig.add({ policies: { onSuccess: { handler: 'told' } } });
  await rig.settle();
  expect(done).toEqual(['intercepted at', 'told callback']);
  expect((await rig.storage.queryAttempts({}, {})).items.map(({ result }) => result)).toEqual([2, 1]);
  await rig.stop();
});

test('a listener of events is waited for in the same way, and what it fails with is told', async () => {
  const rig = new EngineRig();
  const heard: string[] = [];
  const failed: unknown[] = [];
  rig.events.on('listener.failed', ({ error }) => void failed.push((error as Error).message));
  rig.events.on('run.started', () => defer(() => of(heard.push('observable'))));
  rig.events.on('run.started', async () => defer(() => of(heard.push('promise of one'))));
  rig.events.on('run.started', async function* () {
    yield heard.push('generator');
  });
  rig.events.on('run.started', () => lazy(() => heard.push('query')));
  rig.events.on('run.started', () => throwError(() => new Error('no')));
  rig.handle('work', () => undefined);
  await rig.engine.start();
  await rig.add({});
  await rig.settle();
  expect(heard.toSorted()).toEqual(['generator', 'observable', 'promise of one', 'query']);
  expect(failed).toEqual(['no']);
  await rig.stop();
});
