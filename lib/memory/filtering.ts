import type { JobFilter } from '../model/job.js';
import type { JsonValue } from '../model/json.js';
import { nextRunAt, pausedByOf, stateOf } from './rows.to.views.js';
import type { JobRow, MemoryTables } from './tables.js';

/** Whether a job meets all conditions. */
export function matchesJob(tables: MemoryTables, job: JobRow, filter: JobFilter): boolean {
  const { definition } = job;
  const { nextBefore, pausedBy } = filter;
  return (
    is(definition.namespace, filter.namespace) &&
    is(definition.handler, filter.handler) &&
    is(definition.queue, filter.queue) &&
    is(definition.trigger.type, filter.triggerType) &&
    is(job.source, filter.source) &&
    (filter.app === undefined || job.app === filter.app) &&
    is(definition.id, filter.id) &&
    definition.id.startsWith(filter.idPrefix ?? '') &&
    (filter.metadata === undefined || contains(definition.metadata, filter.metadata)) &&
    (nextBefore === undefined || (nextRunAt(job) ?? Infinity) < nextBefore.getTime()) &&
    (pausedBy === undefined || is(pausedByOf(tables, job) ?? '', pausedBy)) &&
    (filter.state === undefined || is(stateOf(tables, job), filter.state))
  );
}

/** Whether a value is the one, or among those, asked for; nothing asked for is met by all. */
export function is<T extends string>(value: T | '', asked: T | readonly T[] | undefined): boolean {
  return (
    asked === undefined ||
    (typeof asked === 'string' ? value === asked : (asked as readonly string[]).includes(value))
  );
}

/** Containment as in SQL's jsonb: objects by their keys, lists by their elements, all else by equality. */
export function contains(stored: JsonValue | undefined, asked: JsonValue): boolean {
  if (Array.isArray(asked)) {
    return Array.isArray(stored) && asked.every((part) => stored.some((element) => contains(element, part)));
  }
  if (asked === null || typeof asked !== 'object') return stored === asked;
  if (stored === null || typeof stored !== 'object' || Array.isArray(stored)) return false;
  return Object.entries(asked).every(
    ([key, part]) => Object.hasOwn(stored, key) && contains(stored[key], part),
  );
}
