import type { Job, PausedBy } from '../model/job.js';
import type { Calendars, InstantInput } from '../model/trigger.js';
import { preview, type TriggerPreview } from '../triggers/preview.js';
import { timeIn } from './explaining.words.js';
import { refKey } from './job.identity.js';

/** Which instants to show. @publicApi */
export interface PreviewOptions {
  /** Instants strictly after this one. @default now, by the storage's clock */
  from?: InstantInput;
  /** @default 5 */
  count?: number;
}

export const previewKeys = ['from', 'count'] satisfies (keyof PreviewOptions)[];

/** What a stored job will do, by its trigger alone: what pauses it is a remark. */
export function previewOf(
  job: Job,
  { from, count }: PreviewOptions,
  now: number,
  calendars: Calendars,
): TriggerPreview {
  const { trigger, timeZone } = job;
  const shown = preview(trigger, {
    from: from ?? new Date(now),
    count,
    timeZone,
    calendars,
    jobKey: refKey(job),
  });
  if (job.pausedBy !== null) shown.remarks.unshift({ code: 'paused', text: pausedText(job, job.pausedBy) });
  if (job.orphanedAt !== null) {
    const text = 'No live code declares the job any more: it does not fire until some does.';
    shown.remarks.unshift({ code: 'orphaned', text });
  }
  return shown;
}

function pausedText({ paused, timeZone, ...job }: Job, by: PausedBy): string {
  const until = 'it does not fire until';
  switch (by) {
    case 'job': {
      const reason = paused === null || paused.reason === null ? '' : ` (${paused.reason})`;
      const end = paused?.until ? `${timeIn(timeZone, paused.until)}, when that ends.` : 'it is resumed.';
      return `The job is paused${reason}: ${until} ${end}`;
    }
    case 'all':
      return `Everything is paused: ${until} that is resumed.`;
    default:
      return `The ${by} "${job[by]}" of the job is paused: ${until} that is resumed.`;
  }
}
