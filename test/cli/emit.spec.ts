import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Transport } from '@nestjs/microservices';
import { connect as connectToNats } from '@nats-io/transport-node';
import { connect as connectToRabbit, type ConsumeMessage } from 'amqplib';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { emitBrokers, emitQueues } from '../../lib/cli/emit.brokers.js';
import { driversOf, emitOptions } from '../../lib/cli/emit.clients.js';
import { closedBy } from '../../lib/cli/service.js';
import { has, start, type Started } from '../executors/brokers.js';
import { compiledTests } from '../support/compiled.js';
import { chronis, inFolder } from './cli.call.js';
import { RunningService } from './running.service.js';

beforeAll(() => void compiledTests(), 120_000);

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function started(server: Parameters<typeof start>[0]): Promise<Started> {
  const broker = await start(server);
  ends.push(() => broker.stop());
  return broker;
}

/** A service with one job that is due, and these variables; what the job comes to is in its log. */
async function emitting(
  task: object,
  env: Readonly<Record<string, string>>,
  work: (service: RunningService, folder: string) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    mkdirSync(join(folder, 'jobs.d'));
    const job = { job_id: 'order', schedule: '2025-09-20T02:00:00Z', task: { type: 'emit', ...task } };
    writeFileSync(join(folder, 'jobs.d/order.json'), JSON.stringify(job));
    const args = ['--jobs-dir', join(folder, 'jobs.d')];
    await using service = RunningService.start(args, { XDG_STATE_HOME: folder, ...env });
    await work(service, folder);
  });
}

describe.skipIf(!has('redis-server'))('with Redis, a run of the service', () => {
  test('becomes an event, and another a job of BullMQ', async () => {
    const { port } = await started('redis-server');
    const subscriber = new Redis(port, '127.0.0.1');
    ends.push(() => subscriber.disconnect());
    await subscriber.subscribe('order.due');
    const message = once(subscriber, 'message');
    const env = {
      CHRONIS_EMIT: `shop=redis://127.0.0.1:${port}`,
      CHRONIS_EMIT_QUEUES: `mails=redis://127.0.0.1:${port}/3`,
      CHRONIS_EMIT_KEY_PREFIX: 'berlin-',
    };
    await emitting({ client: 'shop', pattern: 'order.due', data: { n: 7 } }, env, async (service) => {
      await service.says('job_id=order');
      expect(service.stdout).toContain('status=SUCCESS');
    });
    const [, text] = (await message) as [string, string];
    expect(JSON.parse(text)).toMatchObject({
      pattern: 'order.due',
      data: { n: 7, runId: expect.stringMatching(/^berlin-\d+$/) },
    });
    await emitting({ queue: 'mails', name: 'welcome', data: { to: 'ada' } }, env, (service) =>
      service.says(/job_id=order .*status=SUCCESS/),
    );
    const queue = new Queue('mails', { connection: { host: '127.0.0.1', port, db: 3 } });
    ends.push(() => queue.close());
    expect((await queue.getJobs()).map(({ name, data }) => ({ name, data: data as unknown }))).toEqual([
      { name: 'welcome', data: { to: 'ada' } },
    ]);
  });

  test('fails where the broker asks for a password, which is not told', async () => {
    const { port } = await started('redis-server');
    const redis = new Redis(port, '127.0.0.1');
    ends.push(() => redis.disconnect());
    await redis.config('SET', 'requirepass', 'right-w0rd');
    const task = { client: 'shop', pattern: 'order.due', data: {} };
    const wrong = {
      CHRONIS_EMIT: `shop=redis://:wr0ng-w0rd@127.0.0.1:${port}`,
      CHRONIS_EMIT_TIMEOUT: '500ms',
    };
    await emitting(task, wrong, async (service) => {
      await service.says('job_id=order');
      expect(service.stdout).toMatch(/status=FAILURE.*shop.* did not take the message/);
      expect(service.stdout + service.stderr).not.toContain('wr0ng-w0rd');
    });
    const right = { CHRONIS_EMIT: `shop=redis://:right-w0rd@127.0.0.1:${port}` };
    await emitting(task, right, (service) => service.says(/job_id=order .*status=SUCCESS/));
  });
});

