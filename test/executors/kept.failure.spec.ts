import { ClientNats } from '@nestjs/microservices';
import { afterEach, describe, expect, test } from 'vitest';
import type { TaskContext } from '../../lib/index.js';
import { EmitExecutor, type EmitOptions } from '../../lib/executors/index.js';
import { emitSettings } from '../../lib/executors/emit.options.js';
import { has, start } from './brokers.js';
import { until } from './until.js';

type Clients = NonNullable<EmitOptions['clients']>;

/** A broker that is away or there, and what has come of it. */
class FakeBroker {
  isThere = false;
  connects = 0;
  closes = 0;
  refused = 0;
  readonly got: unknown[] = [];

  async taken(): Promise<void> {
    this.connects++;
    await Promise.resolve();
    if (!this.isThere) throw new Error('connect ECONNREFUSED');
  }
}

/** In the shape of Nest 10: what its first connect comes to is kept until `close()`. */
class KeepingClient {
  private connection: Promise<void> | null = null;

  constructor(protected readonly broker: FakeBroker) {}

  async connect(): Promise<void> {
    await (this.connection ??= this.attempt());
  }

  emit(_: unknown, data: unknown): { subscribe: (observer: Observer) => void } {
    const sent = this.connect().then(() => this.dispatch(data));
    return {
      subscribe: (observer) =>
        void sent.then(
          () => observer.complete(),
          (reason: unknown) => observer.error(reason),
        ),
    };
  }

  close(): unknown {
    this.broker.closes++;
    this.connection = null;
    return undefined;
  }

  protected attempt(): Promise<void> {
    return this.broker.taken();
  }

  protected async dispatch(data: unknown): Promise<void> {
    this.broker.got.push(data);
  }
}
interface Observer {
  error(reason: unknown): void;
  complete(): void;
}

/** In the shape of that of Redis: a connection that was lost has ended, and it is not told of it. */
class KeepingRedis extends KeepingClient {
  pubClient: { status: string; quit: () => void } | null = null;
  subClient: { status: string; quit: () => void } | null = null;

  lose(): void {
    for (const connection of [this.pubClient, this.subClient]) connection!.status = 'end';
  }

  override close(): void {
    for (const connection of [this.pubClient, this.subClient]) connection?.quit();
    this.pubClient = this.subClient = null;
    super.close();
  }

  protected override async attempt(): Promise<void> {
    const opened = (): { status: string; quit: () => void } => {
      const connection = {
        status: 'ready',
        quit: () => void (connection.status === 'end' && this.broker.refused++),
      };
      return connection;
    };
    this.pubClient = opened();
    this.subClient = opened();
    await super.attempt().catch((cause: unknown) => {
      this.lose();
      throw cause;
    });
  }

  protected override async dispatch(data: unknown): Promise<void> {
    if (this.pubClient?.status !== 'ready') throw new Error('Connection is closed.');
    await super.dispatch(data);
  }
}

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Runs one after the other: whether each was handed over, or why not. */
function runsBy(orders: Clients[string], timeout = 2_000): () => Promise<string> {
  const executor = new EmitExecutor(emitSettings({ clients: { orders }, timeout }));
  ends.push(() => executor.onApplicationShutdown());
  let runs = 0;
  return () => {
    const context = { runId: String(++runs), signal: new AbortController().signal } as TaskContext;
    return executor.execute({ client: 'orders', pattern: 'a', data: {} }, context).then(
      () => 'handed over',
      (error: Error) => error.message,
    );
  };
}

const refusal = '"orders" did not take the message: connect ECONNREFUSED.';

/** As options: the class that makes the client is given. */
function byOptions(broker: FakeBroker, kind: typeof KeepingClient): Clients[string] {
  return {
    customClass: class extends kind {
      constructor() {
        super(broker);
      }
    },
  };
}

