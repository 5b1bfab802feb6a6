import type { Policies } from '../model/policies.js';
import { callbackHandlers } from './callback.options.js';
import { isReference } from './handler.reference.js';

/** A handler that a job is to have, and in which app. */
export interface HandlerUse {
  handler: string;
  app: string;
  /** It was given as a reference by `defineJob` or `handlerOf`, and not by its name. */
  isReference: boolean;
  /** What calls it beside jobs, for messages. Absent: a job. */
  usedBy?: string | null;
  /** It is that of a workflow, for messages. */
  isWorkflow?: boolean;
}

/** How the handler of a job was said. */
interface Given {
  handler?: unknown;
  allowUnknownHandler?: boolean;
}

/** The handlers that a job is to have: its own, if it is given one, and those of its callbacks. */
export function handlerUses(
  { handler, app, policies }: { handler: string | null; app: string; policies: Partial<Policies> },
  given: Given,
): HandlerUse[] {
  const own = { app, isReference: isReference(given.handler) };
  return [
    ...(handler === null ? [] : [{ ...own, handler }]),
    ...callbackHandlers(policies).map((name) => ({ handler: name, app, isReference: false })),
  ];
}

/** Whether handlers that nobody has are accepted, as the job, its reference or else the module says. */
export function allowsUnknown({ handler, allowUnknownHandler }: Given, ofModule: boolean): boolean {
  const ofReference = isReference(handler) ? handler.defaults.allowUnknownHandler : undefined;
  return allowUnknownHandler ?? ofReference ?? ofModule;
}
