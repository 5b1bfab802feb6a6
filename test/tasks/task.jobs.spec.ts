import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  InvalidOptionError,
  InvalidPayloadError,
  JobHandler,
  TaskExecutor,
  taskOf,
  UnknownTaskError,
  type SchedulerService,
  type TaskContext,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';
import { wrong, type Refusal } from '../support/refusal.js';

const ran: unknown[] = [];

@TaskExecutor('mail', { aliases: ['e-mail'] })
class MailExecutor implements TaskExecutor<{ to: string }> {
  readonly schema = z.strictObject({ to: z.string(), count: z.number().optional() });
  execute(task: { to: string }, context: TaskContext): void {
    ran.push({ ...task, id: context.job.id });
  }
}

class Handlers {
  @JobHandler('work')
  work(): void {}
}

const task = { type: 'mail', to: 'ada' };
let app: NestApp;
let scheduler: SchedulerService;

beforeEach(async () => {
  ran.length = 0;
  app = await NestApp.boot({ providers: [MailExecutor, Handlers] });
  scheduler = app.scheduler;
});
afterEach(() => app.close());

describe('a job with a task', () => {
  test.each<[string, (s: SchedulerService) => Promise<unknown>]>([
    ['schedule', (s) => s.schedule({ task }, { in: 0, id: 'a' })],
    ['createJob', (s) => s.createJob({ task, id: 'a', in: 0 })],
    ['createDateJob', (s) => s.createDateJob({ task, id: 'a', at: new Date(0) })],
    ['createIntervalJob', (s) => s.createIntervalJob({ task, id: 'a', minutes: 1 })],
    ['createCronJob', (s) => s.createCronJob({ task, id: 'a', cron: '* * * * *' })],
    ['upsert', (s) => s.upsert({ task, id: 'a', every: '1m' })],
    ['createMany', (s) => s.createMany([{ task, id: 'a', in: 0 }])],
    [
      'schedule with after',
      async (s) => {
        await s.schedule('work', { id: 'first', in: '1s' });
        return s.schedule({ task }, { id: 'a', after: 'first' });
      },
    ],
    [
      'updateJob',
      async (s) => {
        await s.schedule('work', { id: 'a', in: '1s', payload: { n: 1 } });
        return s.updateJob('a', { task });
      },
    ],
    [
      'a tenant',
      async (s) => {
        const job = await s.forTenant('t').createJob({ task, id: 'a', in: 0 });
        expect(job).toMatchObject({ namespace: 'tenant:t', handler: 'task:mail' });
      },
    ],
    ['schedule of a tenant', (s) => s.forTenant('t').schedule({ task }, { in: 0, id: 'a' })],
  ])('is made by %s', async (_, create) => {
    await create(scheduler);
    await app.clock.advanceBy(60_000);
    expect(ran[0]).toEqual({ to: 'ada', id: 'a' });
  });

  test('is one whose handler is its type, and says its task again', async () => {
    const job = await scheduler.schedule({ task }, { in: '1h' });
    expect(job).toMatchObject({ handler: 'task:mail', payload: { to: 'ada' } });
    expect(taskOf(job)).toEqual(task);
    const [run] = (await scheduler.getRuns({ jobId: job.id })).items;
    expect(taskOf({ ...run!, payload: job.payload })).toEqual(task);
    expect(taskOf(await scheduler.schedule('work', { in: '1h' }))).toBeNull();
  });

  test('is changed into another, and to one of a handler', async () => {
    const { id } = await scheduler.schedule({ task }, { every: '1h' });
    expect(taskOf(await scheduler.updateJob(id, { task: { type: 'e-mail', to: 'bob' } }))).toEqual({
      type: 'e-mail',
      to: 'bob',
    });
    expect(taskOf(await scheduler.updateJob(id, { payload: { to: 'eve' } }))).toEqual({
      type: 'e-mail',
      to: 'eve',
    });
    expect(taskOf(await scheduler.updateJob(id, { handler: 'work', payload: null }))).toBeNull();
  });

  test('is paused with all of its type', async () => {
    await scheduler.pause({ handler: 'task:mail' });
    await scheduler.schedule({ task }, { in: 0, id: 'a' });
    await app.settle();
    expect(ran).toEqual([]);
    await scheduler.resume({ handler: 'task:mail' });
    await app.settle();
    expect(ran).toEqual([{ to: 'ada', id: 'a' }]);
  });

  test('of very many each stands for itself', async () => {
    const given = Array.from({ length: 1_200 }, (_, n) => ({
      task: n === 700 ? { type: 'mail', to: 1 } : { type: 'mail', to: `${n}` },
      in: '1h' as const,
    }));
    const results = await scheduler.createMany([...given, { handler: 'work', in: '1h' }]);
    const refused = results.flatMap((result, n) => (result.status === 'rejected' ? [n] : []));
    expect(refused).toEqual([700]);
    expect(results.map((result) => 'job' in result && taskOf(result.job)?.to)).toEqual([
      ...given.map((_, n) => n !== 700 && `${n}`),
      undefined,
    ]);
  });
});

