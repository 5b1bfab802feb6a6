/** What clients of `@nestjs/microservices` have within them: that of Redis two connections, that of RabbitMQ a manager of them, that of Kafka a producer. */
interface Connections {
  pubClient?: Disconnects | null;
  subClient?: Disconnects | null;
  client?: { close?: () => unknown; connection?: { connection?: { stream?: Stream } } } | null;
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

/** Ends the connections of a client without a word to the other side. */
export function cutOffClient(client: object): void {
  const { pubClient, subClient, client: manager } = client as Connections;
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
