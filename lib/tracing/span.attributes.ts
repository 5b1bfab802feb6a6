import type { Attributes } from '@opentelemetry/api';
import type { BegunAttempt, SentJobs } from '../index.js';

// Names of the semantic conventions for messaging 1.30, which are in development; what they have no name for begins with `messaging.chronis`. No payload, no metadata, no result is among them.

const system = { 'messaging.system': 'chronis' } as const;

export function sentAttributes({ queue, jobId, count }: SentJobs): Attributes {
  return {
    ...system,
    'messaging.operation.name': 'send',
    'messaging.operation.type': 'send',
    'messaging.destination.name': queue,
    ...(count === 1
      ? { 'messaging.message.conversation_id': jobId }
      : { 'messaging.batch.message_count': count }),
  };
}

export function attemptAttributes(attempt: BegunAttempt): Attributes {
  return {
    ...system,
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': attempt.queue,
    'messaging.message.id': attempt.runId,
    'messaging.message.conversation_id': attempt.jobId,
    'messaging.client.id': attempt.worker,
    'messaging.chronis.namespace': attempt.namespace,
    'messaging.chronis.handler': attempt.handler,
    'messaging.chronis.attempt': attempt.attempt,
    'messaging.chronis.origin': attempt.origin,
    'messaging.chronis.nominal_time': attempt.nominalAt.toISOString(),
    'messaging.chronis.lateness_ms': Math.round(attempt.latenessMs),
  };
}

/** Instants that did not run. */
export interface NotRun {
  namespace: string;
  id: string;
  handler: string;
  from: Date;
  until: Date;
  verdict: string;
  count: number;
}

export function notRunAttributes({
  namespace,
  id,
  handler,
  from,
  until,
  verdict,
  count,
}: NotRun): Attributes {
  return {
    ...system,
    'messaging.message.conversation_id': id,
    'messaging.chronis.namespace': namespace,
    'messaging.chronis.handler': handler,
    'messaging.chronis.verdict': verdict,
    'messaging.chronis.from': from.toISOString(),
    'messaging.chronis.until': until.toISOString(),
    'messaging.chronis.count': count,
  };
}
