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

/** From the first user in a URL to the last `@`, as a password may hold anything. */
const passwordOfUrl = /(\w:\/\/[^\s:@/]*:).*@/s;

/** A short text for any value, for error messages; never throws. Passwords are left out, as messages go to logs: the URL of a database may be given in any place. */
export function shown(value: unknown): string {
  if (typeof value === 'string') {
    const text = value.replace(passwordOfUrl, '$1***@');
    return text.length > 200 ? `${text.slice(0, 199)}…` : text;
  }
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  try {
    return shown(JSON.stringify(value, withoutPassword));
  } catch {
    return 'an object';
  }
}

/** A value as it is shown in a message about an option: text in quotes, as it may look like a number. */
export function described(value: unknown): string {
  return typeof value === 'string' ? `'${shown(value)}'` : shown(value);
}

function withoutPassword(key: string, value: unknown): unknown {
  return key === 'password' && typeof value === 'string' ? '***' : value;
}
