import { InvalidWorkflowError } from './workflow.errors.js';

/** Why steps cannot be added to the workflow that a run is: the same words in every storage. */
export class GrowthRefusal {
  constructor(
    private readonly workflow: string,
    private readonly runId: string,
  ) {}

  taken(step: string): InvalidWorkflowError {
    return this.of(step, `the run ${this.runId} has a step of this name already. Give it another.`);
  }

  unknownParent(step: string, parent: string): InvalidWorkflowError {
    return this.of(
      step,
      `after names "${parent}", which is no step of the run ${this.runId}. Name one that graph() shows.`,
    );
  }

  unknownChild(step: string, child: string): InvalidWorkflowError {
    return this.of(
      step,
      `before names "${child}", which is no step of the run ${this.runId}. Name one that graph() shows.`,
    );
  }

  released(step: string, child: string): InvalidWorkflowError {
    return this.of(
      step,
      `before names "${child}", which the run ${this.runId} has released already, so that it waits for nothing more. Name one that waits.`,
    );
  }

  /** Of this run with all workflows in it. `growing`: the one that would grow, or open. */
  tooMany(growing: string, most: number): InvalidWorkflowError {
    return new InvalidWorkflowError(growing, null, this.full(most));
  }

  /** `cycle`: in the order of waiting, the first one also at the end. */
  cycle(cycle: readonly string[]): InvalidWorkflowError {
    const path = cycle.map((name) => `"${name}"`).join(' → ');
    return this.of(
      cycle[0]!,
      `it would wait for itself: ${path}. Take one of these out of "before" or "after".`,
    );
  }

  private full(most: number): string {
    return `the run ${this.runId} of the workflow "${this.workflow}" would have more than ${most} steps with all workflows in it. Let each step do more, or start others apart, by workflows.start().`;
  }

  private of(step: string, problem: string): InvalidWorkflowError {
    return new InvalidWorkflowError(this.workflow, step, problem);
  }
}
