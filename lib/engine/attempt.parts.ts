import type { Redactor } from '../events/redactor.js';
import type { Clock } from '../ports/clock.js';
import type { EpochMs, Settlement, StorageAdapter } from '../ports/storage.adapter.js';
import type { Ending } from './attempt.ending.js';
import type { LogWriter } from './attempt.log.js';
import type { ProgressWriter } from './attempt.progress.js';
import type { HandlerLogger } from './run.context.js';
import type { RunningRun } from './running.run.js';
import type { AddedSteps } from './step.end.js';
import type { Tracing } from './tracing.js';

/** What the attempts of a worker have in common. */
export interface AttemptParts {
  storage: StorageAdapter;
  clock: Clock;
  abortGraceMs: number;
  logger: (handler: string) => HandlerLogger;
  /** Of what handlers log. */
  redactor: Redactor;
  tracing: Tracing;
  /** Null: the storage keeps no logs. */
  logs: LogWriter | null;
  progresses: ProgressWriter;
  /** The storage's time. */
  now: () => EpochMs;
  /** Repeats a call to the storage until it succeeds, or is not needed any more. */
  insist: <T>(operation: string, call: () => Promise<T>, isNeeded: () => boolean) => Promise<T | null>;
  /** The settlement of an attempt whose transaction is about to be committed. */
  conclude: (running: RunningRun, ending: Ending) => Settlement;
  /** What a step adds to its workflow, as it is stored. */
  addedSteps: AddedSteps;
  /** Called once, also while `begin` is under way. */
  onEnded: (running: RunningRun, ending: Ending) => void;
  /** Called with what a listener of the signal has thrown. */
  onListenerFailed: (error: unknown) => void;
}
