import { ChronisError } from './chronis.error.js';
import { UnrecoverableError } from './run.errors.js';

/** The definition of a workflow is wrong, or what a step adds to one. The message names the workflow, the step and the fix. A run that fails by it is not tried again, as it would be no different. @publicApi */
export class InvalidWorkflowError extends UnrecoverableError {
  constructor(
    readonly workflow: string,
    /** Null: it is wrong as a whole. */
    readonly step: string | null,
    problem: string,
    options?: { cause?: unknown },
  ) {
    const place = step === null ? '' : `, step "${step}"`;
    super(`The workflow "${workflow}"${place}: ${problem}`, options, 'CHRONIS_INVALID_WORKFLOW');
  }
}

/** What a step has returned is too long to be kept: the step has failed, and is not tried again, as it would return the same. @publicApi */
export class ResultTooLargeError extends UnrecoverableError {
  constructor(
    readonly runId: string,
    /** In bytes of JSON. */
    readonly length: number,
    readonly limit: number,
  ) {
    super(
      `The result of run ${runId} has ${length} bytes as JSON, and the most that a step may hand on is ${limit}. Store it elsewhere, such as in a table or a bucket, and return where it is.`,
      undefined,
      'CHRONIS_RESULT_TOO_LARGE',
    );
  }
}

/** A step asks for the result of another one that it cannot have. It is not tried again, as that would be no different. @publicApi */
export class StepResultMissingError extends UnrecoverableError {
  constructor(
    /** That asks. */
    readonly step: string,
    readonly parent: string,
    problem: string,
  ) {
    super(
      `The step "${step}" asks for the result of "${parent}", ${problem}`,
      undefined,
      'CHRONIS_STEP_RESULT_MISSING',
    );
  }
}

/** The handler of a step was called by a job that is no step of a workflow. @publicApi */
export class NoWorkflowStepError extends UnrecoverableError {
  constructor(readonly handler: string) {
    super(
      `The handler "${handler}" is the step of a workflow, and was called by a job that is none. Start its workflow: workflows.start(name, { params }).`,
      undefined,
      'CHRONIS_NO_WORKFLOW_STEP',
    );
  }
}

/** The storage has no workflows. @publicApi */
export class WorkflowsNotSupportedError extends ChronisError {
  constructor(
    /** What needs them. */
    readonly by: string,
    readonly storage: string,
  ) {
    super(
      'CHRONIS_WORKFLOWS_NOT_SUPPORTED',
      `${by} needs a storage that has workflows, and "${storage}" has none: its adapter lacks "flows". Use typeOrmStorage(), or MemoryStorage for tests, or start plain jobs.`,
    );
  }
}

/** No workflow was started by a run of this id, or it is stored no more. @publicApi */
export class WorkflowRunNotFoundError extends ChronisError {
  constructor(
    readonly runId: string,
    problem = 'Give the id of the run that the workflow is, as start() returns it and context.workflow.runId has it, not that of a step.',
  ) {
    super('CHRONIS_WORKFLOW_RUN_NOT_FOUND', `There is no workflow of the run "${runId}". ${problem}`);
  }
}

/** The workflow is not in a state in which this can be done. Nothing was changed. @publicApi */
export class WorkflowRunStateError extends ChronisError {
  constructor(
    readonly runId: string,
    readonly state: string,
    readonly problem: string,
  ) {
    super('CHRONIS_WORKFLOW_RUN_STATE', `The workflow of run "${runId}" is ${state}: ${problem}`);
  }
}

/** The workflow has no such step, or that has no run. @publicApi */
export class WorkflowStepNotFoundError extends ChronisError {
  constructor(
    readonly runId: string,
    readonly step: string,
    problem: string,
  ) {
    super('CHRONIS_WORKFLOW_STEP_NOT_FOUND', `The workflow of run "${runId}", step "${step}": ${problem}`);
  }
}
