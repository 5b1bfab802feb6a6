import type { Trigger } from '../model/trigger.js';
import { planCron } from './cron.plan.js';
import type { FieldSet } from './field.set.js';

/** What a remark is about. @publicApi */
export type RemarkCode =
  /** Day and weekday are both restricted, and one of them by a step or a full range: probably not what was meant. */
  | 'day-or-weekday'
  /** A weekday of a fields object is a number, which counts from Monday there and from Sunday in a cron string. */
  | 'weekday-number'
  /** It fires at minute 0, as most schedules of the world do. */
  | 'hot-minute'
  /** The first instant depends on when the job is created. */
  | 'no-anchor'
  /** The instants after the first depend on how long the runs take. */
  | 'fixed-delay'
  /** There are no more instants than these. */
  | 'ends'
  /** The clocks go forward over this wall time. */
  | 'dst-gap'
  /** The clocks go back: this wall time exists twice. */
  | 'dst-overlap'
  /** The job is paused, or declared by no live code: nothing of this fires until that ends. */
  | 'paused'
  | 'orphaned'
  | 'excluded'
  | 'jitter';

/** Something worth knowing about a trigger or one of its instants; nothing is refused for it. @publicApi */
export interface Remark {
  code: RemarkCode;
  /** A sentence. */
  text: string;
}

/** The remarks on a trigger as a whole. */
export function remarksOn(trigger: Trigger, jobKey: string, isAnchored: boolean): Remark[] {
  if (trigger.type === 'interval') return intervalRemarks(trigger, isAnchored);
  if (trigger.type !== 'cron') return [];
  const { definition } = planCron(trigger, jobKey);
  const { day, weekday, minute, second, either } = definition;
  const remarks: Remark[] = [];
  if (either && (isLoose(day) || isLoose(weekday))) {
    remarks.push({
      code: 'day-or-weekday',
      text: 'Day and weekday are both restricted, so it fires when either matches; a step or a full range there matches more days than was probably meant. Write * for the one that does not matter, or use fields, where both must match.',
    });
  }
  if (trigger.fields !== undefined && weekday.numbered) {
    remarks.push({
      code: 'weekday-number',
      text: 'In a fields object dayOfWeek 0 is Monday, in a cron string 0 is Sunday: names are clearer.',
    });
  }
  const usesHash = /(?:^|[ \t,])H/i.test(trigger.expression ?? String(trigger.fields?.minute ?? ''));
  if (!usesHash && isOnly(minute, 0) && isOnly(second, 0)) {
    remarks.push({
      code: 'hot-minute',
      text: 'It fires at minute 0, like most schedules: H in place of the minute, or jitter, spreads the load.',
    });
  }
  return remarks;
}

function intervalRemarks(trigger: Extract<Trigger, { type: 'interval' }>, isAnchored: boolean): Remark[] {
  const remarks: Remark[] = [];
  if (!isAnchored) {
    remarks.push({
      code: 'no-anchor',
      text: 'Without an anchor the interval counts from the moment of creation.',
    });
  }
  if (trigger.mode === 'fixed-delay') {
    remarks.push({
      code: 'fixed-delay',
      text: 'The delay begins at the end of each run; runs are taken to last no time here.',
    });
  }
  return remarks;
}

function isLoose(set: FieldSet): boolean {
  return set.stepped || set.full;
}

function isOnly(set: FieldSet, value: number): boolean {
  const values = set.list();
  return values.length === 1 && values[0] === value;
}
