import { clock, ms, now } from './time.fragment.js';

// $1 time
export function readTimeSql(): string {
  return `select ${ms(now)} as now`;
}

// $1 time. With fractions of a millisecond, as late as the server knows it.
export function readExactTimeSql(): string {
  return `select ${clock} as now`;
}
