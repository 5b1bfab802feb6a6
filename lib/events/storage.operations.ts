import type { JobRef } from '../model/job.js';

/** Operations that each instance has under way all the time, and that nothing but an outage keeps from getting through. Others may fail for themselves, and say nothing of the storage. */
export const outageOperations: ReadonlySet<string> = new Set([
  'connect',
  'register',
  'work',
  'renew',
  'settle',
]);

const starts = {
  fire: 'fire ',
  settle: 'settle run ',
  release: 'release run ',
  claim: 'claim run ',
  giveBack: 'give back run ',
  forget: 'forget ',
  endPause: 'end pause of ',
} as const;

/** Of one row, which may be all that fails, also beside an outage. */
export const rowOperations = {
  fire: ({ namespace, id }: JobRef): string => `${starts.fire}${namespace}/${id}`,
  settle: (runId: string): string => starts.settle + runId,
  release: (runId: string): string => starts.release + runId,
  claim: (runId: string): string => starts.claim + runId,
  giveBack: (runId: string): string => starts.giveBack + runId,
  forget: (row: string): string => starts.forget + row,
  endPause: (row: string): string => starts.endPause + row,
};

/** Which row of which kind an operation is of; null: of none alone. */
export function rowOf(operation: string): { kind: keyof typeof starts; row: string } | null {
  for (const [kind, start] of Object.entries(starts)) {
    if (operation.startsWith(start))
      return { kind: kind as keyof typeof starts, row: operation.slice(start.length) };
  }
  return null;
}
