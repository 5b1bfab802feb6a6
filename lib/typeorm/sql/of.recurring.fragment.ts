import type { TableNames } from './table.names.js';

/**
 * The recurring job of a row. LIMIT, or a plan for a number of rows that is not known yet (that of a prepared statement) would read all jobs
 * rather than look each one up.
 */
export function ofRecurring(t: TableNames, uid: string): string {
  return `lateral (select found.* from ${t.job} found where found.uid = ${uid} limit 1)`;
}
