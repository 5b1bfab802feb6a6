import type { JobAhead } from './event.map.js';
import { cutList, named } from './log.words.js';

/** That jobs stand still, since when, and what ends it. */
export function aheadWords(jobs: readonly JobAhead[]): string {
  const told = jobs.map(
    ({ nextRunAt, leavesOut, ...job }) =>
      `${named(job)} until ${nextRunAt.toISOString()} (it leaves out ${leavesOut.toISOString()})`,
  );
  return `Jobs have fired by a clock that was ahead, and stand still until the time that it had: ${cutList(told, '; ')}. Pause them, and resume them with { fromNow: true }: they go on at once.`;
}
