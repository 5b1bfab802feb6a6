import { StorageError } from '../model/errors.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import { WakeSignal, type Wake } from '../ports/wake.signal.js';
import { messageOf } from './database.js';

/** A connection of pg, as far as it is needed here. */
export interface ListeningClient {
  connect(): Promise<unknown>;
  query(text: string): Promise<unknown>;
  end(): Promise<void>;
  on(event: 'notification', listener: (message: { channel: string; payload?: string }) => void): void;
  on(event: 'error' | 'end', listener: () => void): void;
}

const firstDelayMs = 100;
const longestDelayMs = 10_000;

/**
 * Wakes by LISTEN, on a connection of its own, which is there while somebody listens.
 *
 * idle → listening (the first subscriber) → lost (the connection broke) → listening (tried with growing pauses; then one `change`, as
 * something may have been missed) → idle (the last one has left).
 */
export class NotifySignal extends WakeSignal {
  private readonly listeners = new Set<{ deliver: (wake: Wake) => void }>();
  private client: ListeningClient | null = null;
  private connecting: Promise<void> | null = null;
  private cancelRetry: CancelTimer | null = null;
  private failures = 0;

  constructor(
    private readonly newClient: () => ListeningClient,
    private readonly channel: string,
    private readonly clock: Clock,
  ) {
    super();
  }

  async subscribe(deliver: (wake: Wake) => void): Promise<() => Promise<void>> {
    // An object of its own for each subscription, so that one listener may be subscribed twice.
    const listener = { deliver };
    this.listeners.add(listener);
    try {
      if (this.client === null) await (this.connecting ??= this.connect());
    } catch (cause) {
      await this.leave(listener);
      throw new StorageError(`LISTEN is not possible: ${messageOf(cause)}`, { cause });
    }
    return () => this.leave(listener);
  }

  /** All subscriptions are over. */
  async close(): Promise<void> {
    this.listeners.clear();
    await this.disconnect();
  }

  private async leave(listener: { deliver: (wake: Wake) => void }): Promise<void> {
    this.listeners.delete(listener);
    if (this.listeners.size === 0) await this.disconnect();
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
      if (channel === this.channel) this.tell(toWake(payload));
    });
    try {
      await client.connect();
      await client.query(`listen ${this.channel}`);
      if (broken) throw new StorageError('The connection was lost.');
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    } finally {
      this.connecting = null;
    }
    if (this.listeners.size === 0) return client.end();
    this.client = client;
    this.failures = 0;
  }

  private lost(): void {
    this.client = null;
    if (this.listeners.size === 0 || this.cancelRetry !== null) return;
    const delayMs = Math.min(firstDelayMs * 2 ** Math.min(this.failures++, 10), longestDelayMs);
    this.cancelRetry = this.clock.setTimer(delayMs, () => {
      this.cancelRetry = null;
      if (this.client !== null || this.listeners.size === 0) return;
      this.connecting ??= this.connect();
      this.connecting.then(
        () => this.tell({ kind: 'change' }),
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

  private tell(wake: Wake): void {
    for (const { deliver } of this.listeners) deliver(wake);
  }
}

/** What a notification says: `due <epoch ms>`, `cancel` or `change`; what a later release may say is a change too. */
function toWake(payload: string): Wake {
  if (payload === 'cancel') return { kind: 'cancel' };
  const due = /^due (-?\d+)$/.exec(payload);
  return due ? { kind: 'due', at: Number(due[1]) } : { kind: 'change' };
}
