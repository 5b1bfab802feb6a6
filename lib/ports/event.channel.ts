/**
 * Carries short messages between all that use a storage. Best effort: a message may be lost while a connection is, and nobody is told; those that
 * arrive are whole, and those of one `publish` are in order. @publicApi
 */
export abstract class EventChannel {
  /** The longest message, in bytes of UTF-8. */
  abstract readonly maxBytes: number;
  /** Hands messages to all subscribers of all adapters, those of this one included. Rejects when they cannot be sent. */
  abstract publish(messages: readonly string[]): Promise<void>;
  /** Begins to deliver. Reconnects by itself. Resolves when listening, or rejects when it cannot. */
  abstract subscribe(listener: (message: string) => void): Promise<() => Promise<void>>;
}
