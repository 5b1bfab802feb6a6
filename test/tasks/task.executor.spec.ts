import { Inject, Injectable, Module, Scope } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  ChronisModule,
  InvalidOptionError,
  JobHandler,
  TaskExecutor,
  UnknownTaskError,
  UnrecoverableError,
  type TaskContext,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';
import { wrong } from '../support/refusal.js';

interface Sms {
  to: string;
  text: string;
}

const Sms = z.object({ to: z.string().min(3), text: z.string().default('Hello') });

@Injectable()
class Gateway {
  readonly sent: { sms: Sms; context: TaskContext }[] = [];
}

@TaskExecutor('sms', { aliases: ['text'], retryIf: (error) => (error as Error).message !== 'final' })
class SmsExecutor implements TaskExecutor<Sms> {
  readonly schema = Sms;

  constructor(@Inject(Gateway) private readonly gateway: Gateway) {}

  execute(sms: Sms, context: TaskContext): { id: number } {
    if (sms.text === 'fail') throw new Error('busy');
    if (sms.text === 'refuse') throw new Error('final');
    this.gateway.sent.push({ sms, context });
    return { id: this.gateway.sent.length };
  }
}

let app: NestApp | null = null;

afterEach(async () => {
  await app?.close();
  app = null;
});

describe('an executor', () => {
  beforeEach(async () => {
    app = await NestApp.boot({ providers: [Gateway, SmsExecutor] });
  });

  test('gets the task as its schema gives it, without the type, and the context of its run', async () => {
    const { id } = await app!.scheduler.schedule({ task: { type: 'sms', to: '0123' } }, { in: 0 });
    await app!.settle();
    const [{ sms, context }] = app!.app.get(Gateway).sent as [Gateway['sent'][number]];
    expect(sms).toEqual({ to: '0123', text: 'Hello' });
    expect(context).toMatchObject({
      job: { id, handler: 'task:sms' },
      attempt: 1,
      payload: { to: '0123', text: 'Hello' },
    });
    expect(context.signal.aborted).toBe(false);
    expect((await app!.scheduler.getAttempts({ jobId: id })).items).toMatchObject([
      { outcome: 'succeeded', result: { id: 1 }, handler: 'task:sms', runId: context.runId },
    ]);
  });

  test('carries out tasks of its other types', async () => {
    await app!.scheduler.schedule({ task: { type: 'text', to: '0123', text: 'a' } }, { in: 0 });
    await app!.settle();
    expect(app!.app.get(Gateway).sent).toMatchObject([{ sms: { to: '0123', text: 'a' } }]);
  });

  test('is tried again as its jobs and its own rules say', async () => {
    const options = { in: 0, maxRetries: 1, backoff: [0] };
    const task = { type: 'sms', to: '0123' };
    const busy = await app!.scheduler.schedule({ task: { ...task, text: 'fail' } }, options);
    const final = await app!.scheduler.schedule({ task: { ...task, text: 'refuse' } }, options);
    await app!.settle();
    const attempts = async (jobId: string): Promise<number> =>
      (await app!.scheduler.getAttempts({ jobId })).items.length;
    expect([await attempts(busy.id), await attempts(final.id)]).toEqual([2, 1]);
  });

  test('does not begin a stored task that its schema does not take any more', async () => {
    app!.app.get(SmsExecutor);
    const job = await app!.scheduler.schedule({ task: { type: 'sms', to: '0123' } }, { in: '1h' });
    await app!.storage.updateJob(
      { namespace: 'default', id: job.id },
      { payload: { to: 'x' } },
      job.revision,
    );
    await app!.clock.advanceBy(3_600_000);
    const [{ error }] = (await app!.scheduler.getAttempts({ jobId: job.id })).items as unknown as [
      { error: string },
    ];
    expect(error).toMatch(
      `The stored task of the job "${job.id}" does not fit the schema of the type "sms": at task.to: `,
    );
    expect(app!.app.get(Gateway).sent).toEqual([]);
  });
});

test('an executor that is made anew for each run gets its own instance', async () => {
  const made: object[] = [];

  @Injectable({ scope: Scope.REQUEST })
  @TaskExecutor('fresh')
  class FreshExecutor implements TaskExecutor {
    get schema() {
      return z.object({ n: z.number() });
    }
    execute(): void {
      made.push(this);
    }
  }

  app = await NestApp.boot({ providers: [FreshExecutor] });
  for (const n of [1, 2]) await app.scheduler.schedule({ task: { type: 'fresh', n } }, { in: 0 });
  await app.settle();
  expect(new Set(made).size).toBe(2);
  await expect(app.scheduler.schedule({ task: { type: 'fresh', n: 'x' } }, { in: 0 })).rejects.toThrow(
    'task: does not fit the schema of the type "fresh": at task.n: ',
  );
});

test('an executor belongs to the module that it names', async () => {
  @TaskExecutor('sms', { instance: 'second' })
  class OfSecond implements TaskExecutor {
    readonly schema = Sms;
    execute(): void {}
  }

  @Module({ imports: [ChronisModule.forRoot({ instance: 'second' })] })
  class SecondModule {}

  app = await NestApp.boot({ imports: [SecondModule], providers: [OfSecond] });
  await expect(app.scheduler.schedule({ task: { type: 'sms', to: '0123' } }, { in: 0 })).rejects.toThrow(
    UnknownTaskError,
  );
});

