import { context, createContextKey, isSpanContextValid, SpanKind, trace } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  ChronisEvents,
  ChronisModule,
  SchedulerService,
  type ChronisOptions,
  type HandlerFunction,
  type RunContext,
  workflow,
  WorkflowService,
} from '../../lib/index.js';
import { ChronisTesting } from '../../lib/testing/index.js';
import { ChronisTracingModule, type ChronisTracingOptions } from '../../lib/tracing/index.js';
import { idOf, isError, linksOf, Spans, traceOf, within } from './spans.js';

const spans = new Spans();
let chronis: ChronisTesting | null = null;

beforeEach(() => void spans.install());
afterEach(async () => {
  await chronis?.close();
  chronis = null;
  spans.uninstall();
  spans.reset();
});

async function boot(
  handlers: Record<string, HandlerFunction<never>>,
  options: ChronisTracingOptions = {},
  more: ChronisOptions = {},
): Promise<SchedulerService> {
  chronis = await ChronisTesting.create({
    imports: [ChronisTracingModule.forRoot(options), ChronisModule.forRoot({ log: false, ...more })],
  });
  const scheduler = chronis.app.get(SchedulerService);
  for (const [name, run] of Object.entries(handlers)) scheduler.registerHandler(name, run);
  return scheduler;
}

const roots = () => spans.all.filter(({ parentSpanContext }) => parentSpanContext === undefined);

describe('a job that is created in a trace', () => {
  test('is an attempt in a trace of its own, and its retry in another, each with links to what led to it', async () => {
    let fails = true;
    const scheduler = await boot({
      charge: () => {
        if (!fails) return;
        fails = false;
        throw new TypeError('no card');
      },
    });
    await within('GET /orders', () =>
      scheduler.createJob({
        id: 'order-1',
        handler: 'charge',
        in: '1m',
        maxRetries: 1,
        payload: { card: 'secret' },
      }),
    );
    await chronis!.advanceBy('1h');
    const [send] = spans.named('send default');
    const [first, second] = spans.named('process charge');
    const [request] = spans.named('GET /orders');
    expect(roots().map(({ name }) => name)).toEqual(['GET /orders', 'process charge', 'process charge']);
    expect([send!.kind, send!.parentSpanContext?.spanId]).toEqual([SpanKind.PRODUCER, idOf(request)]);
    expect(linksOf(first!)).toEqual({ creation: idOf(send) });
    expect(linksOf(second!)).toEqual({ creation: idOf(send), attempt: idOf(first) });
    expect(new Set([request, first, second].map(traceOf)).size).toBe(3);
    expect([isError(first!), isError(second!)]).toEqual([true, false]);
    expect(first!.attributes).toMatchObject({
      'messaging.system': 'chronis',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'default',
      'messaging.message.conversation_id': 'order-1',
      'messaging.chronis.handler': 'charge',
      'messaging.chronis.attempt': 1,
      'messaging.chronis.origin': 'at',
      'messaging.chronis.verdict': 'failed',
      'error.type': 'TypeError',
    });
    expect(second!.attributes['messaging.chronis.verdict']).toBe('succeeded');
    // Neither the payload nor, unless asked for, the message.
    expect(
      JSON.stringify(spans.all.map(({ attributes, status, events }) => [attributes, status, events])),
    ).not.toMatch(/secret|no card/);
  });

  test('goes on in that trace where the option says so', async () => {
    const scheduler = await boot({ charge: () => undefined }, { relationship: 'parent' });
    await within('GET /orders', () => scheduler.createJob({ handler: 'charge', in: '1m' }));
    await chronis!.advanceBy('1h');
    const [attempt] = spans.named('process charge');
    expect(attempt!.parentSpanContext?.spanId).toBe(idOf(spans.named('send default')[0]));
    expect(attempt!.links).toEqual([]);
  });

  test('has no links where the option says so', async () => {
    const scheduler = await boot({ charge: () => undefined }, { relationship: 'none' });
    await within('GET /orders', () => scheduler.createJob({ handler: 'charge', in: '1m' }));
    await chronis!.advanceBy('1h');
    const [attempt] = spans.named('process charge');
    expect([attempt!.parentSpanContext, attempt!.links]).toEqual([undefined, []]);
  });

  test('and recurs has nothing of it', async () => {
    const scheduler = await boot({ tick: () => undefined });
    await within('GET /setup', () => scheduler.createJob({ handler: 'tick', every: '1m' }));
    await chronis!.advanceBy('3m');
    const ticks = spans.named('process tick');
    expect(ticks.length).toBeGreaterThan(1);
    expect(ticks.flatMap(({ links }) => links)).toEqual([]);
    expect(spans.named('send default')).toEqual([]);
  });

  test('is one of a batch, which is one span', async () => {
    const scheduler = await boot({ charge: () => undefined });
    const items = ['a', 'b', 'c'].map((id) => ({ id, handler: 'charge', in: '1m' as const }));
    await within('POST /orders', () => scheduler.createMany(items));
    await chronis!.advanceBy('1h');
    const [send, ...others] = spans.named('send default');
    expect(others).toEqual([]);
    expect(send!.attributes['messaging.batch.message_count']).toBe(3);
    const attempts = spans.named('process charge');
    expect(attempts.map(linksOf)).toEqual([1, 2, 3].map(() => ({ creation: idOf(send) })));
  });
});

