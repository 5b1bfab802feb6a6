import { StorageError } from '../model/errors.js';
import type { OverdueJob } from '../model/overdue.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import { namespaceOf } from './job.identity.js';
import { knownOptions, wholeNumber } from './option.checks.js';

/** Which overdue jobs. @publicApi */
export interface OverdueQuery {
  /** @default those of all namespaces */
  namespace?: string;
  /** How many at most, 1 to 1,000. @default 100 */
  limit?: number;
}

export const overdueKeys = ['namespace', 'limit'] as const satisfies readonly (keyof OverdueQuery)[];
const mostJobs = 1_000;

/** Throws InvalidOptionError, StorageError (the storage cannot tell). */
export async function readOverdue(
  query: OverdueQuery,
  { overdue, kind }: Pick<StorageAdapter, 'overdue' | 'kind'>,
): Promise<OverdueJob[]> {
  const { namespace, limit = 100 } = knownOptions(query, overdueKeys, 'getOverdue()') as OverdueQuery;
  const most = wholeNumber(limit, 'limit', 1, mostJobs);
  const within = namespace === undefined ? undefined : namespaceOf(namespace);
  if (overdue === undefined)
    throw new StorageError(`The storage "${kind}" cannot tell which jobs are overdue.`);
  return (await overdue.queryOverdue(most, within)).jobs;
}
