import type { JsonObject } from './json.js';

/** How far a run is, as its handler has told last by `context.progress()`. @publicApi */
export interface RunProgress {
  /** From 0 to 1. */
  fraction: number;
  details: JsonObject | null;
  /** Which attempt has told it. A later one that has told nothing yet leaves it as it is. */
  attempt: number;
  at: Date;
}

/** Of the details, as JSON. */
export const mostDetailBytes = 4_096;