test('a run of a task is told and queried by the handler that its type is', async () => {
  @TaskExecutor('bad')
  class BadExecutor implements TaskExecutor {
    readonly schema = z.object({});
    execute(): never {
      throw new UnrecoverableError('no');
    }
  }

  app = await NestApp.boot({ providers: [BadExecutor] });
  await app.scheduler.schedule({ task: { type: 'bad' } }, { in: 0, id: 'a' });
  await app.settle();
  expect(app.heard('run.failed')).toMatchObject([{ jobId: 'a', handler: 'task:bad' }]);
  expect(app.heard('jobs.explored')).toMatchObject([{ handlers: ['task:bad'] }]);
  expect((await app.scheduler.queryJobs({ handler: 'task:bad' })).items).toMatchObject([{ id: 'a' }]);
});

class Nothing {}
class NoMethod {
  readonly schema = Sms;
}
class NoSchema {
  execute(): void {}
}
class WrongSchema {
  readonly schema = { to: 'text' };
  execute(): void {}
}

describe('a boot is refused', () => {
  const boot = (...providers: (new (...args: never[]) => object)[]): Promise<NestApp> =>
    NestApp.boot({ providers: [Gateway, ...providers] });
  const executor = (type: string, options = {}, base: new () => object = NoSchema) => {
    class Named extends (base as typeof NoSchema) {}
    if (base === NoSchema) Object.defineProperty(Named.prototype, 'schema', { value: Sms });
    TaskExecutor(type, options)(Named);
    return Named;
  };

  test.each<[string, () => Promise<unknown>, string]>([
    [
      'for two executors of one type',
      () => boot(SmsExecutor, executor('sms')),
      'Two executors take tasks of the type "sms": SmsExecutor and Named. Give one of them another type, by @TaskExecutor(\'…\').',
    ],
    [
      'for a type that is an alias already',
      () => boot(SmsExecutor, executor('text')),
      'Two executors take tasks of the type "text": SmsExecutor and Named.',
    ],
    [
      'without execute()',
      () => boot(executor('x', {}, NoMethod)),
      '@TaskExecutor on Named: execute: is no method of the class. Give it execute(task, context).',
    ],
    [
      'without a schema',
      () => {
        class Bare {
          execute(): void {}
        }
        TaskExecutor('x')(Bare);
        return boot(Bare);
      },
      '@TaskExecutor on Bare: schema: is missing. Give the class a schema that its tasks are checked with: readonly schema = z.object({ … }).',
    ],
    [
      'for a schema that is none',
      () => boot(executor('x', {}, WrongSchema)),
      '@TaskExecutor on Named: schema: must be a Standard Schema',
    ],
    [
      'for an option that there is not',
      () => boot(executor('x', { aliasses: ['y'] })),
      '@TaskExecutor on Named: aliasses: @TaskExecutor has no such option. Did you mean "aliases"?',
    ],
    [
      'for aliases that are no types',
      () => boot(executor('x', { aliases: 'y' })),
      "@TaskExecutor on Named: aliases: must be a list of at most 100 types, but is 'y'.",
    ],
    [
      'for an empty type',
      () => boot(executor(' ')),
      '@TaskExecutor on Named: type: must be a non-empty text',
    ],
    [
      'for a handler by the name of an executor',
      () => {
        class Handlers {
          sms(): void {}
        }
        JobHandler('task:sms')(
          Handlers.prototype,
          'sms',
          Object.getOwnPropertyDescriptor(Handlers.prototype, 'sms')!,
        );
        return boot(Handlers);
      },
      'handler: "task:sms" of Handlers.sms begins with "task:", as only executors of tasks do. Give it another name, or make it a class with @TaskExecutor(\'sms\').',
    ],
  ])('%s', async (_, call, message) => {
    const error = await call().then(
      async (booted) => booted as NestApp,
      (reason: unknown) => reason as Error,
    );
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toContain(message);
  });
});

test('registerHandler refuses the name of an executor', async () => {
  app = await NestApp.boot();
  expect(() => app!.scheduler.registerHandler('task:sms', () => {})).toThrow(InvalidOptionError);
  expect(() => app!.scheduler.registerHandler('sms', () => {}, { previousNames: ['task:sms'] })).toThrow(
    'begins with "task:"',
  );
});

test('the decorator is refused twice on one class, and without parentheses', () => {
  const twice = () => {
    class Twice extends Nothing {}
    TaskExecutor('a')(Twice);
    TaskExecutor('b')(Twice);
  };
  expect(twice).toThrow('@TaskExecutor on Twice: stands there twice. Keep one of them, with the other type');
  expect(() => TaskExecutor(wrong(Nothing))).toThrow('is written without parentheses');
});

test('an executor that no module provides is told', async () => {
  class Forgotten extends NoSchema {}
  TaskExecutor('forgotten')(Forgotten);
  app = await NestApp.boot();
  const told = app.heard('classes.unprovided').flatMap(({ methods }) => methods);
  expect(told).toContain('Forgotten.execute');
});
