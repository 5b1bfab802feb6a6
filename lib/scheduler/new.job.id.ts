import { randomFillSync } from 'node:crypto';

const perMillisecond = 4_096;
let [latest, nth] = [0, 0];

const hex = Buffer.from('0123456789abcdef');
/** The id in the making. Text that is put together from pieces would keep them, and be six times as large. */
const text = Buffer.from('00000000-0000-7000-8000-000000000000');
const random = Buffer.alloc(4_096);
let used = random.length;

/**
 * An id for a job that was given none: a UUID of version 7 (RFC 9562, monotonic by method 1, a counter). Ids of jobs that were made one after the other stand side by
 * side in the indexes of a database, where random ones would each touch a page of their own.
 */
export function newJobId(now: number): string {
  if (now > latest) [latest, nth] = [Math.floor(now), 0];
  else if (++nth === perMillisecond) [latest, nth] = [latest + 1, 0];
  if (nth === 0) {
    put(0, 8, Math.floor(latest / 2 ** 16));
    put(9, 4, latest % 2 ** 16);
  }
  put(15, 3, nth);
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  put(19, 4, 0x8000 | (random.readUInt16LE(used) & 0x3fff));
  put(24, 6, random.readUIntLE(used + 2, 3));
  put(30, 6, random.readUIntLE(used + 5, 3));
  used += 8;
  return text.toString('latin1');
}

/** A number of up to 32 bits in so many digits. */
function put(at: number, digits: number, value: number): void {
  for (let i = at + digits - 1, rest = value; i >= at; i--, rest >>>= 4) text[i] = hex[rest & 15]!;
}
