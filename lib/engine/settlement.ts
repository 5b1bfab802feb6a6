import { errorText } from '../events/shown.error.js';
import { OpenDeadlineError, RunAbortedError, type AbortCause } from '../model/errors.js';
import type { JsonValue } from '../model/json.js';
import { maxDepth } from '../model/json.conversion.js';
import { resolvePolicies } from '../model/policies.js';
import type { RetryRules } from '../model/retry.rules.js';
import type { ClaimedRun } from '../model/run.js';
import { isFailure, type Outcome } from '../model/verdict.js';
import { abandoned } from '../ports/abandonment.js';
import { callbackOf } from '../ports/callback.js';
import { fingerprintOfText } from '../ports/fingerprint.js';
import type { Settlement } from '../ports/storage.adapter.js';
import { errorFingerprint } from './error.fingerprint.js';
import { deadlineFrom } from './open.deadline.js';
import { handedOn } from './step.result.js';
import { decideRetry, type RetryDecision, type RuleFailure } from './retry.policy.js';
import type { Ending } from './attempt.ending.js';

/** Longest result that the ledger keeps, in characters. */
const maxResultLength = 65_536;

/** What an attempt comes to. */
export interface Judgement {
  settlement: Settlement;
  /** What the handler threw, for the event; null: nothing. */
  error: unknown;
  ruleFailures: readonly RuleFailure[];
}

/**
 * The outcome of an attempt. A handler that returned has succeeded, even after its signal fired: the work is done.
 * Null: nothing is to be written, since the lease was lost and whoever releases the run writes its `lost`.
 */
export function judge(
  run: ClaimedRun,
  ending: Ending,
  abortCause: AbortCause | null,
  times: { startedAt: number; finishedAt: number },
  random: () => number,
  rules: RetryRules = {},
): Judgement | null {
  if (ending.kind === 'returned') {
    if (run.flowStep !== undefined) return judgeStep(run, ending, times, random, rules);
    const { result, note } = toResult(ending.value);
    const judged = settled(run, 'succeeded', times, null, noRetry, result);
    return note === null ? judged : { ...judged, settlement: withNote(run, judged.settlement, note) };
  }
  if (ending.kind === 'snoozed') {
    const retryAt = times.finishedAt + ending.delayMs;
    return settled(run, 'snoozed', times, null, { retryAt, ruleFailures: [] });
  }
  if (ending.kind === 'suspended') {
    const retryAt = Math.max(ending.until, times.finishedAt);
    return settled(run, 'snoozed', times, null, { retryAt, ruleFailures: [] });
  }
  if (ending.kind === 'opened') {
    const retryAt = deadlineFrom(times.finishedAt, ending.deadline);
    const judged = settled(run, 'opened', times, null, { retryAt, ruleFailures: [] });
    if (ending.flow !== undefined) judged.settlement.flow = ending.flow;
    return judged;
  }
  const failed = (outcome: Outcome, error: unknown): Judgement => {
    const retry = decideRetry(run, resolvePolicies(run.policies), error, times.finishedAt, rules, random);
    return settled(run, outcome, times, error, retry);
  };
  if (ending.kind === 'expired') return failed('timed_out', new OpenDeadlineError(run.id));
  const thrown = ending.kind === 'threw' ? ending.error : null;
  switch (abortCause) {
    case 'lease-lost':
      return null;
    case 'cancel':
      return settled(run, 'cancelled', times);
    case 'shutdown': {
      const { recovery } = resolvePolicies(run.policies);
      if (recovery === 'abandon') return settled(run, 'lost', times, abandoned.running);
      return settled(run, 'handed_back', times);
    }
    case 'timeout':
      return failed('timed_out', new RunAbortedError('timeout'));
    case null:
      return failed('failed', thrown ?? nothingThrown(thrown));
  }
}

/** Others go on with what a step has returned, so one that cannot be kept has failed. */
function judgeStep(
  run: ClaimedRun,
  { value, step }: Extract<Ending, { kind: 'returned' }>,
  times: { startedAt: number; finishedAt: number },
  random: () => number,
  rules: RetryRules,
): Judgement {
  let result: JsonValue;
  try {
    result = handedOn(run, value);
  } catch (error) {
    return judge(run, { kind: 'threw', error }, null, times, random, rules)!;
  }
  const judged = settled(run, 'succeeded', times, null, noRetry, result);
  // Also of one that adds nothing: it is known then that its end sets off others.
  judged.settlement.flowStep = step ?? {};
  return judged;
}

/** Without a stack: it would be one of this library. */
function nothingThrown(thrown: unknown): Error {
  const error = new Error(`The handler threw ${String(thrown)}.`);
  return Object.defineProperty(error, 'stack', { value: undefined });
}

