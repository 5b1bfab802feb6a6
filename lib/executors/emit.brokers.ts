import { InvalidOptionError } from '../index.js';
import { closeClient, connectorOf, flushed } from './emit.connection.js';
import { closedWithin, cutOffClient, withSignal } from './emit.ending.js';
import type { EventClient, TaskQueue } from './emit.options.js';
import { reasonOf, wordsOf } from './emit.reasons.js';
import { shown } from './option.checks.js';

/** A message on its way to a broker. */
export interface Message {
  pattern: unknown;
  data: unknown;
  /** The same in all attempts of a run. */
  key: string;
}

/** Where events go. */
export interface Broker {
  /** Whether it carries a key beside the data; else that is put into the data, as `runId`. */
  hasKey: boolean;
  /** Resolves when the broker has it, as far as its protocol says. */
  emit(message: Message): Promise<void>;
  /** Resolves after that time at the latest: then the connection is cut off. */
  close(withinMs: number): Promise<void>;
}

/** Where jobs of BullMQ go. */
export interface JobQueue {
  /** Comes to the id of the job. */
  add(name: string, data: unknown, options: object): Promise<string>;
  /** Resolves after that time at the latest: then the connection is cut off. */
  close(withinMs: number): Promise<void>;
}

const noEvents = 'is gRPC, which has no events. Call it in a handler.';

type Kind = 'kafka' | 'rmq' | 'nats' | 'other';

interface RecordBuilder {
  setHeaders(headers: unknown): RecordBuilder;
  setOptions(options: object): RecordBuilder;
  build(): object;
}
type ClientClass = abstract new (...args: never[]) => object;
interface Microservices {
  Transport: { GRPC: number; RMQ: number };
  ClientProxyFactory: { create(options: object): EventClient };
  ClientKafka: ClientClass;
  ClientRMQ: ClientClass;
  ClientNats: ClientClass;
  ClientGrpcProxy: ClientClass;
  RmqRecordBuilder: new (data: unknown) => RecordBuilder;
  NatsRecordBuilder: new (data: unknown) => RecordBuilder;
}
interface Headers {
  set(name: string, value: string): void;
}

/** Of options a client that connects when it is needed. Throws InvalidOptionError. */
export function brokerOf(given: unknown, option: string): Broker {
  const microservices = loaded(
    '@nestjs/microservices',
    option,
    () => require('@nestjs/microservices') as Microservices,
  );
  const isTheirs = isClient(given);
  if (!isTheirs && (typeof given !== 'object' || given === null)) {
    throw new InvalidOptionError(option, `must be options of a client, or a client, but is ${shown(given)}.`);
  }
  const transport = isTheirs ? undefined : (given as { transport?: unknown }).transport;
  // Making its client ends a process that does not have the driver.
  if (transport === microservices.Transport.GRPC) throw new InvalidOptionError(option, noEvents);
  const connecting = new AbortController();
  const isRabbit = transport === microservices.Transport.RMQ;
  const options = isRabbit ? withSignal(given as object, connecting.signal) : (given as object);
  const client = isTheirs ? given : made(microservices, options, option);
  if (client instanceof microservices.ClientGrpcProxy || !isClient(client)) {
    throw new InvalidOptionError(option, noEvents);
  }
  const kind = kindOf(client, microservices);
  const connected = connectorOf(client);
  return {
    hasKey: kind !== 'other',
    emit: async (message) => {
      await connected();
      await ended(client, message.pattern, formOf(kind, message, microservices));
      if (kind === 'nats') await flushed(client);
    },
    close: async (withinMs) => {
      if (isTheirs) return;
      await closedWithin(
        withinMs,
        () => closeClient(client),
        () => cutOffClient(client, connecting),
      );
    },
  };
}

