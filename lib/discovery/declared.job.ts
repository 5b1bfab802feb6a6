import type { RunContext } from '../engine/run.context.js';
import type { HandlerOptions } from '../model/handler.options.js';
import type { JobDefinition } from '../model/job.js';
import type { HandlerDefaults } from '../scheduler/handler.reference.js';
import type { InstantRemark } from '../triggers/clock.remarks.js';
import type { WorkflowCode } from '../workflows/workflow.code.js';
import type { ListPart } from './listed.hash.js';
import type { UnmarkedPayload } from './unmarked.payload.js';

/** A job as the code declares it. */
export interface DeclaredJob {
  definition: JobDefinition;
  hash: string;
  /** Of the same namespace. */
  previousIds: readonly string[];
  /** For messages: `ReportService.daily`. */
  place: string;
  /** Where it is from, if that is not the code. */
  list?: ListPart;
  /** What changes of the clocks do to the one time that it was given. */
  remarks?: readonly InstantRemark[];
}

/** A method that can be run, or an executor of tasks. */
export interface DeclaredHandler {
  name: string;
  place: string;
  run: (context: RunContext) => unknown;
  options: HandlerOptions;
  /** Carries out tasks. @default false */
  isExecutor?: boolean;
}

/** A class that is provided more than once. */
export interface RepeatedProvider {
  className: string;
  used: string;
  ignored: string;
}

/** A workflow that a class is. */
export interface DeclaredWorkflow {
  code: WorkflowCode;
  /** What its runs get that are started by its name. */
  defaults: HandlerDefaults;
  place: string;
}

/** All that the code of the application declares. */
export interface Exploration {
  jobs: readonly DeclaredJob[];
  handlers: readonly DeclaredHandler[];
  workflows: readonly DeclaredWorkflow[];
  repeated: readonly RepeatedProvider[];
  /** Methods with decorators of Nest that nobody asked to be applied. */
  unapplied: readonly { place: string; decorators: readonly string[] }[];
  /** Methods that seem to expect a payload and get none. */
  unmarked: readonly ({ place: string } & UnmarkedPayload)[];
  /** Methods whose jobs or handlers are named by a class whose name is probably that of a bundler. */
  minified: readonly string[];
}
