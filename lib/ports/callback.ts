import type { JobRef } from '../model/job.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { Callback, Policies } from '../model/policies.js';
import type { RunOrigin } from '../model/run.js';
import { isFailure, type Outcome, type RunVerdict } from '../model/verdict.js';
import type { NewJob } from './definitions.js';
import type { EpochMs } from './epoch.ms.js';

/** What a callback gets as `context.payload`: the run whose verdict it is about. @publicApi */
export interface CallbackPayload<P = JsonValue> {
  runId: string;
  jobId: string;
  namespace: string;
  handler: string;
  /** `succeeded` for `onSuccess`; `failed`, `timed_out` or `lost` for `onFailure`. */
  verdict: Exclude<RunVerdict, 'cancelled'>;
  /** ISO 8601, in UTC. */
  nominalAt: string;
  /** Attempts begun. */
  attempt: number;
  /** Of the last attempt, as it is in the ledger; null: it succeeded. */
  error: string | null;
  /** What the handler returned, as it is in the ledger. */
  result: JsonValue;
  /** Of the run itself. */
  payload: P;
}

/** A run that has got its verdict, as far as a callback is concerned. */
export interface CalledRun {
  id: string;
  jobId: string;
  namespace: string;
  app: string | null;
  handler: string;
  queue: string;
  priority: number;
  origin: RunOrigin;
  nominalAt: EpochMs;
  attempt: number;
  timeZone: string;
  payload: JsonValue;
  metadata: JsonObject;
  policies: Partial<Policies>;
}

const maxIdLength = 255;

/** The one-off that a verdict gives birth to, with the origin `callback`; null: none. Callbacks have none themselves. */
export function callbackOf(
  run: CalledRun,
  outcome: Outcome,
  { finishedAt, error, result }: { finishedAt: EpochMs; error: string | null; result: JsonValue },
): NewJob | null {
  const policy = policyFor(outcome);
  const callback = policy === null || run.origin === 'callback' ? null : run.policies[policy];
  if (!callback) return null;
  const { id: runId, jobId, namespace, handler, attempt, timeZone, metadata, priority, payload } = run;
  const nominalAt = new Date(run.nominalAt).toISOString();
  const about = { runId, jobId, namespace, handler, verdict: outcome, nominalAt, attempt };
  return {
    ...idOf(run, policy!),
    name: null,
    ...placeOf(callback, run),
    priority,
    trigger: { type: 'at', at: new Date(finishedAt).toISOString() },
    timeZone,
    payload: { ...about, error, result, payload },
    metadata,
    policies: {},
    source: 'api',
    app: run.app,
    definitionHash: '',
    nextAt: null,
  };
}

function policyFor(outcome: Outcome): 'onSuccess' | 'onFailure' | null {
  if (outcome === 'succeeded') return 'onSuccess';
  return isFailure(outcome) ? 'onFailure' : null;
}

function placeOf({ handler, queue }: Callback, run: CalledRun): { handler: string; queue: string } {
  return { handler, queue: queue ?? run.queue };
}

/** Run ids are never reused, so neither are these. */
function idOf({ id, jobId, namespace }: CalledRun, policy: string): JobRef {
  const suffix = `:${policy}:${id}`;
  const [whole] = /^[\s\S]*[^\uD800-\uDBFF]|^/.exec(jobId.slice(0, maxIdLength - suffix.length))!;
  return { namespace, id: `${whole}${suffix}` };
}
