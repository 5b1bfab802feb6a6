import { expect, test } from 'vitest';
import { redacted } from '../../lib/http/redaction.js';
import { asStored, jsonOf } from '../../lib/http/stored.json.js';

const body = (value: unknown, text?: string) => ({ id: 'a', payload: asStored(value, text) });

test('a stored text goes out as it is, wherever it stands, with what looks like patterns in it', () => {
  const deep = `${'['.repeat(20_000)}1${']'.repeat(20_000)}`;
  const texts = ['9007199254740993', '1e400', deep, '"$1 $& \\u0000"', '{ "b" : 0.10 }'];
  expect(jsonOf({ items: texts.map((text) => body(1, text)) })).toBe(
    `{"items":[${texts.map((text) => `{"id":"a","payload":${text}}`).join(',')}]}`,
  );
  expect(jsonOf([body({ b: 1 })])).toBe('[{"id":"a","payload":{"b":1}}]');
});

test('what is redacted goes out redacted, and the rest as it is stored', () => {
  const answer = { ...body(9, '9007199254740993'), metadata: asStored({ a: 1 }, '{ "a": 1 }') };
  const shown = redacted(answer, (value, path) => (path === 'payload' ? 'secret' : value));
  expect(jsonOf(shown)).toBe('{"id":"a","payload":"secret","metadata":{ "a": 1 }}');
});