const refusals: Refusal[] = [
  [
    'an unknown type',
    (s) => s.schedule({ task: { type: 'mial', to: 'ada' } }, { in: 0 }),
    UnknownTaskError,
    'No executor takes tasks of the type "mial" here or in any worker. Known: e-mail, mail. Did you mean "mail"? Else provide a class with @TaskExecutor(\'mial\'), or pass { allowUnknownHandler: true }',
  ],
  [
    'an unknown type of another app',
    (s) => s.schedule({ task }, { in: 0, app: 'other' }),
    UnknownTaskError,
    'No executor takes tasks of the type "mail" in any worker of the app "other". There is no executor at all: those of nestjs-chronis/executors are opt-in, by ChronisExecutorsModule. The app "default" has one of this type;',
  ],
  [
    'an unknown type by upsert()',
    (s) => s.upsert({ id: 'a', task: { type: 'nothing near' }, in: 0 }),
    UnknownTaskError,
    'No executor takes tasks of the type "nothing near" here or in any worker. Known: e-mail, mail. Provide a class',
  ],
  [
    'a task that does not fit',
    (s) => s.createJob({ task: { type: 'mail', to: 7 }, in: 0 }),
    InvalidPayloadError,
    'task: does not fit the schema of the type "mail": at task.to: ',
  ],
  [
    'an option that the type has not',
    (s) => s.createJob({ task: { type: 'mail', to: 'ada', cc: 'bob' }, in: 0 }),
    InvalidPayloadError,
    'task: does not fit the schema of the type "mail": ',
  ],
  [
    'a task that is not JSON',
    (s) => s.createJob({ task: { type: 'mail', to: 'ada', count: NaN }, in: 0 }),
    InvalidPayloadError,
    'task: at task.count: NaN is not JSON.',
  ],
  [
    'a task beside a handler',
    (s) => s.createJob(wrong({ handler: 'work', task, in: 0 })),
    InvalidOptionError,
    'task: is given beside "handler". A job has a handler with a payload, or a task, which is both.',
  ],
  [
    'a task beside a payload',
    (s) => s.createDateJob(wrong({ task, payload: 1, in: 0 })),
    InvalidOptionError,
    'task: is given beside "payload".',
  ],
  [
    'a task beside a payload in schedule()',
    (s) => s.schedule({ task }, wrong({ payload: 1, in: 0 })),
    InvalidOptionError,
    'task: is given beside "payload".',
  ],
  [
    'a task among the options of schedule()',
    (s) => s.schedule('work', wrong({ task, in: 0 })),
    InvalidOptionError,
    "task: is among the options, but schedule() takes it first: schedule({ task: { type, … } }, { in: '5m' }).",
  ],
  [
    'what else is in the first argument of schedule()',
    (s) => s.schedule(wrong({ task, queue: 'a' }), wrong({ in: 0 })),
    InvalidOptionError,
    'queue: the first argument of schedule() has no such option.',
  ],
  [
    'neither',
    (s) => s.createJob(wrong({ in: 0 })),
    InvalidOptionError,
    'handler: is missing. Give the name of a handler, or a task: { task: { type, … } }.',
  ],
  [
    'a task without a type',
    (s) => s.createJob({ task: wrong({ to: 'ada' }), in: 0 }),
    InvalidOptionError,
    "task.type: is missing. Give an object with its type: { type: 'http', … }.",
  ],
  [
    'a type that is no text',
    (s) => s.createIntervalJob({ task: { type: wrong(7) }, minutes: 1 }),
    InvalidOptionError,
    'task.type: must be a non-empty text, but is 7.',
  ],
  [
    'a type that is too long',
    (s) => s.createIntervalJob({ task: { type: 'x'.repeat(251) }, minutes: 1 }),
    InvalidOptionError,
    'task.type: must be at most 250 characters long',
  ],
  [
    'a task that is none',
    (s) => s.createCronJob({ task: wrong('mail'), cron: '* * * * *' }),
    InvalidOptionError,
    "task: must be a task, but is 'mail'.",
  ],
  [
    'a task in a change, beside a handler',
    (s) => s.updateJob('a', wrong({ task, handler: 'work' })),
    InvalidOptionError,
    'task: is given beside "handler".',
  ],
  [
    'a task as a callback',
    (s) => s.createJob({ handler: 'work', in: 0, onFailure: 'task:mail' }),
    InvalidOptionError,
    'onFailure: is "task:mail", the executor of tasks. A callback gets what became of the run, so it is a handler',
  ],
  [
    'a task within a callback',
    (s) => s.createJob({ handler: 'work', in: 0, onSuccess: wrong({ task }) }),
    InvalidOptionError,
    'task: onSuccess has no such option. A callback gets what became of the run',
  ],
];

