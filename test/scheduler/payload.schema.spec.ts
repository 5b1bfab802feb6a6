import { Injectable } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsDate, IsEmail, IsInt, IsOptional, Min, ValidateNested } from 'class-validator';
import * as v from 'valibot';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  Cron,
  defineJob,
  handlerOf,
  InvalidOptionError,
  InvalidPayloadError,
  JobHandler,
  PayloadMismatchError,
  type CreateManyResult,
  type PayloadIssue,
  type PayloadSchema,
  type RunContext,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';
import { wrong } from '../support/refusal.js';

class Line {
  @IsInt()
  @Min(1)
  count: number;
}
class OrderDto {
  @IsEmail()
  email: string;

  @Type(() => Date)
  @IsDate()
  at: Date;

  @ValidateNested({ each: true })
  @Type(() => Line)
  lines: Line[];
}

const byText = (a: string, b: string): number => (a < b ? -1 : 1);
const dateOf = (text: string): Date => new Date(text);
const schemas: [string, PayloadSchema][] = [
  [
    'zod',
    z.object({
      email: z.email(),
      at: z.iso.datetime().transform(dateOf),
      lines: z.array(z.object({ count: z.int().min(1) })),
    }),
  ],
  [
    'zod, asynchronous',
    z.object({
      email: z.email().refine((text) => Promise.resolve(text !== '')),
      at: z.iso.datetime().transform((text) => Promise.resolve(dateOf(text))),
      lines: z.array(z.object({ count: z.int().min(1) })),
    }),
  ],
  [
    'valibot',
    v.object({
      email: v.pipe(v.string(), v.email()),
      at: v.pipe(v.string(), v.isoTimestamp(), v.transform(dateOf)),
      lines: v.array(v.object({ count: v.pipe(v.number(), v.integer(), v.minValue(1)) })),
    }),
  ],
  [
    'valibot, asynchronous',
    v.objectAsync({
      email: v.pipeAsync(
        v.string(),
        v.email(),
        v.checkAsync(() => Promise.resolve(true)),
      ),
      at: v.pipe(v.string(), v.isoTimestamp(), v.transform(dateOf)),
      lines: v.array(v.object({ count: v.pipe(v.number(), v.integer(), v.minValue(1)) })),
    }),
  ],
  ['a class-validator DTO', OrderDto],
];

const good = { email: 'ada@example.com', at: '2027-01-01T00:00:00.000Z', lines: [{ count: 1 }] };
const bad = { email: 'ada', at: '2027-01-01T00:00:00.000Z', lines: [{ count: 1 }, { count: 0 }] };

// Where the clock of the application stands.
const now = new Date('2026-01-01T00:00:00Z');
let app: NestApp | null = null;
afterEach(async () => {
  await app?.close();
  app = null;
});
const boot = async (given: Parameters<typeof NestApp.boot>[0] = {}): Promise<NestApp> =>
  (app = await NestApp.boot(given));

const errorOf = (item: CreateManyResult | undefined): unknown =>
  item?.status === 'rejected' ? item.error : null;
const refusalOf = async (call: Promise<unknown>): Promise<InvalidPayloadError> => {
  const error: unknown = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(InvalidPayloadError);
  return error as InvalidPayloadError;
};

