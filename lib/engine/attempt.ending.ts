import type { EpochMs, NewFlow, StepEnd } from '../ports/storage.adapter.js';
import type { OpenDeadline } from './open.deadline.js';

/**
 * How a handler ended. `snoozed`: it returned, and wants to be called again later · `opened`: it returned, and the verdict comes from outside · `suspended`: it sleeps, and is called again then · `abandoned`: it went on after its signal and the grace time ·
 * `expired`: it was not called, as the deadline of the open run has passed.
 */
export type Ending =
  | { kind: 'returned'; value: unknown; step?: StepEnd }
  | { kind: 'snoozed'; delayMs: number }
  | { kind: 'opened'; deadline: OpenDeadline; flow?: NewFlow }
  | { kind: 'suspended'; until: EpochMs }
  | { kind: 'threw'; error: unknown }
  | { kind: 'abandoned' }
  | { kind: 'expired' };
