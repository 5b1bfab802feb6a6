// Never run: `npm run types` fails when a line marked as an error compiles, or when another does not.
import * as v from 'valibot';
import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import {
  defineJob,
  handlerOf,
  type DefinedJob,
  type HandlerReference,
  type Job,
  type JsonValue,
  type RunContext,
  type SchedulerService,
} from '../../lib/index.js';

declare const scheduler: SchedulerService;

interface Mail {
  to: string;
  cc?: string[];
}

class Address {
  street: string;
  since: Date;
  shown(): string {
    return this.street;
  }
}

const SendMail = defineJob<Mail>('send-mail', { queue: 'mail', maxRetries: 3, timeout: '10s' });
const Tick = defineJob('tick');
const Nothing = defineJob<null>('nothing');
const Resize = defineJob('resize', {
  schema: z.object({ image: z.string(), at: z.string().transform((text) => new Date(text)) }),
});
const Charge = defineJob('charge', { schema: v.object({ cents: v.optional(v.number(), 0) }) });
const Move = defineJob('move', { schema: Address });
const Both = defineJob<Mail>('both', {
  schema: z.object({ to: z.string(), cc: z.array(z.string()).optional() }),
});

export function referencesKnowTheirPayloads(): void {
  expectTypeOf(SendMail).toEqualTypeOf<DefinedJob<Mail>>();
  expectTypeOf(Tick).toEqualTypeOf<DefinedJob<JsonValue>>();
  expectTypeOf(Resize).toEqualTypeOf<
    DefinedJob<{ image: string; at: string }, { image: string; at: Date }>
  >();
  expectTypeOf(Charge).toEqualTypeOf<DefinedJob<{ cents?: number | undefined }, { cents: number }>>();
  expectTypeOf(Move).toEqualTypeOf<DefinedJob<{ street: string; since: Date | string }, Address>>();
  expectTypeOf(Both).toEqualTypeOf<DefinedJob<Mail>>();
  // @ts-expect-error There is no such option.
  defineJob('x', { retries: 3 });
  // @ts-expect-error The schema is for another payload.
  defineJob<Mail>('x', { schema: z.object({ to: z.number() }) });
  // @ts-expect-error Not a schema.
  defineJob('x', { schema: { to: 'string' } });
}

export class Handlers {
  @SendMail.Handle()
  mail({ payload }: RunContext<Mail>): string {
    return payload.to;
  }

  @SendMail.Handle({ retryIf: () => false })
  async wider(context: RunContext<{ to: string }>): Promise<void> {
    await Promise.resolve(context.payload.to);
  }

  @Tick.Handle()
  @SendMail.Handle()
  withoutContext(): void {}

  @Resize.Handle()
  resize({ payload }: RunContext<{ image: string; at: Date }>): number {
    return payload.at.getTime();
  }

  @Move.Handle()
  move({ payload }: RunContext<Address>): string {
    return payload.shown();
  }

  // @ts-expect-error The payload has no number.
  @SendMail.Handle()
  otherPayload({ payload }: RunContext<{ to: number }>): number {
    return payload.to;
  }

  // @ts-expect-error The handler gets the output of the schema, a Date.
  @Resize.Handle()
  input({ payload }: RunContext<{ image: string; at: string }>): string {
    return payload.at;
  }

  // @ts-expect-error A handler takes a RunContext.
  @SendMail.Handle()
  noContext(to: string): string {
    return to;
  }

  // @ts-expect-error A handler takes one parameter.
  @SendMail.Handle()
  two(context: RunContext<Mail>, more: string): string {
    return context.payload.to + more;
  }

  // @ts-expect-error Only methods are handlers.
  @SendMail.Handle()
  field = 1;

  private hidden({ payload }: RunContext<Mail>): string {
    return payload.to;
  }

  parts(context: Pick<RunContext<Mail>, 'payload'>): string {
    return context.payload.to + this.hidden(context as RunContext<Mail>);
  }
}

