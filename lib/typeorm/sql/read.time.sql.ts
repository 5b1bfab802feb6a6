import { clock } from './time.fragment.js';

// $1 time. With fractions, as workers go by it.
export function readTimeSql(): string {
  return `select ${clock} as now`;
}
