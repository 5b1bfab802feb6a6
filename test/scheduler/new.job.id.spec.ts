import { expect, test } from 'vitest';
import { newJobId } from '../../lib/scheduler/new.job.id.js';

const later = 4_000_000_000_000;

test('an id is a UUID of version 7 that tells when it was made', () => {
  const id = newJobId(later);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(later);
});

test('ids come in order and never twice: many in a millisecond, and after the clock went back', () => {
  const times = [later + 1, later - 500, later + 1.5].flatMap((now) => Array<number>(10_000).fill(now));
  const ids = times.map(newJobId);
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});
