// Types of packages that need not be installed where this one is used: what cannot be resolved is `any`.
/** @ts-ignore */
import type { CronJob as OtherCronJob } from 'cron';
/** @ts-ignore */
import type { DateTime, Zone } from 'luxon';

// Of a type that cannot be resolved, compilers since 5.5 make `any` of every condition that meets it, but not of its keys.
type IsAny<T> = string extends keyof T ? true : false;

/** A luxon DateTime; without its types, the part of it that is used most. @publicApi */
export type CronDate =
  IsAny<DateTime> extends true
    ? { toMillis(): number; toJSDate(): Date; toISO(): string | null; valueOf(): number }
    : DateTime;

/** A zone of luxon. */
export type LuxonZone = IsAny<Zone> extends true ? object : Zone;

/** The CronJob of the `cron` package where that is installed, so that handles fit variables of its type. */
export type InstalledCronJob = IsAny<OtherCronJob> extends true ? unknown : OtherCronJob;
