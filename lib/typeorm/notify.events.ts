import { EventChannel } from '../ports/event.channel.js';
import type { Database } from './database.js';
import type { NotifyConnection } from './notify.connection.js';
import { tellEventsSql } from './sql/tell.events.sql.js';

// Messages are best effort: nobody is told that some were missed.
const unwatched = { lost: () => undefined, resumed: () => undefined };

/** Messages by NOTIFY: one statement for many, heard on the connection of the wake signal. */
export class NotifyEvents extends EventChannel {
  /** PostgreSQL takes payloads of less than 8,000 bytes. */
  readonly maxBytes = 7_999;

  constructor(
    private readonly connection: NotifyConnection,
    private readonly channel: string,
    private readonly database: () => Database,
  ) {
    super();
  }

  async publish(messages: readonly string[]): Promise<void> {
    await this.database().run(tellEventsSql(), [this.channel, messages]);
  }

  subscribe(listener: (message: string) => void): Promise<() => Promise<void>> {
    return this.connection.listen({ channel: this.channel, hear: listener, ...unwatched });
  }
}