export async function payloadsFitTheReference(): Promise<void> {
  const job = await scheduler.createDateJob({ handler: SendMail, payload: { to: 'a' }, in: '5m' });
  expectTypeOf(job).toEqualTypeOf<Job>();
  await scheduler.createIntervalJob({ handler: SendMail, payload: { to: 'a', cc: [] }, every: '1h' });
  await scheduler.createCronJob({ handler: SendMail, payload: { to: 'a' }, hour: 9, minute: 0 });
  await scheduler.createJob({ handler: SendMail, payload: { to: 'a' }, trigger: { type: 'manual' } });
  await scheduler.createDateJob({ handler: Resize, payload: { image: 'a', at: '2027-01-01' }, in: 0 });
  await scheduler.createDateJob({ handler: Charge, payload: {}, in: 0 });
  await scheduler.createDateJob({ handler: Move, payload: { street: 'a', since: '2027-01-01' }, in: 0 });
  await scheduler.createDateJob({ handler: Tick, in: 0 });
  await scheduler.createDateJob({ handler: Nothing, in: 0 });
  await scheduler.createDateJob({ handler: 'by-name', payload: { any: ['json'] }, in: 0 });
  await scheduler.schedule(SendMail, { payload: { to: 'a' }, in: '5m' });
  await scheduler.schedule(Tick, { every: '5m' });
  await scheduler.schedule('by-name', { payload: { any: ['json'] }, cron: '@daily' });
  await scheduler.upsert({ id: 'x', handler: SendMail, payload: { to: 'a' }, in: '5m' });
  await scheduler.createMany([
    { handler: SendMail, payload: { to: 'a' }, in: '5m' },
    { handler: SendMail, payload: { to: 'b' }, every: '5m' },
  ]);
  await scheduler.createMany([
    { handler: SendMail, payload: { to: 'a' }, in: '5m' },
    { handler: Charge, payload: { cents: 1 }, in: '5m' },
    { handler: Tick, in: '5m' },
  ]);
  const mails = ['a', 'b'].map((to) => ({ handler: SendMail, payload: { to }, in: '5m' }));
  await scheduler.createMany(mails, { onConflict: 'ignore' });
  const numbers = [1, 2].map((to) => ({ handler: SendMail, payload: { to }, in: '5m' }));
  // @ts-expect-error
  await scheduler.createMany(numbers);
  await scheduler.createMany([{ handler: 'by-name', payload: { any: 'json' }, in: '5m' }]);
  await scheduler.updateJob('x', { payload: { any: 'json' }, priority: 'high' });
  await scheduler.updateJob('x', { handler: SendMail, payload: { to: 'a' } });
  await scheduler.updateJob('x', { handler: SendMail });

  // @ts-expect-error
  await scheduler.schedule(SendMail, { payload: { to: 1 }, in: '5m' });
  // @ts-expect-error
  await scheduler.schedule(SendMail, { in: '5m' });
  // @ts-expect-error
  await scheduler.upsert({ id: 'x', handler: SendMail, payload: { to: 1 }, in: '5m' });
  // @ts-expect-error
  await scheduler.createMany([{ handler: SendMail, payload: { to: 1 }, in: '5m' }]);
  const right = { handler: SendMail, payload: { to: 'a' }, in: '5m' };
  const ofAnother = { handler: Charge, payload: { cents: 'a' }, in: '5m' };
  // @ts-expect-error
  await scheduler.createMany([right, ofAnother]);
  // @ts-expect-error Another type.
  await scheduler.createDateJob({ handler: SendMail, payload: { to: 1 }, in: '5m' });
  // @ts-expect-error A key is missing.
  await scheduler.createDateJob({ handler: SendMail, payload: {}, in: '5m' });
  // @ts-expect-error A key that nobody reads.
  await scheduler.createDateJob({ handler: SendMail, payload: { to: 'a', bcc: [] }, in: '5m' });
  // @ts-expect-error The payload is missing.
  await scheduler.createDateJob({ handler: SendMail, in: '5m' });
  // @ts-expect-error The output of the schema is not what is stored.
  await scheduler.createDateJob({ handler: Resize, payload: { image: 'a', at: new Date() }, in: 0 });
  // @ts-expect-error
  await scheduler.createIntervalJob({ handler: SendMail, payload: { to: 1 }, every: '1h' });
  // @ts-expect-error
  await scheduler.createCronJob({ handler: SendMail, payload: { to: 1 }, expression: '@daily' });
  // @ts-expect-error
  await scheduler.createJob({ handler: SendMail, payload: { to: 1 }, trigger: { type: 'manual' } });
  // @ts-expect-error
  await scheduler.updateJob('x', { handler: SendMail, payload: { to: 1 } });
  // @ts-expect-error Not JSON, also by name.
  await scheduler.createDateJob({ handler: 'by-name', payload: { at: new Date() }, in: 0 });
}

