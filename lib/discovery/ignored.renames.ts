import type { DeclaredJob } from './declared.job.js';
import { refKey } from '../scheduler/job.identity.js';

/** A previous id that renames nothing, as the same code declares it. */
export interface IgnoredRename {
  /** Class and method that name it in `previousIds`. */
  place: string;
  namespace: string;
  id: string;
  previousId: string;
  /** Class and method whose id it is. */
  declaredBy: string;
}

/** A job cannot be renamed to two ids at once, nor two to each other's: an id that is declared is that of the method which declares it. */
export function ignoredRenames(jobs: readonly DeclaredJob[]): IgnoredRename[] {
  const places = new Map(jobs.map(({ definition, place }) => [refKey(definition), place]));
  return jobs.flatMap(({ definition: { namespace, id }, previousIds, place }) =>
    previousIds.flatMap((previousId) => {
      const declaredBy = places.get(refKey({ namespace, id: previousId }));
      return declaredBy === undefined ? [] : { place, namespace, id, previousId, declaredBy };
    }),
  );
}
