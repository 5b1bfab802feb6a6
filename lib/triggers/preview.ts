import type { Trigger, TriggerInput } from '../model/trigger.js';
import { CalendarSource } from './calendar.source.js';
import type { CompiledTrigger } from './compiled.trigger.js';
import { CronSource, type Touch } from './cron.source.js';
import { describeStored } from './describe.js';
import { counted, durationWords } from './english.js';
import { countOf, fromOf, maxRunsOf, type OccurrenceOptions } from './occurrences.js';
import { remarksOn, type Remark } from './remarks.js';
import { resolveTrigger } from './resolved.trigger.js';
import { localText, wallText } from './wall.text.js';

/** One instant of a preview, or a stretch of excluded ones. @publicApi */
export interface PreviewOccurrence {
  /** The nominal time; of a stretch, the first. */
  at: Date;
  /** What the clock on the wall shows: `YYYY-MM-DD HH:MM:SS`. */
  wallTime: string;
  /** The zone's offset then, such as `+09:00`. */
  offset: string;
  /** `at` plus the jitter. */
  startsAt: Date;
  /** How many instants in a row do not fire because of exclusions; 0: this one fires. */
  excluded: number;
  remarks: Remark[];
}

/** What a trigger will do. @publicApi */
export interface TriggerPreview {
  /** The trigger in plain English. */
  sentence: string;
  timeZone: string;
  /** `count` instants that fire, with the excluded ones between them in one entry for each stretch. */
  occurrences: PreviewOccurrence[];
  /** On the trigger as a whole. */
  remarks: Remark[];
}

/**
 * Shows what a trigger will do after `from` (default: the next 5 instants): instants with wall time, offset and remarks
 * on daylight saving, exclusions and jitter, and a sentence. Throws `InvalidScheduleError`. @publicApi
 */
export function preview(trigger: TriggerInput, options: OccurrenceOptions): TriggerPreview {
  const from = fromOf(trigger, options);
  const compiled = resolveTrigger(trigger, options, from);
  const stored = compiled.trigger;
  const jobKey = options.jobKey ?? '';
  const timeZone = zoneOf(stored) ?? options.timeZone ?? 'UTC';
  const remarks = remarksOn(stored, jobKey, isAnchored(trigger));
  const most = Math.min(countOf(options, 5), maxRunsOf(compiled));
  const occurrences: PreviewOccurrence[] = [];
  let last = from;
  for (let fires = 0; fires < most; fires++) {
    const at = compiled.next(last);
    const excluded = compiled.excludedBetween(last, at ?? last + yearMs);
    if (excluded) occurrences.push(excludedEntry(excluded, timeZone));
    if (at === null) {
      remarks.push({
        code: 'ends',
        text: fires === 0 ? 'It does not fire any more.' : 'It does not fire after these.',
      });
      break;
    }
    occurrences.push(entry(compiled, at, timeZone));
    last = at;
  }
  return { sentence: describeStored(stored, jobKey), timeZone, occurrences, remarks };
}

/** Whether a trigger says itself where its interval begins; `from` is taken otherwise. */
function isAnchored(trigger: TriggerInput): boolean {
  const { anchor, startAt } = trigger as { anchor?: unknown; startAt?: unknown };
  return (anchor ?? startAt ?? null) !== null;
}

const yearMs = 366 * 86_400_000;

function zoneOf(trigger: Trigger): string | undefined {
  return 'timeZone' in trigger ? trigger.timeZone : undefined;
}

function entry(compiled: CompiledTrigger, at: number, timeZone: string): PreviewOccurrence {
  const wall = wallText(at, timeZone);
  const jitterMs = compiled.jitterOf(at);
  const remarks: Remark[] = [];
  const { source } = compiled;
  const touch = source instanceof CronSource || source instanceof CalendarSource ? source.touchOf(at) : null;
  if (touch) remarks.push(touchRemark(touch, at, timeZone));
  if (jitterMs > 0) remarks.push({ code: 'jitter', text: `It starts ${durationWords(jitterMs)} later.` });
  return {
    at: new Date(at),
    wallTime: wall.full,
    offset: wall.offset,
    startsAt: new Date(at + jitterMs),
    excluded: 0,
    remarks,
  };
}

/** What a change of the clocks did to an instant, in words. */
export function touchRemark(touch: Touch, at: number, timeZone: string): Remark {
  if ('missing' in touch) {
    const meant = localText(touch.missing);
    return {
      code: 'dst-gap',
      text: `${meant.time} does not exist on ${meant.date}: the clocks go forward over it.`,
    };
  }
  const { date, time } = wallText(at, timeZone);
  return { code: 'dst-overlap', text: `${time} exists twice on ${date}: this is the ${touch.pass} time.` };
}

function excludedEntry(
  stretch: { from: number; until: number; count: number },
  timeZone: string,
): PreviewOccurrence {
  const wall = wallText(stretch.from, timeZone);
  const until = stretch.count > 1 ? ` up to ${wallText(stretch.until, timeZone).full}` : '';
  return {
    at: new Date(stretch.from),
    wallTime: wall.full,
    offset: wall.offset,
    startsAt: new Date(stretch.from),
    excluded: stretch.count,
    remarks: [{ code: 'excluded', text: `Excluded: ${counted(stretch.count, 'instant')}${until}.` }],
  };
}
