import { describe, expect, test } from 'vitest';
import { assertParams, assertParamsSchema } from '../../lib/definitions/params.schema.js';
import { InvalidOptionError, InvalidPayloadError } from '../../lib/index.js';
import type { JsonObject, JsonValue } from '../../lib/model/json.js';

const order: JsonObject = {
  type: 'object',
  required: ['id'],
  additionalProperties: false,
  properties: {
    id: { type: 'integer', minimum: 1 },
    mail: { type: 'string', format: 'email' },
    items: { type: 'array', items: { type: 'object', required: ['a/b'] } },
  },
};

function check(schema: JsonObject, params: JsonValue): void {
  assertParamsSchema(schema);
  assertParams(schema, JSON.stringify(schema), params, 'the definition order@1');
}

describe('the schema of params', () => {
  test('takes what fits', () => {
    expect(() => check(order, { id: 1, mail: 'ada@example.com', items: [{ 'a/b': 1 }] })).not.toThrow();
    expect(() => check({}, null)).not.toThrow();
  });

  test('names all that does not', () => {
    const fail = (): void => check(order, { id: 0, mail: 'none', items: [{}], more: 1 });
    expect(fail).toThrow(InvalidPayloadError);
    expect(fail).toThrow(
      `params: do not fit the schema of the definition order@1: must NOT have additional properties ("more"); at params.id: must be >= 1; at params.mail: must match format "email"; at params.items[0]: must have required property 'a/b'.`,
    );
    try {
      fail();
    } catch (error) {
      expect((error as InvalidPayloadError).issues.map(({ path }) => path)).toEqual([
        [],
        ['id'],
        ['mail'],
        ['items', 0],
      ]);
    }
  });

  test('changes nothing, neither the params nor itself', () => {
    const schema = { type: 'object', properties: { n: { type: 'number', default: 7 } } };
    const params = { n: '7' };
    expect(() => check(schema, params)).toThrow('at params.n: must be number');
    expect(params).toEqual({ n: '7' });
    expect(() => check(schema, {})).not.toThrow();
    expect(schema).toEqual({ type: 'object', properties: { n: { type: 'number', default: 7 } } });
  });

  test('may be of draft 7 as well, which it says', () => {
    const tuple = { type: 'array', items: [{ type: 'string' }], minItems: 1, additionalItems: false };
    const draft7 = { $schema: 'http://json-schema.org/draft-07/schema#', ...tuple };
    expect(() => check(draft7, ['a'])).not.toThrow();
    expect(() => check(draft7, ['a', 1])).toThrow(InvalidPayloadError);
    expect(() => check(tuple, ['a'])).toThrow(InvalidOptionError);
  });

  test('with an $id of its own does not stand for another one that has it', () => {
    const one = { $id: 'https://example.com/params', type: 'string' };
    const other = { $id: 'https://example.com/params', type: 'number' };
    expect(() => check(one, 'a')).not.toThrow();
    expect(() => check(other, 1)).not.toThrow();
    expect(() => check(one, 1)).toThrow('must be string');
  });

  test.each<[JsonObject, string]>([
    [{ type: 'text' }, 'params: is no JSON Schema that can be used'],
    [{ propertis: {} }, 'unknown keyword: "propertis"'],
    [{ $ref: 'https://example.com/other' }, "can't resolve reference"],
    [{ type: 'string', format: 'shoe-size' }, 'npm install ajv-formats'],
    [
      { $schema: 'http://json-schema.org/draft-04/schema#' },
      'has the $schema "http://json-schema.org/draft-04/schema#"',
    ],
    [{ $schema: 4 }, 'has the $schema 4'],
  ])('that cannot be used is refused: %j', (schema, problem) => {
    expect(() => assertParamsSchema(schema)).toThrow(InvalidOptionError);
    expect(() => assertParamsSchema(schema)).toThrow(problem);
  });
});
