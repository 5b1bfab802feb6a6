import type { Exclusion, IntervalTrigger, Trigger, TriggerInput } from '../model/trigger.js';
import { planCron } from './cron.plan.js';
import { describeDays } from './describe.days.js';
import { describeTime } from './describe.time.js';
import { durationWords, listed, weekdayList } from './english.js';
import { normalizeTrigger } from './normalize.js';
import { wallText } from './wall.text.js';

/** Defaults for what a trigger leaves open. @publicApi */
export interface DescribeOptions {
  /** The zone of triggers that name none. @default 'UTC' */
  timeZone?: string;
  /** "namespace/id" of the job, which decides `H`. @default '' */
  jobKey?: string;
}

/**
 * A trigger as a sentence in plain English, without a full stop: "At 09:00 in Asia/Seoul, Monday to Friday".
 * Throws `InvalidScheduleError`. @publicApi
 */
export function describe(trigger: TriggerInput, options: DescribeOptions = {}): string {
  const { timeZone = 'UTC', jobKey = '' } = options;
  return describeStored(normalizeTrigger(trigger, { timeZone, jobKey, now: 0 }), jobKey);
}

/** The sentence of a trigger that was checked. */
export function describeStored(trigger: Trigger, jobKey: string): string {
  switch (trigger.type) {
    case 'cron': {
      const { definition } = planCron(trigger, jobKey);
      const days = describeDays(definition);
      if (days.length === 0 && !definition.hour.full) days.push('every day');
      return [`${describeTime(definition)} in ${trigger.timeZone}`, ...days, ...limits(trigger)].join(', ');
    }
    case 'interval':
      return [intervalWords(trigger), ...limits(trigger)].join(', ');
    case 'at':
      return `Once at ${instantWords(trigger.at, trigger.timeZone ?? 'UTC')}`;
    case 'after': {
      const delay = trigger.delay === undefined ? '' : `${durationWords(trigger.delay)} after `;
      const jobs = trigger.jobs.map((id) => `"${id}"`);
      const needed = trigger.need ?? jobs.length;
      const some = needed === jobs.length ? '' : `${needed} of `;
      return `${delay === '' ? 'When' : `${delay}the moment when`} ${some}${listed(jobs)} ${needed > 1 ? 'have' : 'has'} succeeded`;
    }
    case 'manual':
      return 'Only when it is started by hand';
  }
}

function intervalWords(trigger: IntervalTrigger): string {
  const every = trigger.every as number;
  if (trigger.mode === 'fixed-delay')
    return `${capital(durationWords(every))} after the end of the previous run`;
  const pace = `Every ${durationWords(every, true)}`;
  if (!trigger.calendar) return pace;
  const at = trigger.anchor ?? trigger.startAt;
  const time = at === undefined ? '' : ` at ${wallText(Date.parse(at), trigger.timeZone ?? 'UTC').time}`;
  return `${pace}${time} in ${trigger.timeZone}, by the calendar`;
}

function limits(trigger: Extract<Trigger, { type: 'cron' | 'interval' }>): string[] {
  const { startAt, endAt, maxRuns, jitter, exclude, timeZone = 'UTC' } = trigger;
  const words: string[] = [];
  if (startAt !== undefined) words.push(`from ${instantWords(startAt, timeZone)}`);
  if (endAt !== undefined) words.push(`until ${instantWords(endAt, timeZone)}`);
  if (maxRuns !== undefined) words.push(maxRuns === 1 ? 'once' : `${maxRuns} times`);
  if (jitter !== undefined) words.push(`up to ${durationWords(jitter)} later`);
  if (exclude !== undefined) words.push(`except ${listed(exclude.map(exclusionWords), 'or')}`);
  return words;
}

function exclusionWords(exclusion: Exclusion): string {
  const zone = exclusion.timeZone === undefined ? '' : ` in ${exclusion.timeZone}`;
  if ('calendar' in exclusion) return `on days of the calendar "${exclusion.calendar}"${zone}`;
  if ('weekdays' in exclusion)
    return `on ${weekdayList([...new Set(exclusion.weekdays as number[])])}${zone}`;
  if ('from' in exclusion) return `from ${exclusion.from} to ${exclusion.to}${zone}`;
  const { dates } = exclusion;
  return dates.length <= 5 ? `on ${listed(dates, 'or')}${zone}` : `on ${dates.length} dates${zone}`;
}

function instantWords(iso: string, timeZone: string): string {
  const { date, time } = wallText(Date.parse(iso), timeZone);
  return `${date} ${time} in ${timeZone}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
