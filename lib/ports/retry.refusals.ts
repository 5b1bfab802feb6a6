import { InvalidOptionError, WorkflowRunStateError } from '../model/errors.js';
import type { RunVerdict } from '../model/verdict.js';
import type { RunningStep } from './flows.js';

/** The longest list of names in an error. */
const mostNamed = 3;

/** Of a flow that is over, of which these steps were given up, still run, and would run a second time beside that. */
export function stillRuns(
  runId: string,
  verdict: string,
  running: readonly RunningStep[],
): WorkflowRunStateError {
  const steps = namesOf(runId, running);
  return new WorkflowRunStateError(
    runId,
    verdict,
    `what would run again still runs: ${steps}. Retry it once that has ended, or the lease of its worker.`,
  );
}

/** Of a flow of which it is decided that it ends as `ending`, as soon as none of these steps is in the hands of a worker. */
export function isEnding(
  runId: string,
  ending: RunVerdict,
  running: readonly RunningStep[],
): WorkflowRunStateError {
  // All of them may have ended meanwhile.
  const steps = running.length === 0 ? '' : `: ${namesOf(runId, running)}`;
  return new WorkflowRunStateError(
    runId,
    'ending',
    `its verdict is ${ending} once what still runs of it has ended${steps}. Nothing but that changes it until then.`,
  );
}

function namesOf(runId: string, running: readonly RunningStep[]): string {
  const placeOf = ({ flowRunId }: RunningStep): number => (flowRunId === runId ? 0 : Number(flowRunId));
  const names = running
    .toSorted((one, other) => placeOf(one) - placeOf(other) || (keyOf(one) < keyOf(other) ? -1 : 1))
    .slice(0, mostNamed)
    .map((step) => {
      const of = step.flowRunId === runId ? '' : ` of the workflow "${step.workflow}" in it`;
      return `the step ${keyOf(step)}${of}`;
    });
  return `${names.join(', ')}${running.length > mostNamed ? ` and ${running.length - mostNamed} more` : ''}`;
}

/** Of a step that is named, and has waited for others in vain, none of which runs again. */
export function staysBlocked(runId: string, workflow: string, name: string): InvalidOptionError {
  return new InvalidOptionError(
    'from',
    `the step "${name}" of the run ${runId} of the workflow "${workflow}" is blocked, and nothing that it waits for runs again. Name those as well.`,
  );
}

/** A step that others have added behind one that goes, as what has added that runs again. */
export interface OrphanedStep {
  name: string;
  /** Who has added it, and does not run again. */
  addedBy: string;
  /** The step that goes, and who adds it again. */
  after: string;
  addedAgainBy: string;
}

/** Of a flow that is over, of which these steps could stay neither as they are nor without the ones that they come after. */
export function wouldBeLost(
  runId: string,
  verdict: string,
  steps: readonly OrphanedStep[],
): WorkflowRunStateError {
  const named = steps
    .map(({ name, addedBy, after, addedAgainBy }) => {
      return `"${name}", which "${addedBy}" has added, comes after "${after}", which "${addedAgainBy}" would add again`;
    })
    .toSorted()
    .slice(0, mostNamed)
    .join('; ');
  const more = steps.length > mostNamed ? `; and ${steps.length - mostNamed} more` : '';
  return new WorkflowRunStateError(
    runId,
    verdict,
    `a retry would lose what others have added: ${named}${more}. Name who has added that by "from" as well, beside what else is to run again: it adds it again then.`,
  );
}

const keyOf = ({ name, nth }: RunningStep): string => `"${name}"${nth === null ? '' : ` (item ${nth})`}`;
