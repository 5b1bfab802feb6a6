import { JobAlreadyExistsError } from '../model/errors.js';
import type { Job } from '../model/job.js';

/** Who may have a key by a start that is repeated. */
export interface KeyOwner {
  /** Whose workflow, or definition, the start is of. */
  wanted: string;
  /** The app of this process, and what it was called before. */
  app: string;
  previousApps: readonly string[];
}

/** Keys are those of all apps in a namespace: what another one has started in that name is not what this start asks for. Throws JobAlreadyExistsError. */
export function assertSameApp({ id, namespace, app: owner }: Job, key: KeyOwner): void {
  const { wanted, app, previousApps } = key;
  if (owner === null || owner === wanted || (wanted === app && previousApps.includes(owner))) return;
  throw new JobAlreadyExistsError(
    id,
    namespace,
    `It is of the app "${owner}", and the start is for "${wanted}", so nothing was started. Choose another key, or another namespace, or give { app: '${owner}' } if that one is meant.`,
  );
}