interface Visit {
  at: Date;
}
interface Invoice {
  lines: { cents: number; note?: string }[];
  paid?: boolean;
}
declare const visit: Visit;
declare const invoice: Invoice;
declare const address: Address;
declare const body: Record<string, unknown>;
declare const money: { amount: bigint; toJSON(): string };

export async function payloadsAsPeopleHaveThem(): Promise<void> {
  // Interfaces, readonly lists, objects that say themselves how they are JSON.
  await scheduler.schedule('by-name', { in: 0, payload: invoice });
  await scheduler.schedule('by-name', { in: 0, payload: { invoices: [invoice] as readonly Invoice[] } });
  await scheduler.schedule('by-name', { in: 0, payload: { money } });
  await scheduler.createMany([invoice].map((payload) => ({ handler: 'by-name', payload, in: 0 })));
  await scheduler.updateJob('x', { payload: invoice });
  // Instances and Dates where a schema of the class checks what JSON makes of them.
  await scheduler.schedule(Move, { in: 0, payload: address });
  await scheduler.schedule(Move, { in: 0, payload: { street: 'a', since: new Date() } });
  await scheduler.schedule(defineJob<Address>('x', { schema: Address }), { in: 0, payload: address });
  // Whoever passes payloads on need not know them.
  const later = <P extends JsonValue>(payload: P) => scheduler.schedule('by-name', { in: '1h', payload });
  await later({ a: 1 });
  // @ts-expect-error A Date in an interface.
  await scheduler.schedule('by-name', { in: 0, payload: visit });
  // @ts-expect-error A class with methods.
  await scheduler.schedule('by-name', { in: 0, payload: address });
  // @ts-expect-error Nobody knows.
  await scheduler.schedule('by-name', { in: 0, payload: body });
  // @ts-expect-error
  await scheduler.schedule('by-name', { in: 0, payload: { f: () => 1 } });
  // @ts-expect-error
  await scheduler.schedule('by-name', { in: 0, payload: { n: 1n } });
  // @ts-expect-error
  await scheduler.schedule('by-name', { in: 0, payload: { m: new Map() } });
  // @ts-expect-error
  await scheduler.schedule('by-name', { in: 0, payload: { list: [undefined] } });
  // @ts-expect-error A Date without a schema.
  defineJob<{ until?: Date }>('x');
  // @ts-expect-error
  defineJob<Visit>('x', { queue: 'mail' });
  defineJob<Invoice>('x');
}

