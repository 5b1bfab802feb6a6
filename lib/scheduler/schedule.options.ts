import { InvalidOptionError } from '../model/errors.js';
import type { Job } from '../model/job.js';
import type { CronFields, DurationInput, InstantInput, TriggerInput } from '../model/trigger.js';
import type { ConflictPolicy } from '../ports/storage.adapter.js';
import { afterTrigger, hasAfter } from './after.option.js';
import { commonKeys } from './common.keys.js';
import { knownOptions, managerHint } from './option.checks.js';
import { hintsOfWays, scheduleHints } from './option.hints.js';
import { afterDelay, cronTrigger, onlyOne, timingKeys, timingOf, timingWays } from './trigger.options.js';

/** What became of one item of `createMany`. @publicApi */
export type CreateManyResult =
  | { status: 'created' | 'existing' | 'replaced'; job: Job }
  /** Nothing was stored for this item, unless the error is a StorageError: then nobody knows. */
  | { status: 'rejected'; error: unknown };

/** Of `createMany`. @publicApi */
export interface CreateManyOptions {
  /** For items that do not say it themselves. @default 'raise' */
  onConflict?: ConflictPolicy;
}

/** What became of a job that was created or replaced. @publicApi */
export interface UpsertResult {
  status: 'created' | 'replaced';
  job: Job;
}

type Given = Readonly<Record<string, unknown>>;

const wayNames = timingWays;
const ways = wayNames.map((name) => ({ name: `"${name}"`, keys: [name] }));
const oneOffKeys = [...timingKeys.at, 'keep', 'refusePast'];
const keysOfWays = {
  at: oneOffKeys,
  in: oneOffKeys,
  every: timingKeys.interval,
  cron: timingKeys.cron,
} as const;

/** All that may be said about when. */
export const allTimingKeys: readonly string[] = [
  ...new Set([...wayNames, ...Object.values(keysOfWays).flat()]),
];
// Once, not for each of very many jobs.
const scheduleKeys = [...commonKeys, ...allTimingKeys];
const jobKeysOf = keysByWay(commonKeys);
const wayHints = hintsOfWays(keysOfWays);

/** The trigger out of the one timing that is given. `owner` is who takes the options. Throws InvalidOptionError, InvalidScheduleError. */
export function scheduledTrigger(options: unknown, now: number, owner: string): TriggerInput {
  const given = knownOptions(options, scheduleKeys, owner, scheduleHints);
  return timedTrigger(given, jobKeysOf, now, owner);
}

/** The same of a job that is made, which may wait for others in place of a time. */
export function createdTrigger(options: unknown, now: number, owner: string): TriggerInput {
  return hasAfter(options) ? afterTrigger(options, owner) : scheduledTrigger(options, now, owner);
}

/** The same, or the trigger that is given as data. */
export function anyTrigger(options: unknown, now: number, owner: string): TriggerInput {
  if (hasAfter(options)) return afterTrigger(options, owner);
  const given = knownOptions(options, [...scheduleKeys, 'trigger'], owner, managerHint);
  onlyOne(given, [...ways, { name: '"trigger"', keys: ['trigger'] }]);
  if (given.trigger === undefined)
    return timedTrigger(given, keysByWay([...commonKeys, 'trigger']), now, owner);
  knownOptions(given, [...commonKeys, 'keep', 'refusePast', 'trigger'], `${owner} with "trigger"`);
  return given.trigger as TriggerInput;
}

/** The trigger that a change wants; undefined: none, or only another zone. */
export function changedTrigger(
  given: Given,
  common: readonly string[],
  now: number,
): TriggerInput | undefined {
  const owner = 'updateJob()';
  if (wayNames.some((way) => given[way] !== undefined)) {
    onlyOne(given, [...ways, { name: '"trigger"', keys: ['trigger'] }]);
    return timedTrigger(given, keysByWay(common), now, owner);
  }
  const stray = allTimingKeys.find((key) => given[key] !== undefined && key !== 'timeZone' && key !== 'keep');
  if (stray === undefined) return given.trigger as TriggerInput | undefined;
  const place = given.trigger === undefined ? 'beside "every" or "cron"' : 'in "trigger"';
  throw new InvalidOptionError(
    stray,
    `belongs to a schedule, which is changed as a whole. Give it ${place}.`,
  );
}

type KeysByWay = Readonly<Record<(typeof wayNames)[number], readonly string[]>>;

/** What may be said with each way of saying when, beside the options that all have in `common`. */
function keysByWay(common: readonly string[]): KeysByWay {
  const keys = wayNames.map((way) => [way, [...common, way, ...keysOfWays[way]]]);
  return Object.fromEntries(keys) as KeysByWay;
}

function timedTrigger(given: Given, keys: KeysByWay, now: number, owner: string): TriggerInput {
  const when = onlyOne(given, ways);
  const way = wayNames.find((name) => given[name] !== undefined)!;
  knownOptions(given, keys[way], `${owner} with "${way}"`, wayHints);
  switch (way) {
    case 'at':
      return { ...timingOf('at', given), at: when as InstantInput };
    case 'in':
      return { ...timingOf('at', given), at: afterDelay(when as DurationInput, now) };
    case 'every':
      return { ...timingOf('interval', given), every: when as DurationInput };
    case 'cron':
      return cronTrigger(when as string | CronFields, given);
  }
}
