import type { Change, Evidence } from '../evidence.js';
import { grouped } from './rule.js';
import { losses, overlaps, type Window } from './windows.js';

/** Between the commit of a change and its answer, and between an instant and the reading of a clock. */
export const edgeMs = 50;

export interface Reign extends Window {
  change: Change;
}

/** When each change was in force for certain. */
export function reigns(evidence: Evidence): Reign[] {
  const all: Reign[] = [];
  for (const changes of grouped(evidence.changes, ({ jobId }) => jobId).values()) {
    for (const [index, change] of changes.entries()) {
      const until = changes[index + 1]?.askedAt ?? Infinity;
      all.push({ change, from: change.confirmedAt, until });
    }
  }
  return all.filter((reign) => !losses(evidence).some((loss) => overlaps(loss, reign)));
}
