import { describe, expect, test } from 'vitest';
import { assertTemplate, filledTemplate } from '../../lib/definitions/payload.template.js';
import { InvalidOptionError, InvalidPayloadError } from '../../lib/index.js';
import type { JsonValue } from '../../lib/model/json.js';

const params = { id: 7, name: '{"$param": ""}', list: [{ a: null }, false], 'a/b~c': 'odd', '': 'empty' };

/** What a template that is right comes to. */
function filled(template: JsonValue, given: JsonValue = params): JsonValue {
  assertTemplate(template);
  return filledTemplate(template, given);
}

describe('the template of a payload', () => {
  test.each<[string, JsonValue, JsonValue]>([
    ['is itself without params', { a: [1, 'two', null, { b: true }] }, { a: [1, 'two', null, { b: true }] }],
    ['takes a value with its type', { id: { $param: '/id' } }, { id: 7 }],
    ['takes objects and null', [{ $param: '/list/0' }, { $param: '/list/0/a' }], [{ a: null }, null]],
    ['takes all params', { all: { $param: '' } }, { all: params }],
    ['finds keys with a slash or a tilde', { $param: '/a~1b~0c' }, 'odd'],
    ['finds the empty key', { $param: '/' }, 'empty'],
    ['does not read what a param says', { name: { $param: '/name' } }, { name: '{"$param": ""}' }],
    [
      'has defaults where there is nothing',
      { $param: '/none', default: [{ $param: 'as it is' }] },
      [{ $param: 'as it is' }],
    ],
    ['has no default where there is something', { $param: '/list/1', default: true }, false],
    ['leaves a literal as it is', { $literal: { $param: '/id' } }, { $param: '/id' }],
    ['leaves text as it is', 'Dear {{ params.name }}', 'Dear {{ params.name }}'],
  ])('%s', (_, template, payload) => {
    expect(filled(template)).toEqual(payload);
  });

  test('hands on what it is given as data only, keys named __proto__ included', () => {
    const given = JSON.parse('{"x": {"__proto__": {"polluted": true}}}') as JsonValue;
    const payload = filled(JSON.parse('{"__proto__": {"$param": "/x"}}') as JsonValue, given);
    expect(JSON.stringify(payload)).toBe('{"__proto__":{"__proto__":{"polluted":true}}}');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test.each([
    ['/none'],
    ['/list/2'],
    ['/list/00'],
    ['/list/-1'],
    ['/list/length'],
    ['/name/0'],
    ['/toString'],
    ['/constructor/name'],
    ['/list/0/a/b'],
  ])('names what the params lack: %s', (pointer) => {
    const fill = (): unknown => filled({ deep: [{ $param: pointer }] });
    expect(fill).toThrow(InvalidPayloadError);
    expect(fill).toThrow(`params: have nothing at "${pointer}"`);
  });

  test.each<[JsonValue, string]>([
    [{ a: [{ $param: 'id' }] }, 'payload.a[0]: $param must be a JSON Pointer'],
    [{ $param: '/a~2' }, 'payload: $param must be a JSON Pointer'],
    [{ $param: 7 }, 'but is 7'],
    [{ $param: '/id', or: 1 }, 'payload: has "or" beside "$param"'],
    [{ a: { $literal: 1, b: 2 } }, 'payload.a: has "b" beside "$literal"'],
  ])('that cannot be filled is refused where it is defined: %j', (template, problem) => {
    expect(() => assertTemplate(template)).toThrow(InvalidOptionError);
    expect(() => assertTemplate(template)).toThrow(problem);
  });
});
