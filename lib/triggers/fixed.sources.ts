import type { OccurrenceSource } from './occurrence.source.js';

/** One instant. */
export function onceAt(instant: number): OccurrenceSource {
  return {
    nextFrom: (at) => (at <= instant ? instant : null),
    previousFrom: (at) => (at >= instant ? instant : null),
  };
}

/**
 * A delay after the end of each run. Only the first instant is known before it happens; what follows supposes runs that
 * take no time. Nothing can be said about the past.
 */
export function delayed(anchor: number, delayMs: number): OccurrenceSource {
  return {
    nextFrom: (at) => (at <= anchor ? anchor : at - 1 + delayMs),
    previousFrom: () => null,
  };
}

/** No instant: other jobs, or people, decide. */
export const noOccurrences: OccurrenceSource = { nextFrom: () => null, previousFrom: () => null };
