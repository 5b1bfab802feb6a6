import { randomUUID } from 'node:crypto';
import type { ChronisEvents } from '../events/chronis.events.js';
import type { ChronisEventName } from '../events/event.map.js';
import { packEvents, unpackEvents, type SharedEvent } from '../events/event.wire.js';
import { InvalidOptionError, StorageError } from '../model/errors.js';
import type { EventChannel } from '../ports/event.channel.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import { Subscription } from './subscription.js';

/** Waiting to be told; what comes beyond is lost. */
const mostWaiting = 10_000;
const largestBatch = 1_000;
const closingMs = 200;

/**
 * Tells the events of this process to other instances, and theirs to those here who ask for them. Best effort: what cannot be told is lost, which the event
 * `sharing.failing` tells, once until it works again. What arrives is never told on.
 *
 * Batches form by themselves, as those of the settler do: what happens while a message is under way goes into the next one.
 */
export class EventSharer {
  private readonly id = randomUUID();
  private channel: EventChannel | null = null;
  private waiting: SharedEvent[] = [];
  private telling: Promise<void> | null = null;
  private serial = 0;
  private failing = false;
  private stops: (() => unknown)[] = [];

  constructor(
    private readonly storage: StorageAdapter,
    private readonly events: ChronisEvents,
    private readonly instance: string,
    /** Which events are told; null: none, and those of others are not heard either. */
    private readonly names: readonly ChronisEventName[] | null,
    private readonly clock: Clock,
  ) {}

  /** Throws InvalidOptionError when the storage cannot. */
  async start(): Promise<void> {
    if (this.names === null) return;
    const { eventChannel, kind } = this.storage;
    if (!eventChannel) {
      throw new InvalidOptionError(
        'shareEvents',
        `the storage "${kind}" cannot carry events to other instances. Leave the option out; on PostgreSQL leave notify: true.`,
      );
    }
    this.channel = eventChannel;
    for (const name of this.names) {
      this.stops.push(
        this.events.on(name, (event, { at }) => this.collect({ name, at: at.getTime(), event })),
      );
    }
    const subscription = new Subscription({
      subscribe: () => eventChannel.subscribe((message) => this.receive(message)),
      clock: this.clock,
      random: Math.random,
      onRefused: (error) => this.fail(0, error),
      onAccepted: () => (this.failing = false),
    });
    this.stops.push(() => subscription.end());
    await subscription.begin();
  }

  /** Tells what waits, for a moment, then ends. Never rejects. */
  async close(): Promise<void> {
    if (this.telling !== null) await this.atMost(closingMs, this.telling);
    const ended = this.stops.splice(0).map((stop) => Promise.resolve(stop()).catch(() => undefined));
    await this.atMost(closingMs, Promise.all(ended));
  }

  private async atMost(ms: number, work: Promise<unknown>): Promise<void> {
    let cancel: CancelTimer | undefined;
    const over = new Promise<void>((resolve) => {
      cancel = this.clock.setTimer(ms, resolve);
    });
    await Promise.race([work, over]);
    cancel?.();
  }

  private collect(event: SharedEvent): void {
    if (this.waiting.length >= mostWaiting) {
      return this.fail(1, new StorageError('More events happen than can be told.'));
    }
    this.waiting.push(event);
    this.telling ??= this.tell();
  }

  private async tell(): Promise<void> {
    // What happens in one turn of the event loop makes one message.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, largestBatch);
      const sender = { from: this.id, instance: this.instance, serial: this.serial++ };
      try {
        const { messages, lost } = packEvents(sender, batch, this.channel!.maxBytes);
        if (messages.length > 0) await this.channel!.publish(messages);
        this.failing = false;
        if (lost > 0) this.fail(lost, new StorageError('They are too large for a message.'));
      } catch (error) {
        this.fail(batch.length, error);
      }
    }
    this.telling = null;
  }

  private fail(events: number, error: unknown): void {
    if (this.failing) return;
    this.failing = true;
    this.events.emit('sharing.failing', { events, error });
  }

  private receive(text: string): void {
    const message = unpackEvents(text);
    if (message === null || message.from === this.id) return;
    const { instance } = message;
    for (const { name, at, event } of message.events) {
      this.events.receive(event, { name, at: new Date(at), instance });
    }
  }
}
