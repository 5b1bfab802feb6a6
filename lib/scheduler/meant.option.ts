import { nearestName } from '../model/nearest.name.js';

/** What options are called elsewhere: by other schedulers, and by calls of this one. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  at: ['runAt', 'date', 'runDate', 'run_date', 'when', 'startDate'],
  in: ['delay', 'delayMs', 'after'],
  every: [
    'interval',
    'repeat',
    'repeatEvery',
    'weeks',
    'days',
    'hours',
    'minutes',
    'seconds',
    'milliseconds',
  ],
  cron: [
    'expression',
    'fields',
    'cronTime',
    'pattern',
    'schedule',
    'hour',
    'minute',
    'second',
    'dayOfWeek',
    'day_of_week',
    'day',
    'month',
  ],
  schedule: ['cron', 'every', 'at', 'expression', 'interval', 'runAt', 'trigger'],
  id: ['jobId', 'job_id', 'key'],
  handler: ['func', 'fn', 'task'],
  payload: ['data', 'args', 'kwargs', 'body'],
  maxRetries: ['maxRetry', 'retry', 'retries', 'attempts', 'retryLimit'],
  timeZone: ['tz', 'zone'],
  state: ['status'],
  metadata: ['tags', 'meta', 'labels'],
};

/** The option that was probably meant, or null: by its letters, or as other schedulers call it. For packages that have options of their own. @publicApi */
export function meantOption(key: string, known: readonly string[]): string | null {
  const meant = known.find(
    (option) => Object.hasOwn(otherNames, option) && otherNames[option]!.includes(key),
  );
  return meant ?? nearestName(key, known);
}
