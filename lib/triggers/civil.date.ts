// Dates of the proleptic Gregorian calendar as plain integers: days and seconds since 1970-01-01 00:00:00 of a wall
// clock that knows no zone. Date objects are avoided on purpose: they are slow and know the zone of the process.

export const daySeconds = 86_400;

/** Days since 1970-01-01 of a date; `month` counts from 1. */
export function dayNumber(year: number, month: number, day: number): number {
  // The year begins in March here, so that the leap day is its last.
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** A date packed as year · 512 + month · 32 + day: one number, so that nothing is allocated. */
export function packedDate(days: number): number {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra =
    ((dayOfEra - ((dayOfEra / 1460) | 0) + ((dayOfEra / 36_524) | 0) - ((dayOfEra / 146_096) | 0)) / 365) | 0;
  const dayOfYear = dayOfEra - (365 * yearOfEra + ((yearOfEra / 4) | 0) - ((yearOfEra / 100) | 0));
  const m = ((5 * dayOfYear + 2) / 153) | 0;
  const day = dayOfYear - (((153 * m + 2) / 5) | 0) + 1;
  const month = m < 10 ? m + 3 : m - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return year * 512 + month * 32 + day;
}

export const yearOf = (packed: number): number => packed >> 9;
export const monthOf = (packed: number): number => (packed >> 5) & 15;
export const dayOf = (packed: number): number => packed & 31;

/** 0 = Sunday. */
export function weekdayOf(days: number): number {
  return (((days + 4) % 7) + 7) % 7;
}

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

const monthLengths = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function monthLength(year: number, month: number): number {
  return month === 2 && isLeapYear(year) ? 29 : monthLengths[month]!;
}

/** ISO 8601 week of a day, 1–53: the week belongs to the year that has its Thursday. */
export function isoWeekOf(days: number): number {
  const thursday = days - ((weekdayOf(days) + 6) % 7) + 3;
  const firstOfYear = dayNumber(yearOf(packedDate(thursday)), 1, 1);
  return Math.floor((thursday - firstOfYear) / 7) + 1;
}

/** `YYYY-MM-DD` of a day. */
export function dateText(days: number): string {
  const packed = packedDate(days);
  return `${String(yearOf(packed)).padStart(4, '0')}-${two(monthOf(packed))}-${two(dayOf(packed))}`;
}

/** `HH:MM:SS` of a second of the day. */
export function timeText(secondOfDay: number): string {
  const hour = Math.floor(secondOfDay / 3600);
  return `${two(hour)}:${two(Math.floor(secondOfDay / 60) % 60)}:${two(secondOfDay % 60)}`;
}

export function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
