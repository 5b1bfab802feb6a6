import { parseDuration } from '../triggers/duration.js';
import type { WaitForOptions } from './run.context.js';
import { givenName } from './step.names.js';
import { assertOptions } from './transaction.options.js';

/** Null: none. Throws InvalidOptionError, InvalidScheduleError (timeout). */
export function waitOptionsOf(options: WaitForOptions = {}): { as: string | null; timeoutMs: number | null } {
  assertOptions('context.waitFor()', options, ['as', 'timeout']);
  const { timeout, as } = options;
  return {
    as: givenName(as, 'as', "a wait has text for a name, such as { as: 'approved by the owner' }."),
    timeoutMs: timeout === undefined ? null : parseDuration(timeout, 'timeout'),
  };
}