describe.each<[string, typeof KeepingClient]>([
  ['keeps what it was refused for', KeepingClient],
  ['keeps connections of Redis that have ended', KeepingRedis],
])('a client that %s', (_, kind) => {
  test.each<[string, (broker: FakeBroker) => Clients[string]]>([
    ['options', (broker) => byOptions(broker, kind)],
    ['the application', (broker) => new kind(broker)],
  ])(
    'is connected anew by the first run after its broker has come, again and again: of %s',
    async (__, clientOf) => {
      const broker = new FakeBroker();
      const run = runsBy(clientOf(broker));
      expect([await run(), await run(), await run()]).toEqual([refusal, refusal, refusal]);
      broker.isThere = true;
      expect([await run(), await run()]).toEqual(['handed over', 'handed over']);
      expect(broker.got).toEqual([{ runId: 'run-4' }, { runId: 'run-5' }]);
      expect(broker.connects).toBe(4);
    },
  );

  test('is connected once where several runs need it', async () => {
    const broker = new FakeBroker();
    const run = runsBy(new kind(broker));
    await run();
    broker.isThere = true;
    expect(await Promise.all([run(), run(), run()])).toEqual(Array(3).fill('handed over'));
    expect([broker.connects, broker.closes]).toEqual([2, 1]);
  });
});

test('connections of Redis that were lost are made anew, and those that have ended are not asked to quit', async () => {
  const broker = new FakeBroker();
  broker.isThere = true;
  const client = new KeepingRedis(broker);
  const run = runsBy(client);
  expect(await run()).toBe('handed over');
  client.lose();
  expect(await run()).toBe('handed over');
  expect([broker.connects, broker.refused]).toEqual([2, 0]);
});

test('a client that is at it by itself, and says so in text, is left to it', async () => {
  const broker = new FakeBroker();
  class Reconnecting extends KeepingClient {
    protected override attempt(): Promise<void> {
      return Promise.reject('Error: Connection lost. Trying to reconnect...' as unknown as Error);
    }
  }
  const run = runsBy(new Reconnecting(broker));
  const words = '"orders" did not take the message: Error: Connection lost. Trying to reconnect.';
  expect([await run(), await run(), await run()]).toEqual([words, words, words]);
  expect(broker.closes).toBe(0);
});

test('a client that cannot be closed fails runs with what it was refused for', async () => {
  const broker = new FakeBroker();
  class Unclosed extends KeepingClient {
    override close(): never {
      throw new Error('It has no connection.');
    }
  }
  const run = runsBy(new Unclosed(broker));
  expect([await run(), await run()]).toEqual([refusal, refusal]);
});

/** As that of Nest 10: it keeps the first connection that it tried to make, and has no `unwrap`. */
class NatsOfNest10 extends ClientNats {
  override unwrap = undefined as never;
  private kept: Promise<never> | null = null;

  override async connect(): Promise<never> {
    this.kept ??= this.createClient() as Promise<never>;
    this.natsClient = await this.kept;
    return this.natsClient;
  }

  override async close(): Promise<void> {
    await this.natsClient?.close();
    this.natsClient = null;
    this.kept = null;
  }
}

describe.skipIf(!has('nats-server'))('with NATS and a client as that of Nest 10', () => {
  test('runs are handed over when it is there, away at first or later, and only when it has them', async () => {
    let nats = await start('nats-server');
    ends.push(() => nats.stop());
    const { port } = nats;
    await nats.stop();
    const options = { servers: [`127.0.0.1:${port}`], reconnectTimeWait: 5, maxReconnectAttempts: 2 };
    const run = runsBy({ customClass: NatsOfNest10, options });
    expect([await run(), await run()]).not.toContain('handed over');
    nats = await start('nats-server', port);
    expect(await run()).toBe('handed over');
    await nats.stop();
    // Also while its driver still tries, and takes what is written.
    expect(await run()).toMatch('did not take the message');
    nats = await start('nats-server', port);
    let last = '';
    await until('it is handed over', () => {
      void run().then((said) => (last = said));
      return last === 'handed over';
    });
  }, 60_000);
});
