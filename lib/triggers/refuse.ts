import { InvalidScheduleError, type ScheduleErrorReason } from '../model/errors.js';

/** Throws the one error of schedules. `input` may be anything; it is shown as text. */
export function refuse(
  input: unknown,
  reason: ScheduleErrorReason,
  message: string,
  detail: { field?: string | null; position?: number | null; hint?: string | null } = {},
): never {
  throw new InvalidScheduleError({ input: shown(input), reason, message, ...detail });
}

/** A short text for any value, for error messages; never throws. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return value.length > 200 ? `${value.slice(0, 199)}…` : value;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  try {
    return shown(JSON.stringify(value));
  } catch {
    return 'an object';
  }
}
