import { StorageError } from '../model/errors.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import { messageOf } from './database.js';

/** A connection of pg, as far as it is needed here. */
export interface ListeningClient {
  connect(): Promise<unknown>;
  query(text: string): Promise<unknown>;
  end(): Promise<void>;
  on(event: 'notification', listener: (message: { channel: string; payload?: string }) => void): void;
  on(event: 'error' | 'end', listener: () => void): void;
}

/** What is heard on one channel. */
export interface Hearing {
  channel: string;
  hear(payload: string): void;
  /** The connection was lost and is there again: something may have been missed. */
  resumed(): void;
}

const firstDelayMs = 100;
const longestDelayMs = 10_000;

/**
 * Hears notifications, on a connection of its own for all channels, which is there while somebody listens.
 *
 * idle → listening (the first hearing) → lost (the connection broke) → listening (tried with growing pauses; then `resumed`) → idle (the last
 * one has left).
 */
export class NotifyConnection {
  private readonly hearings = new Set<Hearing>();
  /** The channels that the present connection listens on. */
  private channels = new Set<string>();
  private client: ListeningClient | null = null;
  private connecting: Promise<void> | null = null;
  private cancelRetry: CancelTimer | null = null;
  private failures = 0;

  constructor(
    private readonly newClient: () => ListeningClient,
    private readonly clock: Clock,
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

  /** All hearings are over. */
  async close(): Promise<void> {
    this.hearings.clear();
    await this.disconnect();
  }

  private async leave(hearing: Hearing): Promise<void> {
    this.hearings.delete(hearing);
    if (this.hearings.size === 0) return this.disconnect();
    const { channel } = hearing;
    if (this.wanted().has(channel) || !this.channels.delete(channel)) return;
    await this.client?.query(`unlisten ${channel}`).catch(() => undefined);
  }

  private wanted(): Set<string> {
    return new Set([...this.hearings].map(({ channel }) => channel));
  }

  private async ensure(client: ListeningClient, channel: string): Promise<void> {
    if (this.channels.has(channel)) return;
    this.channels.add(channel);
    await client.query(`listen ${channel}`);
  }

  private async connect(): Promise<void> {
    const client = this.newClient();
    let broken = false;
    const lose = (): void => {
      broken = true;
      if (this.client === client) this.lost();
    };
    client.on('error', lose);
    client.on('end', lose);
    client.on('notification', ({ channel, payload = '' }) => {
      for (const hearing of this.hearings) if (hearing.channel === channel) hearing.hear(payload);
    });
    try {
      await client.connect();
      this.channels = new Set();
      for (const channel of this.wanted()) await this.ensure(client, channel);
      if (broken) throw new StorageError('The connection was lost.');
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    } finally {
      this.connecting = null;
    }
    if (this.hearings.size === 0) return client.end();
    this.client = client;
    this.failures = 0;
  }

  private lost(): void {
    this.client = null;
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
        () => this.lost(),
      );
    });
  }

  private async disconnect(): Promise<void> {
    this.cancelRetry?.();
    this.cancelRetry = null;
    await this.connecting?.catch(() => undefined);
    const { client } = this;
    this.client = null;
    await client?.end().catch(() => undefined);
  }
}
