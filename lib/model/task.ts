import type { JsonObject, JsonValue } from './json.js';

/** What is to be done, as data: the type names the executor, and the rest is what that takes. Of an interface give a copy: `{ ...mine }`. @publicApi */
export interface TaskInput {
  readonly type: string;
  readonly [option: string]: unknown;
}

/** A task as it is stored. @publicApi */
export type Task = JsonObject & { type: string };

/** Given in place of a handler and its payload. @publicApi */
export interface TaskOption {
  /** What is to be done, without code of its own: `{ type: 'http', url }`. Some worker has the executor of its type. */
  task: TaskInput;
}

/** The names of handlers that begin so are those of executors: a job with a task is one whose handler is named by its type, and whose payload is the rest of the task. */
const prefix = 'task:';

/** The longest that fits, with the prefix, where names of handlers are stored. */
export const maxTaskType = 250;

/** The handler that carries out tasks of the type. */
export function taskHandler(type: string): string {
  return prefix + type;
}

/** The type of the tasks that the handler carries out; null: it is no executor. */
export function taskTypeOf(handler: string): string | null {
  return handler.startsWith(prefix) ? handler.slice(prefix.length) : null;
}

/** The task of a job or a run, `{ type, … }`; null: it has a handler of its own. @publicApi */
export function taskOf({ handler, payload }: { handler: string; payload: JsonValue }): Task | null {
  const type = taskTypeOf(handler);
  if (type === null) return null;
  const isObject = typeof payload === 'object' && payload !== null && !Array.isArray(payload);
  const { type: _, ...rest } = isObject ? payload : ({} as JsonObject);
  return { type, ...rest };
}
