import type { EndedStep } from './flow.advancing.js';
import { tellFlows } from './run.conclusion.js';
import type { StatementRunner } from './statement.runner.js';

const flowsPerStep = 200;
const stepsPerStep = 500;

/** Where the ledger has nothing, or has forgotten it. */
const unknown = {
  verdict: 'lost',
  reason: 'Its run is gone, and the ledger does not have how it has ended.',
} as const;

interface Lost {
  /** null: there are no more flows. */
  last: string | null;
  steps:
    | (Pick<EndedStep, 'id' | 'runId' | 'reason' | 'result'> & { verdict: EndedStep['verdict'] | null })[]
    | null;
  flows: string[] | null;
}

/** Tells flows what a release without them has ended. Goes through those that go on, some with each call. */
export class FlowReconciling {
  private after = '0';

  /** How many steps it were. */
  async step(statements: StatementRunner): Promise<number> {
    const values = [this.after, flowsPerStep, stepsPerStep];
    const [found] = await statements.run<Lost>('findLostSteps', ...values);
    const { last, steps, flows } = found!;
    const ended = (steps ?? []).map(({ verdict, ...step }) =>
      verdict === null ? { ...step, ...unknown } : { ...step, verdict },
    );
    if (ended.length > 0 || flows !== null) {
      await statements.change(({ run }) => tellFlows(run, ended, flows ?? []));
    }
    // What was found may go on to end more of the same flows.
    if (ended.length < stepsPerStep) this.after = last ?? '0';
    return ended.length;
  }
}
