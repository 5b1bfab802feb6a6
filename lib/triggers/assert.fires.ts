import type { AtTrigger, CronTrigger, IntervalTrigger, Trigger } from '../model/trigger.js';
import { withAnchor } from './anchor.js';
import { compileTrigger } from './compiled.trigger.js';
import { planCron } from './cron.plan.js';
import type { NormalizeContext } from './normalize.context.js';
import { refuse, shown } from './refuse.js';

/**
 * Refuses a trigger that has no instant at all, and, where the past is refused, one that has none left.
 * Dates alone were judged when the cron was read; this is about limits, exclusions, years and changes of the clocks.
 */
export function assertFires(trigger: Trigger, context: NormalizeContext): void {
  if (trigger.type === 'after' || trigger.type === 'manual') return;
  if (trigger.type === 'at') {
    if (context.refusePast && Date.parse(trigger.at) < context.now) past(trigger, 'at');
    return;
  }
  if (hasEnded(trigger, context.now)) {
    if (context.refusePast) past(trigger, 'endAt');
    return;
  }
  // Calendars that are not known here are judged where the trigger is compiled.
  if (!context.calendars && trigger.exclude?.some((exclusion) => 'calendar' in exclusion)) return;
  if (!context.refusePast && !mayBeEmpty(trigger, context)) return;
  const compiled = compileTrigger(withAnchor(trigger, context.now), context.jobKey ?? '', context.calendars);
  if (compiled.next(-Infinity) === null) {
    refuse(
      trigger,
      'never-fires',
      `The schedule ${scheduleText(trigger)} never fires: its dates, limits and exclusions leave no instant.`,
      {
        field: trigger.exclude ? 'exclude' : trigger.endAt ? 'endAt' : null,
      },
    );
  }
  if (context.refusePast && compiled.next(context.now - 1) === null)
    past(trigger, trigger.endAt ? 'endAt' : null);
}

/** An interval that counts from its creation, which must have been before its end. */
function hasEnded(trigger: CronTrigger | IntervalTrigger, now: number): boolean {
  if (trigger.type !== 'interval' || (trigger.anchor ?? trigger.startAt) !== undefined) return false;
  return trigger.endAt !== undefined && Date.parse(trigger.endAt) < now;
}

function mayBeEmpty(trigger: CronTrigger | IntervalTrigger, context: NormalizeContext): boolean {
  if (trigger.startAt ?? trigger.endAt ?? trigger.exclude) return true;
  if (trigger.type === 'interval') return false;
  const { year } = planCron(trigger, context.jobKey ?? '').definition;
  return trigger.dst !== undefined || (year !== null && !year.unrestricted);
}

function past(trigger: CronTrigger | IntervalTrigger | AtTrigger, field: string | null): never {
  return refuse(
    trigger,
    'past-date',
    `The schedule ${scheduleText(trigger)} lies in the past: it has no instant from now on.`,
    {
      field,
      hint:
        trigger.type === 'at'
          ? 'Give a later time, or leave refusePast out: it then runs at once, as the misfire policy says.'
          : 'Give a later end. A job that is said again at each start, with onConflict, may have ended.',
    },
  );
}

function scheduleText(trigger: CronTrigger | IntervalTrigger | AtTrigger): string {
  if (trigger.type === 'at') return `at ${trigger.at}`;
  if (trigger.type === 'interval') return `every ${shown(trigger.every)} ms`;
  return trigger.expression === undefined ? shown(trigger.fields) : `"${shown(trigger.expression)}"`;
}
