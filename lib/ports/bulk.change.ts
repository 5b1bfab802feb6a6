import type { PauseOrder } from './pause.ends.js';
import type { StorageAdapter } from './storage.adapter.js';

/** What shall happen to each of many jobs. */
export type BulkChange =
  | { kind: 'pause'; pause: PauseOrder }
  | { kind: 'resume'; plan: (ref: { namespace: string }) => Parameters<StorageAdapter['resumeJob']>[1] }
  | { kind: 'cancel' }
  | { kind: 'delete' };

/** What it came to. `unchanged`: it was paused, was not, had no run to cancel. */
export type BulkOutcome = 'changed' | 'unchanged' | 'not-found';
