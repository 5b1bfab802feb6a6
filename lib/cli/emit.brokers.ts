import { UsageError } from './cli.errors.js';
import { list, type CliOption } from './cli.option.js';
import { withoutPassword } from './secrets.js';

/** A broker, or a queue of BullMQ, that tasks of the type `emit` may name. */
export interface EmitBroker {
  name: string;
  kind: BrokerKind;
  isEncrypted: boolean;
  url: URL;
}

export type BrokerKind = 'redis' | 'nats' | 'amqp' | 'kafka';

const schemes: Readonly<Record<string, { kind: BrokerKind; isEncrypted: boolean }>> = {
  redis: { kind: 'redis', isEncrypted: false },
  rediss: { kind: 'redis', isEncrypted: true },
  nats: { kind: 'nats', isEncrypted: false },
  tls: { kind: 'nats', isEncrypted: true },
  amqp: { kind: 'amqp', isEncrypted: false },
  amqps: { kind: 'amqp', isEncrypted: true },
  kafka: { kind: 'kafka', isEncrypted: false },
  'kafka+ssl': { kind: 'kafka', isEncrypted: true },
};
const commas = 'A comma within is written %2C.';
export const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
/** What of a URL is ours; RabbitMQ has parameters of its own. */
const parameters: Readonly<Record<BrokerKind, readonly string[] | null>> = {
  redis: [],
  nats: [],
  kafka: ['mechanism'],
  amqp: null,
};

export const emitBrokers = ofBrokers(
  '--emit <brokers>',
  'brokers that tasks may hand runs to, such as shop=redis://cache:6379',
  'CHRONIS_EMIT',
  (broker, name) => assertFits(broker, name),
);

export const emitQueues = ofBrokers(
  '--emit-queues <queues>',
  'queues of BullMQ that tasks may hand runs to, such as mails=redis://cache:6379',
  'CHRONIS_EMIT_QUEUES',
  (broker, name) => {
    if (broker.kind !== 'redis')
      throw new UsageError(`${name}: ${broker.name}: queues of BullMQ are in Redis: redis:// or rediss://.`);
    assertFits(broker, name);
  },
);

/** `NAME=URL`, with commas between. */
function ofBrokers(
  flags: string,
  help: string,
  variable: string,
  check: (broker: EmitBroker, name: string) => void,
): CliOption<EmitBroker[] | undefined> {
  const texts = list(flags, help, { variable, default: 'none' });
  return {
    ...texts,
    absent: undefined,
    read: (given, name) =>
      parts(given, name).map((each) => {
        const broker = brokerOf(each, name);
        check(broker, name);
        return broker;
      }),
  };
}

function parts(given: string, name: string): string[] {
  const items = given.split(',').map((item) => item.trim());
  if (items.every((item) => item !== '')) return items;
  throw new UsageError(`${name}: must be a list of NAME=URL with commas between.`);
}

function brokerOf(given: string, option: string): EmitBroker {
  const [, name, address, scheme] = /^([^=:/]+)=(([a-z][a-z+]*):\/\/.*)$/s.exec(given) ?? [];
  if (name === undefined || address === undefined || scheme === undefined) {
    const shown = withoutPassword(given.replace(/^.*?(?=[a-z+]+:\/\/)/s, ''));
    throw new UsageError(`${option}: must be NAME=URL, but is "${shown}". ${commas}`);
  }
  if (!/^[\w.-]+$/.test(name))
    throw new UsageError(`${option}: a name has letters, digits and . _ -, but is "${name}".`);
  if (!Object.hasOwn(schemes, scheme)) {
    throw new UsageError(
      `${option}: ${name}: there is no broker by ${scheme}://. There are: ${Object.keys(schemes).join(', ')}.`,
    );
  }
  if (!URL.canParse(address))
    throw new UsageError(`${option}: ${name}: ${withoutPassword(address)} is no URL. ${commas}`);
  return { name, ...schemes[scheme]!, url: new URL(address) };
}

/** Throws UsageError. */
function assertFits({ name, kind, url }: EmitBroker, option: string): void {
  const refuse = (problem: string): never => {
    throw new UsageError(`${option}: ${name}: ${problem}.`);
  };
  const { protocol, hostname, pathname, searchParams, username, password } = url;
  if (hostname === '') refuse('names no host');
  for (const part of [username, password, pathname])
    if (!isDecodable(part)) refuse('has a % that encodes nothing');
  const path = pathname.replace(/^\/$/, '');
  if (kind === 'redis' && !/^(\/\d+)?$/.test(path))
    refuse(`the path of ${protocol}// is the number of a database, but is "${path}"`);
  if ((kind === 'nats' || kind === 'kafka') && path !== '') refuse(`${protocol}// has no path`);
  const known = parameters[kind];
  for (const key of searchParams.keys())
    if (known !== null && !known.includes(key)) refuse(`${protocol}// has no "${key}"`);
  if (kind === 'amqp') {
    if (!searchParams.get('queue')) refuse(`needs the queue: ${protocol}//${hostname}?queue=NAME`);
    if (!['true', 'false', null].includes(searchParams.get('noAssert')))
      refuse('noAssert must be true or false');
  }
  const mechanism = searchParams.get('mechanism');
  if (kind === 'kafka' && mechanism !== null && !(mechanisms as readonly string[]).includes(mechanism))
    refuse(`mechanism must be one of ${mechanisms.join(', ')}`);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
