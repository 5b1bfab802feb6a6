import type { ChronisEventName } from './event.map.js';

/** Where an event comes from. @publicApi */
export interface EventOrigin<N extends ChronisEventName = ChronisEventName> {
  name: N;
  /** When it was told, by the clock of that instance. */
  at: Date;
  /** Another instance has seen it, and shares its events (`shareEvents`). */
  remote: boolean;
  /** The name of the instance that has seen it. */
  instance: string;
}

/** @publicApi */
export interface ListenOptions {
  /** Also what other instances share. @default false */
  remote?: boolean;
}

/** @publicApi */
export interface StreamOptions extends ListenOptions {
  /** Ends the stream. */
  signal?: AbortSignal;
  /** How many events wait at most until they are taken, 1 to 1,000,000; the oldest go first. @default 1,000 */
  bufferSize?: number;
}
