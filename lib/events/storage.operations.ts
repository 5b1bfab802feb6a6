import type { JobRef } from '../model/job.js';

/** Operations that each instance has under way all the time, and that nothing but an outage keeps from getting through. Others may fail for themselves, and say nothing of the storage. */
export const outageOperations: ReadonlySet<string> = new Set([
  'connect',
  'register',
  'work',
  'renew',
  'settle',
]);

const fire = 'fire ';
const settle = 'settle run ';

/** Of one row, which may be all that fails, also beside an outage. */
export const rowOperations = {
  fire: ({ namespace, id }: JobRef): string => `${fire}${namespace}/${id}`,
  settle: (runId: string): string => settle + runId,
};

export function isOfOneRow(operation: string): boolean {
  return operation.startsWith(fire) || operation.startsWith(settle);
}
