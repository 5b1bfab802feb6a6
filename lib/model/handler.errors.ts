import { ChronisError } from './chronis.error.js';
import type { PayloadIssue } from './payload.schema.js';
import { taskTypeOf } from './task.js';

/** Two handlers were registered under one name. @publicApi */
export class DuplicateHandlerError extends ChronisError {
  constructor(
    readonly handler: string,
    first: string,
    second: string,
  ) {
    const type = taskTypeOf(handler);
    super(
      'CHRONIS_DUPLICATE_HANDLER',
      type === null
        ? `Two handlers are registered as "${handler}": ${first} and ${second}. Give one of them another name, for a method by @JobHandler('…').`
        : `Two executors take tasks of the type "${type}": ${first} and ${second}. Give one of them another type, by @TaskExecutor('…').`,
    );
  }
}

/** This process does not know the handler, and no worker of the app has had it. @publicApi */
export class HandlerNotFoundError extends ChronisError {
  constructor(
    readonly handler: string,
    known: readonly string[],
    /** Whose handler was looked for; null: it does not matter. */
    readonly app: string | null = null,
    /** Apps that have a handler of this name. */
    elsewhere: readonly string[] = [],
    /** The name that was probably meant; null: none is near. */
    readonly meant: string | null = null,
    /** What calls it beside jobs, such as a step of a workflow; null: a job. */
    usedBy: string | null = null,
    /** It is to be that of a workflow. */
    isWorkflow = false,
  ) {
    super(
      'CHRONIS_HANDLER_NOT_FOUND',
      `${usedBy === null ? '' : `${usedBy}: `}No ${isWorkflow ? 'workflow' : 'handler'} "${handler}" is known ${app === null ? 'here or to any worker' : `to any worker of the app "${app}"`}. ${
        known.length > 0 ? `Known: ${known.slice(0, 10).join(', ')}${known.length > 10 ? ', …' : ''}. ` : ''
      }${
        elsewhere.length > 0
          ? `The app "${elsewhere[0]}" has one of this name; { app: '${elsewhere[0]}' } creates the job for it. `
          : ''
      }${meant === null ? '' : `Did you mean "${meant}"? Else `}${isWorkflow ? `${meant === null ? 'Register' : 'register'} it by workflows.register(…), also where a step gives it as an object, declare it with @Workflow('${handler}'),` : `${meant === null ? 'Declare' : 'declare'} it with @JobHandler('${handler}'), register it with registerHandler(),`} or pass { allowUnknownHandler: true } if the process that has it starts later; the module and defineJob() take that option too.`,
    );
  }
}

/** This process does not carry out tasks of the type, and no worker of the app ever did. @publicApi */
export class UnknownTaskError extends ChronisError {
  constructor(
    readonly type: string,
    known: readonly string[],
    /** Whose executor was looked for; null: it does not matter. */
    readonly app: string | null = null,
    /** Apps that have an executor of this type. */
    elsewhere: readonly string[] = [],
    /** The type that was probably meant; null: none is near. */
    readonly meant: string | null = null,
    /** What has such a task beside jobs, such as a step of a workflow; null: a job. */
    usedBy: string | null = null,
  ) {
    const there =
      known.length === 0
        ? 'There is no executor at all: those of nestjs-chronis/executors are opt-in, by ChronisExecutorsModule.'
        : `Known: ${known.slice(0, 10).join(', ')}${known.length > 10 ? ', …' : ''}.`;
    const elsewhereToo =
      elsewhere.length === 0
        ? ''
        : ` The app "${elsewhere[0]}" has one of this type; { app: '${elsewhere[0]}' } creates the job for it.`;
    super(
      'CHRONIS_UNKNOWN_TASK',
      `${usedBy === null ? '' : `${usedBy}: `}No executor takes tasks of the type "${type}" ${app === null ? 'here or in any worker' : `in any worker of the app "${app}"`}. ${there}${elsewhereToo} ${
        meant === null ? 'Provide' : `Did you mean "${meant}"? Else provide`
      } a class with @TaskExecutor('${type}'), or pass { allowUnknownHandler: true } if the process that has it starts later; the module takes that option too.`,
    );
  }
}

/** What was given as a handler cannot be called. @publicApi */
export class InvalidHandlerError extends ChronisError {
  constructor(handler: string, given: unknown) {
    super(
      'CHRONIS_INVALID_HANDLER',
      `The handler "${handler}" must be a function, but is ${given === null ? 'null' : typeof given}.`,
    );
  }
}

/** A payload or metadata is not JSON, holds a NUL character, is over the limit, or does not fit its schema. @publicApi */
export class InvalidPayloadError extends ChronisError {
  constructor(
    what: string,
    problem: string,
    /** What the schema objects to; empty: something else is wrong. */
    readonly issues: readonly PayloadIssue[] = [],
  ) {
    super('CHRONIS_INVALID_PAYLOAD', `${what}: ${problem}`);
  }
}
