import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ChronisEvents } from '../../lib/events/chronis.events.js';
import { LogRecord } from '../../lib/events/log.record.js';
import { logSentences } from '../../lib/events/log.sentences.js';
import type { ChronisEventName } from '../../lib/events/event.map.js';
import type { ChronisInterceptor } from '../../lib/engine/chronis.interceptor.js';
import { HandlerSurroundings } from '../../lib/engine/chronis.interceptor.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig } from '../support/engine.js';
import { hostileFunction, hostileValue } from '../support/hostile.js';

const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);

beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
});

afterEach(() => void process.off('unhandledRejection', note));

/** Shows every event as the log does, in both forms. */
function logged(rig: EngineRig): string[] {
  const lines: string[] = [];
  rig.events.onAny((name, event) => {
    const line = (logSentences[name] as ((event: object) => { text: string; stack?: string }) | null)?.(
      event,
    );
    lines.push(`${line?.text}${line?.stack ?? ''}`);
    lines.push(JSON.stringify(new LogRecord(name, line?.text ?? '', event)));
  });
  return lines;
}

/** What is a delay after all must not outlast the test. */
function shortened(value: unknown): unknown {
  return typeof value === 'number' && value > 1_000 ? 12 : value;
}

/** Some say that there is no logger by throwing, others by anything. */
function loggerOf(make: () => unknown): (handler: string) => never {
  return (handler) => {
    const value = make();
    if (typeof value === 'function') throw value;
    return (handler === 'work' ? value : null) as never;
  };
}

async function verdictsOf(rig: EngineRig): Promise<string[]> {
  const rows = (await rig.storage.queryAttempts({}, { limit: 1_000 })).items;
  return rows.filter(({ final }) => final).map(({ handler, outcome }) => `${handler} ${outcome}`);
}

describe('an engine among hostile handlers', () => {
  test('gives every run of a claim its verdict, whatever handlers and their rules throw and return', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ end: hostileFunction, retryIf: hostileFunction, backoff: hostileFunction }), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.boolean(),
        async (hostile, throughInterceptor) => {
          unhandled.length = 0;
          const rig = new EngineRig({ options: { concurrency: 20 } });
          logged(rig);
          for (const [i, { end, retryIf, backoff }] of hostile.entries()) {
            const run = throughInterceptor ? () => end() : end;
            rig.handlers.register(`hostile-${i}`, run, 'test', {
              retryIf: retryIf as () => boolean,
              backoff: () => shortened(backoff()) as number,
            });
          }
          rig.handle('good', () => 'done');
          rig.handle('late', async () => undefined);
          await rig.engine.start();
          // One claim has them all: what fails at one must not keep the next from its beginning.
          await rig.add(
            ...hostile.flatMap((_, i) => [
              { handler: 'good' },
              {
                handler: `hostile-${i}`,
                policies: { maxRetries: 1, backoff: { type: 'fixed' as const, delayMs: 10 } },
              },
              { handler: 'late' },
            ]),
          );
          await rig.clock.advanceBy(5_000);
          const verdicts = await verdictsOf(rig);
          expect(verdicts.filter((verdict) => verdict === 'good succeeded')).toHaveLength(hostile.length);
          expect(verdicts.filter((verdict) => verdict === 'late succeeded')).toHaveLength(hostile.length);
          for (const i of hostile.keys()) {
            const own = verdicts.filter((verdict) => verdict.startsWith(`hostile-${i} `));
            expect(own).toHaveLength(1);
            expect(own[0]).toMatch(/ (succeeded|failed)$/);
          }
          expect(await rig.storage.heldBy(rig.engine.workerId!)).toEqual([]);
          expect(rig.told).not.toContain('listener.failed');
          expect(rig.told).not.toContain('engine.failed');
          await rig.stop(60_000);
          expect(rig.clock.pending).toBe(0);
          await new Promise((resolve) => setImmediate(resolve));
          expect(unhandled).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
  });

  test.each([
    [
      'sync',
      (error: unknown) => {
        throw error;
      },
    ],
    ['async', (error: unknown) => Promise.reject(error)],
  ] as const)('keeps what can be shown of an error whose stack is no text (%s)', async (_, fail) => {
    const rig = new EngineRig();
    const lines = logged(rig);
    rig.handle('work', () => fail(Object.assign(new Error('no route'), { stack: ['at a', 'at b'] })));
    await rig.engine.start();
    await rig.add({ handler: 'work' }, { handler: 'work' });
    await rig.settle();
    const rows = (await rig.storage.queryAttempts({}, {})).items;
    expect(rows.map(({ error }) => error)).toEqual(['Error: no route', 'Error: no route']);
    expect(lines.join('\n')).toContain('no route');
    await rig.stop();
  });

  test('gives a verdict where Error.prepareStackTrace gives frames', async () => {
    const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
    const rig = new EngineRig();
    rig.handle('work', async () => {
      Error.prepareStackTrace = (_, frames) => frames;
      const error = new Error('framed');
      void error.stack;
      throw error;
    });
    try {
      await rig.engine.start();
      await rig.add({});
      await rig.settle();
    } finally {
      if (before) Object.defineProperty(Error, 'prepareStackTrace', before);
      else Reflect.deleteProperty(Error, 'prepareStackTrace');
    }
    expect((await rig.storage.queryAttempts({}, {})).items[0]).toMatchObject({
      outcome: 'failed',
      error: 'Error: framed',
    });
    await rig.stop();
  });

  test('gives a verdict to a run whose stored policies make no sense', async () => {
    const rig = new EngineRig();
    rig.handle('work', () => {
      throw new Error('failed');
    });
    rig.handle('good', () => undefined);
    await rig.engine.start();
    await rig.add(
      { policies: { maxRetries: 3, backoff: 7 as never } },
      { policies: { maxRetries: 3, backoff: null as never, onFailure: 9 as never } },
      { handler: 'good' },
    );
    await rig.clock.advanceBy(10_000);
    const verdicts = (await verdictsOf(rig)).toSorted();
    expect(verdicts).toContain('good succeeded');
    expect(verdicts).toContain('work failed');
    expect(await rig.storage.heldBy(rig.engine.workerId!)).toEqual([]);
    await rig.stop();
  });
});

