import { ms, now } from './time.fragment.js';

// $1 time
export function readTimeSql(): string {
  return `select ${ms(now)} as now`;
}
