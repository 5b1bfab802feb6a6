import type { DurationInput, DurationParts } from '../model/trigger.js';
import { nearestName } from '../model/nearest.name.js';
import { refuse, shown } from './refuse.js';

/** The longest duration: 36,525 days, which is a hundred years. */
export const maxDurationMs = 36_525 * 86_400_000;

const partMs: Record<keyof DurationParts, number> = {
  weeks: 604_800_000,
  days: 86_400_000,
  hours: 3_600_000,
  minutes: 60_000,
  seconds: 1_000,
  milliseconds: 1,
};

const number = String.raw`(\d{1,15}(?:\.\d{1,9})?)`;
const shortText = new RegExp(
  `^(?:${number}w)?(?:${number}d)?(?:${number}h)?(?:${number}m(?!s))?(?:${number}s)?(?:${number}ms)?$`,
);
const isoNumber = String.raw`(\d{1,15}(?:[.,]\d{1,9})?)`;
const isoText = new RegExp(
  `^P(?:${isoNumber}W)?(?:${isoNumber}D)?(?:T(?:${isoNumber}H)?(?:${isoNumber}M)?(?:${isoNumber}S)?)?$`,
);
const unitWords = [
  'weeks?|wks?',
  'days?',
  'hours?|hrs?',
  'minutes?|mins?',
  'seconds?|secs?',
  'milliseconds?|millis|msecs?',
];
const wordText = new RegExp(
  `^${unitWords.map((words) => String.raw`(?:${number} +(?:${words})(?: +(?=\d)|$))?`).join('')}$`,
  'i',
);
const units = [604_800_000, 86_400_000, 3_600_000, 60_000, 1_000, 1];
const maxTextLength = 100;

/**
 * A duration in milliseconds. Takes milliseconds, text (`'90s'`, `'5m'`, `'1h30m'`, `'2d'`, `'1w'`, `'500ms'`, words such as
 * `'5 minutes'` or `'1 day 2 hours'`, ISO 8601 such as `'PT5M'` or `'P1DT12H'`) or parts that add up (`{ hours: 1, minutes: 30 }`). Days are 24 h, weeks 168 h.
 *
 * Throws `InvalidScheduleError` (`bad-duration`, or `unknown-key` for a part that does not exist) for anything else, for
 * zero and negative durations, fractions of a millisecond, and more than 100 years (36,525 days). @publicApi
 */
export function parseDuration(input: DurationInput, field = 'duration'): number {
  const ms = checkedDuration(input, field);
  return ms > 0 ? ms : bad(input, field, 'must be longer than zero');
}

/** Whether it is a duration in parts, and no other object. */
export function isParts(given: object): given is DurationParts {
  const keys = Object.keys(given);
  return keys.length > 0 && keys.every((key) => Object.hasOwn(partMs, key));
}

/** So many milliseconds, 31 years, and more are a time since 2001, and no delay: somebody has given `Date.now()`. */
export const firstTimeMs = 1e12;

/** As `parseDuration`, but zero is allowed, in all its forms; a number that can only be a time is not. */
export function parseDelay(input: DurationInput, field: string): number {
  const ms = checkedDuration(input, field);
  if (typeof input === 'number' && ms >= firstTimeMs) {
    bad(
      input,
      field,
      'can only be a time, and not how long',
      `For ${new Date(ms).toISOString()} give "at", or take Date.now() off. For a delay of that length write it as text: "${Math.round(ms / partMs.days)}d".`,
    );
  }
  return ms >= 0 ? ms : bad(input, field, 'must not be negative');
}

function checkedDuration(input: DurationInput, field: string): number {
  const ms = durationOf(input, field);
  if (!Number.isFinite(ms)) bad(input, field, 'is not a finite number');
  if (ms > maxDurationMs) bad(input, field, 'is longer than 100 years (36,525 days), the longest duration');
  if (!Number.isInteger(ms)) bad(input, field, 'is not a whole number of milliseconds');
  return ms;
}

