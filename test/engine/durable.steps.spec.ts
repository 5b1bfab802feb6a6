import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ChronisInterceptor, HandlerSurroundings } from '../../lib/engine/chronis.interceptor.js';
import type { RunContext } from '../../lib/engine/run.context.js';
import type { ChronisEventMap } from '../../lib/events/event.map.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import {
  ClaimLostError,
  DurableStepMismatchError,
  InvalidOptionError,
  RunSettledError,
  StepResultError,
} from '../../lib/model/errors.js';
import type { NewJob } from '../../lib/ports/storage.adapter.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig } from '../support/engine.js';
import { FaultyStorage } from '../support/faulty.storage.js';

const second = 1_000;
const minute = 60 * second;
const day = 24 * 60 * minute;

describe('durable steps', () => {
  let clock: ManualClock;
  let storage: MemoryStorage;
  let faulty: FaultyStorage;
  let surroundings: HandlerSurroundings;
  let rig: EngineRig;
  let done: string[];
  let errors: unknown[];

  beforeEach(() => {
    clock = new ManualClock();
    storage = new MemoryStorage({ clock });
    faulty = new FaultyStorage(storage);
    surroundings = new HandlerSurroundings();
    rig = anotherRig();
    done = [];
    errors = [];
  });

  afterEach(() => rig.end());

  const anotherRig = (): EngineRig => {
    const options = { leaseMs: 10 * second, abortGraceMs: 5 * second };
    return new EngineRig({ clock, storage: faulty.storage, options, surroundings });
  };

  /** What the test notes as done. */
  const doing =
    <T>(name: string, value?: T) =>
    (): T => {
      done.push(name);
      return value as T;
    };
  const later = (ms: number): Promise<void> => new Promise((resolve) => void clock.setTimer(ms, resolve));
  const ledger = async () =>
    (await storage.queryAttempts({}, {})).items.map(({ outcome, result }) => [outcome, result]).toReversed();
  const lastError = async () => (await storage.queryAttempts({}, {})).items[0]!.error;
  const noted = async (context: RunContext, work: (context: RunContext) => Promise<unknown>) => {
    try {
      return await work(context);
    } catch (error) {
      errors.push(error);
      throw error;
    }
  };

  async function play(
    handler: (context: RunContext) => unknown,
    policies: object = {},
    job: Partial<NewJob> = {},
  ): Promise<void> {
    rig.handle('work', (context: RunContext) => noted(context, async () => handler(context)));
    await rig.engine.start();
    await rig.add({ policies, ...job });
    await rig.settle();
  }

  const retried = { maxRetries: 3, backoff: { type: 'fixed', delayMs: second } };

  test('that have ended are not run again by a retry, and give what they gave', async () => {
    const given: unknown[] = [];
    await play(async (context) => {
      given.push(await context.step('a', doing('a', { at: new Date(0), none: undefined })));
      given.push(await context.step('b', doing('b')));
      if (context.attempt < 3) throw new Error('Not yet.');
      return context.step('c', () => Promise.resolve(doing('c', 3)()));
    }, retried);
    await clock.advanceBy(10 * second);
    expect(done).toEqual(['a', 'b', 'c']);
    const a = { at: '1970-01-01T00:00:00.000Z' };
    expect(given).toEqual([a, null, a, null, a, null]);
    expect(await ledger()).toEqual([
      ['failed', null],
      ['failed', null],
      ['succeeded', 3],
    ]);
  });

  test('that throw are run again by the retry, and only these', async () => {
    await play(async (context) => {
      await context.step('a', doing('a'));
      await context.step('b', () => {
        done.push('b');
        if (context.attempt === 1) throw new Error('Try again.');
      });
    }, retried);
    await clock.advanceBy(10 * second);
    expect(done).toEqual(['a', 'b', 'b']);
    expect((await ledger()).map(([outcome]) => outcome)).toEqual(['failed', 'succeeded']);
  });

  test('that undo what has failed are not taken for those that come there when it has succeeded', async () => {
    await play(async (context) => {
      await context.step('charge', doing('charge'));
      try {
        await context.step('ship', () => {
          done.push('ship');
          if (context.attempt === 1) throw new Error('Try again.');
        });
      } catch (error) {
        await context.step('refund', doing('refund'));
        throw error;
      }
      await context.step('thank', doing('thank'));
    }, retried);
    await clock.advanceBy(10 * second);
    expect(done).toEqual(['charge', 'ship', 'refund', 'ship', 'thank']);
    expect((await ledger()).map(([outcome]) => outcome)).toEqual(['failed', 'succeeded']);
  });

  test('are passed over by a retry by hand, and sleeps that are over as well', async () => {
    let isBroken = true;
    await play(async (context) => {
      await context.step('a', doing('a'));
      await context.sleep('1m');
      await context.step('b', () => {
        done.push('b');
        if (isBroken) throw new Error('Broken.');
      });
    });
    await rig.settle();
    await clock.advanceBy(2 * minute);
    expect(done).toEqual(['a', 'b']);
    isBroken = false;
    await storage.retryRuns([(await storage.queryRuns({}, {})).items[0]!.id]);
    await clock.advanceBy(10 * second);
    expect(done).toEqual(['a', 'b', 'b']);
    expect((await ledger()).map(([outcome]) => outcome)).toEqual(['snoozed', 'failed', 'succeeded']);
  });

  test('are there for the process that goes on after one that died', async () => {
    const handler = async (context: RunContext): Promise<void> => {
      await context.step('a', doing('a'));
      await context.step('b', () => (done.push('b'), later(minute)));
      await context.step('c', doing('c'));
    };
    await play(handler);
    expect(done).toEqual(['a', 'b']);
    faulty.goDown();
    const heir = new EngineRig({ clock, storage });
    heir.handle('work', handler);
    await heir.engine.start();
    await clock.advanceBy(3 * minute);
    expect(done).toEqual(['a', 'b', 'b', 'c']);
    faulty.comeUp();
    await clock.advanceBy(minute);
    expect((await ledger()).map(([outcome]) => outcome)).toEqual(['lost', 'succeeded']);
    await heir.stop(minute);
  });

  test('may run in parallel, each on its own', async () => {
    await play(async (context) => {
      const results = await Promise.all([
        context.step('slow', () => later(second).then(doing('slow', 1))),
        context.step('quick', doing('quick', 2)),
        context.step('fails', () => {
          if (context.attempt === 1) throw new Error('Try again.');
          return doing('fails', 3)();
        }),
      ]);
      return results;
    }, retried);
    await clock.advanceBy(10 * second);
    expect(done.toSorted()).toEqual(['fails', 'quick', 'slow']);
    expect(await ledger()).toEqual([
      ['failed', null],
      ['succeeded', [1, 2, 3]],
    ]);
  });

  test('that nobody has waited for are done, and kept, before the attempt ends', async () => {
    await play((context) => void context.step('a', () => later(second).then(doing('a'))));
    expect(await ledger()).toEqual([]);
    await clock.advanceBy(second);
    expect(done).toEqual(['a']);
    expect((await ledger()).map(([outcome]) => outcome)).toEqual(['succeeded']);
    const [attempt] = (await storage.queryAttempts({}, {})).items;
    expect(await storage.queryRunSteps(attempt!.runId)).toMatchObject([
      { name: 'a', position: 1, attempt: 1 },
    ]);
  });

  test('that nobody has waited for are followed by those that come after them', async () => {
    await play((context) => {
      void (async () => {
        await context.step('a', () => later(second).then(doing('a')));
        await context.step('b', () => later(second).then(doing('b')));
      })();
    });
    await clock.advanceBy(3 * second);
    expect(done).toEqual(['a', 'b']);
    expect((await ledger()).map(([outcome]) => outcome)).toEqual(['succeeded']);
  });

  test.each([
    ['before it returns', () => later(2 * second)],
    ['after it has returned', () => undefined],
  ])('that fail without anybody waiting for them fail the attempt: %s', async (_, wait) => {
    await play(async (context) => {
      void context.step('a', () => later(second).then(() => Promise.reject(new Error('Nobody heard.'))));
      await wait();
    });
    await clock.advanceBy(3 * second);
    expect((await ledger()).map(([outcome]) => outcome)).toEqual(['failed']);
    expect(await lastError()).toContain('Nobody heard.');
  });

  test('that fail before their handler waits for them may be caught by it then', async () => {
    await play(async (context) => {
      const failing = context.step('a', () => Promise.reject(new Error('Caught.')));
      await later(second);
      return failing.catch((error: Error) => error.message);
    });
    await clock.advanceBy(2 * second);
    expect(await ledger()).toEqual([['succeeded', 'Caught.']]);
  });

  test('fail the attempt that goes to sleep beside them', async () => {
    await play(async (context) => {
      void context.step('a', () => Promise.reject(new Error('Nobody heard.')));
      await later(second);
      await context.sleep('1d');
    });
    await clock.advanceBy(2 * second);
    expect((await ledger()).map(([outcome]) => outcome)).toEqual(['failed']);
  });

  test.each([
    ['a transaction', (context: RunContext) => context.transaction(() => Promise.reject(new Error('No.')))],
    ['a sleep', (context: RunContext) => context.sleep('never')],
  ])('%s that fails without anybody waiting for it fails the attempt', async (_, work) => {
    await play(async (context) => {
      void work(context);
      await later(second);
    });
    await clock.advanceBy(2 * second);
    expect((await ledger()).map(([outcome]) => outcome)).toEqual(['failed']);
  });

  test('run an Observable-like iterator to its end', async () => {
    await play((context) =>
      context.step('all', async function* () {
        yield 1;
        yield 2;
      } as () => unknown),
    );
    expect(await ledger()).toEqual([['succeeded', 2]]);
  });

  test('are kept however often the storage fails, without being run again', async () => {
    faulty.fail('recordRunStep', 'before', 'after', 'before');
    await play(async (context) => {
      await context.step('a', doing('a'));
      await context.step('b', doing('b'));
    });
    await clock.advanceBy(5 * second);
    expect(done).toEqual(['a', 'b']);
    expect((await ledger()).map(([outcome]) => outcome)).toEqual(['succeeded']);
  });

  test('are read however often the storage fails, and not at all by a first attempt', async () => {
    await play(async (context) => {
      await context.step('a', doing('a'));
      if (context.attempt === 1) {
        expect(faulty.calls).not.toContain('queryRunSteps');
        faulty.fail('queryRunSteps', 'before', 'after');
        throw new Error('Try again.');
      }
    }, retried);
    await clock.advanceBy(10 * second);
    expect(done).toEqual(['a']);
    expect((await ledger()).map(([outcome]) => outcome)).toEqual(['failed', 'succeeded']);
  });

  test('of an attempt that has lost its run are not kept', async () => {
    await play((context) =>
      context.step('a', async () => {
        await later(30 * second);
        done.push('a');
      }),
    );
    faulty.goDown();
    const heir = new EngineRig({ clock, storage });
    heir.handle('work', (context: RunContext) => context.step('a', doing('a of the heir', 7)));
    await heir.engine.start();
    await clock.advanceBy(20 * second);
    faulty.comeUp();
    await clock.advanceBy(20 * second);
    expect(done).toEqual(['a of the heir', 'a']);
    expect(errors).toEqual([expect.any(ClaimLostError)]);
    expect(await ledger()).toEqual([
      ['lost', null],
      ['succeeded', 7],
    ]);
    await heir.stop(minute);
  });

  test.each([
    ['a step', (context: RunContext) => context.step('b', doing('b'))],
    ['a sleep', (context: RunContext) => context.sleep('1m')],
  ])('do not begin where a transaction has committed the verdict: %s', async (_, work) => {
    const dataSource = { transaction: <T>(run: (manager: object) => Promise<T>) => run({}) };
    await play(async (context) => {
      await context.transaction(doing('a', 'written'), { dataSource } as never);
      await work(context);
    });
    await rig.settle();
    expect(done).toEqual(['a']);
    expect(errors).toEqual([expect.any(RunSettledError)]);
    expect(await ledger()).toEqual([['succeeded', 'written']]);
  });

  test('do not begin after the signal has fired', async () => {
    await play(
      async (context) => {
        await context.step('a', () => later(2 * second).then(doing('a')));
        await context.step('b', doing('b'));
      },
      { timeoutMs: second },
    );
    await clock.advanceBy(10 * second);
    expect(done).toEqual(['a']);
    expect((await ledger()).map(([outcome]) => outcome)).toEqual(['timed_out']);
  });

  test.each([
    ['no name', (context: RunContext) => context.step('', doing('x')), /name of the step first/],
    ['a name that is no text', (context: RunContext) => context.step(1 as never, doing('x')), /first/],
    ['a function first', (context: RunContext) => context.step(doing('x') as never, 'a' as never), /first/],
    ['two lines', (context: RunContext) => context.step('a\nb', doing('x')), /one line/],
    ['too long a name', (context: RunContext) => context.step('x'.repeat(256), doing('x')), /255/],
    ['no function', (context: RunContext) => context.step('a', 7 as never), /no function to run/],
    ['the name of a sleep', (context: RunContext) => context.step('sleep 1', doing('x')), /what sleeps/],
    [
      'the name of a sleep after a failure',
      (context: RunContext) => context.step('sleep 1 after "a" failed', doing('x')),
      /what sleeps/,
    ],
    [
      'a name twice',
      async (context: RunContext) => {
        await context.step('a', () => 1);
        await context.step('a', doing('x'));
      },
      /begun already/,
    ],
  ])('are refused with %s, and nothing is done', async (_, work, message) => {
    await play(work);
    expect(done).toEqual([]);
    expect(errors).toEqual([expect.any(InvalidOptionError)]);
    expect(await lastError()).toMatch(message);
  });

  test.each([
    ['a Map', () => new Map(), 'an instance of Map'],
    ['NaN', () => ({ deep: [Number.NaN] }), 'result.deep[0]'],
    ['a NUL', () => '\0', 'NUL'],
    ['more than 1 MiB', () => 'x'.repeat(1024 * 1024 - 1), '1048577 bytes'],
    [
      'what refers to itself',
      () => {
        const circular: unknown[] = [];
        circular.push(circular);
        return circular;
      },
      'refers back',
    ],
    [
      'what throws nothing when it is looked at',
      () => ({
        toJSON() {
          throw null;
        },
      }),
      'null',
    ],
  ])('that return %s fail for good: they have been done', async (_, work, culprit) => {
    await play((context) => context.step('a', () => (done.push('a'), work())), retried);
    await clock.advanceBy(10 * second);
    expect(done).toEqual(['a']);
    expect(errors).toEqual([expect.any(StepResultError)]);
    expect(await lastError()).toContain('The result of the step "a"');
    expect(await lastError()).toContain(culprit);
    expect((await ledger()).map(([outcome]) => outcome)).toEqual(['failed']);
  });

  test('may return up to 1 MiB', async () => {
    const text = 'x'.repeat(1024 * 1024 - 2);
    await play(async (context) => (await context.step('a', () => text)).length);
    expect(await ledger()).toEqual([['succeeded', text.length]]);
  });

  describe('of code that has changed', () => {
    const first = async (context: RunContext): Promise<void> => {
      await context.step('a', doing('a'));
      await context.step('b', doing('b'));
      throw new Error('Deployed meanwhile.');
    };

    test.each([
      ['in another order', ['b', 'a'], 1, 'a'],
      ['under another name', ['other', 'b'], 1, 'a'],
      ['with one before them', ['new', 'a', 'b'], 1, 'a'],
      ['with one between them', ['a', 'new', 'b'], 2, 'b'],
      ['without the first', ['b'], 1, 'a'],
    ])('are told %s, before anything is done', async (_, names, position, earlier) => {
      let next = false;
      await play(async (context) => {
        if (!next) return first(context);
        for (const name of names) await context.step(name, doing(`${name} again`));
      }, retried);
      next = true;
      await clock.advanceBy(2 * second);
      expect(done.filter((name) => name.endsWith('again'))).toEqual([]);
      expect(errors[1]).toBeInstanceOf(DurableStepMismatchError);
      expect(errors[1]).toMatchObject({ position, earlier });
    });

    test.each([
      ['with one after them', ['a', 'b', 'new']],
      ['without the last', ['a']],
    ])('go on %s', async (_, names) => {
      let next = false;
      await play(async (context) => {
        if (!next) return first(context);
        for (const name of names) await context.step(name, doing(`${name} again`));
      }, retried);
      next = true;
      await clock.advanceBy(2 * second);
      expect(done.filter((name) => name.endsWith('again'))).toEqual(
        names.includes('new') ? ['new again'] : [],
      );
      expect((await ledger()).map(([outcome]) => outcome)).toEqual(['failed', 'succeeded']);
    });

    test('are not taken for changed where they run in parallel, and come in any order', async () => {
      await play(async (context) => {
        const chain = async (name: string, ms: number): Promise<void> => {
          await context.step(`${name} 1`, () => later(ms).then(doing(`${name} 1`)));
          await context.step(`${name} 2`, () => later(ms).then(doing(`${name} 2`)));
          if (context.attempt < 3) throw new Error('Try again.');
          await context.step(`${name} 3`, doing(`${name} 3`));
        };
        const ms = context.attempt % 2 === 0 ? [100, 300] : [300, 100];
        await Promise.all([chain('x', ms[0]!), chain('y', ms[1]!)]);
      }, retried);
      await clock.advanceBy(20 * second);
      expect(done.toSorted()).toEqual(['x 1', 'x 2', 'x 3', 'y 1', 'y 2', 'y 3']);
      expect((await ledger()).at(-1)![0]).toBe('succeeded');
    });
  });

  describe('that sleep', () => {
    const handler = async (context: RunContext): Promise<string> => {
      await context.step('a', doing('a'));
      await context.sleep('3 days');
      await context.step('b', doing('b'));
      await context.sleep({ hours: 1 });
      return 'rested';
    };

    test('take no place meanwhile, and go on when it is over', async () => {
      const snoozed: ChronisEventMap['run.snoozed'][] = [];
      rig.events.on('run.snoozed', (event) => snoozed.push(event));
      const from = clock.now();
      await play(handler);
      await rig.settle();
      expect(rig.engine.status().running).toBe(0);
      expect(snoozed.map(({ until }) => until!.getTime() - from)).toEqual([3 * day]);
      await clock.advanceBy(3 * day - 1);
      expect(done).toEqual(['a']);
      await clock.advanceBy(minute);
      expect(done).toEqual(['a', 'b']);
      await clock.advanceBy(60 * minute);
      expect(await ledger()).toEqual([
        ['snoozed', null],
        ['snoozed', null],
        ['succeeded', 'rested'],
      ]);
    });

    test('sleep until the time that was named first, whatever restarts meanwhile', async () => {
      const from = clock.now();
      await play(handler);
      await rig.settle();
      await rig.stop(minute);
      await clock.advanceBy(2 * day);
      rig = anotherRig();
      rig.handle('work', handler);
      await rig.engine.start();
      await clock.advanceBy(day - minute);
      expect(done).toEqual(['a']);
      await clock.advanceBy(2 * minute);
      expect(done).toEqual(['a', 'b']);
      const [step] = await storage.queryRunSteps((await storage.queryRuns({}, {})).items[0]!.id);
      expect(step!.name).toBe('a');
      const sleep = (await storage.queryRunSteps((await storage.queryRuns({}, {})).items[0]!.id)).find(
        ({ name }) => name === 'sleep 1',
      );
      expect(sleep!.until! - from).toBe(3 * day);
      await clock.advanceBy(2 * 60 * minute);
    });

    test('until a time, in the time zone of their job, or one that is over', async () => {
      await play(async (context) => {
        await context.sleepUntil(new Date(clock.now() - day));
        await context.step('a', doing('a'));
        await context.sleepUntil(new Date(clock.now() + day));
        await context.step('b', doing('b'));
      });
      await rig.settle();
      expect(done).toEqual(['a']);
      await clock.advanceBy(day + second);
      expect(done).toEqual(['a', 'b']);
      expect((await ledger()).map(([outcome]) => outcome)).toEqual(['snoozed', 'succeeded']);
    });

    test('for no time at all go on at once', async () => {
      await play(async (context) => {
        await context.sleep(0);
        await context.sleep('0s');
        return 'awake';
      });
      await rig.settle();
      expect(await ledger()).toEqual([['succeeded', 'awake']]);
    });

    test('do not come to what follows, finally and catch included', async () => {
      await play(async (context) => {
        try {
          await context.sleep('1m');
          done.push('after');
        } catch {
          done.push('caught');
        } finally {
          done.push('finally');
        }
      });
      await rig.settle();
      expect(done).toEqual([]);
      await clock.advanceBy(2 * minute);
      expect(done).toEqual(['after', 'finally']);
    });

    test('let what goes on beside them come to its end', async () => {
      await play(async (context) => {
        await Promise.all([
          context.sleep('1h'),
          context.sleep('5m', { name: 'short' }),
          (async () => {
            await context.step('a', () => later(10 * second).then(doing('a')));
            await context.step('b', doing('b'));
          })(),
        ]);
        done.push('all');
      });
      await rig.settle();
      expect(await ledger()).toEqual([]);
      await clock.advanceBy(11 * second);
      await rig.settle();
      expect(done).toEqual(['a', 'b']);
      expect((await ledger()).map(([outcome]) => outcome)).toEqual(['snoozed']);
      await clock.advanceBy(6 * minute);
      await rig.settle();
      expect((await ledger()).map(([outcome]) => outcome)).toEqual(['snoozed', 'snoozed']);
      await clock.advanceBy(60 * minute);
      expect(done).toEqual(['a', 'b', 'all']);
    });

    test('beside each other are found again by their names, whatever comes first', async () => {
      const from = clock.now();
      await play(async (context) => {
        const chain = async (name: string, ms: number, delay: string): Promise<void> => {
          await context.step(name, () => later(ms));
          await context.sleep(delay, { name: `${name} sleeps` });
          const minutes = Math.round((clock.now() - from) / minute);
          await context.step(`${name} awake`, doing(`${name} after ${minutes} minutes`));
        };
        await Promise.all([chain('x', 20 * second, '1h'), chain('y', second, '5m')]);
      });
      await rig.settle();
      await clock.advanceBy(2 * 60 * minute);
      expect(done).toEqual(['y after 5 minutes', 'x after 60 minutes']);
      expect((await ledger()).at(-1)![0]).toBe('succeeded');
    });

    test('beside each other are refused without names, as each may be taken for the other', async () => {
      await play(async (context) => {
        const chain = async (name: string, ms: number, delay: string): Promise<void> => {
          await context.step(name, () => later(ms));
          await context.sleep(delay);
          done.push(name);
        };
        await Promise.all([chain('x', 20 * second, '1h'), chain('y', second, '5m')]);
      });
      await rig.settle();
      await clock.advanceBy(2 * 60 * minute);
      expect(done).toEqual([]);
      expect(errors).toEqual([expect.any(InvalidOptionError)]);
      expect(await lastError()).toContain('none of the two has a name');
    });

    test('one after the other need no names, also behind steps that ran in parallel', async () => {
      await play(async (context) => {
        for (const day of [1, 2, 3]) {
          await Promise.all([context.step(`a ${day}`, () => 1), context.step(`b ${day}`, () => 1)]);
          await context.sleep('1h');
          done.push(`slept ${day}`);
        }
      });
      await rig.settle();
      await clock.advanceBy(4 * 60 * minute);
      expect((await ledger()).map(([outcome]) => outcome)).toEqual([
        'snoozed',
        'snoozed',
        'snoozed',
        'succeeded',
      ]);
      expect([...new Set(done)]).toEqual(['slept 1', 'slept 2', 'slept 3']);
    });

    test('are over for what stands around them', async () => {
      class Around extends ChronisInterceptor {
        async intercept(_: RunContext, next: () => Promise<unknown>): Promise<unknown> {
          done.push('before');
          try {
            return await next();
          } finally {
            done.push('released');
          }
        }
      }
      surroundings.use([new Around()]);
      await play(async (context) => {
        await context.sleep('1m');
        return 'rested';
      });
      await rig.settle();
      expect(done).toEqual(['before', 'released']);
      await clock.advanceBy(2 * minute);
      expect(done).toEqual(['before', 'released', 'before', 'released']);
      expect(await ledger()).toEqual([
        ['snoozed', null],
        ['succeeded', 'rested'],
      ]);
    });

    test('count no attempt against the retries', async () => {
      await play(
        async (context) => {
          for (let nth = 0; nth < 5; nth++) await context.sleep('1m');
          throw new Error('In the end.');
        },
        { maxRetries: 1, backoff: { type: 'fixed', delayMs: second } },
      );
      await rig.settle();
      await clock.advanceBy(10 * minute);
      const outcomes = (await ledger()).map(([outcome]) => outcome);
      expect(outcomes.filter((outcome) => outcome === 'snoozed')).toHaveLength(5);
      expect(outcomes.filter((outcome) => outcome === 'failed')).toHaveLength(2);
    });

    test('after a failure are others than those that come there without one', async () => {
      let isBroken = true;
      const from = clock.now();
      await play(async (context) => {
        try {
          await context.step('ship', () => {
            if (isBroken) throw new Error('Broken.');
          });
        } catch {
          await context.sleep('1m');
          await context.step('told', doing('told'));
          await context.sleep('1m');
        }
        await context.sleep('1h');
        done.push(`awake after ${(clock.now() - from) / minute} minutes`);
      });
      await rig.settle();
      await clock.advanceBy(90 * second);
      expect(done).toEqual(['told']);
      isBroken = false;
      await clock.advanceBy(61 * minute);
      expect(done).toEqual(['told', expect.stringMatching(/^awake after 62/)]);
    });

    test('end when they are cancelled', async () => {
      await play(handler);
      await rig.settle();
      await storage.cancelJob({
        namespace: 'default',
        id: (await storage.queryRuns({}, {})).items[0]!.jobId,
      });
      await clock.advanceBy(4 * day);
      expect(done).toEqual(['a']);
      expect((await ledger()).map(([outcome]) => outcome)).toEqual(['snoozed', 'cancelled']);
    });

    test('are refused within a step, and within a transaction', async () => {
      const dataSource = { transaction: <T>(work: (manager: object) => Promise<T>) => work({}) };
      await play(async (context) => {
        await context.step('a', () => context.sleep('1m')).catch((error: unknown) => errors.push(error));
        await context.transaction(() => context.sleep('1m'), { dataSource } as never);
      });
      await rig.settle();
      expect(errors).toEqual([expect.any(InvalidOptionError), expect.any(InvalidOptionError)]);
      const [attempt] = (await storage.queryAttempts({}, {})).items;
      expect(attempt).toMatchObject({ outcome: 'failed' });
      expect(attempt!.error).toContain('context.transaction() is under way');
    });

    test.each([
      ['no duration', (context: RunContext) => context.sleep('soon')],
      ['none at all', (context: RunContext) => context.sleep(undefined as never)],
      ['a time for a duration', (context: RunContext) => context.sleep(Date.now())],
      ['less than nothing', (context: RunContext) => context.sleep(-1)],
      ['no time', (context: RunContext) => context.sleepUntil('tomorrow')],
      ['no text for a name', (context: RunContext) => context.sleep('1h', { name: 7 as never })],
      ['the name of a number', (context: RunContext) => context.sleep('1h', { name: 'sleep 2' })],
      ['another option', (context: RunContext) => context.sleep('1h', { nam: 'a' } as never)],
      ['no options', (context: RunContext) => context.sleep('1h', 'a' as never)],
    ])('are refused with %s', async (_, work) => {
      await play(work);
      await rig.settle();
      expect((await ledger()).map(([outcome]) => outcome)).toEqual(['failed']);
    });
  });

  test('can be had by destructuring', async () => {
    await play(async ({ step, sleep, sleepUntil }) => {
      await step('a', doing('a'));
      await sleep(5);
      await sleepUntil(new Date(clock.now() - 1));
    });
    await rig.settle();
    await clock.advanceBy(second);
    expect((await ledger()).map(([outcome]) => outcome)).toEqual(['snoozed', 'succeeded']);
  });
});
