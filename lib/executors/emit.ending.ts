/** What clients of `@nestjs/microservices` have within them: that of Redis two connections, that of RabbitMQ a manager of them, that of Kafka a producer. */
interface Connections {
  pubClient?: Disconnects | null;
  subClient?: Disconnects | null;
  client?: Manager | null;
}
interface Manager {
  close?: () => unknown;
  connection?: { connection?: { stream?: Stream } };
  once?: (event: 'connectFailed', listener: () => void) => unknown;
  _cancelRetriesHandler?: () => void;
}
interface Disconnects {
  disconnect?: () => unknown;
  stream?: Stream;
}
interface Stream {
  destroy?: () => unknown;
}

/**
 * Closes something; where it has not within that time, it is cut off. Never rejects: the other side may be silent or gone, and the application that ends has other things to give back.
 */
export async function closedWithin(ms: number, close: () => unknown, cutOff: () => unknown): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<true>((done) => (timer = setTimeout(done, ms, true)));
  const closed = attempted(close).then(() => false);
  const isLate = await Promise.race([closed, late]);
  clearTimeout(timer);
  if (isLate) void attempted(cutOff);
}

/** Of a client of RabbitMQ, as far as they say how it connects. */
interface RabbitOptions {
  urls?: unknown;
  socketOptions?: { connectionOptions?: object };
}

/** Options of a client of RabbitMQ whose sockets end with the signal: nobody has them before the other side has answered. */
export function withSignal<T extends object>(given: T, signal: AbortSignal): T {
  const { options = {} } = given as { options?: RabbitOptions };
  const connectionOptions = { ...options.socketOptions?.connectionOptions, signal };
  const urls = Array.isArray(options.urls) ? options.urls.map((url: unknown) => own(url)) : options.urls;
  const socketOptions = { ...options.socketOptions, connectionOptions };
  return { ...given, options: { ...options, ...(urls !== undefined && { urls }), socketOptions } };

  /** A URL may have options in place of those of all. */
  function own(url: unknown): unknown {
    const { connectionOptions: of } = (url ?? {}) as { connectionOptions?: object };
    return of === undefined ? url : { ...(url as object), connectionOptions: { ...of, signal } };
  }
}

/** Ends the connections of a client without a word to the other side; `connecting`: those that are being made. */
export function cutOffClient(client: object, connecting: AbortController): void {
  const { pubClient, subClient, client: manager } = client as Connections;
  // It would wait until its next try is due, and then do nothing.
  void attempted(() =>
    manager?.once?.('connectFailed', () => setImmediate(() => manager._cancelRetriesHandler?.())),
  );
  connecting.abort();
  for (const connection of [pubClient, subClient]) disconnect(connection);
  void attempted(() => manager?.close?.());
  void attempted(() => manager?.connection?.connection?.stream?.destroy?.());
}

function disconnect(connection: Disconnects | null | undefined): void {
  // Else it would connect again, and keep what is to be written.
  void attempted(() => connection?.disconnect?.());
  void attempted(() => connection?.stream?.destroy?.());
}

async function attempted(work: () => unknown): Promise<void> {
  try {
    await work();
  } catch {
    // It is over either way.
  }
}
