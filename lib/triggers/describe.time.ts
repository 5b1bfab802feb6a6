import { two } from './civil.date.js';
import type { CronDefinition } from './cron.definition.js';
import { counted, listed, runs } from './english.js';
import type { FieldSet } from './field.set.js';

/** As many times of the day as are told one by one. */
const maxTimes = 6;

/** The time of day of a cron in words: "At 09:00", "Every 15 minutes from 09:00 to 17:59". */
export function describeTime({ second, minute, hour }: CronDefinition): string {
  const [seconds, minutes, hours] = [second.list(), minute.list(), hour.list()];
  if (!hour.full && seconds.length * minutes.length * hours.length <= maxTimes) {
    const times = hours.flatMap((h) => minutes.flatMap((m) => seconds.map((s) => clock(h, m, s))));
    return `At ${listed(times)}`;
  }
  const onMinute = seconds.length === 1 && seconds[0] === 0;
  const pace = onMinute ? paceOf(minute, 'minute') : minute.full ? paceOf(second, 'second') : null;
  if (pace !== null) return hour.full ? pace : `${pace} ${during(hours)}`;
  const parts = [
    ...(onMinute ? [] : [partOf(second, 'second')]),
    ...(minute.full && !onMinute ? [] : [partOf(minute, 'minute')]),
  ];
  const words = `${parts.join(' of ')} ${hour.full ? 'of every hour' : during(hours)}`;
  return words.startsWith('every ') ? `E${words.slice(1)}` : `At ${words}`;
}

/** "Every 15 minutes" for a field that goes on evenly from one hour or minute to the next; else null. */
function paceOf(set: FieldSet, unit: string): string | null {
  const values = set.list();
  const { width } = set.spec;
  const step = width / values.length;
  if (!values.every((value, index) => value === index * step)) return null;
  if (values.length === 1) return null;
  return step === 1 ? `Every ${unit}` : `Every ${counted(step, unit)}`;
}

function partOf(set: FieldSet, unit: string): string {
  const values = set.list();
  if (set.full) return `every ${unit}`;
  const step = values.length > 6 ? values[1]! - values[0]! : 0;
  if (step > 1 && values.every((value, index) => value === values[0]! + index * step)) {
    return `every ${counted(step, unit)} from ${unit} ${values[0]} to ${values.at(-1)}`;
  }
  return `${unit}${values.length > 1 ? 's' : ''} ${runs(values, String)}`;
}

/** "from 09:00 to 17:59", or the hours where they are not one run. */
function during(hours: readonly number[]): string {
  const oneRun = hours.every((hour, index) => hour === hours[0]! + index);
  if (oneRun) return `from ${two(hours[0]!)}:00 to ${two(hours.at(-1)!)}:59`;
  const step = hours[1]! - hours[0]!;
  const even = hours[0] === 0 && 24 % step === 0 && hours.length === 24 / step;
  if (even) return `of every ${step === 2 ? 'second' : `${step}th`} hour`.replace('3th', '3rd');
  return `of the hours ${runs(hours, String)}`;
}

function clock(hour: number, minute: number, second: number): string {
  return `${two(hour)}:${two(minute)}${second === 0 ? '' : `:${two(second)}`}`;
}
