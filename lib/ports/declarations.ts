import type { JobRef } from '../model/job.js';
import type { EpochMs } from './epoch.ms.js';

/** What a storage keeps of a job that code declares: enough to decide which code's word holds. */
export interface Declaration extends JobRef {
  /** Of the definition. */
  hash: string;
  /** What runs it; null: not known, as a release that kept no declarations carries it. */
  handler: string | null;
  /** Ids that the job had before, of the same namespace. */
  previousIds: readonly string[];
}

/** One declaration with the order in which it appeared. */
export interface CarriedDeclaration extends Declaration {
  /** Grows with every declaration that appears. */
  place: number;
}

/** What the code of one release, in one role, declares, and workers run or ran a while ago. */
export interface CarriedSet {
  /** Grows with every set that appears. */
  place: number;
  /** When its last worker went; null: a live worker carries it. */
  carriedUntil: EpochMs | null;
  declarations: readonly CarriedDeclaration[];
}

/** How many sets of an app are kept that no worker on record carries: those that appeared last. */
export const releasesKept = 10;

/** A set that appears: the highest place, and the same for its declarations, but for those that others carry, or did a while ago, which keep theirs. */
export function appear(
  declarations: readonly Declaration[],
  carried: readonly Pick<CarriedSet, 'declarations'>[],
  place: number,
): CarriedDeclaration[] {
  const places = new Map<string, number>();
  for (const known of carried.flatMap((set) => set.declarations)) {
    const key = nameOf(known);
    places.set(key, Math.max(known.place, places.get(key) ?? -Infinity));
  }
  return declarations.map((declaration) => ({
    ...declaration,
    place: places.get(nameOf(declaration)) ?? place,
  }));
}

function nameOf({ namespace, id, hash, previousIds }: Declaration): string {
  return JSON.stringify([namespace, id, hash, previousIds]);
}