describe.each(schemas)('a schema of %s', (_, schema) => {
  test('refuses a payload that does not fit, with paths and messages, before anything is stored', async () => {
    const { scheduler } = await boot();
    scheduler.registerHandler('order', () => undefined, { schema });
    const order = { handler: 'order', payload: bad };
    const calls = [
      () => scheduler.createDateJob({ ...order, in: '1h' }),
      () => scheduler.createIntervalJob({ ...order, every: '1h' }),
      () => scheduler.createCronJob({ ...order, expression: '@daily' }),
      () => scheduler.createJob({ ...order, trigger: { type: 'manual' } }),
      () => scheduler.schedule('order', { payload: bad, in: '1h' }),
      () => scheduler.upsert({ ...order, id: 'order', in: '1h' }),
      () => scheduler.createMany([{ ...order, in: '1h' }]).then(([item]) => Promise.reject(errorOf(item))),
    ];
    for (const call of calls) {
      const error = await refusalOf(call());
      const text = ({ path: [first, ...more], message }: PayloadIssue): string =>
        `at payload.${first}${more.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('')}: ${message}`;
      expect(error.issues.toSorted((a, b) => a.path.length - b.path.length)).toEqual([
        { path: ['email'], message: expect.any(String) },
        { path: ['lines', 1, 'count'], message: expect.any(String) },
      ]);
      expect(error.message).toBe(
        `payload: does not fit the schema of the handler "order": ${error.issues.map(text).join('; ')}.`,
      );
    }
    expect(await scheduler.countJobs()).toBe(0);
  });

  test('stores the payload as it was given, and gives the handler what it makes of it', async () => {
    const { scheduler } = await boot();
    const got: { at: Date; email: string }[] = [];
    scheduler.registerHandler('order', ({ payload }: RunContext<any>) => void got.push(payload), { schema });
    const job = await scheduler.createDateJob({ handler: 'order', payload: good, runAt: now, keep: '1h' });
    expect(job.payload).toEqual(good);
    await app!.settle();
    expect(got).toHaveLength(1);
    expect(got[0]).toMatchObject({ email: good.email, at: new Date(good.at), lines: [{ count: 1 }] });
    expect(got[0] instanceof OrderDto).toBe(schema === OrderDto);
    expect((await scheduler.getJob(job.id))!.payload).toEqual(good);
  });

  test('fails a run whose stored payload does not fit any more, without retries and without the handler', async () => {
    const { scheduler } = await boot();
    let calls = 0;
    await scheduler.createDateJob({
      id: 'order-1',
      handler: 'order',
      payload: bad,
      runAt: now,
      maxRetries: 5,
      allowUnknownHandler: true,
    });
    scheduler.registerHandler('order', () => void calls++, { schema });
    await app!.settle();
    const [run] = (await scheduler.getRuns({ state: 'failed' })).items;
    expect(run).toMatchObject({ jobId: 'order-1', attempt: 1 });
    expect(run!.lastError).toContain(
      'PayloadMismatchError: The stored payload of the job "order-1" does not fit the schema of the handler "order": at payload.',
    );
    const error = app!.heard('run.failed')[0]!.error as PayloadMismatchError;
    expect(error).toBeInstanceOf(PayloadMismatchError);
    expect(error.issues.map(({ path }) => path.join('.')).toSorted(byText)).toEqual([
      'email',
      'lines.1.count',
    ]);
    expect(calls).toBe(0);
  });
});

