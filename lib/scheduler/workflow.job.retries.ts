import { InvalidOptionError } from '../model/errors.js';
import type { Policies } from '../model/policies.js';

/** Throws InvalidOptionError (maxRetries) where a job that calls a workflow has retries: as a whole none is tried again. `itsSteps`: where these have theirs. */
export function refuseRetries(
  workflow: string,
  { maxRetries }: Partial<Policies>,
  itsSteps = '@Step({ maxRetries })',
): void {
  if (!maxRetries) return;
  throw new InvalidOptionError(
    'maxRetries',
    `the job calls the workflow "${workflow}", which is not tried again as a whole. Give it to the steps: ${itsSteps}; workflows.retry() goes on from what has failed.`,
  );
}
