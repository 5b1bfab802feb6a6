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
const release = 'release run ';
const claim = 'claim run ';
const giveBack = 'give back run ';
const forget = 'forget ';

/** Of one row, which may be all that fails, also beside an outage. */
export const rowOperations = {
  fire: ({ namespace, id }: JobRef): string => `${fire}${namespace}/${id}`,
  settle: (runId: string): string => settle + runId,
  release: (runId: string): string => release + runId,
  claim: (runId: string): string => claim + runId,
  giveBack: (runId: string): string => giveBack + runId,
  forget: (row: string): string => forget + row,
};

export function isOfOneRow(operation: string): boolean {
  return [fire, settle, release, claim, giveBack, forget].some((start) => operation.startsWith(start));
}
