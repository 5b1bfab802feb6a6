import { describe, expect, test } from 'vitest';
import { nextOccurrences, previousOccurrences, type DstPolicy, type TriggerInput } from '../../lib/index.js';
import { clockVectors } from './vectors/clock.vectors.js';
import { dialectVectors } from './vectors/dialect.vectors.js';
import { policyVectors } from './vectors/policy.vectors.js';
import { rowsOf, type VectorRow } from './vectors/vector.rows.js';

function iso(dates: Date[]): string[] {
  return dates.map((date) => date.toISOString());
}

function check(trigger: TriggerInput, { zone, from, expected }: VectorRow): void {
  const count = Math.max(expected.length, 1);
  expect(iso(nextOccurrences(trigger, { from, count, timeZone: zone }))).toEqual(expected);
  const last = expected.at(-1);
  if (last === undefined || isEvery(trigger)) return;
  // The same instants come out backwards.
  const back = previousOccurrences(trigger, { from: new Date(Date.parse(last) + 1), count, timeZone: zone });
  expect(iso(back).reverse()).toEqual(expected);
}

function isEvery(trigger: TriggerInput): boolean {
  return trigger.type === 'cron' && trigger.expression!.startsWith('@every');
}

describe('the dialect, in UTC', () => {
  test.each(rowsOf(dialectVectors))('$title', (row) =>
    check({ type: 'cron', expression: row.expression }, row),
  );
});

describe('changes of the clocks', () => {
  test.each(rowsOf(clockVectors))('$title', (row) =>
    check({ type: 'cron', expression: row.expression }, row),
  );
});

describe('the policy for changes of the clocks', () => {
  test.each(rowsOf(policyVectors))('$title', (row) => {
    const [policy, ...fields] = row.expression.split(/ +/);
    const [gap, overlap] = policy!.split(',');
    const dst: DstPolicy = {};
    if (gap !== '-') dst.gap = gap as DstPolicy['gap'];
    if (overlap !== '-') dst.overlap = overlap as DstPolicy['overlap'];
    check({ type: 'cron', expression: fields.join(' '), dst }, row);
  });
});

test('tabs and blanks around and between fields say nothing', () => {
  const options = { from: '2026-01-01 00:00', count: 3 };
  const plain = nextOccurrences({ type: 'cron', expression: '0 9 * * 1-5' }, options);
  for (const expression of ['\t0\t9\t*\t*\t1-5', '  0 9 * *   1-5  ', '0 \t 9 * * 1-5\t']) {
    expect(nextOccurrences({ type: 'cron', expression }, options)).toEqual(plain);
  }
});
