import type { JsonValue } from '../model/json.js';
import type { EpochMs } from './epoch.ms.js';
import type { Hold } from './loop.js';

/** A durable step of a run, as it is to be kept. */
export interface NewRunStep {
  /** Unique in its run. */
  name: string;
  /** Which step of the run it was, from 1, where the steps before it had all ended; null: it ran beside others, or came after such. */
  position: number | null;
  result: JsonValue;
  attempt: number;
  startedAt: EpochMs;
}

/** A durable step that is kept by the transaction of the handler in which it was done. */
export interface RunStepRecord extends Hold {
  step: NewRunStep;
}

/** A durable step that has ended: later attempts of the run do not run it again. */
export interface RunStep extends NewRunStep {
  finishedAt: EpochMs;
}
