import type { EventSelector } from './event.names.js';

/** What Chronis writes to Nest's logger, and how. @publicApi */
export interface LogOptions {
  /** Sentences for people, or an object per line for machines: its event, message and fields. @default 'text' */
  format?: 'text' | 'json';
  /** Events that are not written, such as `'run.retrying'` or `['run.*', 'gap.recorded']`. Listeners hear them all the same. @default none */
  silent?: EventSelector | readonly EventSelector[];
  /**
   * Whether every run that succeeds, is snoozed or opened, and every instant that is skipped, has its line (at `debug`): else it is one a minute for each handler or job, with the number of the others.
   * @default false
   */
  everyRun?: boolean;
}
