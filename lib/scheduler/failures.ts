import type { FailureReport } from '../model/failure.js';
import { InvalidOptionError } from '../model/errors.js';
import type { InstantInput } from '../model/trigger.js';
import { fingerprintPattern } from '../ports/fingerprint.js';
import type { EpochMs, FailureFilter, JobStore } from '../ports/storage.adapter.js';
import { parseAt } from '../triggers/instant.js';
import { namespaceOf } from './job.identity.js';
import { each, pageOf } from './job.query.js';
import { knownOptions, lineOfText, managerHint } from './option.checks.js';

/** Which failures to group. @publicApi */
export interface FailureQuery {
  /** Of attempts that ended from then on. Text without an offset is in the module's `timeZone`, here and in the others. @default 24 hours before `until` */
  from?: InstantInput;
  /** Before then. @default now, by the storage's clock */
  until?: InstantInput;
  namespace?: string;
  /** One, or several. */
  handler?: string | string[];
  /** Only kinds of failures that the ledger has none of before then, such as the time of the last deploy. */
  newSince?: InstantInput;
  /** How many groups at most, 1–1,000. @default 100 */
  limit?: number;
}

export const failureQueryKeys = [
  'from',
  'until',
  'namespace',
  'handler',
  'newSince',
  'limit',
] satisfies (keyof FailureQuery)[];

const usualMs = 86_400_000;

/** Throws InvalidOptionError, InvalidScheduleError (from, until, newSince). */
export async function readFailures(
  query: Readonly<FailureQuery>,
  timeZone: string,
  jobs: Pick<JobStore, 'queryFailures' | 'now'>,
): Promise<FailureReport> {
  knownOptions(query, failureQueryKeys, 'getFailures()', managerHint);
  const { from, until, namespace, handler, newSince, limit } = query;
  const { limit: most = 100 } = pageOf({ ...(limit !== undefined && { limit }) });
  const filter: Omit<FailureFilter, 'from' | 'until'> = {
    ...(namespace === undefined ? {} : { namespace: namespaceOf(namespace) }),
    ...(handler === undefined ? {} : { handler: each(handler, (item) => lineOfText(item, 'handler')) }),
    ...(newSince === undefined ? {} : { newSince: parseAt(newSince, timeZone, 'newSince') }),
  };
  const begin = from === undefined ? null : parseAt(from, timeZone, 'from');
  const end = until === undefined ? new Date(await afterNow(jobs)) : parseAt(until, timeZone, 'until');
  const since = begin ?? new Date(end.getTime() - usualMs);
  if (end <= since) throw new InvalidOptionError('until', 'must be after "from".');
  return jobs.queryFailures({ ...filter, from: since, until: end }, most);
}

/** What ends at this very moment is meant as well. */
async function afterNow(jobs: Pick<JobStore, 'now'>): Promise<EpochMs> {
  return (await jobs.now()) + 1;
}

/** As errors of attempts have them. */
export function fingerprints(given: unknown): string | string[] {
  return each(given as string | string[], (item) => {
    if (typeof item === 'string' && fingerprintPattern.test(item)) return item;
    throw new InvalidOptionError(
      'fingerprint',
      `must be 16 hex digits, as getFailures() and getAttempts() give them, but is ${typeof item === 'string' ? `'${item.slice(0, 40)}'` : String(item)}.`,
    );
  });
}
