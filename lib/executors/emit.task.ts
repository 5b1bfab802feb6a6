import type { StandardIssue, StandardSchema } from '../index.js';
import type { EmitSettings } from './emit.options.js';
import { shown, tellUnknown } from './option.checks.js';

/** A task of the type `emit`: a message to a broker (`client`, `pattern`), or a job of BullMQ (`queue`, `name`). @publicApi */
export interface EmitTask {
  /** A client of the executor, by its name. */
  client?: string;
  /** Which event it is; of Kafka the topic. */
  pattern?: string | number | object;
  /** A queue of the executor, in place of `client`. */
  queue?: string;
  /** Of the job in the queue. */
  name?: string;
  /** What is sent, as JSON. Where the broker carries no key beside it (Redis, TCP, MQTT, clients of your own) an object, or none: it gets a `runId`. @default none */
  data?: unknown;
  /** Of the job in the queue: what `queue.add()` takes, but `jobId`, `repeat`, `repeatJobKey`, `deduplication` and `parent`. @default none */
  options?: Readonly<Record<string, unknown>>;
}

/** The same, checked. */
export type CheckedEmit =
  | { client: string; pattern: string | number | object; data: unknown }
  | { queue: string; name: string; data: unknown; options: Readonly<Record<string, unknown>> };

type Tell = (message: string, ...path: string[]) => void;

const keys = ['client', 'pattern', 'queue', 'name', 'data', 'options'] as const;
/** They are for us to say: when it runs, and by which id. */
const ownOptions = ['jobId', 'repeat', 'repeatJobKey', 'deduplication', 'parent'];

/** What tasks are checked with, when they are made and before they run. */
export function emitSchema(settings: EmitSettings): StandardSchema<EmitTask, CheckedEmit> {
  const validate = (given: unknown): { value: CheckedEmit } | { issues: StandardIssue[] } => {
    const issues: StandardIssue[] = [];
    const value = checked(given, settings, (message, ...path) => void issues.push({ message, path }));
    return issues.length > 0 || value === null ? { issues } : { value };
  };
  return { '~standard': { version: 1, vendor: 'nestjs-chronis', validate } };
}

function checked(given: unknown, settings: EmitSettings, tell: Tell): CheckedEmit | null {
  if (!isPlain(given)) {
    tell(`must be an object, but is ${shown(given)}`);
    return null;
  }
  tellUnknown(given, keys, tell);
  const { client, queue } = given;
  if ((client === undefined) === (queue === undefined)) {
    tell('needs a "client" with a "pattern", or a "queue" with a "name", and not both');
    return null;
  }
  return client === undefined ? ofQueue(given, settings, tell) : ofClient(given, settings, tell);
}

function ofClient(task: Record<string, unknown>, { clients }: EmitSettings, tell: Tell): CheckedEmit {
  const { client, pattern, data = null } = task;
  checkName(client, 'client', [...clients.keys()], tell);
  for (const key of ['name', 'options']) if (task[key] !== undefined) tell('goes with "queue"', key);
  const isPattern = isText(pattern) || typeof pattern === 'number' || isPlain(pattern);
  if (!isPattern) tell(`must be text, a number or an object, but is ${shown(pattern)}`, 'pattern');
  const broker = clients.get(client as string);
  if (broker?.hasKey === false && data !== null && (!isPlain(data) || 'runId' in data)) {
    tell(
      `must be an object without "runId", which is added, as ${shown(client)} carries no key beside the data`,
      'data',
    );
  }
  return { client: client as string, pattern: pattern as string, data };
}

function ofQueue(task: Record<string, unknown>, { queues }: EmitSettings, tell: Tell): CheckedEmit {
  const { queue, name, data = null, options = {} } = task;
  checkName(queue, 'queue', [...queues.keys()], tell);
  if (task.pattern !== undefined) tell('goes with "client"', 'pattern');
  if (!isText(name)) tell(`must be text, but is ${shown(name)}`, 'name');
  if (!isPlain(options)) tell(`must be an object, but is ${shown(options)}`, 'options');
  for (const key of Object.keys(isPlain(options) ? options : {})) {
    if (ownOptions.includes(key)) tell('is not for a task to say', 'options', key);
  }
  return { queue: queue as string, name: name as string, data, options: options as Record<string, unknown> };
}

function checkName(given: unknown, key: string, names: string[], tell: Tell): void {
  if (names.includes(given as string)) return;
  const there = names.length === 0 ? 'It names none' : `It names ${names.join(', ')}`;
  tell(`is ${shown(given)}, which is none that the emit executor names (emit.${key}s). ${there}`, key);
}

function isText(given: unknown): given is string {
  return typeof given === 'string' && given !== '';
}

function isPlain(given: unknown): given is Record<string, unknown> {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}