test('without a trace that is going on, nothing is sent and nothing is linked', async () => {
  const scheduler = await boot({ charge: () => undefined });
  await scheduler.createJob({ handler: 'charge', in: '1m' });
  await chronis!.advanceBy('1h');
  expect(spans.all.map(({ name, links }) => [name, links])).toEqual([['process charge', []]]);
});

test.each([
  ['retries', (scheduler: SchedulerService, runId: string) => scheduler.retryRun(runId)],
  ['runs', (scheduler: SchedulerService) => scheduler.runNow('a')],
])('who %s by hand what gave up is linked to it, and to the attempt that gave up', async (_, doing) => {
  const scheduler = await boot({
    charge: () => {
      throw new Error('no card');
    },
  });
  await scheduler.createJob({ id: 'a', handler: 'charge', in: '1m' });
  await chronis!.advanceBy('1h');
  const [dead] = (await scheduler.getRuns({ state: 'failed' })).items;
  await within('POST /retry', () => doing(scheduler, dead!.id));
  await chronis!.advanceBy('1h');
  const [first, second] = spans.named('process charge');
  const [request] = spans.named('POST /retry');
  expect(linksOf(second!)).toEqual({ creation: idOf(request), retry: idOf(first) });
});

test('who retries a workflow is linked to the steps that run again', async () => {
  const scheduler = await boot({});
  const workflows = chronis!.app.get(WorkflowService);
  let fails = true;
  workflows.register(
    workflow('order').step('charge', () => {
      if (fails) throw new Error('no card');
    }),
  );
  const { runId } = await workflows.start('order', { key: 'o-1' });
  await chronis!.advanceBy('1h');
  fails = false;
  await within('POST /retry', () => workflows.retry(runId));
  await chronis!.advanceBy('1h');
  const [first, second] = spans.named('process order.charge');
  const [request] = spans.named('POST /retry');
  expect(linksOf(first!)).toEqual({ workflow: idOf(spans.named('process order')[0]) });
  expect(linksOf(second!)).toEqual({ workflow: idOf(request) });
  expect((await workflows.get(runId))!.state).toBe('succeeded');
  expect(scheduler.running).toBe(true);
});

test('a callback is linked to the attempt that it is about', async () => {
  const scheduler = await boot({ charge: () => undefined, tell: () => undefined });
  await scheduler.createJob({ handler: 'charge', in: '1m', onSuccess: { handler: 'tell' } });
  await chronis!.advanceBy('1h');
  expect(linksOf(spans.named('process tell')[0]!)).toEqual({ run: idOf(spans.named('process charge')[0]) });
});

test('spans of the handler and of its durable steps are children of the attempt', async () => {
  const parents: (string | null)[] = [];
  const scheduler = await boot({
    charge: async (run: RunContext) => {
      parents.push(run.traceParent);
      await within('select', async () => undefined);
      await run.step('book', () => within('insert', async () => undefined));
    },
  });
  await scheduler.createJob({ handler: 'charge', in: '1m' });
  await chronis!.advanceBy('1h');
  const parentOf = (name: string) => spans.named(name)[0]?.parentSpanContext?.spanId;
  const [attempt] = spans.named('process charge');
  expect([parentOf('select'), parentOf('step book'), parentOf('insert')]).toEqual([
    idOf(attempt),
    idOf(attempt),
    idOf(spans.named('step book')[0]),
  ]);
  expect(parents).toEqual([`00-${traceOf(attempt)}-${idOf(attempt)}-01`]);
});

