import { InvalidOptionError, WorkflowsNotSupportedError } from '../model/errors.js';
import type { JsonValue } from '../model/json.js';
import type { ClaimedStep } from '../model/run.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import { AttemptContext } from './attempt.context.js';
import { FlowReader } from './flow.reader.js';
import type { AttemptLog } from './attempt.log.js';
import type { RunningRun } from './running.run.js';
import type { AddedStep, StepContext, StepParent, WorkflowOfStep } from './step.context.js';
import type { AddedSteps } from './step.end.js';

const longestReason = 1_000;

/** The StepContext of one attempt; all that it has beside the RunContext is its own and enumerable as well. */
export class StepAttemptContext extends AttemptContext implements StepContext {
  readonly workflow: WorkflowOfStep;
  readonly params: JsonValue;
  readonly item: null;
  readonly result: (name: string) => Promise<JsonValue>;
  readonly results: (name: string) => AsyncIterable<JsonValue>;
  readonly parent: (name: string) => Promise<StepParent>;
  readonly skip: (reason: string) => void;
  readonly addSteps: (steps: readonly AddedStep[]) => void;
  /** What several parents have returned, see `FlowReader.all`. */
  readonly #all: (names: readonly string[]) => Promise<Record<string, JsonValue>>;

  constructor(
    running: RunningRun,
    logger: AttemptLog,
    payload: unknown,
    { flowRunId, workflow, version, name, nth, params }: ClaimedStep,
    { storage, addedSteps }: { storage: StorageAdapter; addedSteps: AddedSteps },
  ) {
    super(running, logger, payload);
    const { run } = running;
    const reader = (): FlowReader => {
      if (storage.flows === undefined) throw new WorkflowsNotSupportedError('The step', storage.kind);
      return new FlowReader(storage.flows, run.flowStep!);
    };
    this.workflow = { name: workflow, version, runId: flowRunId, step: name, nth };
    this.params = params;
    this.item = (nth === null ? null : payload) as null;
    this.result = async (parent) => reader().result(parent);
    this.results = (parent) => reader().items(parent);
    this.parent = async (parent) => reader().parent(parent);
    this.#all = async (names) => reader().all(names);
    this.skip = (reason) => running.endStep('context.skip()', { skipped: reasonOf(reason) });
    this.addSteps = (steps) => {
      const { end, ask } = addedSteps(steps, run, running.wish?.step ?? {});
      running.endStep('context.addSteps()', end, ask);
    };
  }

  static allOf(context: StepAttemptContext, names: readonly string[]): Promise<Record<string, JsonValue>> {
    return context.#all(names);
  }
}

function reasonOf(reason: unknown): string {
  if (typeof reason === 'string' && reason.trim() !== '' && reason.length <= longestReason) {
    // PostgreSQL has no NUL in text, and UTF-8 no half of a pair.
    return reason.replaceAll(/\0|\p{Surrogate}/gu, '\u{FFFD}');
  }
  throw new InvalidOptionError(
    'context.skip()',
    `takes the reason as a text of 1 to ${longestReason} characters, for those who look at the workflow.`,
  );
}