describe('payloads are checked', () => {
  const schema = z.object({ to: z.string() });
  const Mail = defineJob('mail', { schema });

  test('when a job is changed, by payload or by handler, and stay as they were', async () => {
    const { scheduler } = await boot();
    scheduler.registerHandler(Mail, () => undefined);
    scheduler.registerHandler('any', () => undefined);
    await scheduler.createIntervalJob({ id: 'mail', handler: Mail, payload: { to: 'a' }, every: '1h' });
    await scheduler.createIntervalJob({ id: 'any', handler: 'any', payload: [1], every: '1h' });
    await refusalOf(scheduler.updateJob('mail', { payload: { to: 1 } }));
    await refusalOf(scheduler.updateJob('any', { handler: 'mail' }));
    await refusalOf(scheduler.updateJob('any', { handler: Mail }));
    expect(await scheduler.getJob('mail')).toMatchObject({ payload: { to: 'a' }, revision: 1 });
    expect(await scheduler.getJob('any')).toMatchObject({ handler: 'any', payload: [1], revision: 1 });
    await scheduler.updateJob('any', { handler: Mail, payload: { to: 'b' } });
    await scheduler.updateJob('mail', { priority: 'high' });
    expect(await scheduler.getJob('any')).toMatchObject({ handler: 'mail', payload: { to: 'b' } });
  });

  test('when they replace another job', async () => {
    const { scheduler } = await boot();
    scheduler.registerHandler(Mail, () => undefined);
    const job = { id: 'mail', handler: 'mail', every: '1h' };
    await scheduler.createIntervalJob({ ...job, payload: { to: 'a' } });
    await refusalOf(scheduler.createIntervalJob({ ...job, payload: { to: 1 }, onConflict: 'replace' }));
    expect(await scheduler.getJob('mail')).toMatchObject({ payload: { to: 'a' } });
  });

  test('and instances, Dates and keys with undefined are taken as JSON takes them', async () => {
    class InviteDto {
      @IsEmail()
      email: string;
      @Type(() => Date)
      @IsDate()
      until: Date;
      @IsOptional()
      @IsEmail()
      cc?: string;
      shown(): string {
        return this.email;
      }
    }
    const dto = Object.assign(new InviteDto(), { email: 'a@b.de', until: new Date(0), cc: undefined });
    const like = (more: object): never => wrong(Object.assign(new InviteDto(), dto, more));
    const stored = { email: 'a@b.de', until: '1970-01-01T00:00:00.000Z' };
    const got: unknown[] = [];
    app = await NestApp.boot();
    const { scheduler } = app;
    const Invite = defineJob('invite', { schema: InviteDto });
    scheduler.registerHandler(Invite, ({ payload }) => void got.push(payload));
    const job = await scheduler.schedule(Invite, { in: '1h', payload: dto });
    expect(job.payload).toEqual(stored);
    expect(Object.keys(job.payload as object)).toEqual(['email', 'until']);
    // By its name too, as this process has the handler; and of many, each by itself.
    const byName = await scheduler.createDateJob({ handler: 'invite', in: '1h', payload: wrong(dto) });
    expect(byName.payload).toEqual(stored);
    const many = await scheduler.createMany([1, 2].map(() => ({ handler: Invite, in: '1h', payload: dto })));
    expect(many.map((result) => 'job' in result && result.job.payload)).toEqual([stored, stored]);
    const changed = await scheduler.updateJob(job.id, { payload: like({ until: new Date(5) }) });
    expect(changed.payload).toEqual({ ...stored, until: '1970-01-01T00:00:00.005Z' });
    await scheduler.runNow(byName.id);
    await app.settle();
    expect(got).toEqual([expect.objectContaining({ email: 'a@b.de', until: new Date(0) })]);
    expect(got[0]).toBeInstanceOf(InviteDto);
    // What JSON would lose is refused, schema or not.
    const lost = scheduler.schedule(Invite, { in: 0, payload: like({ tags: new Map() }) });
    await expect(lost).rejects.toThrow('payload: at payload.tags: an instance of Map is not JSON.');
    const never = scheduler.schedule(Invite, { in: 0, payload: like({ until: new Date(NaN) }) });
    await expect(never).rejects.toThrow('payload: at payload.until: an invalid Date is not JSON.');
    // In a process that does not have the handler nothing says so.
    const other = await NestApp.boot();
    const elsewhere = { allowUnknownHandler: true, in: '1h', payload: wrong(dto) } as const;
    await expect(other.scheduler.schedule('invite', elsewhere)).rejects.toThrow(
      'an instance of InviteDto is not JSON',
    );
    expect((await other.scheduler.schedule(Invite, elsewhere)).payload).toEqual(stored);
    await other.close();
  });

  test('in a process that does not know the handler by the schema of the reference alone', async () => {
    const { scheduler } = await boot();
    const job = { in: '1h', allowUnknownHandler: true };
    await refusalOf(scheduler.createDateJob({ ...job, handler: Mail, payload: wrong({ to: 1 }) }));
    expect(await scheduler.createDateJob({ ...job, handler: 'mail', payload: { to: 1 } })).toMatchObject({
      payload: { to: 1 },
    });
  });

  test('by both, when the reference and the handler have different schemas', async () => {
    const { scheduler } = await boot();
    scheduler.registerHandler('mail', () => undefined, { schema: z.object({ cc: z.string() }) });
    const job = { handler: Mail, in: '1h' };
    expect((await refusalOf(scheduler.createDateJob({ ...job, payload: { to: 'a' } }))).issues).toMatchObject(
      [{ path: ['cc'] }],
    );
    const both = { to: 'a', cc: 'b' };
    expect(await scheduler.createDateJob({ ...job, payload: both })).toMatchObject({ payload: both });
  });

  test('by the schema of the method that handlerOf names', async () => {
    @Injectable()
    class Mails {
      @JobHandler('send', { schema })
      send({ payload }: RunContext<{ to: string }>): string {
        return payload.to;
      }
    }
    const { scheduler } = await boot();
    const handler = handlerOf(Mails, 'send');
    await refusalOf(
      scheduler.createDateJob({ handler, payload: wrong({}), in: '1h', allowUnknownHandler: true }),
    );
  });

  test('of declared jobs when the application boots', async () => {
    @Injectable()
    class Mails {
      @Cron('@daily', { payload: { to: 1 } })
      @JobHandler('send', { schema })
      send({ payload }: RunContext<{ to: string }>): string {
        return payload.to;
      }
    }
    const refused = NestApp.boot({ providers: [Mails] });
    await expect(refused).rejects.toThrow(InvalidPayloadError);
    await expect(refused).rejects.toThrow(
      'payload of Mails.send: does not fit the schema of the handler "send": at payload.to: ',
    );
  });

  test('of declared jobs also when they have none', async () => {
    @Injectable()
    class Mails {
      @Cron('@daily')
      @Mail.Handle()
      send({ payload }: RunContext<{ to: string }>): string {
        return payload.to;
      }
    }
    await expect(NestApp.boot({ providers: [Mails] })).rejects.toThrow(InvalidPayloadError);
  });

  test('and a schema that fails itself is no verdict: nothing is stored, and a run is tried again', async () => {
    const { scheduler } = await boot();
    let broken = true;
    let calls = 0;
    const fragile = z.object({ to: z.string() }).refine(() => {
      if (broken) throw new Error('The directory of addresses is down.');
      return true;
    });
    const job = { handler: 'mail', payload: { to: 'a' }, runAt: now, maxRetries: 1, backoff: '1m' };
    await scheduler.createDateJob({ ...job, allowUnknownHandler: true });
    scheduler.registerHandler('mail', () => void calls++, { schema: fragile });
    await app!.settle();
    await expect(scheduler.createDateJob(job)).rejects.toThrow('The directory of addresses is down.');
    expect(await scheduler.countJobs()).toBe(1);
    broken = false;
    await app!.clock.advanceBy(60_000);
    await app!.settle();
    expect(calls).toBe(1);
  });

  test('and what was cancelled during the check is not begun', async () => {
    const { scheduler } = await boot();
    let calls = 0;
    const slow: PayloadSchema = {
      '~standard': { version: 1, vendor: 'test', validate: (value) => gate.then(() => ({ value })) },
    };
    let open!: () => void;
    let gate: Promise<void> = Promise.resolve();
    scheduler.registerHandler('mail', () => void calls++, { schema: slow });
    await scheduler.createDateJob({ handler: 'mail', in: '1m', timeout: '1s' });
    gate = new Promise((resolve) => (open = resolve));
    await app!.clock.advanceBy(60_000);
    await app!.clock.advanceBy(1_000);
    open();
    await app!.settle();
    expect(calls).toBe(0);
    expect((await scheduler.getRuns({ state: 'timed_out' })).items).toHaveLength(1);
  });
});