describe('what is no error', () => {
  test('is told as what it is: a snooze and the attempt after it', async () => {
    let naps = 1;
    const scheduler = await boot({ charge: (run: RunContext) => naps-- > 0 && run.snooze('5m') });
    await scheduler.createJob({ handler: 'charge', in: '1m' });
    await chronis!.advanceBy('1h');
    const [first, second] = spans.named('process charge');
    expect([first, second].map((span) => span!.attributes['messaging.chronis.verdict'])).toEqual([
      'snoozed',
      'succeeded',
    ]);
    expect(spans.all.some(isError)).toBe(false);
    expect(linksOf(second!)).toEqual({ attempt: idOf(first) });
  });
});

test('messages of errors are told where they are asked for, without secrets', async () => {
  const scheduler = await boot(
    {
      charge: () => {
        throw new Error('cannot reach postgres://bank:hunter2@db/bank');
      },
    },
    { messages: true },
  );
  await scheduler.createJob({ handler: 'charge', in: '1m' });
  await chronis!.advanceBy('1h');
  const { message } = spans.named('process charge')[0]!.status;
  expect(message).toMatch(/^cannot reach postgres:/);
  expect(message).not.toMatch(/hunter2/);
});

test('a thousand firings are a thousand traces of one span each', async () => {
  const scheduler = await boot({ tick: () => undefined });
  await scheduler.createJob({ handler: 'tick', every: '1m' });
  await chronis!.advanceBy(1_000 * 60_000);
  const ticks = spans.named('process tick');
  expect(ticks.length).toBeGreaterThanOrEqual(999);
  expect(new Set(ticks.map(traceOf)).size).toBe(ticks.length);
  expect(spans.all.length).toBe(ticks.length);
});

test('an application that boots within a span has nothing of it in what runs later', async () => {
  const seen: boolean[] = [];
  /** Where what the loops do themselves is done. */
  const own: (string | undefined)[] = [];
  const suppressed: unknown[] = [];
  const suppression = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');
  await within('boot', async () => {
    const scheduler = await boot({
      tick: () => void seen.push(isSpanContextValid(trace.getActiveSpan()!.spanContext())),
    });
    await scheduler.createJob({ handler: 'tick', every: '1m' });
    chronis!.app.get(ChronisEvents).onAny((name) => {
      if (!/^run\.|^storage\./.test(name)) return;
      own.push(trace.getActiveSpan()?.spanContext().traceId);
      suppressed.push(context.active().getValue(suppression));
    });
  });
  await chronis!.advanceBy('3m');
  const [booted] = spans.named('boot');
  expect(new Set(seen)).toEqual(new Set([true]));
  expect(own.length).toBeGreaterThan(3);
  expect(new Set(own)).toEqual(new Set([undefined]));
  expect(new Set(suppressed)).toEqual(new Set([true]));
  expect(spans.all.filter((span) => span !== booted && traceOf(span) === traceOf(booted))).toEqual([]);
});

describe('instants that did not run', () => {
  /** One is begun, and the next ones are skipped as long as it goes on. */
  async function skip(options: ChronisTracingOptions): Promise<string[]> {
    let end = (): void => undefined;
    const scheduler = await boot({ tick: () => new Promise<void>((resolve) => (end = resolve)) }, options);
    await scheduler.createJob({ id: 'tick', handler: 'tick', every: '1m', overlap: 'skip' });
    await chronis!.advanceBy('150s', { whileRunning: true });
    await scheduler.pauseJob('tick');
    end();
    await chronis!.advanceBy('1s');
    return spans.all.map(({ name }) => name);
  }

  test('are a span for each range of them where it is asked for', async () => {
    expect(await skip({ notRun: 'span' })).toEqual(['skipped tick', 'process tick']);
    const [skipped] = spans.named('skipped tick');
    expect(skipped!.duration).toEqual([0, 0]);
    expect(skipped!.attributes).toMatchObject({
      'messaging.message.conversation_id': 'tick',
      'messaging.chronis.count': 1,
    });
  });

  test('are nothing otherwise', async () => {
    expect(await skip({})).toEqual(['process tick']);
  });
});

test.each([
  [{ relationship: 'child' }, /relationship.*'link', 'parent', 'none'/],
  [{ notRun: true }, /notRun.*'off', 'span'/],
  [{ messages: 'yes' }, /messages.*true or false/],
  [{ spans: true }, /spans/],
])('%o is refused with what is right', (options, message) => {
  expect(() => ChronisTracingModule.forRoot(options as ChronisTracingOptions)).toThrow(message);
});