describe('an engine among hostile surroundings', () => {
  test('is not stopped by listeners, interceptors and loggers that throw anything', async () => {
    await fc.assert(
      fc.asyncProperty(hostileFunction, hostileFunction, hostileValue, async (listen, intercept, log) => {
        unhandled.length = 0;
        const surroundings = new HandlerSurroundings();
        surroundings.use([{ intercept: () => intercept() } as unknown as ChronisInterceptor]);
        const rig = new EngineRig({ surroundings, logger: loggerOf(log) });
        rig.events.onAny(listen);
        for (const name of ['run.started', 'run.failed', 'listener.failed'] as ChronisEventName[]) {
          rig.events.on(name, listen);
        }
        rig.handle('work', () => undefined);
        await rig.engine.start();
        await rig.add({}, {}, {});
        await rig.clock.advanceBy(1_000);
        expect(await verdictsOf(rig)).toHaveLength(3);
        expect(rig.told).not.toContain('engine.failed');
        await rig.stop(60_000);
        await new Promise((resolve) => setImmediate(resolve));
        expect(unhandled).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test('goes on with random numbers of no use', async () => {
    await fc.assert(
      fc.asyncProperty(hostileValue, fc.boolean(), async (make, throws) => {
        const rig = new EngineRig({
          random: () => {
            if (throws) throw make();
            return make() as number;
          },
        });
        rig.handle('work', ({ attempt }) => {
          if (attempt === 1) throw new Error('again');
        });
        await rig.engine.start();
        await rig.add({ policies: { maxRetries: 1 } });
        await rig.clock.advanceBy(10_000);
        expect(await verdictsOf(rig)).toEqual(['work succeeded']);
        await rig.stop();
      }),
      { numRuns: 50 },
    );
  });

  test('goes on when its clock throws for a while, tells it once, and settles all that it has', async () => {
    const clock = new ManualClock();
    const rig = new EngineRig({ clock });
    let broken = false;
    const monotonic = clock.monotonic.bind(clock);
    clock.monotonic = () => {
      if (broken) throw new Error('The clock is broken.');
      return monotonic();
    };
    rig.handle('work', () => {
      broken = true;
    });
    await rig.engine.start();
    await rig.add({}, {}, {});
    await rig.settle();
    broken = false;
    await clock.advanceBy(10_000);
    await rig.add({});
    await rig.settle();
    broken = false;
    await clock.advanceBy(10_000);
    expect(await verdictsOf(rig)).toHaveLength(4);
    expect(rig.told).toContain('engine.failed');
    expect(rig.told.filter((name) => name === 'engine.failed').length).toBeLessThanOrEqual(3);
    await rig.stop();
  });

  test('tells events also where the time of events throws', () => {
    const events = new ChronisEvents('test', () => {
      throw new Error('no time');
    });
    const heard: Date[] = [];
    events.on('job.orphaned', (_, { at }) => heard.push(at));
    events.emit('job.orphaned', { namespace: 'default', id: 'a' });
    expect(heard[0]).toBeInstanceOf(Date);
  });
});
