import type { InstantInput, DurationInput } from '../model/trigger.js';
import type { Remark } from '../triggers/remarks.js';

/** Which time to look at, and how closely. @publicApi */
export interface ForecastOptions {
  /** @default now, by the storage's clock */
  from?: InstantInput;
  /** At most 366 days after `from`. @default 24 hours after it */
  until?: InstantInput;
  /** Length of a bucket: whole minutes, at most 50,000 buckets. @default '1m' up to a day, '1h' beyond */
  bucket?: DurationInput;
  /** @default all of them */
  namespace?: string;
}

export const forecastKeys = ['from', 'until', 'bucket', 'namespace'] satisfies (keyof ForecastOptions)[];

/** A stretch of time with the runs that are due in it. @publicApi */
export interface ForecastBucket {
  at: Date;
  runs: number;
}

/** A minute in which many runs are due. @publicApi */
export interface HotMinute extends ForecastBucket {
  /** `namespace/id` of some of them: five at most. */
  jobs: string[];
}

/** What a change of the clocks does to some runs. @publicApi */
export interface ForecastRemark extends Remark {
  at: Date;
  /** How many jobs it happens to, and `namespace/id` of one. */
  jobs: number;
  example: string;
}

/** What will be due, by what is stored now. @publicApi */
export interface Forecast {
  from: Date;
  until: Date;
  bucketMs: number;
  /** Runs in all. */
  runs: number;
  /** It is as many or more (">="): counting was given up, as there are very many jobs or instants. */
  atLeast: boolean;
  /** Jobs that have a time in it. */
  jobs: number;
  /** Jobs that would, but are paused or orphaned at present. */
  held: number;
  /** Those with runs only, by time. */
  buckets: ForecastBucket[];
  /** The ten minutes with most runs, if more than one run is due in them; the hottest first. */
  hotMinutes: HotMinute[];
  /** Of daylight saving; a hundred at most, by time. */
  remarks: ForecastRemark[];
}
