import type { Job } from '../model/job.js';
import type { Calendars, InstantInput } from '../model/trigger.js';
import { preview, type TriggerPreview } from '../triggers/preview.js';
import { refKey } from './job.identity.js';
import { knownOptions } from './option.checks.js';

/** Which instants to show. @publicApi */
export interface PreviewOptions {
  /** Instants strictly after this one. @default now, by the storage's clock */
  from?: InstantInput;
  /** @default 5 */
  count?: number;
}

/** What a stored job will do, by its trigger alone: what pauses it is a remark. */
export function previewOf(
  job: Job,
  options: PreviewOptions,
  now: number,
  calendars: Calendars,
): TriggerPreview {
  const { from = new Date(now), count } = knownOptions(
    options,
    ['from', 'count'],
    'previewJob()',
  ) as PreviewOptions;
  const { trigger, timeZone } = job;
  const shown = preview(trigger, { from, count, timeZone, calendars, jobKey: refKey(job) });
  if (job.paused !== null) {
    const reason = job.paused.reason === null ? '' : ` (${job.paused.reason})`;
    const text = `The job is paused${reason}: it does not fire until it is resumed.`;
    shown.remarks.unshift({ code: 'paused', text });
  }
  if (job.orphanedAt !== null) {
    const text = 'No live code declares the job any more: it does not fire until some does.';
    shown.remarks.unshift({ code: 'orphaned', text });
  }
  return shown;
}