describe('brokers that take connections and never say a word', () => {
  test.each([
    ['redis', { client: 'n', pattern: 'p', data: {} }, 'CHRONIS_EMIT', ''],
    ['amqp', { client: 'n', pattern: 'p' }, 'CHRONIS_EMIT', '?queue=o'],
    ['redis', { queue: 'n', name: 'p' }, 'CHRONIS_EMIT_QUEUES', ''],
  ])('do not keep the end of the service: %s, %j', async (scheme, task, variable, query) => {
    const silent = createServer((socket) => void socket.on('error', () => {}).resume());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    ends.push(() => silent.close());
    const { port } = silent.address() as AddressInfo;
    const env = {
      [variable]: `n=${scheme}://u:x@127.0.0.1:${port}${query}`,
      CHRONIS_EMIT_TIMEOUT: '200ms',
      CHRONIS_SHUTDOWN_TIMEOUT: '3s',
    };
    await emitting(task, env, async (service, folder) => {
      await service.says(/job_id=order .*status=FAILURE/);
      expect(await service.end('SIGTERM')).toBe(0);
      expect(readdirSync(join(folder, 'chronis')).filter((name) => name.endsWith('.lock'))).toEqual([]);
    });
  });

  test('are not waited for beyond the end of all, whatever they are', async () => {
    await expect(closedBy(10, () => new Promise(() => {}))).rejects.toThrow(
      'Not everything has closed within 0.01 s of the end, so that the process ends without it.',
    );
    await closedBy(60_000, () => Promise.resolve());
    await expect(closedBy(60_000, () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  });
});

test.skipIf(!has('nats-server'))('with NATS, a run of the service becomes a message', async () => {
  const { port } = await started('nats-server');
  const connection = await connectToNats({ servers: `127.0.0.1:${port}` });
  ends.push(() => connection.close());
  const got = new Promise((done) =>
    connection.subscribe('order.due', { callback: (_, message) => done(message.json()) }),
  );
  await connection.flush();
  const env = { CHRONIS_EMIT: `shop=nats://127.0.0.1:${port}` };
  await emitting({ client: 'shop', pattern: 'order.due', data: [7] }, env, (service) =>
    service.says(/job_id=order .*status=SUCCESS/),
  );
  expect(await got).toEqual({ pattern: 'order.due', data: [7] });
});

test.skipIf(!has('rabbitmq-server'))('with RabbitMQ, a run of the service becomes a message', async () => {
  const { port } = await started('rabbitmq-server');
  const url = `amqp://guest:guest@127.0.0.1:${port}`;
  const env = { CHRONIS_EMIT: `shop=${url}?queue=orders` };
  await emitting({ client: 'shop', pattern: 'order.due', data: [7] }, env, (service) =>
    service.says(/job_id=order .*status=SUCCESS/),
  );
  const connection = await connectToRabbit(url);
  ends.push(() => connection.close());
  const channel = await connection.createChannel();
  const got = new Promise<ConsumeMessage | null>((done) => void channel.consume('orders', done));
  expect(JSON.parse((await got)!.content.toString())).toEqual({ pattern: 'order.due', data: [7] });
});

describe('a broker by its URL', () => {
  const read = (given: string) => emitBrokers.read(given, '--emit')!;
  const clientOf = (given: string): unknown => {
    const { clients } = emitOptions({ brokers: read(given), queues: [] }, () => true)!;
    return Object.values(clients!)[0];
  };

  test.each([
    ['a=redis://cache', { transport: Transport.REDIS, options: { host: 'cache', port: 6379 } }],
    [
      'a=rediss://ada:p%40ss@cache:1/4',
      {
        transport: Transport.REDIS,
        options: { host: 'cache', port: 1, username: 'ada', password: 'p@ss', db: 4, tls: {} },
      },
    ],
    ['a=nats://n', { transport: Transport.NATS, options: { servers: ['n:4222'], maxReconnectAttempts: -1 } }],
    [
      'a=tls://ada:pass@n:1,a=tls://ada:pass@[::1]:2',
      {
        transport: Transport.NATS,
        options: {
          servers: ['n:1', '[::1]:2'],
          maxReconnectAttempts: -1,
          user: 'ada',
          pass: 'pass',
          tls: {},
        },
      },
    ],
    [
      'a=nats://:token@n',
      {
        transport: Transport.NATS,
        options: { servers: ['n:4222'], maxReconnectAttempts: -1, token: 'token' },
      },
    ],
    [
      'a=amqps://ada:pass@r/shop?queue=orders&heartbeat=5',
      {
        transport: Transport.RMQ,
        options: { urls: ['amqps://ada:pass@r/shop?heartbeat=5'], queue: 'orders' },
      },
    ],
    [
      'a=amqp://r?queue=orders&noAssert=true',
      { transport: Transport.RMQ, options: { urls: ['amqp://r'], queue: 'orders', noAssert: true } },
    ],
    [
      'a=kafka://k,a=kafka://l:1',
      {
        transport: Transport.KAFKA,
        options: { client: { brokers: ['k:9092', 'l:1'] }, producerOnlyMode: true },
      },
    ],
    [
      'a=kafka+ssl://ada:pass@k?mechanism=scram-sha-256',
      {
        transport: Transport.KAFKA,
        options: {
          client: {
            brokers: ['k:9092'],
            ssl: true,
            sasl: { mechanism: 'scram-sha-256', username: 'ada', password: 'pass' },
          },
          producerOnlyMode: true,
        },
      },
    ],
  ])('%s is that client', (given, client) => {
    expect(clientOf(given)).toEqual(client);
  });

  test.each([
    ['redis://cache', 'must be NAME=URL, but is "redis://cache"'],
    ['a=cache', 'must be NAME=URL, but is "a=cache"'],
    ['a b=redis://cache', 'a name has letters, digits and . _ -, but is "a b"'],
    [
      'a=http://ada:s3cret@host',
      'there is no broker by http://. There are: redis, rediss, nats, tls, amqp, amqps, kafka, kafka+ssl',
    ],
    ['a=redis://', 'a: names no host'],
    ['a=redis://cache:99999', 'is no URL'],
    ['a=redis://cache/first', 'a: the path of redis:// is the number of a database, but is "/first"'],
    ['a=redis://cache?queue=b', 'a: redis:// has no "queue"'],
    ['a=amqp://r', 'a: needs the queue: amqp://r?queue=NAME'],
    ['a=amqp://r?queue=b&noAssert=maybe', 'a: noAssert must be true or false'],
    ['a=kafka://k?mechanism=oauth', 'a: mechanism must be one of plain, scram-sha-256, scram-sha-512'],
    ['a=kafka://k/topic', 'a: kafka:// has no path'],
  ])('%s is refused', async (given, sentence) => {
    const { code, stderr } = await chronis(['run', '--jobs-dir', '/tmp', '--emit', given]);
    expect(stderr).toContain('--emit');
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain('s3cret');
    expect(code).toBe(64);
  });

  test.each([
    [['--emit', 'a=redis://b,a=redis://c'], '--emit: "a" is there twice'],
    [['--emit', 'a=nats://b,a=kafka://c'], '--emit: "a" is there twice'],
    [['--emit', 'a=nats://u:p@b,a=nats://c'], '--emit: "a" has servers with different users'],
    [
      ['--emit-queues', 'a=nats://b'],
      '--emit-queues: a: queues of BullMQ are in Redis: redis:// or rediss://',
    ],
    [['--emit-timeout', '5s'], '--emit-timeout and --emit-key-prefix go with --emit or --emit-queues.'],
    [['--emit', 'a=redis://b', '--emit-key-prefix', '7'], '--emit-key-prefix: must be'],
    [['--emit', 'a=redis://b', '--emit-timeout', 'long'], 'chronis: --emit-timeout: '],
    [['--binary-folder', '/opt'], '--binary-folder goes with --binary.'],
  ])('%j is refused', async (args, sentence) => {
    const { code, stderr } = await chronis([
      'run',
      '--jobs-dir',
      '/tmp',
      '--storage',
      'file:/tmp/never.yaml',
      ...args,
    ]);
    expect(stderr).toContain(sentence);
    expect(code).toBe(64);
  });

  test('passwords of variables and options are taken out of all that is written', async () => {
    const env = { CHRONIS_EMIT: 'a=redis://b:0,c=redis://:s3cret-one@d/s3cret-one' };
    expect((await chronis(['run', '--jobs-dir', '/tmp'], { env })).stderr).not.toContain('s3cret-one');
    const args = ['run', '--jobs-dir', '/tmp', '--emit-queues=a=redis://:s3cret-two@d/s3cret-two'];
    expect((await chronis(args)).stderr).not.toContain('s3cret-two');
  });
});

describe('what is missing is named with what installs it', () => {
  const missing = (given: string, has: (name: string) => boolean) => () =>
    emitOptions({ brokers: emitBrokers.read(given, '--emit')!, queues: [] }, has);

  test('of a driver', () => {
    expect(missing('a=redis://b', (name) => name !== 'ioredis')).toThrow(
      '--emit redis:// needs @nestjs/microservices and ioredis, of which ioredis cannot be found: npm install ioredis',
    );
    expect(missing('a=amqp://b?queue=c', (name) => !name.startsWith('amqp'))).toThrow(
      'npm install amqplib amqp-connection-manager',
    );
    expect(missing('a=kafka://b', (name) => name !== 'kafkajs')).toThrow('npm install kafkajs');
    const queues = emitQueues.read('a=redis://b', '--emit-queues')!;
    expect(() => emitOptions({ brokers: [], queues }, () => false)).toThrow(
      '--emit-queues needs bullmq, of which bullmq cannot be found: npm install bullmq',
    );
  });

  test('of NATS the one that this Nest wants', () => {
    expect(driversOf('nats', '12.1.1')).toEqual(['@nats-io/transport-node']);
    expect(driversOf('nats', '11.0.0')).toEqual(['nats']);
  });

  test('by a service in a folder that has nothing but what it needs, which ends with 1', async () => {
    await inFolder(async (folder) => {
      cpSync(join(compiledTests(), 'lib'), join(folder, 'lib'), { recursive: true });
      const modules = resolve(import.meta.dirname, '../../node_modules');
      mkdirSync(join(folder, 'node_modules/@nestjs'), { recursive: true });
      for (const name of ['commander', 'cron-parser', 'luxon', 'yaml', 'rxjs', 'reflect-metadata'])
        symlinkSync(join(modules, name), join(folder, 'node_modules', name));
      for (const name of readdirSync(join(modules, '@nestjs')).filter((each) => each !== 'microservices'))
        symlinkSync(join(modules, '@nestjs', name), join(folder, 'node_modules/@nestjs', name));
      const args = ['run', '--jobs-dir', folder, '--storage', `file:${folder}/jobs.yaml`];
      const child = spawn(
        process.execPath,
        [join(folder, 'lib/cli/bin.js'), ...args, '--emit', 'a=redis://b'],
        { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env.PATH } },
      );
      let stderr = '';
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      const [code] = (await once(child, 'close')) as [number];
      expect(stderr).toContain('npm install @nestjs/microservices');
      expect(code).toBe(1);
    });
  });
});
