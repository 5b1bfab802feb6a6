import type { OverdueJob } from '../model/overdue.js';
import { named } from './log.words.js';

export function overdueWords({ dueAt, lateAfterMs, ...job }: OverdueJob): string {
  return `The job ${named(job)} is overdue: what was due at ${dueAt.toISOString()} has not begun ${lateAfterMs / 1_000} s after it, as lateAfter says. explain() and chronis why tell what it waits for.`;
}