function durationOf(input: unknown, field: string): number {
  if (typeof input === 'number') return input;
  if (typeof input === 'string') return textDuration(input, field);
  if (typeof input !== 'object' || input === null || Array.isArray(input) || input instanceof Date) {
    return bad(input, field, 'is not a duration', 'Give milliseconds, text such as "5m", or { minutes: 5 }.');
  }
  return partsDuration(input as Record<string, unknown>, field);
}

function partsDuration(parts: Record<string, unknown>, field: string): number {
  let sum = 0;
  let given = 0;
  for (const [key, value] of Object.entries(parts)) {
    if (value === undefined || value === null) continue;
    if (!Object.hasOwn(partMs, key)) {
      const near = nearestName(key, Object.keys(partMs));
      refuse(parts, 'unknown-key', `${field}: a duration has no part "${shown(key)}".`, {
        field,
        hint: near ? `Did you mean "${near}"?` : `Its parts are ${Object.keys(partMs).join(', ')}.`,
      });
    }
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      bad(parts, field, `has a part "${key}" that is not a finite number`);
    }
    if (value < 0) bad(parts, field, `has a negative part "${key}"`);
    sum += value * partMs[key as keyof DurationParts];
    given++;
  }
  return given > 0 ? tidy(sum) : bad(parts, field, 'has no part', 'Give one, for example { minutes: 5 }.');
}

function textDuration(text: string, field: string): number {
  if (text === '') return bad(text, field, 'is empty', 'Write for example "5m" or "1h30m".');
  if (text.length > maxTextLength) return bad(text, field, `is longer than ${maxTextLength} characters`);
  const iso = text.startsWith('P');
  const found = iso ? isoText.exec(text) : (shortText.exec(text) ?? wordText.exec(text));
  if (!found || (iso && /(?:P|T)$/.test(text))) return bad(text, field, 'is not a duration', textHint(text));
  let sum = 0;
  let fractions = 0;
  const values = found.slice(1);
  const last = values.findLastIndex((value) => value !== undefined);
  for (const [index, value] of values.entries()) {
    if (value === undefined) continue;
    if (/[.,]/.test(value) && index !== last) fractions++;
    sum += Number(value.replace(',', '.')) * units[index]!;
  }
  if (fractions > 0) bad(text, field, 'has a fraction that is not in its last part');
  return tidy(sum);
}

/** 0.1 + 0.2 days are whole milliseconds, though the sum of their binary fractions is not. */
function tidy(ms: number): number {
  const rounded = Math.round(ms);
  return Math.abs(ms - rounded) < 1e-4 && rounded !== 0 ? rounded : ms;
}

const fixedHint = 'Months and years have no fixed length: use a cron expression, or days.';

function textHint(text: string): string {
  if (isNumeric(text)) {
    return `Add a unit, such as "${text}ms" or "${text}s". Only a number is milliseconds without one.`;
  }
  if (/^P[^T]*[YM]/.test(text)) return fixedHint;
  if (/\b(?:months?|mons?|years?|yrs?)\b/i.test(text)) return fixedHint;
  if (/\s/.test(text))
    return 'Write it without blanks, such as "1h30m", or in words, such as "1 hour 30 minutes".';
  return 'Units are w, d, h, m, s and ms, from the largest to the smallest: "1h30m". Words ("5 minutes") and ISO 8601 ("PT5M") are accepted too.';
}

/** As what an environment variable holds, which looks like the number that it is not. */
function isNumeric(text: string): boolean {
  return /^\d+$/.test(text);
}

function bad(input: unknown, field: string, problem: string, hint: string | null = null): never {
  const text = shown(input);
  const isQuoted = typeof input === 'string' && (text === '' || isNumeric(text));
  return refuse(input, 'bad-duration', `${field}: ${isQuoted ? `"${text}"` : text} ${problem}.`, {
    field,
    position: typeof input === 'string' ? 0 : null,
    hint,
  });
}
