import { StorageError } from '../model/errors.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import { columnParsers } from './column.parsers.js';
import { messageOf } from './sql.errors.js';
import { within } from './deadline.js';
import { NotifyEcho } from './notify.echo.js';
import type { Asked } from './server.place.js';
import { destroy } from './sockets.js';
import { roomInQueue } from './sql/wake.fragment.js';

/** A connection of pg, as far as it is needed here. */
export interface ListeningClient {
  connect(): Promise<unknown>;
  query(config: { text: string; query_timeout: number; types: object }): Promise<{ rows: unknown[] }>;
  end(): Promise<void>;
  on(event: 'notification', listener: (message: { channel: string; payload?: string }) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  on(event: 'end', listener: () => void): void;
}

/** Where the notifications come from. */
export interface NotifyOrigin {
  /** Notifies a channel, on another connection. */
  tell: (channel: string) => Promise<unknown>;
  /** What is said where nothing of that has come, and what mends it; `rows`: on the connection that listens. */
  whyUnheard: (rows: Asked['rows']) => Promise<string>;
}

/** What is heard on one channel. */
export interface Hearing {
  channel: string;
  hear(payload: string): void;
  /** The connection was lost; it is tried again until it is there. */
  lost(error: Error): void;
  /** The connection was lost and is there again: something may have been missed. */
  resumed(): void;
}

const firstDelayMs = 100;
const longestDelayMs = 10_000;
/** Nothing is ever sent on a connection that only listens, so nobody would notice that it leads nowhere. */
const heartbeatMs = { least: 15_000, most: 30_000 };
const closingMs = 400;
/** After a failover the server that was the primary may go on, with nobody there who notifies. */
const takesChanges = `select pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as read_only, ${roomInQueue} as has_room`;
/** Nothing is sent then. Who listens may even be one of those that the server waits for: it signals nobody any more. */
const isFull =
  'The queue of notifications of the server is full, so none are sent. A session that has listened and is idle in a transaction keeps it from being emptied: PostgreSQL names it in its log, pg_stat_activity shows it, and pg_terminate_backend() ends it.';
/** A connection that listens is idle for long. The setting is of this session alone; servers before version 14 do not have it. */
const stayOpen = `select set_config('idle_session_timeout', '0', false) where current_setting('idle_session_timeout', true) is not null`;

/**
 * Hears notifications, on a connection of its own for all channels, which is there while somebody listens.
 *
 * idle → listening (the first hearing) → lost (the connection broke, a heartbeat had no answer, the server takes no changes any more, its queue is full, or nothing arrives) → listening (tried with growing pauses; then
 * `resumed`) → idle (the last one has left).
 */
export class NotifyConnection {
  private readonly hearings = new Set<Hearing>();
  /** The channels that the present connection listens on. */
  private channels = new Set<string>();
  private client: ListeningClient | null = null;
  /** Of the connection that is there, or is being made. */
  private echo: NotifyEcho | null = null;
  /** The connection that is being made. */
  private opening: ListeningClient | null = null;
  private connecting: Promise<void> | null = null;
  private cancelRetry: CancelTimer | null = null;
  private cancelHeartbeat: CancelTimer | null = null;
  private failures = 0;

  constructor(
    private readonly newClient: () => ListeningClient,
    private readonly clock: Clock,
    private readonly deadlineMs: number,
    private readonly origin: NotifyOrigin,
  ) {}

  /** Resolves when it listens; an object for each hearing. Throws StorageError. */
  async listen(hearing: Hearing): Promise<() => Promise<void>> {
    this.hearings.add(hearing);
    try {
      if (this.client === null) await (this.connecting ??= this.connect());
      if (this.client !== null) await this.ensure(this.client, hearing.channel);
    } catch (cause) {
      await this.leave(hearing);
      throw new StorageError(`LISTEN is not possible: ${messageOf(cause)}`, { cause });
    }
    return () => this.leave(hearing);
  }

  /** Looks at once whether the connection is still there, and leads to a server that takes changes. */
  check(): void {
    if (this.client !== null) void this.beat(this.client);
  }

  /** All hearings are over. Ends within half a second, even if the server does not answer. */
  async close(): Promise<void> {
    this.hearings.clear();
    await this.disconnect();
  }

