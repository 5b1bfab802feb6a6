import { Controller, Inject, Injectable, Module, Scope, type Provider } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { boot, complaint, stopTime, subjects, type Booted } from './subjects.js';

describe.each(subjects)('$name finds', (subject) => {
  const { Cron, Interval, Timeout } = subject.schedule;
  let app: Booted | null = null;
  let calls: string[] = [];

  beforeEach(() => {
    stopTime();
    calls = [];
  });
  afterEach(async () => {
    await app?.close();
    app = null;
    vi.useRealTimers();
  });

  async function callsOf(metadata: { providers?: Provider[]; controllers?: any[]; imports?: any[] }) {
    app = await boot(subject, {
      ...metadata,
      imports: [subject.schedule.ScheduleModule.forRoot(), ...(metadata.imports ?? [])],
    });
    await vi.advanceTimersByTimeAsync(1_000);
    return calls;
  }

  class Base {
    @Cron('* * * * * *')
    cron(): void {
      calls.push(`${this.constructor.name}.cron`);
    }
    @Interval(1_000)
    interval(): void {
      calls.push(`${this.constructor.name}.interval`);
    }
  }

  test('methods of controllers and of providers', async () => {
    @Controller()
    class Web {
      @Timeout(1_000)
      timeout(): void {
        calls.push('Web.timeout');
      }
    }
    @Injectable()
    class Service extends Base {}
    expect(await callsOf({ providers: [Service], controllers: [Web] })).toEqual([
      'Web.timeout',
      'Service.interval',
      'Service.cron',
    ]);
  });

  test('inherited methods; those that override lose the decorator unless they repeat it', async () => {
    @Injectable()
    class First extends Base {
      override interval(): void {
        calls.push('never');
      }
    }
    @Injectable()
    class Second extends Base {
      @Timeout(1_000)
      override interval(): void {
        calls.push('Second.timeout');
      }
    }
    expect((await callsOf({ providers: [First, Second] })).toSorted()).toEqual([
      'First.cron',
      'Second.cron',
      'Second.timeout',
    ]);
  });

  test('values, factories and classes under several tokens, each as often as it is provided', async () => {
    @Injectable()
    class Service extends Base {}
    const providers = [
      Service,
      { provide: 'alias', useExisting: Service },
      { provide: 'value', useValue: new (class Value extends Base {})() },
      { provide: 'factory', useFactory: () => new (class Made extends Base {})() },
    ];
    const found = (await callsOf({ providers })).filter((call) => call.endsWith('cron'));
    expect(found.toSorted()).toEqual(['Made.cron', 'Service.cron', 'Service.cron', 'Value.cron']);
  });

  test('a class that two modules provide, twice', async () => {
    @Injectable()
    class Service extends Base {}
    @Module({ providers: [Service] })
    class Other {}
    expect((await callsOf({ providers: [Service], imports: [Other] })).toSorted()).toEqual([
      'Service.cron',
      'Service.cron',
      'Service.interval',
      'Service.interval',
    ]);
  });

  test('nothing in values without methods', async () => {
    const bare = Object.create(null) as object;
    const values = [null, undefined, 0, '', 'text', 12, true, Symbol('s'), bare, [], {}, () => undefined];
    const providers = values.map((useValue, i) => ({ provide: `value ${i}`, useValue }));
    expect(await callsOf({ providers })).toEqual([]);
  });

  test('no getters, which are not touched', async () => {
    @Injectable()
    class Lazy {
      get secret(): string {
        throw new Error('touched');
      }
      @Interval(1_000)
      interval(): void {
        calls.push('interval');
      }
    }
    expect(await callsOf({ providers: [Lazy] })).toEqual(['interval']);
  });

  test('the outermost of several decorators on one method', async () => {
    @Injectable()
    class Twice {
      @Cron('* * * * * *', { name: 'outer' })
      @Cron('* * * * * *', { name: 'inner' })
      crons(): void {
        calls.push('cron');
      }
      @Interval(1_000)
      @Timeout(1_000)
      both(): void {
        calls.push('both');
      }
    }
    expect(await callsOf({ providers: [Twice] })).toEqual(['both', 'cron']);
    expect([...app!.registry.getCronJobs().keys()]).toEqual(['outer']);
    expect([app!.registry.getIntervals().length, app!.registry.getTimeouts().length]).toEqual([1, 0]);
  });

  test('transient providers, on the instance that Nest keeps', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    class Transient extends Base {}
    expect(await callsOf({ providers: [Transient] })).toEqual(['Transient.interval', 'Transient.cron']);
  });

  test('request-scoped providers, also by what they depend on, and refuses them with a warning', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Scoped extends Base {
      @Timeout(1_000)
      timeout(): void {
        calls.push('never');
      }
    }
    @Injectable()
    class Bubbled {
      constructor(@Inject(REQUEST) readonly request: unknown) {}
      @Cron('* * * * * *', { name: 'bubbled' })
      cron(): void {
        calls.push('never');
      }
    }
    expect(await callsOf({ providers: [Scoped, Bubbled] })).toEqual([]);
    const refused = (what: string): object => ({
      level: 'warn',
      message: `Cannot register ${what} because it is defined in a non static provider.`,
      context: 'Scheduler',
    });
    expect(app!.log.lines).toEqual([
      refused('timeout "Scoped@timeout"'),
      refused('cron job "Scoped@cron"'),
      refused('interval "Scoped@interval"'),
      refused('cron job "Bubbled@cron"'),
    ]);
  });

  test.each([
    ['Cron Job', Cron('* * * * * *', { name: 'same' })],
    ['Interval', Interval('same', 1_000)],
    ['Timeout', Timeout('same', 1_000)],
  ])('two methods of one name, and does not boot: %s', async (kind, decorate) => {
    @Injectable()
    class Twins {
      first(): void {}
      second(): void {}
    }
    for (const name of ['first', 'second']) {
      decorate(Twins.prototype, name, Object.getOwnPropertyDescriptor(Twins.prototype, name)!);
    }
    expect(await complaint(() => callsOf({ providers: [Twins] }))).toBe(
      `${kind} with the given name (same) already exists. Ignored.`,
    );
  });

  test.each([
    ['* * *', {}, 'Too few fields'],
    ['* * * * * * *', {}, 'Too many fields'],
    ['0 0 * * monday', {}, 'Unknown alias: day'],
    ['0 0 * * *', { timeZone: 'Mars/Crater' }, 'Invalid timezone.'],
    ['0 0 * * *', { timeZone: 'UTC', utcOffset: 60 }, "You can't specify both timeZone and utcOffset"],
  ])('mistakes in a cron, and does not boot: %s %o', async (text, options, message) => {
    @Injectable()
    class Wrong {
      @Cron(text, options as object)
      wrong(): void {}
    }
    // Ours names the method.
    const place = subject.name === '@nestjs/schedule' ? '' : 'Wrong.wrong: ';
    expect(await complaint(() => callsOf({ providers: [Wrong] }))).toBe(`${place}${message}`);
  });
});

test('what a library has decorated with the original is found as well', async () => {
  stopTime();
  const [other, own] = subjects;
  let calls = 0;
  class Library {
    @(other!.schedule.Cron('* * * * * *', { name: 'library' }))
    run(): void {
      calls++;
    }
  }
  const app = await boot(own!, { providers: [Library] });
  vi.advanceTimersByTime(2_000);
  await app.close();
  vi.useRealTimers();
  expect(calls).toBe(2);
});
