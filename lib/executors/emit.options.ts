import { InvalidOptionError, parseDuration, type DurationInput } from '../index.js';
import { brokerOf, queueOf, type Broker, type JobQueue } from './emit.brokers.js';
import { knownOptions, shown } from './option.checks.js';

/** A client of `@nestjs/microservices`: what ClientsModule provides. @publicApi */
export interface EventClient {
  emit(pattern: any, data: any): { subscribe(observer: any): unknown };
  close(): unknown;
}

/** Options of a client of `@nestjs/microservices`, as ClientsModule takes them: `{ transport: Transport.REDIS, options: { host } }`. @publicApi */
export interface EventClientOptions {
  transport?: unknown;
  options?: unknown;
  customClass?: unknown;
}

/** A Queue of `bullmq`. @publicApi */
export interface TaskQueue {
  add(name: string, data: any, options?: any): Promise<{ id?: string | undefined }>;
  close(): Promise<unknown>;
}

/** Options of a Queue of `bullmq`: `{ connection: { host, port } }`. @publicApi */
export interface TaskQueueOptions {
  connection: unknown;
  [option: string]: unknown;
}

/** Where runs may be handed to. @publicApi */
export interface EmitOptions {
  /** Brokers by the names that tasks have for them: options of a client, whose connection is made when it is needed, or a client of the application, which closes it itself: only one that cannot connect any more is closed here before, and connected anew. Takes `@nestjs/microservices` and the driver of the broker. @default none */
  clients?: Readonly<Record<string, EventClientOptions | EventClient>>;
  /** BullMQ queues by their names: options of a Queue, or a Queue of the application. Takes `bullmq`. @default none */
  queues?: Readonly<Record<string, TaskQueueOptions | TaskQueue>>;
  /** How long a broker may take to accept a message; then the attempt has failed, though the message may still arrive. @default '10s' */
  timeout?: DurationInput;
  /**
   * What the key of a message begins with, before the id of the run: without colons, and not empty or a number. Give one of its own to each installation that shares a broker with others, as ids are unique in one database only, and in memory begin anew with each process.
   * @default 'run-'
   */
  keyPrefix?: string;
}

/** The same, checked. */
export interface EmitSettings {
  clients: ReadonlyMap<string, Broker>;
  queues: ReadonlyMap<string, JobQueue>;
  timeoutMs: number;
  keyPrefix: string;
}

const known = ['clients', 'queues', 'timeout', 'keyPrefix'] as const;
const longestMs = 24 * 60 * 60 * 1_000;
const prefix = /^(?=.*[^\d])[\w.@/-]{1,100}$/;

/** Throws InvalidOptionError. */
export function emitSettings(given: EmitOptions): EmitSettings {
  const options = knownOptions(given, known, 'emit');
  const { clients = {}, queues = {}, timeout = '10s', keyPrefix = 'run-' } = options;
  const brokers = entriesOf(clients, 'emit.clients').map(([name, client]) => [
    name,
    brokerOf(client, `emit.clients.${name}`),
  ]) as [string, Broker][];
  const jobQueues = entriesOf(queues, 'emit.queues').map(([name, queue]) => [
    name,
    queueOf(name, queue, `emit.queues.${name}`),
  ]) as [string, JobQueue][];
  if (brokers.length + jobQueues.length === 0) {
    throw new InvalidOptionError(
      'emit',
      'names no broker and no queue, so there would be nowhere to hand a run to. Give "clients" or "queues".',
    );
  }
  if (typeof keyPrefix !== 'string' || !prefix.test(keyPrefix)) {
    throw new InvalidOptionError(
      'emit.keyPrefix',
      `must be letters, digits and . @ / _ -, and not a number, but is ${shown(keyPrefix)}.`,
    );
  }
  const timeoutMs = parseDuration(timeout, 'emit.timeout');
  if (timeoutMs > longestMs) {
    throw new InvalidOptionError('emit.timeout', `may be 1 day at most, but is ${shown(timeout)}.`);
  }
  return { clients: new Map(brokers), queues: new Map(jobQueues), timeoutMs, keyPrefix };
}

function entriesOf(given: unknown, option: string): [string, unknown][] {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return Object.entries(given);
  throw new InvalidOptionError(option, `must be an object, but is ${shown(given)}.`);
}
