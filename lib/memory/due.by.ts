import type { EpochMs } from '../ports/storage.adapter.js';

/** What is due by then is handed out; what must not run twice, only if it is due by `onceBy`. */
export interface DueBy {
  by: EpochMs;
  onceBy: EpochMs;
}