  private async leave(hearing: Hearing): Promise<void> {
    this.hearings.delete(hearing);
    if (this.hearings.size === 0) return this.disconnect();
    const { channel } = hearing;
    if (this.wanted().has(channel) || !this.channels.delete(channel)) return;
    const { client } = this;
    if (client !== null) await within(closingMs, this.send(client, `unlisten ${channel}`));
  }

  private wanted(): Set<string> {
    return new Set([...this.hearings].map(({ channel }) => channel));
  }

  private async ensure(client: ListeningClient, channel: string): Promise<void> {
    if (this.channels.has(channel)) return;
    this.channels.add(channel);
    await this.send(client, `listen ${channel}`);
  }

  private send(client: ListeningClient, text: string): Promise<{ rows: unknown[] }> {
    return client.query({ text, query_timeout: this.deadlineMs, types: columnParsers });
  }

  private async connect(): Promise<void> {
    const client = this.newClient();
    const { tell, whyUnheard } = this.origin;
    const rows: Asked['rows'] = async <Row>(text: string) => (await this.send(client, text)).rows as Row[];
    const echo = new NotifyEcho(tell, () => whyUnheard(rows), this.clock, this.deadlineMs);
    let broken: Error | null = null;
    const lose = (error = new Error('The connection was lost.')): void => {
      broken ??= error;
      echo.end();
      if (this.client === client) this.lost(error);
    };
    client.on('error', lose);
    client.on('end', () => lose());
    client.on('notification', ({ channel, payload = '' }) => {
      echo.hear(channel);
      for (const hearing of this.hearings) if (hearing.channel === channel) hearing.hear(payload);
    });
    this.opening = client;
    this.echo = echo;
    try {
      await client.connect();
      await this.send(client, stayOpen);
      await this.examine(client);
      this.channels = new Set();
      await this.ensure(client, echo.channel);
      await echo.examine(() => this.examine(client));
      for (const channel of this.wanted()) await this.ensure(client, channel);
      if (broken !== null) throw broken as Error;
    } catch (error) {
      destroy(client);
      throw error;
    } finally {
      this.opening = null;
      this.connecting = null;
    }
    if (this.hearings.size === 0) return destroy(client);
    this.client = client;
    this.failures = 0;
    this.beatLater(client);
  }

  private beatLater(client: ListeningClient): void {
    const { least, most } = heartbeatMs;
    this.cancelHeartbeat?.();
    this.cancelHeartbeat = this.clock.setTimer(
      least + Math.random() * (most - least),
      () => void this.beat(client),
    );
  }

  /** Rejects where the server does not answer, takes no changes, or has no room for notifications. */
  private async examine(client: ListeningClient): Promise<void> {
    const { rows } = await this.send(client, takesChanges);
    const { read_only, has_room } = rows[0] as { read_only: boolean; has_room: boolean };
    if (read_only) throw new StorageError('The server takes no changes, as after a failover.');
    if (!has_room) throw new StorageError(isFull);
  }

  /** Never rejects. */
  private async beat(client: ListeningClient): Promise<void> {
    try {
      await this.examine(client);
      if (this.client === client) await this.echo?.examine(() => this.examine(client));
      if (this.client === client) this.beatLater(client);
    } catch (error) {
      destroy(client);
      if (this.client === client) this.lost(error as Error);
    }
  }

  private lost(error: Error): void {
    this.client = null;
    this.cancelHeartbeat?.();
    for (const hearing of this.hearings) hearing.lost(error);
    this.retryLater();
  }

  private retryLater(): void {
    if (this.hearings.size === 0 || this.cancelRetry !== null) return;
    const delayMs = Math.min(firstDelayMs * 2 ** Math.min(this.failures++, 10), longestDelayMs);
    this.cancelRetry = this.clock.setTimer(delayMs, () => {
      this.cancelRetry = null;
      if (this.client !== null || this.hearings.size === 0) return;
      this.connecting ??= this.connect();
      this.connecting.then(
        () => {
          for (const hearing of this.hearings) hearing.resumed();
        },
        () => this.retryLater(),
      );
    });
  }

  private async disconnect(): Promise<void> {
    this.cancelRetry?.();
    this.cancelRetry = null;
    this.cancelHeartbeat?.();
    if (this.opening !== null) destroy(this.opening);
    this.echo?.end();
    await this.connecting?.catch(() => undefined);
    const { client } = this;
    this.client = null;
    if (client === null) return;
    await within(closingMs, client.end());
    destroy(client);
  }
}
