import {
  anyObject,
  count,
  described,
  duration,
  flag,
  givenInstant,
  input,
  instant,
  json,
  listOf,
  nullable,
  object,
  oneOf,
  text,
  type Schema,
} from '../schema.js';
import { note } from './common.js';

export const jobState = oneOf(
  ...['pending', 'scheduled', 'running', 'paused', 'failed', 'waiting', 'completed', 'cancelled', 'orphaned'],
);
export const pausedBy = oneOf('job', 'handler', 'queue', 'namespace', 'all');
export const triggerType = oneOf('cron', 'interval', 'at', 'after', 'manual');
const verdict = oneOf('succeeded', 'failed', 'timed_out', 'cancelled', 'lost');

export const pause = object({
  reason: nullable(text),
  by: nullable(text),
  at: instant,
  until: nullable(instant),
});

/** What a list leaves out. */
const large = ['payload'];

const fields: Readonly<Record<string, Schema>> = {
  namespace: text,
  id: text,
  name: nullable(text),
  handler: text,
  queue: text,
  priority: count,
  trigger: anyObject,
  timeZone: text,
  payload: described(json, 'As it is stored, or as the application shows it.'),
  metadata: described(json, 'An object, unless the application shows something else.'),
  policies: anyObject,
  source: oneOf('code', 'api'),
  app: nullable(text),
  state: jobState,
  paused: nullable(pause),
  pausedBy: nullable(pausedBy),
  orphanedAt: nullable(instant),
  changed: nullable(anyObject),
  nextRunAt: nullable(instant),
  waitsFor: nullable(listOf(text)),
  runCount: count,
  errorCount: count,
  consecutiveFailures: count,
  lastRunAt: nullable(instant),
  lastVerdict: nullable(verdict),
  lastError: nullable(text),
  createdAt: instant,
  updatedAt: instant,
  revision: count,
};

/** What of a job a list may be asked for. */
export const jobFields = Object.keys(fields).filter((field) => !large.includes(field));
export const job = object(fields);
/** With `fields` only those are there. */
export const listedJob: Schema = { ...object(fields), required: [] };

/** What of a job can be given at its creation and changed later. */
const about: Readonly<Record<string, Schema>> = {
  queue: text,
  priority: {
    type: ['integer', 'string'],
    description: '0 (first) to 9 (last), or critical, high, normal, low.',
  },
  payload: json,
  metadata: anyObject,
  task: described(anyObject, 'In the place of a handler and a payload.'),
  app: text,
  allowUnknownHandler: flag,
  overlap: oneOf('skip', 'allow', 'queue', 'cancel-running'),
  misfire: oneOf('skip', 'once', 'all'),
  misfireThreshold: duration,
  misfireLimit: anyObject,
  recovery: oneOf('rerun', 'abandon'),
  maxRetries: count,
  backoff: described({ type: ['object', 'array', 'number', 'string'] }, 'Delays before retries.'),
  timeout: nullable(duration),
  pauseAfterFailures: nullable(count),
  maxLost: count,
  onSuccess: { type: ['string', 'object', 'null'] },
  onFailure: { type: ['string', 'object', 'null'] },
  keep: duration,
  timeZone: text,
  at: givenInstant,
  in: duration,
  every: duration,
  cron: { type: ['string', 'object'] },
  trigger: described(anyObject, 'A schedule as data.'),
  startAt: givenInstant,
  endAt: givenInstant,
  maxRuns: count,
  jitter: duration,
  exclude: listOf(anyObject),
  dst: anyObject,
  anchor: givenInstant,
  mode: oneOf('fixed-rate', 'fixed-delay'),
  calendar: flag,
};

export const newJob = input({
  id: text,
  namespace: text,
  name: text,
  handler: described(text, 'The name of a handler. Or give a task.'),
  ...about,
  refusePast: flag,
  after: { type: ['string', 'array'] },
  need: { type: ['integer', 'string'] },
  otherwise: oneOf('block', 'cancel', 'run'),
  delay: duration,
  onConflict: described(oneOf('raise', 'ignore', 'replace'), 'When the id is taken.'),
  note,
});

export const jobChanges = input({ name: nullable(text), handler: text, ...about, note });
