import { StorageError } from '../../model/errors.js';
import type { Clock } from '../../ports/clock.js';
import { columnParsers } from '../column.parsers.js';
import { installedDriver, withoutRefused } from '../connect.js';
import { clientSettings, describeServer, type StartupSettings } from '../connection.settings.js';
import { messageOf } from '../sql.errors.js';
import { destroy } from '../sockets.js';
import type { PostgresOptions } from '../typeorm.options.js';

interface Client {
  /** As the server or a pooler has told it at the start of the connection. */
  processID?: number | null;
  connect(): Promise<unknown>;
  query(query: object): Promise<{ rows: unknown[] }>;
  end(): Promise<void>;
  on(event: 'notification', listener: (message: { channel: string }) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** What a session is opened with. */
export interface SessionNeeds {
  clock: Clock;
  /** Of each statement. */
  timeoutMs: number;
  /** What the connections of the storage ask for. */
  statementTimeoutMs: number;
}

/** The client waits a little longer than the server, which keeps the connection. */
const graceMs = 500;

/** A connection like those of the storage, which only reads: each statement is in a read-only transaction of its own, with a deadline. */
export class DoctorSession {
  private constructor(
    private readonly client: Client,
    readonly place: string,
    private readonly needs: SessionNeeds,
  ) {}

  /** Throws StorageError, which names the server and never a password. */
  static async open(server: PostgresOptions, needs: SessionNeeds): Promise<DoctorSession> {
    const place = describeServer(server);
    let startup: StartupSettings = { deadline: true, options: true };
    for (;;) {
      const client = newClient(server, needs, startup);
      client.on('error', () => undefined);
      try {
        await client.connect();
        return new DoctorSession(client, place, needs);
      } catch (cause) {
        destroy(client);
        const accepted = withoutRefused(startup, cause);
        if (accepted === null) {
          throw new StorageError(`PostgreSQL at ${place} cannot be examined: ${messageOf(cause)}`, { cause });
        }
        startup = accepted;
      }
    }
  }

  /** The rows of one statement. */
  async rows<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    // What the database says must not end the transaction between two statements, nor change how the catalogue is written out.
    await this.send(
      `begin read only; set local statement_timeout = ${this.needs.timeoutMs}; set local idle_in_transaction_session_timeout = 0; set local quote_all_identifiers = off`,
    );
    try {
      return await this.send<Row>(text, values);
    } finally {
      // A notification is sent by a commit.
      await this.send('commit');
    }
  }

  /** The same with no setting but those that the session has begun with. */
  unset<Row>(text: string): Promise<Row[]> {
    return this.send<Row>(text);
  }

  /** The only row. */
  async row<Row>(text: string, values: readonly unknown[] = []): Promise<Row> {
    const [row] = await this.rows<Row>(text, values);
    return row!;
  }

  /** Resolves when a notification has come on the channel after `notify`; false: none has within the time. */
  async hears(channel: string, notify: () => Promise<unknown>, withinMs: number): Promise<boolean> {
    let hear: (heard: boolean) => void = () => undefined;
    const heard = new Promise<boolean>((resolve) => (hear = resolve));
    this.client.on('notification', (message) => message.channel === channel && hear(true));
    await this.send(`listen ${channel}`);
    const cancel = this.needs.clock.setTimer(withinMs, () => hear(false));
    try {
      await notify();
      return await heard;
    } finally {
      cancel();
    }
  }

  /** Whether somebody between here and the server has answered the start of the connection. */
  async isPooled(): Promise<boolean> {
    const { pid } = await this.row<{ pid: number }>('select pg_backend_pid() as pid');
    const told = this.client.processID ?? null;
    return told !== null && told !== pid;
  }

  /** Never rejects. */
  async end(): Promise<void> {
    await this.client.end().catch(() => undefined);
    destroy(this.client);
  }

  private async send<Row>(text: string, values?: readonly unknown[]): Promise<Row[]> {
    const query_timeout = this.needs.timeoutMs + graceMs;
    const result = await this.client.query({ text, values, query_timeout, types: columnParsers });
    return result.rows as Row[];
  }
}

function newClient(server: PostgresOptions, needs: SessionNeeds, startup: StartupSettings): Client {
  const driver = (server.driver as ReturnType<typeof installedDriver> | undefined) ?? installedDriver();
  const config = {
    ...clientSettings(server, needs.timeoutMs, startup),
    application_name: 'chronis-doctor',
    ...(startup.deadline ? { statement_timeout: needs.statementTimeoutMs } : {}),
  };
  return new driver.Client(config) as unknown as Client;
}
