import { randomUUID } from 'node:crypto';
import { StorageError } from '../model/errors.js';
import type { Clock } from '../ports/clock.js';
import { within } from './deadline.js';

const arrivesWithinMs = 1_000;
const provenForMs = 60_000;

/**
 * Finds out whether a connection hears what others send, by a notification to itself. A pooler that gives sessions to others after each transaction takes the LISTEN and answers all else, but what is
 * sent comes to a session that is nobody's by then.
 */
export class NotifyEcho {
  /** Nobody else listens there, so nobody else is woken. */
  readonly channel = `chronis_echo_${randomUUID().replaceAll('-', '')}`;
  private hasArrived = false;
  private tellArrival = (): void => undefined;
  private tellEnd = (): void => undefined;
  private readonly ended = new Promise<void>((resolve) => (this.tellEnd = resolve));
  private provenAt = -Infinity;
  private asking: Promise<void> | null = null;

  constructor(
    /** On another connection: of what one sends oneself a pooler brings the notification with the answer. */
    private readonly send: (channel: string) => Promise<unknown>,
    /** What is said where nothing has come. */
    private readonly why: () => Promise<string>,
    private readonly clock: Clock,
    private readonly deadlineMs: number,
  ) {}

  hear(channel: string): void {
    if (channel !== this.channel) return;
    this.hasArrived = true;
    this.tellArrival();
  }

  /** The connection is lost, or given up: nobody waits any more. */
  end(): void {
    this.tellEnd();
  }

  /** Asks once a minute. `roundTrip`: on the connection that listens. Rejects with what that rejects with, and with StorageError where nothing has come. */
  async examine(roundTrip: () => Promise<unknown>): Promise<void> {
    if (this.clock.monotonic() - this.provenAt < provenForMs) return;
    this.asking ??= this.ask(roundTrip).finally(() => (this.asking = null));
    await Promise.race([this.asking, this.ended]);
  }

  private async ask(roundTrip: () => Promise<unknown>): Promise<void> {
    this.hasArrived = false;
    const arrival = new Promise<void>((resolve) => (this.tellArrival = resolve));
    try {
      await this.send(this.channel);
    } catch {
      // Nobody knows, so the next look asks again. Of a server that is gone all other calls tell.
      return;
    }
    if (!this.hasArrived) await within(Math.min(arrivesWithinMs, this.deadlineMs), arrival);
    // Where the event loop was blocked meanwhile, it is there and was not read yet.
    if (!this.hasArrived) await roundTrip();
    if (!this.hasArrived) throw new StorageError(await this.why());
    this.provenAt = this.clock.monotonic();
  }
}
