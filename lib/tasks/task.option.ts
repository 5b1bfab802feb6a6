import { InvalidOptionError } from '../model/errors.js';
import { maxTaskType, taskHandler } from '../model/task.js';
import { described, lineOfText } from '../scheduler/option.checks.js';

/** What a task is stored as. */
export interface TaskJob {
  handler: string;
  payload: Readonly<Record<string, unknown>>;
}

const wayOut = "Give an object with its type: { type: 'http', … }.";

/** The handler and the payload of a task. Throws InvalidOptionError; what else is wrong with the payload is found where payloads are checked. */
export function taskJob(task: unknown): TaskJob {
  if (typeof task !== 'object' || task === null || Array.isArray(task)) {
    throw new InvalidOptionError('task', `must be a task, but is ${described(task)}. ${wayOut}`);
  }
  const { type, ...payload } = task as Readonly<Record<string, unknown>>;
  if (type === undefined) throw new InvalidOptionError('task.type', `is missing. ${wayOut}`);
  return { handler: taskHandler(taskType(type, 'task.type')), payload };
}

/** A type of tasks that can be stored. Throws InvalidOptionError. */
export function taskType(given: unknown, option: string): string {
  return lineOfText(given, option, maxTaskType);
}

/** The options with the handler and the payload that a task is, where they have one. Throws InvalidOptionError: they have both. */
export function withTask<O extends object>(options: O): O {
  // What is no object is refused by whoever reads it.
  if (typeof options !== 'object' || options === null || !('task' in options)) return options;
  const { task, ...rest } = options;
  if (task === undefined) return rest as O;
  for (const key of ['handler', 'payload'] as const) {
    if ((rest as Readonly<Record<string, unknown>>)[key] === undefined) continue;
    throw new InvalidOptionError(
      'task',
      `is given beside "${key}". A job has a handler with a payload, or a task, which is both. Leave one of the two out.`,
    );
  }
  return { ...rest, ...taskJob(task) } as unknown as O;
}
