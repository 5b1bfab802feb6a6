import type { SyncRequest } from '../ports/storage.adapter.js';
import { hashOf } from '../scheduler/definition.hash.js';
import { refKey } from '../scheduler/job.identity.js';
import type { DeclaredJob } from './declared.job.js';

/** What code declares, as the storage keeps it. */
export function declaredSet(jobs: readonly DeclaredJob[]): Pick<SyncRequest, 'setHash' | 'declarations'> {
  const declarations = jobs.map(({ definition: { namespace, id, handler }, hash, previousIds, list }) => ({
    namespace,
    id,
    hash,
    // Many jobs of a list have one handler, so none of them says that another one is the same under another id.
    handler: list === undefined ? handler : `list:${refKey({ namespace, id })}`,
    previousIds,
  }));
  return { setHash: setHashOf(jobs), declarations };
}

/** Names a set of declarations. */
export function setHashOf(jobs: readonly DeclaredJob[]): string {
  return hashOf(
    Object.fromEntries(
      jobs.map(({ definition, hash, previousIds }) => [refKey(definition), [hash, previousIds]]),
    ),
  );
}

/** The lock of all that makes the stored jobs of an app agree with what is declared. */
export function syncLockOf(app: string): string {
  return `chronis:sync:${app}`;
}
