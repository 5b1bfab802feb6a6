import type { JsonValue } from '../model/json.js';
import type { RunVerdict } from '../model/verdict.js';
import type { EpochMs } from './epoch.ms.js';

/** What was decided from outside about a flow: its run gets it once none of its steps is in the hands of a worker. */
export interface FlowEnding {
  outcome: RunVerdict;
  error: string | null;
  fingerprint: string | null;
  result: JsonValue;
  /** When it was decided. */
  at: EpochMs;
}
