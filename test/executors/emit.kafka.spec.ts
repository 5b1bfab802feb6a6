import { ClientKafka } from '@nestjs/microservices';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TaskContext } from '../../lib/index.js';
import { EmitExecutor, type EmitOptions } from '../../lib/executors/index.js';
import { emitSettings } from '../../lib/executors/emit.options.js';
import { TasksApp } from './tasks.app.js';

/** What a producer was asked for, in order. */
let asked: [call: string, message?: unknown][];
/** What becomes of a message. */
let send: () => Promise<unknown>;
let app: TasksApp | null;

beforeEach(() => {
  [asked, app, send] = [[], null, async () => []];
});
afterEach(() => app?.close());

/** The client of Nest, with a producer in place of that of kafkajs: no broker is here. */
class BrokerlessKafka extends ClientKafka {
  // Options and client are those of kafkajs.
  override async createClient<T = any>(): Promise<T> {
    const producer = {
      events: { CONNECT: 'connect', DISCONNECT: 'disconnect' },
      on: () => {},
      connect: async () => void asked.push(['connect']),
      disconnect: async () => void asked.push(['disconnect']),
      send: (message: unknown) => {
        asked.push(['send', message]);
        return send();
      },
    };
    return { producer: () => producer } as T;
  }
}

const producerOnly = { producerOnlyMode: true };
const checked = { client: 'log', pattern: 'orders', data: { n: 1 } };
const task = { type: 'emit', ...checked };
const messageOf = (runId: string): object => ({
  topic: 'orders',
  messages: [{ key: `run-${runId}`, value: '{"n":1}', headers: {} }],
});

describe.each<[string, () => NonNullable<EmitOptions['clients']>[string], isOwn: boolean]>([
  ['options', () => ({ customClass: BrokerlessKafka, options: producerOnly }), true],
  ['a client of the application', () => new BrokerlessKafka(producerOnly), false],
])('by ClientKafka, of %s, a run', (_, clientOf, isOwn) => {
  beforeEach(async () => void (app = await TasksApp.boot({ emit: { clients: { log: clientOf() } } })));

  test('becomes a message of the topic whose key is its id, the same in all attempts', async () => {
    let tries = 0;
    send = async () => {
      if (++tries === 1) throw new Error('The leader has moved');
      return [];
    };
    const { runId, outcome, attempt } = await app!.run(task, { maxRetries: 1, backoff: 1 });
    expect([outcome, attempt]).toEqual(['succeeded', 2]);
    expect(asked).toEqual([['connect'], ['send', messageOf(runId)], ['send', messageOf(runId)]]);
  });

  test('fails with what the producer says', async () => {
    send = () => Promise.reject(new Error('The leader has moved'));
    const { outcome, error } = await app!.run(task);
    expect(outcome).toBe('failed');
    expect(error).toContain('EmitFailedError: "log" did not take the message: The leader has moved.');
  });

  test(`${isOwn ? 'ends its connection' : 'leaves the connection to the application'}`, async () => {
    await app!.run(task);
    await app!.close();
    app = null;
    expect(asked.map(([call]) => call)).toEqual(['connect', 'send', ...(isOwn ? ['disconnect'] : [])]);
  });
});

test('a message is not handed over before the producer has an answer', async () => {
  let acknowledge!: (answer: unknown) => void;
  const isAsked = new Promise<void>((resolve) => {
    send = () => {
      resolve();
      return new Promise((done) => (acknowledge = done));
    };
  });
  const clients = { log: new BrokerlessKafka(producerOnly) };
  const context = { runId: '7', signal: new AbortController().signal } as TaskContext;
  let isOver = false;
  const handedOver = new EmitExecutor(emitSettings({ clients })).execute(checked, context).then((result) => {
    isOver = true;
    return result;
  });
  await isAsked;
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  expect(isOver).toBe(false);
  acknowledge([]);
  expect(await handedOver).toEqual({ key: 'run-7' });
});
