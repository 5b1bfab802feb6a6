import { requestsKeptMs } from '../../ports/storage.adapter.js';
import { at, now } from './time.fragment.js';

/** Entries before this instant, in ms: those of requests that are done once stay for a day at least. */
export function isOldAudit(horizonMs: string): string {
  return `at < ${at(horizonMs)} and (request_key is null or at < ${now} - ${requestsKeptMs} * interval '1 millisecond')`;
}
