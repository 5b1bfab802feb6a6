import { messageOf } from '../events/shown.error.js';
import { ResultTooLargeError, StepResultError } from '../model/errors.js';
import { toJson, type JsonValue } from '../model/json.js';
import type { ClaimedRun } from '../model/run.js';
import { maxStepResult } from '../ports/storage.adapter.js';

/** What a durable step has returned. What is refused here has been done already, so the run is not tried again. */
export function asResult(runId: string, name: string, value: unknown): JsonValue {
  const { result, bytes } = measured(runId, name, value);
  if (bytes <= maxStepResult) return result;
  const problem = `it is ${bytes} bytes as JSON, more than the limit of ${maxStepResult}. Store large things elsewhere, and return where they are.`;
  throw new StepResultError(runId, name, problem);
}

/** What the step of a workflow has returned, for those that come after it. Throws StepResultError, ResultTooLargeError. */
export function handedOn({ id, flowStep }: ClaimedRun, value: unknown): JsonValue {
  const { result, bytes } = measured(id, flowStep!.name, value);
  if (bytes <= maxStepResult) return result;
  throw new ResultTooLargeError(id, bytes, maxStepResult);
}

function measured(runId: string, name: string, value: unknown): { result: JsonValue; bytes: number } {
  if (value === undefined || value === null) return { result: null, bytes: 0 };
  try {
    const result = toJson(value, 'result', Infinity, true);
    return { result, bytes: Buffer.byteLength(JSON.stringify(result)) };
  } catch (error) {
    throw new StepResultError(runId, name, messageOf(error));
  }
}
