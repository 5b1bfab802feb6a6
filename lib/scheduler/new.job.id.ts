import { randomUUID } from 'node:crypto';

const perMillisecond = 4_096;
let [latest, nth] = [0, 0];

/**
 * An id for a job that was given none: a UUID of version 7 (RFC 9562, monotonic by method 1, a counter). Ids of jobs that were made one after the other stand side by
 * side in the indexes of a database, where random ones would each touch a page of their own.
 */
export function newJobId(now: number): string {
  if (now > latest) [latest, nth] = [Math.floor(now), 0];
  else if (++nth === perMillisecond) [latest, nth] = [latest + 1, 0];
  const time = latest.toString(16).padStart(12, '0');
  const count = nth.toString(16).padStart(3, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${randomUUID().slice(19)}`;
}