test.each(refusals)('refuses %s', async (_, call, type, message) => {
  const error = await call(scheduler).catch((reason: unknown) => reason as Error);
  expect(error).toBeInstanceOf(type);
  expect((error as Error).message).toContain(message);
  expect(await scheduler.countJobs()).toBe(0);
});

test('a change to what the executor does not take changes nothing', async () => {
  const { id } = await scheduler.schedule({ task }, { every: '1h' });
  await expect(scheduler.updateJob(id, { task: { type: 'mail', to: 1 } })).rejects.toThrow(
    InvalidPayloadError,
  );
  await expect(scheduler.updateJob(id, { payload: { to: 1 } })).rejects.toThrow(InvalidPayloadError);
  await expect(scheduler.updateJob(id, { task: { type: 'fax' } })).rejects.toThrow(UnknownTaskError);
  expect(taskOf((await scheduler.getJob(id))!)).toEqual(task);
});

test('a process without the executor makes jobs with it once a worker has had it', async () => {
  const { clock, storage } = app;
  const web = await NestApp.boot({ clock, storage, chronis: { autoStart: false } });
  await web.scheduler.schedule({ task }, { in: 0, id: 'a' });
  await app.settle();
  expect(ran).toEqual([{ to: 'ada', id: 'a' }]);
  await expect(web.scheduler.schedule({ task: { type: 'fax' } }, { in: 0 })).rejects.toThrow(
    UnknownTaskError,
  );
  const early = await web.scheduler.schedule(
    { task: { type: 'fax', n: 1 } },
    { in: 0, allowUnknownHandler: true },
  );
  expect(taskOf(early)).toEqual({ type: 'fax', n: 1 });
  await web.close();
});

test('a handler by its name is not looked for among executors', async () => {
  await expect(scheduler.schedule('mail', { in: 0 })).rejects.toThrow('Known: work. Declare it');
});