/** Exactly one schedule, and the error is at the key that is wrong. */
export async function schedulesAreExclusive(): Promise<void> {
  const handler = 'work';
  const at = new Date();
  await scheduler.createDateJob({ handler, at, keep: '1d', refusePast: true });
  await scheduler.createDateJob({ handler, runAt: at });
  await scheduler.createIntervalJob({ handler, minutes: 5, overlap: 'queue' });
  await scheduler.createCronJob({ handler, cron: { hour: 9 }, dst: { gap: 'skip' } });
  await scheduler.createCronJob({ handler, fields: { hour: 9 } });
  await scheduler.createJob({ handler, every: '5m', calendar: true });
  await scheduler.createJob({ handler, in: '5 minutes', keep: 'forever' });
  await scheduler.updateJob('x', { at });
  await scheduler.updateJob('x', { every: { hours: 1 }, overlap: 'skip' });
  await scheduler.updateJob('x', { cron: '@daily', timeZone: 'Asia/Seoul' });
  await scheduler.updateJob('x', { timeZone: 'Asia/Seoul' });
  await scheduler.updateJob('x', { trigger: { type: 'manual' } });
  // @ts-expect-error None.
  await scheduler.createDateJob({ handler });
  // @ts-expect-error None.
  await scheduler.createIntervalJob({ handler });
  // @ts-expect-error None.
  await scheduler.createCronJob({ handler });
  // @ts-expect-error None.
  await scheduler.createJob({ handler });
  // @ts-expect-error None.
  await scheduler.schedule(handler, {});
  // @ts-expect-error Two.
  await scheduler.createDateJob({ handler, runAt: at, in: '5m' });
  // @ts-expect-error Two.
  await scheduler.createCronJob({ handler, cron: '@daily', hour: 9 });
  // @ts-expect-error Two.
  await scheduler.createIntervalJob({ handler, every: '5m', minutes: 5 });
  // @ts-expect-error Two.
  await scheduler.schedule(handler, { cron: '@daily', every: '5m' });
  // @ts-expect-error Two.
  await scheduler.createJob({ handler, every: '5m', trigger: { type: 'manual' } });
  // @ts-expect-error Two.
  await scheduler.updateJob('x', { at, in: '5m' });
  await scheduler.schedule(handler, {
    cron: '@daily',
    // @ts-expect-error Did you mean "timeZone"?
    timezone: 'UTC',
  });
  await scheduler.createCronJob({
    handler,
    hour: 9,
    // @ts-expect-error Did you mean "timeZone"?
    timezone: 'UTC',
  });
  await scheduler.createDateJob({
    handler,
    at,
    // @ts-expect-error Of what recurs.
    overlap: 'queue',
  });
  await scheduler.createDateJob({
    handler,
    at,
    // @ts-expect-error A number.
    maxRetries: '5',
  });
  await scheduler.upsert({
    id: 'x',
    handler: SendMail,
    in: '5m',
    payload: {
      // @ts-expect-error Text.
      to: 1,
    },
  });
  await scheduler.schedule(handler, {
    every: '5m',
    // @ts-expect-error Of one-offs.
    keep: '1d',
  });
  await scheduler.schedule(handler, {
    every: '5m',
    // @ts-expect-error Of crons.
    dst: { gap: 'skip' },
  });
  await scheduler.schedule(handler, {
    in: '5m',
    // @ts-expect-error A Date.
    payload: {
      at: new Date(),
    },
  });
  await scheduler.updateJob('x', {
    // @ts-expect-error
    every: true,
  });
}

export function methodsAreReferences(): void {
  expectTypeOf(handlerOf(Handlers, 'mail')).toEqualTypeOf<HandlerReference<Mail>>();
  expectTypeOf(handlerOf(Handlers, 'parts')).toEqualTypeOf<HandlerReference<Mail>>();
  expectTypeOf(handlerOf(Handlers, 'withoutContext')).toEqualTypeOf<HandlerReference<JsonValue>>();
  const mail = handlerOf(Handlers, 'mail');
  void scheduler.createDateJob({ handler: mail, payload: { to: 'a' }, in: 0 });
  // @ts-expect-error
  void scheduler.createDateJob({ handler: mail, payload: { to: 1 }, in: 0 });
  // @ts-expect-error It does not take a RunContext.
  handlerOf(Handlers, 'noContext');
  // @ts-expect-error There is no such method.
  handlerOf(Handlers, 'males');
}

export function functionsAreHandlers(): void {
  scheduler.registerHandler(SendMail, ({ payload }) => payload.to);
  scheduler.registerHandler(Resize, ({ payload }) => payload.at.getTime());
  scheduler.registerHandler('a', ({ payload }) => payload.n.toFixed(), {
    schema: z.object({ n: z.number() }),
  });
  scheduler.registerHandler('a', ({ payload }: RunContext<Mail>) => payload.to);
  scheduler.registerHandler('a', () => undefined, { retryIf: () => true });
  // @ts-expect-error
  scheduler.registerHandler(SendMail, ({ payload }: RunContext<{ to: number }>) => payload.to);
  // @ts-expect-error
  scheduler.registerHandler('a', ({ payload }: RunContext<Mail>) => payload.to, { schema: z.null() });
}
