import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Transport } from '@nestjs/microservices';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { EmitOptions } from '../../lib/executors/index.js';
import { compiledTests } from '../support/compiled.js';
import { silentServer, type Started } from './brokers.js';

/** Longer than anything within it takes, and shorter than what it must not wait for. */
const patienceMs = 30_000;
let script: string;
let broker: Started;

beforeAll(() => {
  script = join(compiledTests(), 'test/executors/silent.process.js');
}, 240_000);
beforeEach(async () => void (broker = await silentServer()));
afterEach(() => broker.stop());

type Client = NonNullable<EmitOptions['clients']>[string];

/** A minute between tries: its timer must not keep the process either. */
const rabbit = (url: string | object): Client => ({
  transport: Transport.RMQ,
  options: { urls: [url], queue: 'a', socketOptions: { reconnectTimeInSeconds: 60 } },
});

test.each<[string, (port: number) => Client]>([
  ['RabbitMQ', (port) => rabbit(`amqp://127.0.0.1:${port}`)],
  ['RabbitMQ by TLS', (port) => rabbit(`amqps://127.0.0.1:${port}`)],
  ['RabbitMQ of a URL in parts', (port) => rabbit({ protocol: 'amqp', hostname: '127.0.0.1', port })],
  ['RabbitMQ of a URL with options', (port) => rabbit({ url: `amqp://127.0.0.1:${port}`, connectionOptions: {} })],
  ['Redis', (port) => ({ transport: Transport.REDIS, options: { host: '127.0.0.1', port } })],
  ['TCP', (port) => ({ transport: Transport.TCP, options: { host: '127.0.0.1', port } })],
])('a process ends by itself when its application is closed, though %s never says a word', async (_, clientOf) => {
  const emit = { clients: { orders: clientOf(broker.port) }, timeout: 200 };
  const task = { type: 'emit', client: 'orders', pattern: 'a', data: {} };
  const child = spawn(process.execPath, [script, JSON.stringify(emit), JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += String(text)));
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  clearTimeout(timer);
  expect({ said, code, signal }).toEqual({ said: 'closed', code: 0, signal: null });
}, 2 * patienceMs); // prettier-ignore
