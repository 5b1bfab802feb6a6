/** A client of pg, as far as its connection matters. */
export interface Connected {
  on(event: 'error' | 'end', listener: () => void): unknown;
  query(...query: unknown[]): unknown;
  connection?: { stream?: { destroy(): void } };
  binary?: boolean;
}

export type ClientClass<C> = new (config: object) => C;

/** What pg says of a query whose `query_timeout` is over. */
const readTimeout = 'Query read timeout';

/** Ends a connection without asking the server, which may not answer. Never throws: it is called by timers, and of what is no client of pg nothing can be ended. */
export function destroy(client: unknown): void {
  try {
    (client as Partial<Connected> | null)?.connection?.stream?.destroy();
  } catch {
    // Whoever waits for its answer is told that there is none.
  }
}

/** The connections of one pool and what belongs to it. */
export class Sockets {
  private readonly open = new Set<Connected>();

  /**
   * The class whose clients are known here. They read text whatever `pg.defaults.binary` says, since our parsers do, and end with a query that had no
   * answer in time: the answer may still come, and must not be taken for that of the next one.
   */
  of<C extends Connected>(Client: ClientClass<C>): ClientClass<C> {
    const { open } = this;
    const construct = function (config: object): C {
      const client = new Client(config);
      client.binary = false;
      open.add(client);
      // The pool listens while a client is idle, and a server may say goodbye in the very message that opens a connection, or to one that was given back as
      // broken. The query under way is told; an event that nobody listens to would end the process.
      client.on('error', () => undefined);
      client.on('end', () => open.delete(client));
      const query = client.query.bind(client);
      client.query = (...given: unknown[]): unknown => {
        const result = query(...given);
        if (result instanceof Promise) {
          result.catch((error: unknown) => {
            if (error instanceof Error && error.message === readTimeout) destroy(client);
          });
        }
        return result;
      };
      return client;
    };
    return construct as unknown as ClientClass<C>;
  }

  destroyAll(): void {
    for (const client of this.open) destroy(client);
  }
}
