import type { DurableStepKind } from '../model/durable.step.js';
import type { JsonValue } from '../model/json.js';
import type { EpochMs } from './epoch.ms.js';
import type { Hold } from './loop.js';

/** Which durable step of a run it is. */
export interface RunStepPlace {
  /** Unique in its run. */
  name: string;
  kind: DurableStepKind;
  /** Which step of the run it was, from 1, where the steps before it had all ended; null: it ran beside others, or came after such. */
  position: number | null;
  attempt: number;
  startedAt: EpochMs;
}

/** A durable step of a run that has ended, as it is to be kept. */
export interface NewRunStep extends RunStepPlace {
  /** The how manieth of its run's steps it was to end, from 1: later attempts have their results in this order. */
  ended: number;
  result: JsonValue;
}

/** A durable step that has not ended: it sleeps, or has failed. */
export interface RunStepWait extends RunStepPlace {
  /** Until when it sleeps, or waits for its retry; null: for nothing. */
  until: EpochMs | null;
  /** How often it has failed since it was tried the first time. */
  failures: number;
  /** What it has thrown last; null: nothing. */
  error: string | null;
}

/** A durable step that waits for a signal. */
export interface SignalWait extends RunStepPlace {
  signal: string;
  /** Then it has timed out; null: never. The first one of that name that is kept decides. */
  until: EpochMs | null;
  /** Names of the waits for this signal that the attempt has come to before, in this order, and that had none. Those that still have none have theirs first. */
  after: readonly string[];
  /** See `NewRunStep`, if it ends now. */
  ended: number;
}

/** A signal for a run. */
export interface NewRunSignal {
  name: string;
  payload: JsonValue;
}

/** What became of a signal, see `StorageAdapter.sendRunSignal`. @publicApi */
export type SignalAnswer = 'sent' | 'full' | 'unheard' | null;

/** A durable step that is kept by the transaction of the handler in which it was done. */
export interface RunStepRecord extends Hold {
  step: NewRunStep;
}

/** A durable step as it is stored. One that has ended is not run again by later attempts of the run. */
export interface RunStep extends RunStepWait {
  /** Null: it has not ended. */
  finishedAt: EpochMs | null;
  /** See `NewRunStep`; null: it has not ended. */
  ended: number | null;
  /** What it returned, or the signal brought. */
  result: JsonValue;
  /** What it waits, or has waited, for; null: it is another kind. */
  signal: string | null;
  /** It has ended without the signal. */
  timedOut: boolean;
}

/** So many signals of a run may wait to be taken. */
export const mostRunSignals = 1_000;
