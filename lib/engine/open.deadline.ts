import type { EpochMs } from '../ports/epoch.ms.js';
import { parseDuration } from '../triggers/duration.js';
import { parseAt } from '../triggers/instant.js';
import type { OpenOptions } from './run.context.js';
import { assertOptions } from './transaction.options.js';

/** A time, a time from the end of the attempt on, or null: none. */
export type OpenDeadline = { at: EpochMs } | { inMs: number } | null;

/** Throws InvalidOptionError, InvalidScheduleError (deadline). */
export function deadlineOf(options: OpenOptions = {}): OpenDeadline {
  assertOptions('context.open()', options, ['deadline']);
  const { deadline } = options;
  if (deadline === undefined) return null;
  if (!(deadline instanceof Date)) return { inMs: parseDuration(deadline, 'deadline') };
  return { at: parseAt(deadline, 'UTC', 'deadline').getTime() };
}

/** Null: it has none. */
export function deadlineFrom(finishedAt: EpochMs, deadline: OpenDeadline): EpochMs | null {
  if (deadline === null) return null;
  return 'at' in deadline ? deadline.at : finishedAt + deadline.inMs;
}
