import { closedWithin } from './emit.ending.js';
import type { EventClient } from './emit.options.js';

/** What clients of `@nestjs/microservices` have within them, in all of its releases. */
interface Within {
  connect?: () => unknown;
  pubClient?: RedisConnection | null;
  subClient?: RedisConnection | null;
  natsClient?: NatsConnection | null;
}
interface RedisConnection {
  status?: string;
}
interface NatsConnection {
  isClosed?: () => boolean;
  flush?: () => Promise<void>;
}

/** An application may hold on to its client: then the attempt is made without an end of the old connection. */
const longestCloseMs = 2_000;

/**
 * Has a client connected. Clients of Nest 10, and some of Nest 11, keep what they were refused for, or a connection that has ended, and never try again: after `close()` they do.
 * Those that are still at it by themselves say so in text, and are left to it: one of the application has listeners, which it loses with its connection.
 */
export function connectorOf(client: EventClient): () => Promise<void> {
  const { connect } = client as Within;
  let refused: { cause: unknown } | undefined;
  let connecting: Promise<void> | undefined;
  // One for all that ask at the same time: else the second would close what the first has begun.
  return () => (connecting ??= connected().finally(() => (connecting = undefined)));

  async function connected(): Promise<void> {
    if (hasEnded(client)) await closed(client);
    try {
      await attempted();
    } catch (cause) {
      const isKept = typeof cause !== 'string' && cause === refused?.cause;
      if (!isKept) throw remembered(cause);
      await closed(client);
      await attempted().catch((anew: unknown) => Promise.reject(remembered(anew) as Error));
    }
    refused = undefined;
  }

  async function attempted(): Promise<void> {
    await connect?.call(client);
  }

  function remembered(cause: unknown): unknown {
    refused = { cause };
    return cause;
  }
}

/** Closes a client, whatever the state of its connections. Rejects with what the client says. */
export async function closeClient(client: EventClient): Promise<void> {
  const within = client as Within;
  // Nest asks them to quit, which is refused, and Nest 10 lets nobody hear of it: that would end the process.
  for (const name of ['pubClient', 'subClient'] as const) {
    if (within[name]?.status === 'end') within[name] = null;
  }
  await client.close();
}

/** Resolves when the server of NATS has what was written before: its client writes without an answer, and this has one. */
export async function flushed(client: object): Promise<void> {
  await (client as Within).natsClient?.flush?.();
}

function closed(client: EventClient): Promise<void> {
  return closedWithin(
    longestCloseMs,
    () => closeClient(client),
    () => {},
  );
}

/** Its connection has ended for good: the driver of Redis or of NATS has given up. */
function hasEnded(client: object): boolean {
  const { pubClient, natsClient } = client as Within;
  return pubClient?.status === 'end' || natsClient?.isClosed?.() === true;
}
