import { assertTimeZone, InvalidOptionError, type TriggerInput } from '../index.js';
import type { CronTime } from './cron.time.js';

const hour = 60;

/** The stored form of a CronTime. Throws InvalidOptionError for offsets that no zone has a name for. */
export function cronTrigger(time: CronTime, place: string): TriggerInput {
  const { expression, zone } = time;
  if (expression === null) return { type: 'at', at: (time.source as { toMillis(): number }).toMillis() };
  return { type: 'cron', expression, timeZone: zone.name ?? fixedZone(zone.offsetMinutes, place) };
}

/** The signs of these zones are the other way round: Etc/GMT-9 is nine hours ahead of UTC. */
function fixedZone(minutes: number, place: string): string {
  if (minutes === 0) return 'UTC';
  const hours = minutes / hour;
  if (Number.isInteger(hours) && hours >= -12 && hours <= 14) {
    return assertTimeZone(`Etc/GMT${hours > 0 ? '-' : '+'}${Math.abs(hours)}`);
  }
  throw new InvalidOptionError(
    'utcOffset',
    `${minutes} minutes of ${place} are no whole hours, or more than there are in the world. Give the timeZone, such as "Asia/Kolkata": it is stored with the job.`,
  );
}
