import { InvalidOptionError } from '../model/errors.js';
import type { JobOptions } from '../model/job.options.js';
import { defaultPolicies } from '../model/policies.js';
import type { KeepMs, MisfirePolicy, Policies } from '../model/policies.js';
import { Priority } from '../model/priority.js';
import type { DurationInput } from '../model/trigger.js';
import { backoffOf } from '../triggers/backoff.js';
import { parseDelay, parseDuration } from '../triggers/duration.js';
import { callbacksOf } from './callback.options.js';
import { knownOptions, described, oneOf, wholeNumber } from './option.checks.js';

const overlaps = ['skip', 'allow', 'queue', 'cancel-running'] as const;
const maxCaughtUp = 100_000;
const maxCount = 1_000_000;

type MisfireOption = 'misfire' | 'ifMissed' | 'if_missed' | 'misfireThreshold' | 'misfireLimit';

/** The policies among a job's options, validated; what was not given is left to the defaults. */
export function policiesOf(
  options: Pick<
    JobOptions,
    | 'overlap'
    | MisfireOption
    | 'recovery'
    | 'maxRetries'
    | 'backoff'
    | 'timeout'
    | 'pauseAfterFailures'
    | 'lateAfter'
    | 'maxLost'
    | 'onSuccess'
    | 'onFailure'
  > & { keep?: DurationInput },
): Partial<Policies> {
  const { overlap, misfireThreshold, misfireLimit, recovery, maxRetries, backoff, timeout, maxLost, keep } =
    options;
  const policies: Partial<Policies> = {};
  if (overlap !== undefined) policies.overlap = oneOf(overlap, 'overlap', overlaps);
  const misfire = misfireOf(options);
  if (misfire !== undefined) policies.misfire = misfire;
  if (misfireThreshold !== undefined) {
    policies.misfireThresholdMs = parseDelay(misfireThreshold, 'misfireThreshold');
  }
  if (misfireLimit !== undefined) policies.misfireLimit = misfireLimitOf(misfireLimit);
  if (recovery !== undefined) policies.recovery = oneOf(recovery, 'recovery', ['rerun', 'abandon']);
  if (maxRetries !== undefined) policies.maxRetries = wholeNumber(maxRetries, 'maxRetries', 0, maxCount);
  if (typeof backoff === 'function') {
    throw new InvalidOptionError(
      'backoff',
      'must be data, since it is stored with the job, but is a function. Give that to the handler: registerHandler(name, fn, { backoff }).',
    );
  }
  if (backoff !== undefined) policies.backoff = backoffOf(backoff);
  if (timeout !== undefined) policies.timeoutMs = timeout === null ? null : parseDuration(timeout, 'timeout');
  const { pauseAfterFailures: limit, lateAfter } = options;
  if (lateAfter !== undefined)
    policies.lateAfterMs = lateAfter === null ? null : parseDuration(lateAfter, 'lateAfter');
  if (limit !== undefined) {
    policies.pauseAfterFailures =
      limit === null ? null : wholeNumber(limit, 'pauseAfterFailures', 1, maxCount);
  }
  if (maxLost !== undefined) policies.maxLost = wholeNumber(maxLost, 'maxLost', 1, maxCount);
  if (keep !== undefined) policies.keepMs = keepOf(keep);
  return Object.assign(policies, callbacksOf(options));
}

/** `misfire`, or one of its names in other schedulers with the values that belong to it. */
function misfireOf(options: Pick<JobOptions, MisfireOption>): MisfirePolicy | undefined {
  const names = (['misfire', 'ifMissed', 'if_missed'] as const).filter((name) => options[name] !== undefined);
  if (names.length > 1) {
    throw new InvalidOptionError(names[1], `is another name of "${names[0]}". Give one of them.`);
  }
  const [name] = names;
  if (name === undefined) return undefined;
  if (name === 'misfire') return oneOf(options.misfire, name, ['skip', 'once', 'all']);
  return ({ skip: 'skip', run_once: 'once', run_all: 'all' } as const)[
    oneOf(options[name], name, ['skip', 'run_once', 'run_all'])
  ];
}

function misfireLimitOf(given: NonNullable<JobOptions['misfireLimit']>): Policies['misfireLimit'] {
  const { count, age } = knownOptions(given, ['count', 'age'], 'misfireLimit') as typeof given;
  const standard = defaultPolicies.misfireLimit;
  return {
    count: count === undefined ? standard.count : wholeNumber(count, 'misfireLimit.count', 1, maxCaughtUp),
    ageMs: age === undefined || age === null ? standard.ageMs : parseDuration(age, 'misfireLimit.age'),
  };
}

/** 0 (first) to 9 (last), from a number or the name of a level in any case. */
export function priorityOf(given: unknown): number {
  const levels: Record<string, number> = Priority;
  const named = typeof given === 'string' ? levels[given.toUpperCase()] : undefined;
  if (named !== undefined) return named;
  if (typeof given === 'number' && Number.isInteger(given) && given >= 0 && given <= 9) return given;
  throw new InvalidOptionError(
    'priority',
    `must be a whole number from 0 (first) to 9 (last), or one of ${Object.keys(Priority).join(', ')}, but is ${described(given)}.`,
  );
}

function keepOf(given: DurationInput): KeepMs {
  return given === 'forever' || given === 'none' ? given : parseDelay(given, 'keep');
}
