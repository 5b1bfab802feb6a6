import type { RunContext } from '../engine/run.context.js';
import type { JsonValue } from '../model/json.js';

type Results = Readonly<Record<string, JsonValue>>;

/** What parameters with `@FromStep()` get, for as long as their run is executed. */
const loaded = new WeakMap<RunContext, Results>();

export function noteStepResults(context: RunContext, results: Results): void {
  loaded.set(context, results);
}

/** Null: the step has not succeeded. */
export function stepResultFor(context: RunContext, step: string): JsonValue {
  return loaded.get(context)?.[step] ?? null;
}
