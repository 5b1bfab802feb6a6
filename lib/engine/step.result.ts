import { messageOf } from '../events/shown.error.js';
import { StepResultError } from '../model/errors.js';
import { toJson, type JsonValue } from '../model/json.js';

/** What a step may return, in bytes of JSON. */
export const longestStepResult = 1024 * 1024;

/** What is refused here has been done already, so the run is not tried again. */
export function asResult(runId: string, name: string, value: unknown): JsonValue {
  let result: JsonValue;
  try {
    result = value === undefined ? null : toJson(value, 'result', Infinity, true);
  } catch (error) {
    throw new StepResultError(runId, name, messageOf(error));
  }
  const bytes = Buffer.byteLength(JSON.stringify(result));
  if (bytes <= longestStepResult) return result;
  const problem = `it is ${bytes} bytes as JSON, more than the limit of ${longestStepResult}. Store large things elsewhere, and return where they are.`;
  throw new StepResultError(runId, name, problem);
}
