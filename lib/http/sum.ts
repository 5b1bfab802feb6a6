import { createHash } from 'node:crypto';

/** By which equal values are known, if their keys are in one order. */
export function sumOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
