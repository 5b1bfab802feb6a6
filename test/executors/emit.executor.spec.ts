import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';
import { ClientNats, Transport } from '@nestjs/microservices';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connect as connectToRabbit, type ConsumeMessage } from 'amqplib';
import { connect as connectToNats } from '@nats-io/transport-node';
import { EmitFailedError, InvalidOptionError, type TaskContext } from '../../lib/index.js';
import { EmitExecutor, type EmitOptions, type EmitTask } from '../../lib/executors/index.js';
import { errorText } from '../../lib/events/shown.error.js';
import { emitSettings, type EventClient } from '../../lib/executors/emit.options.js';
import type { CheckedEmit } from '../../lib/executors/emit.task.js';
import { freePort } from '../chaos/free.port.js';
import { has, silentServer, start, type Started } from './brokers.js';
import { TasksApp } from './tasks.app.js';
import { until } from './until.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function boot(emit: EmitOptions): Promise<TasksApp> {
  const app = await TasksApp.boot({ emit });
  ends.push(() => app.close());
  return app;
}

/** The first value that comes. */
function first<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}

describe.skipIf(!has('redis-server'))('with Redis, a run', () => {
  let redis: Started;
  beforeAll(async () => void (redis = await start('redis-server')));
  afterAll(() => redis.stop());

  async function subscribed(channel: string): Promise<{ message: Promise<unknown> }> {
    const subscriber = new Redis(redis.port, '127.0.0.1');
    ends.push(() => subscriber.disconnect());
    await subscriber.subscribe(channel);
    const message = first<unknown>();
    subscriber.once('message', (_, text) => message.resolve(JSON.parse(text)));
    return { message: message.promise };
  }

  test('becomes an event with its id', async () => {
    const options = { transport: Transport.REDIS, options: { host: '127.0.0.1', port: redis.port } };
    const app = await boot({ clients: { orders: options } });
    const { message } = await subscribed('order.due');
    const task = { type: 'emit', client: 'orders', pattern: 'order.due', data: { order: 7 } };
    const attempt = await app.run(task);
    expect(attempt).toMatchObject({ outcome: 'succeeded', result: { key: `run-${attempt.runId}` } });
    expect(await message).toMatchObject({
      pattern: 'order.due',
      data: { order: 7, runId: `run-${attempt.runId}` },
    });
  });

  test('becomes a job of BullMQ under its id, once, however often it is handed over', async () => {
    const connection = { host: '127.0.0.1', port: redis.port };
    const settings = emitSettings({ queues: { mails: { connection, prefix: 'twice' } } });
    const executor = new EmitExecutor(settings);
    ends.push(() => executor.onApplicationShutdown());
    const task = { queue: 'mails', name: 'welcome', data: { to: 'ada' }, options: { attempts: 3 } };
    const context = { runId: '7', signal: new AbortController().signal } as TaskContext;
    expect(await executor.execute(task, context)).toEqual({ key: 'run-7' });
    expect(await executor.execute(task, context)).toEqual({ key: 'run-7' });
    const queue = new Queue('mails', { connection, prefix: 'twice' });
    ends.push(() => queue.close());
    const jobs = await queue.getJobs();
    expect(
      jobs.map(({ id, name, data, opts }) => ({ id, name, data: data as unknown, attempts: opts.attempts })),
    ).toEqual([{ id: 'run-7', name: 'welcome', data: { to: 'ada' }, attempts: 3 }]);
  });

  test('is worked on by a worker of BullMQ', async () => {
    const connection = { host: '127.0.0.1', port: redis.port, maxRetriesPerRequest: null };
    const worked = first<unknown>();
    const worker = new Worker('reports', async (job) => worked.resolve([job.id, job.name, job.data]), {
      connection,
    });
    ends.push(() => worker.close());
    const queue = new Queue('reports', { connection });
    ends.push(() => queue.close());
    const app = await boot({ queues: { reports: queue }, keyPrefix: 'shop-' });
    const { runId } = await app.run({ type: 'emit', queue: 'reports', name: 'daily', data: [1] });
    expect(await worked.promise).toEqual([`shop-${runId}`, 'daily', [1]]);
  });

  test('fails when the broker is gone, and is handed over when it is back', async () => {
    const server = await start('redis-server');
    const connection = { host: '127.0.0.1', port: server.port };
    const settings = emitSettings({ queues: { mails: { connection } }, timeout: 300 });
    const executor = new EmitExecutor(settings);
    await server.stop();
    const context = { runId: '7', signal: new AbortController().signal } as TaskContext;
    const task = { queue: 'mails', name: 'welcome', data: null, options: {} };
    const error = await executor.execute(task, context).then(
      () => null,
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(EmitFailedError);
    expect((error as Error).message).toMatch(/the queue "mails" did not take the message/);
    await executor.onApplicationShutdown();
  });

  test('is not waited for once it is to stop', async () => {
    const client = { emit: () => ({ subscribe: () => {} }), close: () => {} };
    const executor = new EmitExecutor(emitSettings({ clients: { silent: client } }));
    const stop = new AbortController();
    const task = { client: 'silent', pattern: 'a', data: null };
    const running = executor.execute(task, { runId: '7', signal: stop.signal } as TaskContext);
    stop.abort(new Error('The run was cancelled.'));
    await expect(running).rejects.toThrow('The run was cancelled.');
  });
});

describe.skipIf(!has('nats-server'))('with NATS, a run', () => {
  test('becomes a message whose id is that of the run, and the server has it before the run has succeeded', async () => {
    const nats = await start('nats-server');
    ends.push(() => nats.stop());
    const servers = `127.0.0.1:${nats.port}`;
    const connection = await connectToNats({ servers });
    ends.push(() => connection.close());
    const message = first<{ data: unknown; id: string | undefined }>();
    connection.subscribe('order.due', {
      callback: (_, got) => message.resolve({ data: got.json(), id: got.headers?.get('Nats-Msg-Id') }),
    });
    await connection.flush();
    const app = await boot({
      clients: { orders: { transport: Transport.NATS, options: { servers: [servers] } } },
    });
    const { runId, outcome } = await app.run({
      type: 'emit',
      client: 'orders',
      pattern: 'order.due',
      data: [7],
    });
    expect(outcome).toBe('succeeded');
    expect(await message.promise).toEqual({ data: { pattern: 'order.due', data: [7] }, id: `run-${runId}` });
  });
});

/** As that of Nest 11: once its connection has given up, what it was refused for is all that it answers. */
class OnceClosedClosed extends ClientNats {
  override async handleStatusUpdates(client: never): Promise<void> {
    await super.handleStatusUpdates(client);
    if (!this.isLeft) return;
    this.natsClient = client;
    this.connectionPromise = Promise.reject(new Error('Connection lost. Trying to reconnect...'));
    this.connectionPromise.catch(() => {});
  }

  override async close(): Promise<void> {
    this.isLeft = false;
    await super.close();
  }

  private isLeft = true;
}

describe.skipIf(!has('nats-server'))('with NATS that was away', () => {
  const task = { client: 'orders', pattern: 'order.due', data: { n: 1 } };
  const context = (): TaskContext => ({ runId: '7', signal: new AbortController().signal }) as TaskContext;

  test.each([
    ['for longer than its client tries by default', {}, undefined],
    ['for longer than its client may try', { maxReconnectAttempts: 2 }, undefined],
    ['for longer than the client of Nest 11 may try', { maxReconnectAttempts: 2 }, OnceClosedClosed],
  ])(
    '%s, runs are handed over when it is back',
    async (_, options, customClass) => {
      let nats = await start('nats-server');
      ends.push(() => nats.stop());
      const { port } = nats;
      let tries = 0;
      const reconnectDelayHandler = (): number => (tries++, 5);
      const given = { servers: [`127.0.0.1:${port}`], reconnectDelayHandler, ...options };
      const client =
        customClass === undefined
          ? { transport: Transport.NATS, options: given }
          : { customClass, options: given };
      const executor = new EmitExecutor(emitSettings({ clients: { orders: client }, timeout: 2_000 }));
      ends.push(() => executor.onApplicationShutdown());
      await executor.execute(task, context());
      await nats.stop();
      const most = 'maxReconnectAttempts' in options ? 2 : 10;
      await until('it has tried', () => tries >= most);
      await expect(executor.execute(task, context())).rejects.toThrow(EmitFailedError);
      nats = await start('nats-server', port);
      let isThere = false;
      await until('it is handed over', () => {
        executor.execute(task, context()).then(
          () => (isThere = true),
          () => undefined,
        );
        return isThere;
      });
    },
    60_000,
  );
});

describe('with RabbitMQ that is away, a run', () => {
  test('fails with what the driver says, and its password is neither on record nor in the log', async () => {
    const port = await freePort();
    const options = { urls: [`amqp://user:topsecret99@127.0.0.1:${port}`], queue: 'orders' };
    const app = await boot({ clients: { orders: { transport: Transport.RMQ, options } } });
    const { error } = await app.run({ type: 'emit', client: 'orders', pattern: 'order.due', data: {} });
    expect(error).toMatch(`EmitFailedError: "orders" did not take the message: connect ECONNREFUSED`);
    expect(error).not.toContain('[object Object]');
    expect([error, ...app.logged].join('\n')).not.toContain('topsecret99');
  });

  test('fails with the words of a driver that throws an object', async () => {
    const refuse = (thrown: unknown) => ({
      emit: () => ({ subscribe: ({ error }: { error: (why: unknown) => void }) => error(thrown) }),
      close: () => {},
    });
    const url = 'redis://:topsecret99@cache:6379';
    const executor = new EmitExecutor(
      emitSettings({ clients: { a: refuse({ url, why: 'full' }), b: refuse('Connection lost...') } }),
    );
    const failure = (client: string): Promise<unknown> =>
      executor
        .execute({ client, pattern: 'a', data: null }, {
          runId: '7',
          signal: new AbortController().signal,
        } as TaskContext)
        .catch((caught: unknown) => caught);
    const first = (await failure('a')) as Error;
    expect(first.message).toMatch(/"a" did not take the message: \{.*why: 'full' \}\.$/);
    expect(errorText(first)).not.toContain('topsecret99');
    expect(((await failure('b')) as Error).message).toBe('"b" did not take the message: Connection lost.');
  });
});

describe('a broker that takes connections and never says a word', () => {
  const pub = { client: 'orders', pattern: 'a', data: {} };
  const kinds: [string, (port: number) => EmitOptions, CheckedEmit][] = [
    [
      'Redis',
      (port) => ({
        clients: { orders: { transport: Transport.REDIS, options: { host: '127.0.0.1', port } } },
      }),
      pub,
    ],
    [
      'Redis that asks for a password',
      (port) => ({
        clients: {
          orders: { transport: Transport.REDIS, options: { host: '127.0.0.1', port, password: 'x' } },
        },
      }),
      pub,
    ],
    [
      'RabbitMQ',
      (port) => ({
        clients: {
          orders: { transport: Transport.RMQ, options: { urls: [`amqp://127.0.0.1:${port}`], queue: 'a' } },
        },
      }),
      pub,
    ],
    [
      'NATS',
      (port) => ({
        clients: { orders: { transport: Transport.NATS, options: { servers: [`127.0.0.1:${port}`] } } },
      }),
      pub,
    ],
    [
      'BullMQ',
      (port) => ({ queues: { mails: { connection: { host: '127.0.0.1', port } } } }),
      { queue: 'mails', name: 'a', data: null, options: {} },
    ],
  ];

  test.each(kinds)('does not keep the end of the application: %s', async (_, optionsOf, task) => {
    const keep = (): void => {};
    Logger.overrideLogger({ log: keep, error: keep, warn: keep });
    ends.push(() => Logger.overrideLogger(true));
    const broker = await silentServer();
    ends.push(() => broker.stop());
    const executor = new EmitExecutor(emitSettings({ ...optionsOf(broker.port), timeout: 100 }));
    const context = { runId: '7', signal: new AbortController().signal } as TaskContext;
    await expect(executor.execute(task, context)).rejects.toThrow('did not take the message');
    await executor.onApplicationShutdown();
  });

  test('does not keep it by whatever client', async () => {
    let closings = 0;
    const customClass = clientThatCloses(() => void (closings += 1));
    const executor = new EmitExecutor(emitSettings({ clients: { own: { customClass } }, timeout: 20 }));
    await executor.onApplicationShutdown();
    expect(closings).toBe(1);
  });
});

/** A client of the application that never has closed. */
function clientThatCloses(close: () => void): new () => EventClient {
  return class {
    emit(): { subscribe: () => void } {
      return { subscribe: () => {} };
    }
    close(): Promise<void> {
      close();
      return new Promise(() => {});
    }
  };
}

describe.skipIf(!has('redis-server'))('with Redis that has gone for ever', () => {
  test.each([
    ['the client', { client: 'orders', pattern: 'a', data: {} }],
    ['the queue of BullMQ', { queue: 'mails', name: 'a', data: null, options: {} }],
  ] as [string, CheckedEmit][])('%s does not keep the end of the application', async (_, task) => {
    Logger.overrideLogger({ log: () => {}, error: () => {}, warn: () => {} });
    ends.push(() => Logger.overrideLogger(true));
    const redis = await start('redis-server');
    const place = { host: '127.0.0.1', port: redis.port };
    const settings = emitSettings({
      clients: { orders: { transport: Transport.REDIS, options: place } },
      queues: { mails: { connection: place } },
      timeout: 300,
    });
    const executor = new EmitExecutor(settings);
    const context = { runId: '7', signal: new AbortController().signal } as TaskContext;
    try {
      await executor.execute(task, context);
    } finally {
      await redis.stop();
    }
    await expect(executor.execute(task, { ...context, runId: '8' })).rejects.toThrow();
    await executor.onApplicationShutdown();
  });
});

describe.skipIf(!has('rabbitmq-server'))('with RabbitMQ that goes away, a run', () => {
  test('fails, and the log says why in words, without the password', async () => {
    const rabbit = await start('rabbitmq-server');
    ends.push(() => rabbit.stop());
    const options = {
      urls: [`amqp://guest:guest@127.0.0.1:${rabbit.port}`],
      queue: 'orders',
      socketOptions: { reconnectTimeInSeconds: 1 },
    };
    const logged: unknown[] = [];
    const keep = (said: unknown): void => void logged.push(said);
    Logger.overrideLogger({ log: keep, error: keep, warn: keep });
    ends.push(() => Logger.overrideLogger(true));
    const executor = new EmitExecutor(
      emitSettings({
        clients: { orders: { transport: Transport.RMQ, options } },
        timeout: 500,
      }),
    );
    ends.push(() => executor.onApplicationShutdown());
    const context = { runId: '7', signal: new AbortController().signal } as TaskContext;
    await executor.execute({ client: 'orders', pattern: 'a', data: null }, context);
    await rabbit.stop();
    const isOfRabbit = (said: unknown): boolean => /Disconnected/.test(String(said));
    const isLost = (said: unknown): boolean =>
      /ECONN|object Object|closed|err/i.test(String(said)) && !isOfRabbit(said);
    await until('both are written', () => logged.some(isOfRabbit) && logged.some(isLost));
    expect(inspect(logged, { depth: 5 })).not.toMatch(/guest:guest/);
    expect(logged.filter((said) => typeof said !== 'string')).toEqual([]);
  }, 60_000);
});

describe.skipIf(!has('rabbitmq-server'))('with RabbitMQ, a run', () => {
  test('becomes a message that the server has confirmed, whose id is that of the run', async () => {
    const rabbit = await start('rabbitmq-server');
    ends.push(() => rabbit.stop());
    const url = `amqp://127.0.0.1:${rabbit.port}`;
    const options = { urls: [url], queue: 'orders', queueOptions: { durable: true } };
    const app = await boot({ clients: { orders: { transport: Transport.RMQ, options } } });
    const { runId, outcome } = await app.run({
      type: 'emit',
      client: 'orders',
      pattern: 'order.due',
      data: { n: 7 },
    });
    expect(outcome).toBe('succeeded');
    const connection = await connectToRabbit(url);
    ends.push(() => connection.close());
    const channel = await connection.createChannel();
    const message = first<ConsumeMessage | null>();
    await channel.consume('orders', (got) => message.resolve(got));
    const got = (await message.promise)!;
    expect(got.properties.messageId).toBe(`run-${runId}`);
    expect(JSON.parse(got.content.toString())).toEqual({ pattern: 'order.due', data: { n: 7 } });
  });
});

describe('a task', () => {
  const settings = emitSettings({
    clients: { tcp: { transport: Transport.TCP } },
    queues: { mails: { add: async () => ({}), close: async () => {} } },
  });
  const problems = async (task: unknown): Promise<string[] | undefined> => {
    const { issues } = await new EmitExecutor(settings).schema['~standard'].validate(task);
    return issues?.map(({ path, message }) => `${path?.map(String).join('.')}: ${message}`);
  };

  test.each<[string, EmitTask | string, RegExp]>([
    ['no place to go', {}, /needs a "client" with a "pattern", or a "queue"/],
    ['two places', { client: 'tcp', queue: 'mails' }, /and not both/],
    [
      'an unknown client',
      { client: 'tpc', pattern: 'a' },
      /^client: is "tpc", which is none.*\(emit\.clients\)\. It names tcp/,
    ],
    ['an unknown queue', { queue: 'males', name: 'a' }, /^queue: is "males", which is none.*It names mails/],
    ['no pattern', { client: 'tcp' }, /^pattern: must be text/],
    ['no name', { queue: 'mails' }, /^name: must be text/],
    [
      'data without room for a key',
      { client: 'tcp', pattern: 'a', data: [1] },
      /^data: must be an object without "runId"/,
    ],
    [
      'a key of its own',
      { client: 'tcp', pattern: 'a', data: { runId: 1 } },
      /^data: must be an object without "runId"/,
    ],
    [
      'an id of its own',
      { queue: 'mails', name: 'a', options: { jobId: 'b' } },
      /^options\.jobId: is not for a task/,
    ],
    ['what there is not', { queue: 'mails', name: 'a', dat: 1 } as EmitTask, /Did you mean "data"/],
    ['no object', 'a', /must be an object/],
  ])('with %s is refused', async (_, task, reason) => {
    expect((await problems(task))?.[0]).toMatch(reason);
  });

  test.each(['jobId', 'repeat', 'repeatJobKey', 'deduplication', 'parent'])(
    'with the option %s, which is not for it to say, is refused',
    async (option) => {
      const task = { queue: 'mails', name: 'a', options: { [option]: {} } };
      expect(await problems(task)).toEqual([`options.${option}: is not for a task to say`]);
    },
  );

  test('that fits is taken', async () => {
    expect(await problems({ client: 'tcp', pattern: { cmd: 'a' }, data: { a: 1 } })).toBeUndefined();
    expect(await problems({ queue: 'mails', name: 'a', data: 1, options: { delay: 5 } })).toBeUndefined();
  });
});

test.each<[string, object, RegExp]>([
  ['nowhere to go', {}, /names no broker and no queue/],
  [
    'gRPC',
    { clients: { a: { transport: Transport.GRPC, options: {} } } },
    /emit\.clients\.a: is gRPC, which has no events/,
  ],
  ['a client that is none', { clients: { a: 'redis' } }, /emit\.clients\.a: must be options of a client/],
  ['a queue without a connection', { queues: { a: {} } }, /emit\.queues\.a: has no "connection"/],
  [
    'a prefix that makes numbers',
    { queues: { a: { add: () => {} } }, keyPrefix: '7' },
    /emit\.keyPrefix: must be/,
  ],
  [
    'a prefix with a colon',
    { queues: { a: { add: () => {} } }, keyPrefix: 'a:' },
    /emit\.keyPrefix: must be/,
  ],
  ['what there is not', { client: {} }, /Did you mean "clients"/],
])('options with %s are refused', (_, options, reason) => {
  const make = (): unknown => emitSettings(options as never);
  expect(make).toThrow(InvalidOptionError);
  expect(make).toThrow(reason);
});
