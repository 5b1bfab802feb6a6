/**
 * Whether a run is open: it has no verdict, and its last claim was the one that opened it, or is that of a worker which ends it, as its deadline has passed. Null is no.
 *
 * By the fence: the release before, which knows nothing of this, leaves the mark behind when it executes the run.
 */
export function isOpen(run: string): string {
  return `(${run}.verdict is null and ${run}.opened_fence = ${run}.fence - (${run}.worker is not null)::int)`;
}

/** Whether a run is a workflow that goes on: no pause of its job or of its handler stops that, so neither its deadline. One that is a step of another is held by the pause of that. */
export function isTimedFlow(run: string): string {
  return `(${run}.flow is not null and ${isOpen(run)})`;
}
