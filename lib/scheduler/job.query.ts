import { InvalidOptionError } from '../model/errors.js';
import type { JobFilter, JobOrder, JobState, PausedBy } from '../model/job.js';
import { toJson, type JsonObject, type JsonValue } from '../model/json.js';
import type { InstantInput, TriggerType } from '../model/trigger.js';
import type { JobPageRequest, PageRequest } from '../ports/storage.adapter.js';
import { parseAt } from '../triggers/instant.js';
import { assertJobId, lookUp, namespaceOf } from './job.identity.js';
import { described, knownOptions, lineOfText, managerHint, oneOf, wholeNumber } from './option.checks.js';

/**
 * Conditions on jobs, and which page of them. Metadata may be given as an object, or one value at a time under a path:
 * `{ 'metadata.tenant_id': 'acme' }`. What comes next: `{ orderBy: 'nextRunAt' }`. @publicApi
 */
export interface JobQuery extends JobConditions, JobPageRequest {}

/** Conditions on jobs; all that is given must fit. @publicApi */
export interface JobConditions extends Omit<JobFilter, 'nextBefore'> {
  /** Jobs whose next time is before this one. Text without an offset is in the module's `timeZone`. */
  nextBefore?: InstantInput;
  [path: `metadata.${string}`]: JsonValue;
}

export const jobStates = [
  'pending',
  'scheduled',
  'running',
  'paused',
  'failed',
  'waiting',
  'completed',
  'cancelled',
  'orphaned',
] satisfies JobState[];
const triggerTypes = ['cron', 'interval', 'at', 'after', 'manual'] satisfies TriggerType[];
const pausers = ['job', 'handler', 'queue', 'namespace', 'all'] satisfies PausedBy[];
const orders = ['id', 'nextRunAt'] satisfies JobOrder[];
export const pageKeys = ['limit', 'cursor'];
/** Of a query of jobs. */
export const jobPageKeys = [...pageKeys, 'orderBy'];
export const jobFilterKeys = [
  'namespace',
  'state',
  'pausedBy',
  'nextBefore',
  'handler',
  'queue',
  'triggerType',
  'source',
  'app',
  'id',
  'idPrefix',
  'metadata',
];
const maxLimit = 1_000;
/** Of one call. */
const mostIds = 1_000;
const maxFilterBytes = 65_536;

/** The filter of a query, validated. */
export function jobFilter(query: Readonly<JobQuery>, timeZone: string): JobFilter {
  const plain = Object.fromEntries(Object.entries(query).filter(([key]) => !key.startsWith('metadata.')));
  knownOptions(plain, [...jobFilterKeys, ...jobPageKeys], 'a query of jobs', managerHint);
  const { namespace, state, pausedBy, nextBefore, handler, queue, triggerType, source, app, id, idPrefix } =
    query;
  const filter: JobFilter = {};
  if (namespace !== undefined) filter.namespace = namespaceOf(namespace);
  if (state !== undefined) filter.state = withPending(each(state, (item) => oneOf(item, 'state', jobStates)));
  if (pausedBy !== undefined) filter.pausedBy = each(pausedBy, (item) => oneOf(item, 'pausedBy', pausers));
  if (nextBefore !== undefined) filter.nextBefore = parseAt(nextBefore, timeZone, 'nextBefore');
  if (handler !== undefined) filter.handler = each(handler, (item) => lineOfText(item, 'handler'));
  if (queue !== undefined) filter.queue = each(queue, (item) => lineOfText(item, 'queue'));
  if (triggerType !== undefined) {
    filter.triggerType = each(triggerType, (item) => oneOf(item, 'triggerType', triggerTypes));
  }
  if (source !== undefined) filter.source = oneOf(source, 'source', ['code', 'api']);
  if (app !== undefined) filter.app = lineOfText(app, 'app');
  if (id !== undefined) filter.id = ids(id, 'id', (item) => assertJobId(item, lookUp));
  if (idPrefix !== undefined) filter.idPrefix = lineOfText(idPrefix, 'idPrefix');
  const metadata = metadataFilter(query);
  if (metadata !== null) filter.metadata = metadata;
  return filter;
}

/** Whoever looks for what is scheduled means what has never run as well. */
function withPending(asked: JobState | JobState[]): JobState | JobState[] {
  const all = [asked].flat();
  return all.includes('scheduled') ? [...new Set([...all, 'pending' as const])] : asked;
}

/** The page of a query of jobs, validated. */
export function jobPageOf(query: Readonly<JobQuery>): JobPageRequest {
  const { orderBy } = query;
  return { ...pageOf(query), ...(orderBy !== undefined && { orderBy: oneOf(orderBy, 'orderBy', orders) }) };
}

/** The page of a query, validated. */
export function pageOf({ limit, cursor }: PageRequest): PageRequest {
  const page: PageRequest = {};
  if (limit !== undefined) page.limit = wholeNumber(limit, 'limit', 1, maxLimit);
  if (cursor !== undefined) page.cursor = lineOfText(cursor, 'cursor', 4_096);
  return page;
}

/** Checks one value, or each of several. */
export function each<T>(given: T | T[], check: (item: T) => T): T | T[] {
  return Array.isArray(given) ? given.map(check) : check(given);
}

/** Checks one id, or each of several. Throws InvalidOptionError, also when there are too many. */
export function ids(
  given: string | string[],
  option: string,
  check: (item: string) => string,
): string | string[] {
  if (Array.isArray(given) && given.length > mostIds)
    throw new InvalidOptionError(
      option,
      `takes ${mostIds} ids at most, but has ${given.length}. Ask for them in parts.`,
    );
  return each(given, check);
}

function metadataFilter(query: Readonly<JobQuery>): JsonObject | null {
  const whole: unknown = query.metadata ?? {};
  if (typeof whole !== 'object' || whole === null || Array.isArray(whole)) {
    throw new InvalidOptionError('metadata', `must be an object, but is ${described(whole)}.`);
  }
  const result = toJson(whole, 'metadata', maxFilterBytes) as JsonObject;
  for (const [key, value] of Object.entries(query)) {
    if (!key.startsWith('metadata.')) continue;
    place(result, key, toJson(value, key, maxFilterBytes));
  }
  // The keys too: not every text can be one in every storage.
  return Object.keys(result).length > 0
    ? (toJson(result, 'metadata', 2 * maxFilterBytes) as JsonObject)
    : null;
}

/** Puts the value where the path of `key` leads; what is there already must not be in its way. */
function place(root: JsonObject, key: string, value: JsonValue): void {
  const path = key.split('.').slice(1);
  if (path.includes('') || path.includes('__proto__')) {
    throw new InvalidOptionError(key, 'is not a path. Write it like metadata.tenant_id.');
  }
  const last = path.pop()!;
  let object = root;
  for (const name of path) {
    const next = (object[name] ??= {});
    if (typeof next !== 'object' || next === null || Array.isArray(next)) conflict(key);
    object = next as JsonObject;
  }
  if (Object.hasOwn(object, last)) conflict(key);
  object[last] = value;
}

function conflict(key: string): never {
  throw new InvalidOptionError(key, 'contradicts another condition on the metadata.');
}
