import type { CronTiming, IntervalTiming } from '../model/job.options.js';
import type { Job } from '../model/job.js';
import type { CronFields, DurationInput, InstantInput, TriggerInput } from '../model/trigger.js';
import type { ConflictPolicy } from '../ports/storage.adapter.js';
import type { CreateOptions, OneOffOptions } from './create.options.js';
import type { ByHandler, HandlerReference, PayloadOption } from './handler.reference.js';
import { createdJobKeys } from './job.definition.js';
import { knownOptions, managerHint } from './option.checks.js';
import { afterDelay, cronTrigger, onlyOne, timingKeys, timingOf } from './trigger.options.js';

/** When: exactly one of `at`, `in`, `every` and `cron`, with the options that belong to it. @publicApi */
export interface ScheduleTiming extends CronTiming, IntervalTiming {
  /** Once, at this time. */
  at?: InstantInput;
  /** Once, this long from now by the storage's clock; `0` is at once. */
  in?: DurationInput;
  /** Again and again after this time. */
  every?: DurationInput;
  /** By the calendar: an expression, or fields. */
  cron?: string | CronFields;
}

/** Everything that `schedule` takes beside the handler. @publicApi */
export interface ScheduleOptions extends Omit<CreateOptions, 'handler'>, OneOffOptions, ScheduleTiming {}

/** `ScheduleOptions` for a handler that is given as a reference. @publicApi */
export type ScheduleFor<R extends HandlerReference<any>> = Omit<ScheduleOptions, 'payload'> &
  PayloadOption<R['~payload']>;

/** The same in one piece, for `createMany` and `upsert`. @publicApi */
export interface ScheduledJob extends CreateOptions, OneOffOptions, ScheduleTiming {}

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

const ways = (['at', 'in', 'every', 'cron'] as const).map((key) => ({ name: `"${key}"`, keys: [key] }));
const commonKeys = [...createdJobKeys, 'handler', 'onConflict', 'allowUnknownHandler'];
const oneOffKeys = [...commonKeys, ...timingKeys.at, 'keep', 'refusePast'];
const keysOf = {
  at: [...oneOffKeys, 'at'],
  in: [...oneOffKeys, 'in'],
  every: [...commonKeys, ...timingKeys.interval, 'every'],
  cron: [...commonKeys, ...timingKeys.cron, 'cron'],
};
const allKeys = [...new Set(Object.values(keysOf).flat())];

/** The trigger out of the one timing that is given. `owner` is who takes the options. Throws InvalidOptionError, InvalidScheduleError. */
export function scheduledTrigger(options: ByHandler<ScheduledJob>, now: number, owner: string): TriggerInput {
  const given = knownOptions(options, allKeys, owner, managerHint);
  const when = onlyOne(given, ways);
  const way =
    given.at !== undefined
      ? 'at'
      : given.in !== undefined
        ? 'in'
        : given.every !== undefined
          ? 'every'
          : 'cron';
  knownOptions(given, keysOf[way], `${owner} with "${way}"`);
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
