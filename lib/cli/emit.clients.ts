import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { EmitOptions } from '../executors/index.js';
import { FailedError, UsageError } from './cli.errors.js';
import { mechanisms, type BrokerKind, type EmitBroker } from './emit.brokers.js';

/** Whom tasks of the type `emit` may name. */
export interface EmitTargets {
  brokers: readonly EmitBroker[];
  queues: readonly EmitBroker[];
  timeout?: string;
  keyPrefix?: string;
}

type ClientOptions = Record<string, unknown>;

/** As @nestjs/microservices numbers them in all its releases: it need not be there to say what is wrong. */
const transports: Readonly<Record<BrokerKind, number>> = { redis: 1, nats: 2, amqp: 5, kafka: 6 };
const usualPorts = { redis: 6379, nats: 4222, kafka: 9092 } as const;
const microservices = '@nestjs/microservices';
/** From this one on Nest has another package of NATS. */
const newNatsFrom = 12;

/** Options of the executor. `isThere`: whether a package can be loaded. Throws UsageError, and FailedError where packages are missing: Nest would end the process. */
export function emitOptions(targets: EmitTargets, isThere = isInstalled): EmitOptions {
  const { brokers, queues, ...others } = targets;
  const byName = grouped(brokers, '--emit');
  for (const { kind } of brokers) {
    const drivers = driversOf(kind, isThere(microservices) ? versionOf() : null);
    assertThere(`--emit ${kind}://`, [microservices, ...drivers], isThere);
  }
  if (queues.length > 0) assertThere('--emit-queues', ['bullmq'], isThere);
  const connections = [...grouped(queues, '--emit-queues')].map(
    ([name, [queue]]) => [name, { connection: redisOf(queue!) }] as const,
  );
  return {
    ...others,
    clients: Object.fromEntries([...byName].map(([name, servers]) => [name, clientOf(servers)])),
    queues: Object.fromEntries(connections),
  };
}

/** What a client of Nest needs for that. `nest`: the version of @nestjs/microservices; null: it is not there. */
export function driversOf(kind: BrokerKind, nest: string | null): string[] {
  switch (kind) {
    case 'redis':
      return ['ioredis'];
    case 'amqp':
      return ['amqplib', 'amqp-connection-manager'];
    case 'kafka':
      return ['kafkajs'];
    case 'nats':
      return [nest === null || Number.parseInt(nest, 10) >= newNatsFrom ? '@nats-io/transport-node' : 'nats'];
  }
}

/** Several servers may have one name, where the protocol knows that. */
function grouped(brokers: readonly EmitBroker[], option: string): Map<string, EmitBroker[]> {
  const found = new Map<string, EmitBroker[]>();
  for (const broker of brokers) {
    const [first, ...more] = found.get(broker.name) ?? [];
    if (first !== undefined && !(first.kind === broker.kind && ['nats', 'kafka'].includes(broker.kind))) {
      throw new UsageError(
        `${option}: "${broker.name}" is there twice. Only servers of one NATS or one Kafka share a name.`,
      );
    }
    if (first !== undefined && loginOf(first) !== loginOf(broker))
      throw new UsageError(`${option}: "${broker.name}" has servers with different users or parameters.`);
    found.set(broker.name, first === undefined ? [broker] : [first, ...more, broker]);
  }
  return found;
}

function loginOf({ url: { protocol, username, password, search } }: EmitBroker): string {
  return [protocol, username, password, search].join(' ');
}

function clientOf(servers: readonly EmitBroker[]): ClientOptions {
  const [first] = servers;
  return { transport: transports[first!.kind], options: makers[first!.kind](servers) };
}

const makers: Readonly<Record<BrokerKind, (servers: readonly EmitBroker[]) => ClientOptions>> = {
  redis: ([server]) => redisOf(server!),
  nats: (servers) => {
    const { isEncrypted } = servers[0]!;
    const { user, password } = userOf(servers[0]!);
    return {
      servers: servers.map((server) => placeOf(server, usualPorts.nats)),
      // Else its connection is closed for good after some tries.
      maxReconnectAttempts: -1,
      ...(user !== '' && { user, pass: password }),
      ...(user === '' && password !== '' && { token: password }),
      ...(isEncrypted && { tls: {} }),
    };
  },
  amqp: ([server]) => {
    const url = new URL(server!.url);
    const queue = url.searchParams.get('queue')!;
    const noAssert = url.searchParams.get('noAssert') === 'true';
    for (const ours of ['queue', 'noAssert']) url.searchParams.delete(ours);
    return { urls: [url.href], queue, ...(noAssert && { noAssert }) };
  },
  kafka: (servers) => {
    const { isEncrypted, url } = servers[0]!;
    const { user: username, password } = userOf(servers[0]!);
    const mechanism = url.searchParams.get('mechanism') ?? mechanisms[0];
    const brokers = servers.map((server) => placeOf(server, usualPorts.kafka));
    const sasl = { mechanism, username, password };
    // Without it the client would wait for answers, in a group of its own.
    const producerOnlyMode = true;
    const client = { brokers, ...(isEncrypted && { ssl: true }), ...(username !== '' && { sasl }) };
    return { client, producerOnlyMode };
  },
};

function redisOf(server: EmitBroker): ClientOptions {
  const { url, isEncrypted } = server;
  const { user: username, password } = userOf(server);
  const db = url.pathname.replace('/', '');
  return {
    host: hostOf(url),
    port: Number(url.port || usualPorts.redis),
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
    ...(db !== '' && { db: Number(db) }),
    ...(isEncrypted && { tls: {} }),
  };
}

function userOf({ url }: EmitBroker): { user: string; password: string } {
  return { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function placeOf({ url }: EmitBroker, port: number): string {
  return `${url.hostname}:${url.port || port}`;
}

function assertThere(owner: string, packages: readonly string[], isThere: (name: string) => boolean): void {
  const missing = packages.filter((name) => !isThere(name));
  if (missing.length === 0) return;
  throw new FailedError(
    `${owner} needs ${packages.join(' and ')}, of which ${missing.join(' and ')} cannot be found: npm install ${missing.join(' ')}`,
  );
}

/** Drivers are loaded by Nest, from where it is. */
function isInstalled(name: string): boolean {
  const places = [require, createRequire(placeOfNest() ?? __filename)];
  return places.some((place) => {
    try {
      place.resolve(name);
      return true;
    } catch {
      return false;
    }
  });
}

function placeOfNest(): string | null {
  try {
    return require.resolve(microservices);
  } catch {
    return null;
  }
}

function versionOf(): string | null {
  const place = placeOfNest();
  if (place === null) return null;
  try {
    // It is no export of the package.
    const text = readFileSync(join(dirname(place), 'package.json'), 'utf8');
    return (JSON.parse(text) as { version: string }).version;
  } catch {
    return null;
  }
}