/** Throws InvalidOptionError. */
export function queueOf(name: string, given: unknown, option: string): JobQueue {
  if (typeof given !== 'object' || given === null) {
    throw new InvalidOptionError(option, `must be options of a Queue, or a Queue, but is ${shown(given)}.`);
  }
  const isTheirs = isQueue(given);
  if (!isTheirs && (given as { connection?: unknown }).connection === undefined) {
    throw new InvalidOptionError(option, 'has no "connection": { connection: { host, port } }.');
  }
  const queue = isTheirs ? given : ownQueue(name, given, option);
  return {
    add: async (job, data, options) => (await queue.add(job, data, options)).id ?? '',
    close: async (withinMs) => {
      if (isTheirs) return;
      await closedWithin(
        withinMs,
        () => queue.close(),
        () => (queue as TaskQueue & { disconnect?: () => unknown }).disconnect?.(),
      );
    },
  };
}

function ownQueue(name: string, options: object, option: string): TaskQueue {
  type Made = TaskQueue & { on(event: 'error', listener: () => void): void };
  const { Queue } = loaded(
    'bullmq',
    option,
    () => require('bullmq') as { Queue: new (name: string, options: object) => Made },
  );
  const queue = new Queue(name, options);
  // What fails rejects; without a listener it would end the process as well.
  queue.on('error', () => {});
  return queue;
}

function made({ ClientProxyFactory }: Microservices, options: object, option: string): EventClient {
  try {
    const client = ClientProxyFactory.create(options);
    writeReasons(client, option.split('.').at(-1)!);
    return client;
  } catch (cause) {
    throw new InvalidOptionError(option, `makes no client: ${(cause as Error).message}`);
  }
}

/** A client writes what its driver throws to the log as it is: settings with passwords among it, or "[object Object]"; and of several nobody knows which one. */
function writeReasons(client: object, name: string): void {
  const { logger } = client as { logger?: Partial<Record<string, (...said: unknown[]) => void>> };
  for (const level of ['error', 'warn', 'log']) {
    const write = logger?.[level]?.bind(logger);
    if (write === undefined) continue;
    logger![level] = (said, ...rest) => {
      const isThrown = typeof said === 'object' && level === 'error';
      write(`"${name}": ${isThrown ? wordsOf(reasonOf(said)) : String(said)}`, ...(isThrown ? [] : rest));
    };
  }
}

function loaded<T>(name: string, option: string, load: () => T): T {
  try {
    return load();
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0];
    throw new InvalidOptionError(option, `needs ${name}: npm install ${name} (${why}).`);
  }
}

function isClient(given: unknown): given is EventClient {
  const { emit, close } = (given ?? {}) as Partial<EventClient>;
  return typeof emit === 'function' && typeof close === 'function';
}

function isQueue(given: object): given is TaskQueue {
  return typeof (given as Partial<TaskQueue>).add === 'function';
}

function kindOf(client: object, { ClientKafka, ClientRMQ, ClientNats }: Microservices): Kind {
  if (client instanceof ClientKafka) return 'kafka';
  if (client instanceof ClientRMQ) return 'rmq';
  return client instanceof ClientNats ? 'nats' : 'other';
}

/** The data, with the key where the protocol has a place for it. */
function formOf(kind: Kind, { data, key }: Message, microservices: Microservices): unknown {
  if (kind === 'kafka') return { key, value: data };
  if (kind === 'rmq') return new microservices.RmqRecordBuilder(data).setOptions({ messageId: key }).build();
  if (kind === 'nats') {
    const headers = natsHeaders();
    // JetStream drops a second message with it.
    headers.set('Nats-Msg-Id', key);
    return new microservices.NatsRecordBuilder(data).setHeaders(headers).build();
  }
  return { ...(data as object | null), runId: key };
}

/** Nest 12 has another package for it than those before. */
function natsHeaders(): Headers {
  try {
    return (require('@nats-io/transport-node') as { headers(): Headers }).headers();
  } catch {
    return (require('nats') as { headers(): Headers }).headers();
  }
}

function ended(client: EventClient, pattern: unknown, data: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    client.emit(pattern, data).subscribe({ next: () => {}, error: reject, complete: resolve });
  });
}
