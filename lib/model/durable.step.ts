import type { JsonValue } from './json.js';

/** `step`: work of the handler · `sleep`: until a time · `signal`: until somebody sends one. @publicApi */
export type DurableStepKind = 'step' | 'sleep' | 'signal';

/**
 * `ended`: later attempts do not run it again · `timed_out`: it has ended without its signal · `sleeping`, `waiting` (for a signal) and `retrying`: it goes on later · `failed`: the next attempt runs it again. @publicApi
 */
export type DurableStepState = 'ended' | 'timed_out' | 'sleeping' | 'waiting' | 'retrying' | 'failed';

/** A durable step of a run, as far as it is on record: one that an attempt runs at present for the first time is not. @publicApi */
export interface DurableStep {
  /** Unique in its run. What sleeps or waits without a name of its own has its number: `sleep 1`, `wait for "approved" 1`. */
  name: string;
  kind: DurableStepKind;
  state: DurableStepState;
  /** Which step of its run it was, from 1; null: it ran beside others, or came after such. */
  position: number | null;
  /** The attempt that has come to it last. */
  attempt: number;
  /** When the attempt began it that came to it first. */
  startedAt: Date;
  finishedAt: Date | null;
  /** What it waits for now; null: for nothing. `until` null: for as long as it takes; `signal` null: for the time alone. */
  waitsFor: { until: Date | null; signal: string | null } | null;
  /** How often it has failed since it was tried the first time, by its own retries. */
  failures: number;
  /** What it has thrown last, as text; null: nothing, or it has ended. */
  error: string | null;
  /** What it returned, or the signal brought; null also where it has not ended. */
  result: JsonValue;
}
