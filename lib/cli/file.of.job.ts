import { join } from 'node:path';
import type { JobRef } from '../index.js';
import type { JobFilesStatus } from '../job-files/index.js';

/** The file that a job is from; null: it is of none that the service reads which is asked. */
export function fileOfJob({ namespace, id }: JobRef, status: JobFilesStatus | null): string | null {
  const found = status?.files.find(({ jobs }) =>
    jobs.some((job) => job.state === 'declared' && job.namespace === namespace && job.id === id),
  );
  return found === undefined ? null : join(status!.directory, found.file);
}
