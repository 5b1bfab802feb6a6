import {
  anyObject,
  count,
  described,
  flag,
  instant,
  json,
  nullable,
  object,
  oneOf,
  text,
  type Schema,
} from '../schema.js';

export const runState = oneOf(
  ...['waiting', 'blocked', 'running', 'open', 'paused'],
  ...['succeeded', 'cancelled', 'failed', 'timed_out', 'lost'],
);
export const failureState = oneOf('failed', 'timed_out', 'lost');
export const outcome = oneOf(
  ...['succeeded', 'failed', 'timed_out', 'cancelled', 'lost', 'handed_back', 'snoozed', 'opened'],
);
const origin = oneOf('schedule', 'at', 'manual', 'retry', 'callback', 'backfill', 'workflow');

const identity = {
  jobId: text,
  namespace: text,
  handler: text,
  queue: text,
  origin,
  nominalAt: instant,
  attempt: count,
  fence: count,
  worker: nullable(text),
  startedAt: nullable(instant),
  retryOf: nullable(text),
};

const ofRun = {
  id: text,
  ...identity,
  priority: count,
  dueAt: nullable(instant),
  state: runState,
  lostCount: count,
  lastError: nullable(text),
  lastFingerprint: nullable(text),
  finishedAt: nullable(instant),
};

export const run = object(ofRun);

const fraction: Schema = { type: 'number', minimum: 0, maximum: 1 };
const progress = object({ fraction, details: nullable(anyObject), attempt: count, at: instant });

/** As queries tell of it. */
export const listedRun = object({
  ...ofRun,
  progress: described(nullable(progress), 'How far its handler says it is.'),
});

export const attempt = object({
  runId: text,
  ...identity,
  outcome,
  final: flag,
  finishedAt: instant,
  error: nullable(text),
  fingerprint: nullable(text),
  result: described(json, 'As it is stored.'),
});

export const gap = object({
  jobId: text,
  namespace: text,
  from: instant,
  until: nullable(instant),
  verdict: oneOf('skipped', 'missed', 'paused', 'excluded'),
  count,
  reason: text,
});