describe('a schema is refused', () => {
  class Plain {
    to: string;
  }
  const refusals: [string, unknown, string][] = [
    ['that is something else', { to: 'string' }, 'schema: must be a Standard Schema, such as z.object'],
    ['that is a function', () => true, 'schema: must be a Standard Schema'],
    ['of another version', { '~standard': { version: 2 } }, 'schema: has version 2 of the interface'],
    [
      'that is a class without decorators',
      Plain,
      'schema: the class Plain has no class-validator decorators',
    ],
  ];
  test.each(refusals)('%s', async (_, schema, message) => {
    const { scheduler } = await boot();
    expect(() => scheduler.registerHandler('a', () => undefined, { schema: wrong(schema) })).toThrow(message);
    const handler = defineJob('a', { schema: schema as PayloadSchema });
    const refused = scheduler.createIntervalJob({ handler, every: '1h', allowUnknownHandler: true });
    await expect(refused).rejects.toThrow(InvalidOptionError);
    await expect(refused).rejects.toThrow(message);
    expect(await scheduler.countJobs()).toBe(0);
  });

  test('when two decorators of a method give different ones', async () => {
    @Injectable()
    class Mails {
      @JobHandler('a', { schema: z.object({}) })
      @JobHandler('b', { schema: z.object({}) })
      send(): void {}
    }
    await expect(NestApp.boot({ providers: [Mails] })).rejects.toThrow(
      '@JobHandler on Mails.send: schema: another decorator of the method gives another schema. Give it once.',
    );
  });

  test('and a DTO takes nothing but an object', async () => {
    const { scheduler } = await boot();
    scheduler.registerHandler('order', () => undefined, { schema: OrderDto });
    for (const payload of [null, 'text', [good]]) {
      const error = await refusalOf(scheduler.createDateJob({ handler: 'order', payload, runAt: now }));
      expect(error.issues).toEqual([{ path: [], message: 'must be an object' }]);
    }
  });

  test('which looks at a payload does not change it', async () => {
    const { scheduler } = await boot();
    const meddling: PayloadSchema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) => ({ value: Object.assign(value as object, { more: true }) }),
      },
    };
    scheduler.registerHandler('a', () => undefined, { schema: meddling });
    const job = await scheduler.createIntervalJob({ handler: 'a', payload: { to: 'a' }, every: '1h' });
    expect(job.payload).toEqual({ to: 'a' });
  });
});
