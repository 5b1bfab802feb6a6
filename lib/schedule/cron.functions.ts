import { CronTime, type CronSource } from './cron.time.js';
import type { CronDate } from './installed.types.js';

/** The next instant of a cron text, or the date itself. Throws an error like CronTime. @publicApi */
export function sendAt(cronTime: CronSource): CronDate {
  return new CronTime(cronTime).sendAt();
}

/** Milliseconds until then. Throws an error like CronTime. @publicApi */
export function timeout(cronTime: CronSource): number {
  return new CronTime(cronTime).getTimeout();
}

/** Whether a cron text can be read, and what is wrong with it if not. @publicApi */
export function validateCronExpression(expression: string): { valid: boolean; error?: Error } {
  return CronTime.validateCronExpression(expression);
}
