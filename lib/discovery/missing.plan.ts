import type { StoredDefinition, SyncPlan } from '../ports/storage.adapter.js';
import { refKey } from '../scheduler/job.identity.js';
import type { DeclaredJob } from './declared.job.js';
import { previousKeys } from './effective.declarations.js';
import { newJob, type SyncRules } from './sync.plan.js';

/**
 * What a process that runs no jobs stores of those that its code declares; a pure function.
 *
 * What holds is the word of live workers, and it is none. So it stores what is not there at all, as an orphan: known, but not fired until a worker that declares it adopts it. It changes nothing that is
 * there, and leaves to the workers what they would rename (`previousIds`), and a further job of a method that has one: that may be the same job under a new id.
 */
export function planMissing(
  declared: readonly DeclaredJob[],
  stored: readonly StoredDefinition[],
  now: number,
  rules: SyncRules,
): SyncPlan {
  const missing = missingJobs(declared, stored);
  return {
    changes: missing.map((job) => ({ kind: 'insert', job: newJob(job, rules, now, now), orphaned: true })),
    outranked: [],
  };
}

/** Those that are to be stored. */
export function missingJobs(
  declared: readonly DeclaredJob[],
  stored: readonly Pick<StoredDefinition, 'namespace' | 'id' | 'handler'>[],
): readonly DeclaredJob[] {
  const ids = new Set(stored.map(refKey));
  const methods = new Set(stored.map(({ handler }) => handler));
  return declared.filter(({ definition, previousIds }) => {
    const { namespace, handler } = definition;
    const keys = [refKey(definition), ...previousKeys({ namespace, previousIds })];
    return !methods.has(handler) && !keys.some((key) => ids.has(key));
  });
}
