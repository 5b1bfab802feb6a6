import { handlerOfDefinition } from '../definitions/started.job.js';
import { handlersOf, planOfDefinition } from '../definitions/workflow.definition.js';
import type { Definition } from '../model/definition.js';
import type { UnservedDefinition } from '../model/unserved.step.js';
import type { StorageAdapter, UnservedStep } from '../ports/storage.adapter.js';
import { callbackHandlers, callbacksOf } from './callback.options.js';

/** So many flows, and so many definitions, are looked at at most. */
const mostOfEach = 1_000;

/** What is stored and needs handlers that a process lacks. */
export interface Unserved {
  steps: readonly UnservedStep[];
  definitions: readonly UnservedDefinition[];
}

/** What the flows of the app that go on still need, and its definitions that are data, and this process lacks; rejects when the storage cannot be reached. */
export async function findUnserved(
  { flows, definitions }: Pick<StorageAdapter, 'flows' | 'definitions'>,
  own: { app: string; handlers: readonly string[] },
): Promise<Unserved> {
  const steps = flows === undefined ? [] : await flows.unservedSteps(own.app, own.handlers, mostOfEach);
  const stored =
    definitions === undefined
      ? []
      : (await definitions.queryDefinitions({ app: own.app, latest: true }, { limit: mostOfEach })).items;
  return { steps, definitions: stored.flatMap((each) => lackedBy(each, new Set(own.handlers))) };
}

/** Of the code each process opens what it has itself, so what it lacks is of the flows that are there. */
function lackedBy(
  { namespace, name, version, kind, source, spec }: Definition,
  own: ReadonlySet<string>,
): UnservedDefinition[] {
  if (source === 'code') return [];
  const called =
    kind === 'workflow' ? handlersOf(planOfDefinition(name, spec)) : [handlerOfDefinition(kind, spec)];
  const needed = new Set([...called, ...callbackHandlers(callbacksOf(spec))]);
  const handlers = [...needed].filter((handler) => !own.has(handler));
  return handlers.length === 0 ? [] : [{ namespace, name, version, kind, handlers }];
}