/** When judging fails, as what is stored of the run makes no sense: it has failed, as it must not be in hands for ever. */
export function unjudged(
  { id: runId, fence, worker, jobUid }: ClaimedRun,
  times: { startedAt: number; finishedAt: number },
  error: unknown,
): Judgement {
  const text = `The end of the attempt could not be judged: ${describeError(error)}`;
  const fields = { outcome: 'failed', retryAt: null, error: text, result: null, callback: null } as const;
  return {
    settlement: {
      ...{ runId, fence, worker, ...times, ...fields },
      oneOff: jobUid === null,
      fingerprint: errorFingerprint(error),
    },
    error,
    ruleFailures: [],
  };
}

/** The same settlement with a note in place of what the handler returned or threw: also in its callback. */
export function withNote(run: ClaimedRun, settlement: Settlement, note: string): Settlement {
  const { outcome, finishedAt, callback } = settlement;
  const about = { finishedAt, error: note, result: null };
  // What it adds to its workflow, or opens as, may be what cannot be stored, and others would wait for nothing without it: it has failed.
  if (settlement.flowStep !== undefined || settlement.flow !== undefined) {
    const { flowStep: _, flow: __, ...rest } = settlement;
    const failed = { outcome: 'failed', retryAt: null, error: note, result: null } as const;
    return {
      ...rest,
      ...failed,
      fingerprint: fingerprintOfText(note),
      callback: callbackOf(run, 'failed', about),
    };
  }
  return {
    ...settlement,
    error: note,
    result: null,
    callback: callback ? callbackOf(run, outcome, about) : null,
  };
}

const noRetry: RetryDecision = { retryAt: null, ruleFailures: [] };

function settled(
  run: ClaimedRun,
  outcome: Outcome,
  { startedAt, finishedAt }: { startedAt: number; finishedAt: number },
  thrown: unknown = null,
  { retryAt, ruleFailures }: RetryDecision = noRetry,
  result: JsonValue = null,
): Judgement {
  const error = thrown === null ? null : describeError(thrown);
  // Also with a retry: it may turn out that nobody wants it, and the outcome is the verdict.
  const callback = callbackOf(run, outcome, { finishedAt, error, result });
  const { id: runId, fence, worker } = run;
  const oneOff = run.jobUid === null;
  // What is lost has thrown nothing.
  const hasFailed = thrown !== null && isFailure(outcome) && outcome !== 'lost';
  const fingerprint = hasFailed ? errorFingerprint(thrown) : null;
  return {
    settlement: {
      runId,
      fence,
      worker,
      outcome,
      startedAt,
      finishedAt,
      retryAt,
      error,
      result,
      oneOff,
      callback,
      ...(fingerprint !== null && { fingerprint }),
    },
    error: thrown,
    ruleFailures,
  };
}

/** The text of anything that was thrown, cut to a bounded length. */
export function describeError(error: unknown): string {
  // PostgreSQL has no NUL in text, and UTF-8 no half of a pair.
  return errorText(error).replaceAll(/\0|\p{Surrogate}/gu, '\u{FFFD}');
}

const nothingReturned = { result: null, note: null } as const;

interface KeptResult {
  result: JsonValue;
  note: string | null;
}

/** What a handler returned, if it is JSON of a bounded length and depth; else null, and a note that says why. */
function toResult(value: unknown): Readonly<KeptResult> {
  if (value === undefined || value === null) return nothingReturned;
  try {
    const text = JSON.stringify(value);
    if (text === undefined) return nothingReturned;
    const fault = faultOf(text);
    return fault === null ? { result: JSON.parse(text) as JsonValue, note: null } : notKept(fault);
  } catch (error) {
    return notKept(describeError(error).split('\n', 1)[0]!);
  }
}

function notKept(why: string): KeptResult {
  return { result: null, note: `The result was not kept: ${why}` };
}

/** How JSON.stringify writes these; an even number of backslashes before it are text. */
const nulEscape = /(?<!\\)(?:\\\\)*\\u0000/;
const halfEscape = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

function faultOf(json: string): string | null {
  if (json.length > maxResultLength)
    return `it has ${json.length} characters, the most is ${maxResultLength}.`;
  if (json.includes('\\u')) {
    if (nulEscape.test(json)) return 'it holds a NUL character.';
    if (halfEscape.test(json)) return 'it holds half of a surrogate pair, which is not valid Unicode.';
  }
  return isTooDeep(json) ? `it is nested deeper than ${maxDepth} levels.` : null;
}

/** Storages read JSON level by level, and run out of stack somewhere. */
function isTooDeep(json: string): boolean {
  if (json.length <= 2 * maxDepth) return false;
  let depth = 0;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    if (depth > maxDepth) return true;
  }
  return false;
}
