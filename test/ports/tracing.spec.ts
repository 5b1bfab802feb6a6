import { describe, expect, test } from 'vitest';
import { storableTrace, traceParentOf } from '../../lib/ports/tracing.js';

const parent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

describe('a trace that is stored', () => {
  test.each([
    ['without a state', parent, parent],
    ['with a state', `${parent} vendor=1,other=2`, `${parent} vendor=1,other=2`],
    ['with the longest state', `${parent} ${'v'.repeat(512)}`, `${parent} ${'v'.repeat(512)}`],
    ['without a state that is longer', `${parent} ${'v'.repeat(513)}`, parent],
    ['without a state that is no plain text', `${parent} vendor=\u0000`, parent],
  ])('is kept %s', (_, given, stored) => {
    expect(storableTrace(given)).toBe(stored);
    expect(traceParentOf(stored)).toBe(parent);
  });

  test.each([
    ['', 'nothing'],
    [undefined, 'undefined'],
    [1, 'a number'],
    ['order-1', 'another text'],
    [parent.toUpperCase(), 'upper case'],
    [`00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`, 'a trace of zeros'],
    [`00-${'a'.repeat(32)}-${'0'.repeat(16)}-01`, 'a span of zeros'],
    [`ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, 'a version that there is not'],
    [`${parent}-more`, 'more than that'],
  ])('is dropped where it is none: %s (%s)', (...[given]) => {
    expect(storableTrace(given)).toBeUndefined();
  });
});
