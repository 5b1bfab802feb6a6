import { expect, test } from 'vitest';
import { toJson } from '../../lib/model/json.js';

function pathOf(value: unknown): string {
  try {
    toJson(value, 'payload', 10_000_000);
  } catch (error) {
    return /at (payload.*?): /.exec((error as Error).message)![1]!;
  }
  throw new Error('Nothing is wrong with it.');
}

/** A NaN within that. */
const within = (...keys: (string | number)[]): unknown =>
  keys.reduceRight<unknown>((inside, key) => (typeof key === 'number' ? [inside] : { [key]: inside }), NaN);

test('the way to what is wrong is told', () => {
  expect(pathOf(within('items', 0, 'no name', '0'))).toBe('payload.items[0]["no name"]["0"]');
});

test('a long way is told by its begin and its end, and long keys by their begin', () => {
  const lists = Array<number>(400).fill(0);
  expect(pathOf(within('a', ...lists, 'z'))).toBe(`payload.a${'[0]'.repeat(11)}…${'[0]'.repeat(7)}.z`);
  expect(pathOf(within('k'.repeat(5_000)))).toBe(`payload["${'k'.repeat(60)}…"]`);
});
