import type { ClaimedRun } from '../model/run.js';
import type { AnyTransactionOptions, TransactionWork } from '../ports/run.transaction.js';
import type { Clock } from '../ports/clock.js';
import type {
  EpochMs,
  Hold,
  NewRunStep,
  RunStep,
  RunStepRecord,
  RunStepWait,
  SignalWait,
} from '../ports/storage.adapter.js';

/** What the tries of a step need. */
export interface TryParts {
  clock: Clock;
  abortGraceMs: number;
  /** That of the attempt. */
  signal: () => AbortSignal;
  onListenerFailed: (error: unknown) => void;
}

/** Of one attempt. */
export interface StepParts {
  run: ClaimedRun;
  /** In the storage's time. */
  now: () => EpochMs;
  read: () => Promise<RunStep[]>;
  record: (hold: Hold, step: NewRunStep) => Promise<boolean>;
  recordWait: (hold: Hold, wait: RunStepWait) => Promise<boolean>;
  takeSignal: (hold: Hold, wait: SignalWait) => Promise<RunStep | null>;
  /** Repeats a call to the storage until it succeeds; null: the run is not this attempt's any more. */
  insist: <T>(operation: string, call: () => Promise<T>) => Promise<T | null>;
  /** As `StorageAdapter.transaction`. Throws InvalidOptionError, TransactionNotSupportedError where there can be none. */
  transact: <T>(
    work: TransactionWork<T>,
    conclude: (value: T) => RunStepRecord,
    options: AnyTransactionOptions,
  ) => Promise<T>;
  /** Throws why the attempt is to stop, if it is. */
  throwIfAborted: () => void;
  isAborted: () => boolean;
  tries: TryParts;
  /** Ends the attempt until then, although its handler has not returned. Infinity: until a signal comes. */
  suspend: (until: EpochMs) => void;
}
